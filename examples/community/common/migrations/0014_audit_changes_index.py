"""An index that finds audit rows by what changed; only PostgreSQL has such indexes."""

from django.db import migrations


def add_index(apps, schema_editor):
    """Add the index where it can be."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX audit_changes_gin ON audit_log USING gin (changes jsonb_path_ops)")


def drop_index(apps, schema_editor):
    """Drop it again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX audit_changes_gin")


class Migration(migrations.Migration):
    dependencies = [("common", "0013_seed_regions")]

    operations = [migrations.RunPython(add_index, drop_index)]
