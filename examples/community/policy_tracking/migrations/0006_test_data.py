from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("communities", "0011_municipality_summary"),
        ("mana", "0009_durations"),
        ("policy_tracking", "0005_rename_recommendation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="policyrecommendation",
            name="is_test",
            field=models.BooleanField(default=False, help_text="Made while trying things out; may be pruned"),
        ),
        migrations.AddConstraint(
            model_name="policyrecommendation",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "draft"), ("submitted_on__isnull", False), _connector="OR"),
                name="recommendation_submitted_has_date",
            ),
        ),
    ]
