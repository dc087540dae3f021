"""The kinds of meetings."""

from django.db import migrations

ROWS = [
    ("consultation", "Consultation", True),
    ("courtesy", "Courtesy call", False),
    ("planning", "Planning meeting", True),
    ("field-visit", "Field visit", False),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("coordination", "EngagementType").objects.using(schema_editor.connection.alias)
    for slug, name, needs_minutes in ROWS:
        rows.get_or_create(slug=slug, defaults={"name": name, "needs_minutes": needs_minutes})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("coordination", "EngagementType").objects.using(schema_editor.connection.alias)
    rows.filter(slug__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("coordination", "0002_engagements")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
