"""The peoples of the region."""

from django.db import migrations

ROWS = [
    ("Kaluwanon", "Fishers and boat builders of the coast."),
    ("Mirandi", "Rice farmers of the valley."),
    ("Sabulan", "Weavers and coffee growers of the highlands."),
    ("Tingkah", "Traders of the islands."),
    ("Dalág", "Foresters; their songs are older than the roads."),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("communities", "EthnicGroup").objects.using(schema_editor.connection.alias)
    for name, description in ROWS:
        rows.get_or_create(name=name, defaults={"description": description})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("communities", "EthnicGroup").objects.using(schema_editor.connection.alias)
    rows.filter(name__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("communities", "0001_initial")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
