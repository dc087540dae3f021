"""Give every entry a slug of its own, so that slugs can become unique."""

from django.db import migrations
from django.utils.text import slugify


def fill_slugs(apps, schema_editor):
    """Make the slugs that are missing from the titles."""
    entries = apps.get_model("monitoring", "MonitoringEntry").objects.using(schema_editor.connection.alias)
    for entry in entries.filter(slug="").iterator():
        entry.slug = f"{slugify(entry.title)[:70]}-{entry.pk.hex[:8]}"
        entry.save(update_fields=["slug"])


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0004_titles_and_slugs")]

    operations = [migrations.RunPython(fill_slugs, migrations.RunPython.noop)]
