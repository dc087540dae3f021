"""Extensions, a collation, constraints and indexes that PostgreSQL alone has."""

import django
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import (
    BtreeGinExtension,
    BtreeGistExtension,
    CITextExtension,
    CreateCollation,
    HStoreExtension,
    TrigramExtension,
)
from django.db import migrations, models
from django.db.models import Q
from library.operations import PgAddConstraint, PgAddIndex, PgSQL

PRICE = Q(price__gte=0)


class Migration(migrations.Migration):
    """By hand."""

    dependencies = [("library", "0002_history")]
    operations = [
        BtreeGinExtension(),
        BtreeGistExtension(),
        CITextExtension(),
        HStoreExtension(),
        TrigramExtension(),
        CreateCollation("by_bytes", provider="libc", locale="C"),
        PgSQL(
            'ALTER TABLE library_shelf ADD COLUMN label citext, ADD COLUMN marks hstore, ADD COLUMN sorted text COLLATE "by_bytes"'
        ),
        migrations.AddConstraint(
            "Book", models.UniqueConstraint(fields=["isbn"], name="one_isbn", deferrable=models.Deferrable.DEFERRED)
        ),
        migrations.AddConstraint(
            "Book",
            models.UniqueConstraint(fields=["title", "shelf"], condition=Q(price__gt=0), name="one_on_a_shelf"),
        ),
        migrations.AddConstraint(
            "Book",
            models.CheckConstraint(
                **{"condition" if django.VERSION >= (5, 1) else "check": PRICE}, name="price_positive"
            ),
        ),
        PgAddConstraint(
            "Book",
            ExclusionConstraint(
                name="lent_once",
                expressions=[("isbn", RangeOperators.EQUAL), ("lent_from", RangeOperators.EQUAL)],
                condition=Q(lent_to__gt=0),
                index_type="GIST",
            ),
        ),
        PgAddIndex("Book", GinIndex(fields=["title"], name="title_words", opclasses=["gin_trgm_ops"])),
        migrations.AddIndex(
            "Book", models.Index(fields=["isbn"], name="isbn_pattern", opclasses=["varchar_pattern_ops"])
        ),
    ]
