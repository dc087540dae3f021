"""The languages that people of the region speak."""

from django.db import migrations

ROWS = [
    ("en", "English", "English"),
    ("fil", "Filipino", "Wikang Filipino"),
    ("ar", "Arabic", "العربية"),
    ("kal", "Kaluwang", "Kaluwáng"),
    ("mir", "Mirandi", "Mirandî"),
    ("tng", "Tingkah", "Tíngkāh"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("common", "Language").objects.using(schema_editor.connection.alias)
    for code, name, own_name in ROWS:
        rows.get_or_create(code=code, defaults={"name": name, "own_name": own_name})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("common", "Language").objects.using(schema_editor.connection.alias)
    rows.filter(code__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("common", "0006_records")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
