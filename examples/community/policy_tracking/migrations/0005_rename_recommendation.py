from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("communities", "0007_leaders_and_hazards"),
        ("mana", "0006_rename_importance"),
        ("policy_tracking", "0004_comments"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel(
            old_name="Recommendation",
            new_name="PolicyRecommendation",
        ),
    ]
