"""The reports that are sent from the beginning."""

import datetime as dt

from django.db import migrations

ROWS = [
    ("Weekly digest", dt.time(7, 30), dt.timedelta(days=7)),
    ("Nightly checks", dt.time(23, 59, 59, 999999), dt.timedelta(days=1)),
]


def add_rows(apps, schema_editor):
    """Add them; a row that is there already is left as it is."""
    rows = apps.get_model("project_central", "ReportSchedule").objects.using(schema_editor.connection.alias)
    for name, at, every in ROWS:
        rows.get_or_create(name=name, defaults={"at": at, "every": every})


def remove_rows(apps, schema_editor):
    """Take them out again."""
    rows = apps.get_model("project_central", "ReportSchedule").objects.using(schema_editor.connection.alias)
    rows.filter(name__in=[row[0] for row in ROWS]).delete()


class Migration(migrations.Migration):
    dependencies = [("project_central", "0004_alerts")]

    operations = [migrations.RunPython(add_rows, remove_rows)]
