"""The reports that are sent from the beginning."""

import datetime

from django.db import migrations

ROWS = [
    ("Weekly digest", datetime.time(7, 30), datetime.timedelta(days=7)),
    ("Nightly checks", datetime.time(23, 59, 59, 999999), datetime.timedelta(days=1)),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("project_central", "ReportSchedule").objects.using(schema_editor.connection.alias)
    for name, at, every in ROWS:
        rows.get_or_create(name=name, defaults={"at": at, "every": every})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("project_central", "ReportSchedule").objects.using(schema_editor.connection.alias)
    for name, at, every in ROWS:
        rows.filter(name=name).delete()


class Migration(migrations.Migration):
    dependencies = [("project_central", "0004_alerts")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
