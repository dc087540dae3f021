import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0014_audit_changes_index"),
        ("communities", "0010_summary_view"),
    ]

    operations = [
        migrations.CreateModel(
            name="MunicipalitySummary",
            fields=[
                (
                    "municipality",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="community_summary",
                        serialize=False,
                        to="common.municipality",
                    ),
                ),
                ("communities", models.BigIntegerField()),
                ("people", models.BigIntegerField(null=True)),
                ("poorest_percent", models.DecimalField(decimal_places=2, max_digits=5, null=True)),
            ],
            options={
                "verbose_name_plural": "municipality summaries",
                "db_table": "communities_municipality_summary",
                "managed": False,
            },
        ),
    ]
