"""What the migrations end at."""

from __future__ import annotations

import django
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

HAS_GENERATED = django.VERSION >= (5, 0)


class Writer(models.Model):
    """Called Author once."""

    full_name = models.CharField(max_length=80, db_index=True)
    nickname = models.CharField(max_length=40, unique=True, null=True)
    born = models.DateField(null=True)

    class Meta:
        """With comments."""

        db_table_comment = "Who writes, it's said"
        indexes = [models.Index(Upper("full_name"), name="writer_upper_name")]


class Shelf(models.Model):
    """With a key that is a text, and db_default."""

    code = models.SlugField(primary_key=True, max_length=12)
    place = models.PositiveIntegerField(db_comment="how far from the door, in metres")
    if HAS_GENERATED:
        steps = models.IntegerField(db_default=7)
        far = models.GeneratedField(expression=F("place") * 2, output_field=models.IntegerField(), db_persist=True)


class Book(models.Model):
    """With constraints and indexes of every kind."""

    title = models.CharField(max_length=200)
    isbn = models.CharField(max_length=13)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    facts = models.JSONField(default=dict)
    shelf = models.ForeignKey(Shelf, models.SET_NULL, null=True, related_name="+")
    writers = models.ManyToManyField(Writer, through="Share")
    readers = models.ManyToManyField("auth.User", blank=True)
    lent_from = models.IntegerField(default=0)
    lent_to = models.IntegerField(default=0)

    class Meta:
        """Constraints."""

        constraints = [
            models.UniqueConstraint(fields=["isbn"], name="one_isbn", deferrable=models.Deferrable.DEFERRED),
            models.UniqueConstraint(fields=["title", "shelf"], condition=Q(price__gt=0), name="one_on_a_shelf"),
            models.CheckConstraint(
                **{"condition" if django.VERSION >= (5, 1) else "check": Q(price__gte=0)}, name="price_positive"
            ),
            ExclusionConstraint(
                name="lent_once",
                expressions=[("isbn", RangeOperators.EQUAL), ("lent_from", RangeOperators.EQUAL)],
                condition=Q(lent_to__gt=0),
                index_type="GIST",
            ),
        ]
        indexes = [
            GinIndex(fields=["title"], name="title_words", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["facts"], name="facts_keys"),
            models.Index(fields=["isbn"], name="isbn_pattern", opclasses=["varchar_pattern_ops"]),
        ]


class Share(models.Model):
    """Who wrote how much of what."""

    book = models.ForeignKey(Book, models.CASCADE)
    writer = models.ForeignKey(Writer, models.PROTECT)
    percent = models.PositiveSmallIntegerField(default=100)

    class Meta:
        """Together unique."""

        unique_together = [("book", "writer")]
