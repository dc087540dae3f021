import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0007_seed_languages"),
        ("communities", "0002_seed_groups"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Facility",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("name", models.CharField(max_length=150)),
                (
                    "condition",
                    models.PositiveSmallIntegerField(
                        blank=True, choices=[(0, "in ruins"), (1, "poor"), (2, "fair"), (3, "good")], null=True
                    ),
                ),
                ("built_on", models.DateField(blank=True, null=True)),
                ("location", models.JSONField(blank=True, help_text="A GeoJSON point", null=True)),
                ("photo", models.FileField(blank=True, max_length=200, upload_to="facilities/")),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="facilities",
                        to="communities.community",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "facilities",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="CommunityHistory",
            fields=[
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "created"), ("~", "changed"), ("-", "deleted")], max_length=1),
                ),
                ("name", models.CharField(blank=True, max_length=150)),
                ("code", models.CharField(blank=True, max_length=20, null=True)),
                ("settled_in", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("estimated_people", models.PositiveIntegerField(default=0)),
                ("households", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "proximity",
                    models.CharField(
                        choices=[("town", "in town"), ("near", "near a town"), ("remote", "remote")],
                        default="near",
                        max_length=10,
                    ),
                ),
                ("poverty_percent", models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True)),
                ("has_mosque", models.BooleanField(default=False)),
                ("has_madrasah", models.BooleanField(blank=True, null=True)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("notes", models.TextField(blank=True)),
                ("id", models.BigIntegerField(db_index=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "barangay",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="common.barangay",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "community histories",
                "ordering": ["-history_date", "-history_id"],
                "get_latest_by": ["history_date", "history_id"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="HealthCentre",
            fields=[
                (
                    "facility_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="communities.facility",
                    ),
                ),
                ("beds", models.PositiveIntegerField(blank=True, null=True)),
                ("has_midwife", models.BooleanField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
            bases=("communities.facility",),
        ),
        migrations.CreateModel(
            name="School",
            fields=[
                (
                    "facility_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="communities.facility",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("primary", "primary"), ("secondary", "secondary"), ("madrasah", "madrasah")],
                        max_length=10,
                    ),
                ),
                ("classrooms", models.PositiveSmallIntegerField(default=1)),
                ("bell_at", models.TimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
            bases=("communities.facility",),
        ),
        migrations.CreateModel(
            name="WaterSystem",
            fields=[
                (
                    "facility",
                    models.OneToOneField(
                        db_column="facility_no",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="communities.facility",
                    ),
                ),
                ("litres_per_hour", models.DecimalField(decimal_places=3, max_digits=9)),
                ("last_tested_at", models.DateTimeField(blank=True, null=True)),
                ("is_potable", models.BooleanField(null=True)),
            ],
        ),
    ]
