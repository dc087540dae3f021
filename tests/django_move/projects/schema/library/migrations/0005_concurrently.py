"""An index without a transaction."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from library.operations import PgAddIndexConcurrently


class Migration(migrations.Migration):
    """By hand."""

    atomic = False
    dependencies = [("library", "0004_by_hand")]
    operations = [PgAddIndexConcurrently("Book", GinIndex(fields=["facts"], name="facts_keys"))]
