import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coordination", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EngagementType",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=30, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("needs_minutes", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Engagement",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("starts_at", models.DateTimeField()),
                ("took", models.DurationField(blank=True, null=True)),
                ("venue", models.CharField(blank=True, max_length=200)),
                ("minutes", models.FileField(blank=True, null=True, upload_to="minutes/")),
                (
                    "follows",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="followed_by",
                        to="coordination.engagement",
                    ),
                ),
            ],
            options={
                "ordering": ["-starts_at"],
            },
        ),
        migrations.CreateModel(
            name="EngagementParticipation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attended", models.BooleanField(null=True)),
                (
                    "engagement",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="coordination.engagement"),
                ),
                (
                    "organization",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="coordination.organization"),
                ),
                (
                    "speaker",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="coordination.contact"
                    ),
                ),
            ],
            options={
                "unique_together": {("engagement", "organization")},
            },
        ),
        migrations.AddField(
            model_name="engagement",
            name="organizations",
            field=models.ManyToManyField(
                related_name="engagements",
                through="coordination.EngagementParticipation",
                to="coordination.organization",
            ),
        ),
        migrations.AddField(
            model_name="engagement",
            name="type",
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to="coordination.engagementtype"),
        ),
        migrations.CreateModel(
            name="ActionItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                ("due_on", models.DateField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "engagement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="action_items",
                        to="coordination.engagement",
                    ),
                ),
            ],
            options={
                "order_with_respect_to": "engagement",
            },
        ),
        migrations.AddIndex(
            model_name="engagement",
            index=models.Index(fields=["-starts_at"], name="engagement_recent"),
        ),
    ]
