import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import common.fields


class Migration(migrations.Migration):
    dependencies = [
        ("communities", "0006_seed_livelihoods"),
        ("mana", "0002_seed_categories"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="NeedCategory",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("colour", models.CharField(db_default="#888888", max_length=7)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="children",
                        to="mana.needcategory",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "need categories",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Need",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("title", models.CharField(max_length=200)),
                ("importance", models.FloatField(blank=True, null=True)),
                ("people_affected", models.PositiveIntegerField(default=0)),
                ("estimated_cost", common.fields.MoneyField(blank=True, null=True)),
                ("evidence", models.JSONField(blank=True, null=True)),
                ("tags", common.fields.TagsField(blank=True, default=list)),
                (
                    "assessment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="needs",
                        to="mana.assessment",
                    ),
                ),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="needs", to="communities.community"
                    ),
                ),
                ("related", models.ManyToManyField(blank=True, related_name="related_from", to="mana.need")),
                ("category", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="mana.needcategory")),
            ],
            options={
                "ordering": ["-people_affected", "id"],
            },
        ),
        migrations.CreateModel(
            name="NeedVote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("weight", models.SmallIntegerField(default=1)),
                ("cast_at", models.DateTimeField()),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True, unpack_ipv4=True)),
                (
                    "need",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="mana.need"
                    ),
                ),
                ("voter", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("need", "voter"), name="need_one_vote")],
            },
        ),
    ]
