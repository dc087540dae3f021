import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("communities", "0006_seed_livelihoods"),
        ("mana", "0004_workshops"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyArea",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Recommendation",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=30, unique=True)),
                ("title", models.CharField(max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("submitted", "submitted"),
                            ("approved", "approved"),
                            ("in_force", "in force"),
                            ("rejected", "rejected"),
                        ],
                        db_default="draft",
                        max_length=10,
                    ),
                ),
                ("body", models.TextField()),
                ("submitted_on", models.DateField(blank=True, null=True)),
                ("estimated_cost", common.fields.MoneyField(blank=True, null=True)),
                ("keywords", common.fields.TagsField(blank=True, default=list)),
                (
                    "area",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recommendations",
                        to="policy_tracking.policyarea",
                    ),
                ),
                (
                    "assessments",
                    models.ManyToManyField(blank=True, related_name="recommendations", to="mana.assessment"),
                ),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recommendations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "communities",
                    models.ManyToManyField(blank=True, related_name="recommendations", to="communities.community"),
                ),
                ("needs", models.ManyToManyField(blank=True, related_name="recommendations", to="mana.need")),
            ],
            options={
                "ordering": ["-submitted_on", "number"],
                "permissions": [("submit_recommendation", "Can submit to the government")],
            },
        ),
    ]
