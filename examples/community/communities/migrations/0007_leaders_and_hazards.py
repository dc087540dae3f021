import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0009_name_site"),
        ("communities", "0006_seed_livelihoods"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Hazard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("flood", "flood"),
                            ("drought", "drought"),
                            ("landslide", "landslide"),
                            ("conflict", "conflict"),
                        ],
                        max_length=10,
                    ),
                ),
                ("severity", models.SmallIntegerField(default=0)),
                ("struck_at", models.DateTimeField(blank=True, null=True)),
                ("area_geojson", models.JSONField(blank=True, null=True)),
                ("extra", models.JSONField(blank=True, default=dict)),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="hazards", to="communities.community"
                    ),
                ),
            ],
            options={
                "ordering": ["-severity", "id"],
            },
        ),
        migrations.CreateModel(
            name="Leader",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_deleted", models.BooleanField(db_index=True, default=False)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("full_name", models.CharField(db_index=True, max_length=150)),
                ("honorific", models.CharField(blank=True, max_length=40, null=True)),
                ("role", models.CharField(max_length=80)),
                ("born_on", models.DateField(blank=True, null=True)),
                ("phone", models.CharField(blank=True, max_length=30, null=True)),
                ("influence", models.FloatField(blank=True, null=True)),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="leaders", to="communities.community"
                    ),
                ),
                ("languages", models.ManyToManyField(blank=True, to="common.language")),
            ],
            options={
                "ordering": ["full_name"],
            },
        ),
        migrations.CreateModel(
            name="LeaderEngagement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("held_on", models.DateField()),
                ("began_at", models.TimeField(blank=True, null=True)),
                ("took", models.DurationField(blank=True, null=True)),
                ("summary", models.TextField(blank=True)),
                ("topics", common.fields.TagsField(blank=True, default=list)),
                (
                    "leader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="engagements", to="communities.leader"
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-held_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="PopulationCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("women", models.PositiveIntegerField()),
                ("men", models.PositiveIntegerField()),
                (
                    "total",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("women"), "+", models.F("men")
                        ),
                        output_field=models.PositiveIntegerField(),
                    ),
                ),
                ("growth_rate", models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True)),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="population_counts",
                        to="communities.community",
                    ),
                ),
            ],
            options={
                "ordering": ["community", "year"],
                "constraints": [models.UniqueConstraint(fields=("community", "year"), name="population_once_a_year")],
            },
        ),
    ]
