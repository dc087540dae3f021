"""What Django has since 5.0."""

import django
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    """As makemigrations wrote it."""

    dependencies = [("library", "0005_concurrently")]
    operations = (
        [
            migrations.AddField("Shelf", "steps", models.IntegerField(db_default=7)),
            migrations.AddField(
                "Shelf",
                "far",
                models.GeneratedField(expression=F("place") * 2, output_field=models.IntegerField(), db_persist=True),
            ),
        ]
        if django.VERSION >= (5, 0)
        else []
    )
