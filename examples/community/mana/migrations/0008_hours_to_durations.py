"""Hours as decimals become durations."""

import datetime as dt

from django.db import migrations


def fill_durations(apps, schema_editor):
    """Compute each activity's duration from its hours."""
    activities = apps.get_model("mana", "WorkshopActivity").objects.using(schema_editor.connection.alias)
    for activity in activities.filter(duration=None).iterator():
        activity.duration = dt.timedelta(hours=float(activity.duration_hours))
        activity.save(update_fields=["duration"])


class Migration(migrations.Migration):
    dependencies = [("mana", "0007_test_data")]

    operations = [migrations.RunPython(fill_durations, migrations.RunPython.noop)]
