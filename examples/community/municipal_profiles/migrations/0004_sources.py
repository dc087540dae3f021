import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("municipal_profiles", "0003_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProfileSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("packed", models.BinaryField()),
                ("size_bytes", models.PositiveIntegerField()),
                ("taken_at", models.DateTimeField()),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="snapshots",
                        to="municipal_profiles.municipalityprofile",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-taken_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="ProfileSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=255)),
                ("url", models.URLField(blank=True)),
                ("published_on", models.DateField(blank=True, null=True)),
                ("is_official", models.BooleanField(db_default=True)),
                (
                    "profiles",
                    models.ManyToManyField(
                        blank=True, related_name="sources", to="municipal_profiles.municipalityprofile"
                    ),
                ),
            ],
            options={
                "ordering": ["title"],
            },
        ),
    ]
