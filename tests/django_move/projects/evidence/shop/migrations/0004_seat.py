import django
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Composite primary keys came with Django 5.2."""

    dependencies = [("shop", "0003_settings_and_views")]
    operations = []
    if django.VERSION >= (5, 2):
        operations = [
            migrations.CreateModel(
                name="Seat",
                fields=[
                    (
                        "pk",
                        models.CompositePrimaryKey(
                            "row", "number", blank=True, editable=False, primary_key=True, serialize=False
                        ),
                    ),
                    ("row", models.CharField(max_length=2)),
                    ("number", models.IntegerField()),
                    (
                        "guest",
                        models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="shop.author"),
                    ),
                ],
            ),
        ]
