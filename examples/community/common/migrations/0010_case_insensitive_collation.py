"""A collation that ignores case, for PostgreSQL; SQLite has NOCASE."""

from django.contrib.postgres.operations import CreateCollation
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("common", "0009_name_site")]

    operations = [
        # does nothing on other engines
        CreateCollation("case_insensitive", provider="icu", locale="und-u-ks-level2", deterministic=False),
    ]
