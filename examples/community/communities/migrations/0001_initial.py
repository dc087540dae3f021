import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("common", "0007_seed_languages"),
    ]

    operations = [
        migrations.CreateModel(
            name="EthnicGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("description", models.TextField(blank=True)),
                ("languages", models.ManyToManyField(blank=True, to="common.language")),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Livelihood",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "sector",
                    models.CharField(
                        choices=[
                            ("farming", "farming"),
                            ("fishing", "fishing"),
                            ("trade", "trade"),
                            ("craft", "craft"),
                            ("services", "services"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["sector", "name"],
                "unique_together": {("sector", "name")},
            },
        ),
        migrations.CreateModel(
            name="Community",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
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
                (
                    "barangay",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="community", to="common.barangay"
                    ),
                ),
                (
                    "main_language",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="common.language"
                    ),
                ),
                ("neighbours", models.ManyToManyField(blank=True, to="communities.community")),
                (
                    "ethnic_groups",
                    models.ManyToManyField(blank=True, related_name="communities", to="communities.ethnicgroup"),
                ),
                ("livelihoods", models.ManyToManyField(blank=True, to="communities.livelihood")),
            ],
            options={
                "verbose_name_plural": "communities",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="MunicipalityCoverage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("total_communities", models.PositiveIntegerField(default=0)),
                ("estimated_population", models.PositiveIntegerField(blank=True, null=True)),
                ("key_barangays", models.TextField(blank=True)),
                ("auto_sync", models.BooleanField(default=True)),
                ("synced_at", models.DateTimeField(blank=True, null=True)),
                (
                    "municipality",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="coverage", to="common.municipality"
                    ),
                ),
            ],
            options={
                "ordering": ["municipality"],
            },
        ),
    ]
