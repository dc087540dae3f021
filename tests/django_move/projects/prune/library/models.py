"""Models that are tied to each other in every way that Django has."""

import uuid
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class VisibleQuerySet(models.QuerySet):
    """Rows that are not in the bin, and that nobody may delete."""

    def delete(self) -> Any:
        """Hide them instead."""
        return self.update(hidden=True)


class VisibleManager(models.Manager):
    """Hides the rows in the bin."""

    def get_queryset(self) -> Any:
        """Only those that are not in the bin."""
        return VisibleQuerySet(self.model, using=self._db).filter(hidden=False)


class Audit(models.Model):
    """Written by receivers."""

    what = models.CharField(max_length=100)


class Author(models.Model):
    """The root; with a manager that hides rows, and methods that must not run."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    is_test = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    born = models.DateField(null=True)
    created = models.DateTimeField()
    mentor = models.ForeignKey("self", models.SET_NULL, null=True, related_name="pupils")

    objects = VisibleManager()

    def __init__(self, *args: Any, **options: Any) -> None:
        """Remember the name, as many models do: of a deferred one that is a query for each row."""
        super().__init__(*args, **options)
        self.name_before = self.name

    def delete(self, *_: Any, **__: Any) -> Any:
        """Refuse."""
        raise RuntimeError("authors are never deleted")


class Publisher(models.Model):
    """Protected by its books."""

    name = models.CharField(max_length=100)


class Series(models.Model):
    """Restricted by its books, which go with its owner."""

    owner = models.ForeignKey(Author, models.CASCADE)


def find_nobody() -> Any:
    """The author that stands for deleted ones."""
    return Author.objects.get_or_create(
        code="nobody", defaults={"name": "Nobody", "created": "2000-01-01T00:00:00+00:00"}
    )[0]


class Tag(models.Model):
    """Many to many."""

    name = models.CharField(max_length=100)


class Book(models.Model):
    """Tied to authors in most ways."""

    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="edited")
    reviewer = models.ForeignKey(Author, models.SET_DEFAULT, default=1, related_name="reviewed")
    translator = models.ForeignKey(Author, models.SET(find_nobody), null=True, related_name="translated")
    publisher = models.ForeignKey(Publisher, models.PROTECT, null=True)
    series = models.ForeignKey(Series, models.RESTRICT, null=True)
    sequel_of = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)
    notes = GenericRelation("Note", content_type_field="kind", object_id_field="number")


class Chapter(models.Model):
    """A leaf."""

    book = models.ForeignKey(Book, models.CASCADE)
    text = models.TextField()


class PenName(models.Model):
    """Refers to another column than the key."""

    author = models.ForeignKey(Author, models.CASCADE, to_field="code")
    name = models.CharField(max_length=100)


class Note(models.Model):
    """On anything; books know theirs."""

    kind = models.ForeignKey(ContentType, models.CASCADE)
    number = models.CharField(max_length=50)
    about = GenericForeignKey("kind", "number")
    text = models.CharField(max_length=100)


class Like(models.Model):
    """On anything, and nothing knows it."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=50)
    liked = GenericForeignKey()


class Place(models.Model):
    """A parent."""

    name = models.CharField(max_length=100, unique=True)
    owner = models.ForeignKey(Author, models.CASCADE, null=True)


class Shop(Place):
    """A child."""

    sells = models.ManyToManyField(Book)


class Antiquarian(Shop):
    """A grandchild."""

    oldest = models.ForeignKey(Book, models.SET_NULL, null=True)


class Visit(models.Model):
    """Points at a parent, by its name."""

    place = models.ForeignKey(Place, models.CASCADE, to_field="name")
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="visits")


class TestAuthor(Author):
    """A proxy."""

    class Meta:
        """No table."""

        proxy = True


class Device(models.Model):
    """Has a key of letters."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(Author, models.CASCADE)


class Memory(models.Model):
    """Left alone, without a constraint."""

    author = models.ForeignKey(Author, models.DO_NOTHING, db_constraint=False)


class Grave(models.Model):
    """Left alone, with a constraint."""

    author = models.ForeignKey(Author, models.DO_NOTHING)
