import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("common", "0011_team_names"),
        ("communities", "0007_leaders_and_hazards"),
        ("coordination", "0006_communications"),
        ("mana", "0006_rename_importance"),
        ("policy_tracking", "0005_rename_recommendation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Sector",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="MonitoringEntry",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=255)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("ministry", "a ministry's"),
                            ("office", "our own"),
                            ("request", "asked for by a community"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planning", "planning"),
                            ("ongoing", "ongoing"),
                            ("completed", "completed"),
                            ("on_hold", "on hold"),
                        ],
                        default="planning",
                        max_length=10,
                    ),
                ),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("budget", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ("cost_per_person", models.DecimalField(blank=True, decimal_places=8, max_digits=18, null=True)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("is_public", models.BooleanField(blank=True, null=True)),
                ("raw_import", models.JSONField(blank=True, null=True)),
                ("communities", models.ManyToManyField(blank=True, related_name="entries", to="communities.community")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="led_entries",
                        to="coordination.organization",
                    ),
                ),
                (
                    "municipalities",
                    models.ManyToManyField(blank=True, related_name="entries", to="common.municipality"),
                ),
                (
                    "partners",
                    models.ManyToManyField(blank=True, related_name="entries", to="coordination.organization"),
                ),
                (
                    "recommendation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="policy_tracking.policyrecommendation",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="common.region"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "monitoring entries",
                "ordering": ["-starts_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="NeedAddressed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("covered_percent", models.DecimalField(decimal_places=2, default=100, max_digits=5)),
                (
                    "entry",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="monitoring.monitoringentry"),
                ),
                ("need", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="mana.need")),
            ],
            options={
                "verbose_name_plural": "needs addressed",
                "unique_together": {("entry", "need")},
            },
        ),
        migrations.AddField(
            model_name="monitoringentry",
            name="needs",
            field=models.ManyToManyField(
                blank=True, related_name="entries", through="monitoring.NeedAddressed", to="mana.need"
            ),
        ),
        migrations.AddField(
            model_name="monitoringentry",
            name="sector",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="entries",
                to="monitoring.sector",
            ),
        ),
    ]
