import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("common", "0008_rename_booking"),
        ("coordination", "0003_seed_engagement_types"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="tags",
            field=common.fields.TagsField(blank=True, default=list),
        ),
        migrations.CreateModel(
            name="Partnership",
            fields=[
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("is_deleted", models.BooleanField(db_index=True, default=False)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=255)),
                ("reference", models.CharField(blank=True, max_length=40, null=True, unique=True)),
                ("signed_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("amount", common.fields.MoneyField(blank=True, null=True)),
                ("exchange_rate", models.DecimalField(blank=True, decimal_places=10, max_digits=15, null=True)),
                ("document", models.FileField(blank=True, upload_to="partnerships/")),
                ("municipalities", models.ManyToManyField(blank=True, to="common.municipality")),
            ],
            options={
                "ordering": ["title"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PartnershipMilestone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=200)),
                ("due_on", models.DateField()),
                ("reached_on", models.DateField(blank=True, null=True)),
                (
                    "partnership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="milestones",
                        to="coordination.partnership",
                    ),
                ),
            ],
            options={
                "ordering": ["due_on", "id"],
            },
        ),
        migrations.CreateModel(
            name="Signatory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("share_percent", models.DecimalField(decimal_places=2, default=0, max_digits=5)),
                ("signed_by", models.CharField(blank=True, max_length=150)),
                (
                    "organization",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="coordination.organization"),
                ),
                (
                    "partnership",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="coordination.partnership"),
                ),
            ],
            options={
                "verbose_name_plural": "signatories",
                "unique_together": {("partnership", "organization")},
            },
        ),
        migrations.AddField(
            model_name="partnership",
            name="signatories",
            field=models.ManyToManyField(
                related_name="partnerships", through="coordination.Signatory", to="coordination.organization"
            ),
        ),
    ]
