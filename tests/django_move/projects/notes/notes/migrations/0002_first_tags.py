"""The first tags."""

from django.db import migrations


def add_tags(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    """Make three tags."""
    tag = apps.get_model("notes", "Tag")
    for word in ("first", "second", "third"):
        tag.objects.using(schema_editor.connection.alias).create(word=word)


class Migration(migrations.Migration):
    """Seed."""

    dependencies = [("notes", "0001_initial")]
    operations = [migrations.RunPython(add_tags, migrations.RunPython.noop)]
