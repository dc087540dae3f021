"""What policies are about."""

from django.db import migrations

ROWS = [
    ("education", "Education"),
    ("health", "Health"),
    ("livelihood", "Livelihood"),
    ("land", "Land and settlement"),
    ("culture", "Culture and heritage"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("policy_tracking", "PolicyArea").objects.using(schema_editor.connection.alias)
    for slug, name in ROWS:
        rows.get_or_create(slug=slug, defaults={"name": name})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("policy_tracking", "PolicyArea").objects.using(schema_editor.connection.alias)
    rows.filter(slug__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("policy_tracking", "0001_initial")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
