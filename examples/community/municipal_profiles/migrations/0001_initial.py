import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("common", "0014_audit_changes_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="MunicipalityProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reported", models.JSONField(blank=True, default=dict)),
                ("history_note", models.TextField(blank=True)),
                ("is_locked", models.BooleanField(default=False)),
                (
                    "municipality",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="profile", to="common.municipality"
                    ),
                ),
            ],
            options={
                "ordering": ["municipality"],
            },
        ),
    ]
