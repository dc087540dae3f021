"""A collation that sorts by bytes, for PostgreSQL; SQLite has BINARY."""

from django.contrib.postgres.operations import CreateCollation
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("common", "0009_name_site")]

    operations = [
        # does nothing on other engines
        CreateCollation("bytewise", locale="C"),
    ]
