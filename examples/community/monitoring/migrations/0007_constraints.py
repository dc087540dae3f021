from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0014_audit_changes_index"),
        ("communities", "0011_municipality_summary"),
        ("coordination", "0007_constraints"),
        ("mana", "0009_durations"),
        ("monitoring", "0006_indicators"),
        ("policy_tracking", "0006_test_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="monitoringentry",
            name="slug",
            field=models.SlugField(max_length=80, unique=True),
        ),
        migrations.AddIndex(
            model_name="monitoringentry",
            index=models.Index(fields=["status", "category"], include=("progress",), name="entry_status"),
        ),
        migrations.AddConstraint(
            model_name="monitoringentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("progress__lte", 100)), name="entry_progress_percent"
            ),
        ),
        migrations.AddConstraint(
            model_name="monitoringentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("budget__isnull", True), ("budget__gte", 0), _connector="OR"),
                name="entry_budget_not_negative",
            ),
        ),
    ]
