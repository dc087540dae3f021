import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("common", "0008_rename_booking"),
        ("communities", "0004_livelihoods_through"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AssessmentCategory",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("icon", models.CharField(blank=True, max_length=40, null=True)),
            ],
            options={
                "verbose_name_plural": "assessment categories",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("running", "running"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("budget", models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ("spent", models.DecimalField(decimal_places=2, default=0, max_digits=12)),
                ("field_time", models.DurationField(blank=True, null=True)),
                (
                    "communities",
                    models.ManyToManyField(blank=True, related_name="assessments", to="communities.community"),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="led_assessments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "province",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="common.province"
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessments",
                        to="mana.assessmentcategory",
                    ),
                ),
            ],
            options={
                "ordering": ["-starts_on", "title"],
            },
        ),
        migrations.CreateModel(
            name="AssessmentMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(blank=True, max_length=60)),
                ("days", models.DecimalField(decimal_places=1, default=1, max_digits=4)),
                ("assessment", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="mana.assessment")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "unique_together": {("assessment", "user", "role")},
            },
        ),
        migrations.AddField(
            model_name="assessment",
            name="team",
            field=models.ManyToManyField(
                blank=True, related_name="assessments", through="mana.AssessmentMember", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
