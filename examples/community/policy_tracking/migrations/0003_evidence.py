import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coordination", "0005_rename_contact"),
        ("policy_tracking", "0002_seed_areas"),
    ]

    operations = [
        migrations.CreateModel(
            name="Evidence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=255)),
                ("url", models.URLField(blank=True, max_length=400, null=True)),
                ("collected_on", models.DateField(blank=True, null=True)),
                ("strength", models.DecimalField(decimal_places=2, default=0, max_digits=3)),
                ("data", models.JSONField(blank=True, null=True)),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evidence",
                        to="policy_tracking.recommendation",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="coordination.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "evidence",
                "ordering": ["-strength", "id"],
            },
        ),
        migrations.CreateModel(
            name="Impact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("indicator", models.CharField(max_length=120)),
                ("baseline", models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ("measured", models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ("measured_at", models.DateTimeField(blank=True, null=True)),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="impacts",
                        to="policy_tracking.recommendation",
                    ),
                ),
            ],
            options={
                "ordering": ["indicator", "id"],
            },
        ),
        migrations.CreateModel(
            name="PolicyDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200)),
                ("file", models.FileField(upload_to="policy/%Y/")),
                ("checksum", models.BinaryField(blank=True, null=True)),
                ("pages", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "recommendation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="documents",
                        to="policy_tracking.recommendation",
                    ),
                ),
            ],
        ),
    ]
