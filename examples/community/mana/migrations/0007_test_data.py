from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0014_audit_changes_index"),
        ("communities", "0011_municipality_summary"),
        ("mana", "0006_rename_importance"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="assessment",
            name="is_test",
            field=models.BooleanField(default=False, help_text="Made while trying things out; may be pruned"),
        ),
        migrations.AddField(
            model_name="workshopactivity",
            name="duration",
            field=models.DurationField(null=True),
        ),
        migrations.AddField(
            model_name="workshopactivity",
            name="is_test",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="workshopactivity",
            name="title",
            field=models.CharField(max_length=200),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__isnull", True), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                name="assessment_dates_in_order",
            ),
        ),
    ]
