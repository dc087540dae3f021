"""The ways to earn a living."""

from django.db import migrations

ROWS = {
    "farming": ["Rice", "Maize", "Coconut", "Coffee"],
    "fishing": ["Net fishing", "Seaweed"],
    "trade": ["Market stall", "Barter"],
    "craft": ["Weaving", "Brassware", "Boat building"],
    "services": ["Transport", "Teaching"],
}


def add_rows(apps, schema_editor):
    """Add them all at once."""
    model = apps.get_model("communities", "Livelihood")
    rows = [model(sector=sector, name=name) for sector, names in ROWS.items() for name in names]
    model.objects.using(schema_editor.connection.alias).bulk_create(rows, ignore_conflicts=True)


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("communities", "Livelihood").objects.using(schema_editor.connection.alias)
    for sector, names in ROWS.items():
        rows.filter(sector=sector, name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [("communities", "0005_soft_deletion")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
