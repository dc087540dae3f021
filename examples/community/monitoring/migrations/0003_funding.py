import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_seed_sectors"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FundingSource",
            fields=[
                ("code", models.CharField(max_length=12, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("is_foreign", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="FundingFlow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("A", "allocation"), ("O", "obligation"), ("E", "expense")], max_length=1
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14)),
                ("cents", common.fields.MoneyField(default=0)),
                ("moved_on", models.DateField()),
                ("booked_at", models.DateTimeField(blank=True, null=True)),
                ("reference", models.CharField(blank=True, max_length=60, null=True, unique=True)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="funding_flows",
                        to="monitoring.monitoringentry",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="monitoring.fundingsource",
                    ),
                ),
            ],
            options={
                "ordering": ["moved_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="ProgressUpdate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("progress", models.PositiveSmallIntegerField()),
                ("attached", models.FileField(blank=True, null=True, upload_to="progress/")),
                ("written_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="updates",
                        to="monitoring.monitoringentry",
                    ),
                ),
            ],
            options={
                "ordering": ["-written_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="WorkflowStage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("entered_at", models.DateTimeField()),
                ("lasted", models.DurationField(blank=True, null=True)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stages",
                        to="monitoring.monitoringentry",
                    ),
                ),
            ],
            options={
                "order_with_respect_to": "entry",
            },
        ),
    ]
