"""The kinds of assessments."""

from django.db import migrations

ROWS = [
    ("needs", "Needs assessment", "clipboard"),
    ("baseline", "Baseline study", "ruler"),
    ("workshop", "Workshop", None),
    ("rapid", "Rapid assessment after a disaster", "bolt"),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("mana", "AssessmentCategory").objects.using(schema_editor.connection.alias)
    for slug, name, icon in ROWS:
        rows.get_or_create(slug=slug, defaults={"name": name, "icon": icon})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("mana", "AssessmentCategory").objects.using(schema_editor.connection.alias)
    rows.filter(slug__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("mana", "0001_initial")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
