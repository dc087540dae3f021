import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("municipal_profiles", "0002_aggregated"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
