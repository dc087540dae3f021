import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mana", "0003_needs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkshopActivity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("title", models.CharField(max_length=150)),
                (
                    "method",
                    models.CharField(
                        choices=[("discussion", "discussion"), ("mapping", "mapping"), ("interview", "interview")],
                        max_length=12,
                    ),
                ),
                ("day", models.PositiveSmallIntegerField(default=1)),
                ("on", models.DateField()),
                ("starts", models.TimeField()),
                ("duration_hours", models.DecimalField(decimal_places=2, max_digits=4)),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workshop_activities",
                        to="mana.assessment",
                    ),
                ),
                (
                    "facilitators",
                    models.ManyToManyField(blank=True, related_name="facilitated", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "verbose_name_plural": "workshop activities",
                "ordering": ["on", "starts", "id"],
            },
        ),
        migrations.CreateModel(
            name="WorkshopOutput",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("text", models.TextField(blank=True)),
                ("drawing", models.BinaryField(blank=True, null=True)),
                ("recording", models.FileField(blank=True, upload_to="workshops/")),
                (
                    "activity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outputs", to="mana.workshopactivity"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WorkshopParticipant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=150)),
                ("age", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("consent", models.BooleanField(null=True)),
                (
                    "activity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="mana.workshopactivity",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
    ]
