"""The four regions."""

from django.db import migrations

ROWS = [
    ("R01", "Kaluwang Coast"),
    ("R02", "Mirandilao Valley"),
    ("R03", "Sabulanon Highlands"),
    ("R04", "Tingkahan Islands"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("common", "Region").objects.using(schema_editor.connection.alias)
    for code, name in ROWS:
        rows.get_or_create(code=code, defaults={"name": name})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("common", "Region").objects.using(schema_editor.connection.alias)
    rows.filter(code__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("common", "0012_constraints")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
