import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("municipal_profiles", "0001_initial"),
        ("municipal_profiles", "0002_aggregated"),
        ("municipal_profiles", "0003_history"),
    ]

    initial = True

    dependencies = [
        ("common", "0014_audit_changes_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
                ("aggregated", models.JSONField(blank=True, default=dict)),
                ("literacy_percent", models.DecimalField(blank=True, decimal_places=3, max_digits=6, null=True)),
            ],
            options={
                "ordering": ["municipality"],
            },
        ),
        migrations.CreateModel(
            name="MunicipalityProfileHistory",
            fields=[
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "created"), ("~", "changed"), ("-", "deleted")], max_length=1),
                ),
                ("reported", models.JSONField(default=dict)),
                ("aggregated", models.JSONField(default=dict)),
                ("literacy_percent", models.DecimalField(decimal_places=3, max_digits=6, null=True)),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="history",
                        to="municipal_profiles.municipalityprofile",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "municipality profile histories",
                "ordering": ["-history_date", "-history_id"],
                "get_latest_by": ["history_date", "history_id"],
                "abstract": False,
            },
        ),
    ]
