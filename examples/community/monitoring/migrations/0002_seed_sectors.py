"""The parts of public life."""

from django.db import migrations

ROWS = [
    ("ECO", "Economy"),
    ("EDU", "Education"),
    ("HEA", "Health"),
    ("INF", "Infrastructure"),
    ("PEA", "Peace and order"),
    ("ENV", "Environment"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("monitoring", "Sector").objects.using(schema_editor.connection.alias)
    for code, name in ROWS:
        rows.get_or_create(code=code, defaults={"name": name})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("monitoring", "Sector").objects.using(schema_editor.connection.alias)
    rows.filter(code__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
