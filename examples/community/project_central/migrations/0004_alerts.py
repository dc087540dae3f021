import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0007_constraints"),
        ("project_central", "0003_total_cost"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportSchedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("at", models.TimeField()),
                ("every", models.DurationField()),
                ("last_sent_at", models.DateTimeField(blank=True, null=True)),
                ("recipients", models.JSONField(blank=True, default=list)),
                ("is_enabled", models.BooleanField(db_default=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "level",
                    models.SmallIntegerField(choices=[(10, "note"), (20, "warning"), (30, "alarm")], db_default=10),
                ),
                ("text", models.CharField(max_length=300)),
                ("details", models.JSONField(db_default={})),
                ("raised_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "entry",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="monitoring.monitoringentry",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="project_central.project",
                    ),
                ),
                (
                    "seen_by",
                    models.ManyToManyField(blank=True, related_name="seen_alerts", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "ordering": ["-level", "-raised_at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("project__isnull", False), ("entry__isnull", False), _connector="OR"),
                        name="alert_is_about_something",
                    )
                ],
            },
        ),
    ]
