"""The kinds of things that can be booked."""

from django.db import migrations

ROWS = [
    ("room", "Meeting room"),
    ("vehicle", "Vehicle"),
    ("equipment", "Equipment"),
    ("person", "Speaker or facilitator"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("common", "ResourceKind").objects.using(schema_editor.connection.alias)
    for slug, name in ROWS:
        rows.get_or_create(slug=slug, defaults={"name": name})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("common", "ResourceKind").objects.using(schema_editor.connection.alias)
    rows.filter(slug__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("common", "0003_calendar")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
