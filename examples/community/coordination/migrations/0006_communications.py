import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("coordination", "0005_rename_contact"),
    ]

    operations = [
        migrations.CreateModel(
            name="Communication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.PositiveSmallIntegerField(choices=[(1, "letter"), (2, "call"), (3, "e-mail")], default=1),
                ),
                ("is_incoming", models.BooleanField()),
                ("subject", models.CharField(max_length=255)),
                ("body", models.TextField(blank=True)),
                ("raw_message", models.BinaryField(null=True)),
                ("logged_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="communications",
                        to="coordination.organization",
                    ),
                ),
                (
                    "reply_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="replies",
                        to="coordination.communication",
                    ),
                ),
            ],
            options={
                "ordering": ["-logged_at", "-id"],
            },
        ),
    ]
