import django.db.models.deletion
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0005_fill_slugs"),
    ]

    operations = [
        migrations.AddField(
            model_name="monitoringentry",
            name="keywords",
            field=common.fields.TagsField(blank=True, default=list),
        ),
        migrations.CreateModel(
            name="OutcomeIndicator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("unit", models.CharField(blank=True, max_length=30)),
                ("sectors", models.ManyToManyField(blank=True, to="monitoring.sector")),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="IndicatorReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("read_on", models.DateField()),
                ("target", models.DecimalField(decimal_places=5, max_digits=15)),
                ("actual", models.DecimalField(blank=True, decimal_places=5, max_digits=15, null=True)),
                ("ratio", models.FloatField(blank=True, null=True)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="readings",
                        to="monitoring.monitoringentry",
                    ),
                ),
                (
                    "indicator",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="monitoring.outcomeindicator"),
                ),
            ],
            options={
                "ordering": ["read_on", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "indicator", "read_on"), name="indicator_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("target", models.F("actual")), _negated=True),
                            ("ratio__isnull", False),
                            _connector="OR",
                        ),
                        name="indicator_ratio",
                    ),
                ],
            },
        ),
    ]
