"""Models that hide rows, refuse to be made, and write when they are looked at."""

import uuid

import django
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Lower
from django.db.models.signals import post_delete, post_init, post_save, pre_init, pre_save

from shop.fields import CommaListField, EvenField, MoneyField


class VisibleManager(models.Manager):
    """Hides what is archived."""

    def get_queryset(self):
        return super().get_queryset().filter(archived=False)


class Author(models.Model):
    """Its managers, the base one too, hide rows; instances cannot be made from rows."""

    name = models.CharField(max_length=60, unique=True)
    archived = models.BooleanField(default=False)
    joined = models.DateTimeField()
    born = models.DateField(null=True)
    score = models.FloatField(null=True)

    objects = VisibleManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ["-name"]

    @classmethod
    def from_db(cls, db, field_names, values):
        raise RuntimeError("an author was made from a row")


class Tag(models.Model):
    """Its key is a text: the databases order such differently."""

    slug = models.SlugField(primary_key=True)
    label = models.CharField(max_length=40)


class Note(models.Model):
    """A note on anything."""

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.CharField(max_length=40)
    about = GenericForeignKey()
    text = models.TextField()


class Book(models.Model):
    """Its key is a UUID; it has values of every kind."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    editor = models.ForeignKey(Author, models.SET_NULL, null=True, related_name="+")
    tags = models.ManyToManyField(Tag, through="Tagging", related_name="books")
    similar = models.ManyToManyField("self")
    title = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    list_price = MoneyField(max_length=40, null=True)
    keywords = CommaListField(default="")
    cover = models.BinaryField(null=True)
    facts = models.JSONField(default=dict)
    length = models.DurationField(null=True)
    opens = models.TimeField(null=True)
    server = models.GenericIPAddressField(null=True)
    sample = models.FileField(upload_to="samples", blank=True)
    rating = models.PositiveSmallIntegerField(choices=[(1, "bad"), (2, "good")], default=1)
    notes = GenericRelation(Note)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("title"), "author", name="shop_book_title_of_author"),
            models.CheckConstraint(
                name="shop_book_price", **{"condition" if django.VERSION >= (5, 1) else "check": models.Q(price__gte=0)}
            ),
        ]


class Tagging(models.Model):
    """A tag of a book."""

    book = models.ForeignKey(Book, models.CASCADE)
    tag = models.ForeignKey(Tag, models.CASCADE)
    weight = models.IntegerField(default=1)

    class Meta:
        unique_together = [("book", "tag")]


class EBook(Book):
    """A book with a table of its own beside the book's."""

    size = models.BigIntegerField()


class Passport(models.Model):
    """Its key is its author's."""

    author = models.OneToOneField(Author, models.CASCADE, primary_key=True)
    number = models.CharField(max_length=2, unique=True)


class Shelf(models.Model):
    """A shelf below another; the number of numbers is small."""

    id = models.SmallAutoField(primary_key=True)
    above = models.ForeignKey("self", models.CASCADE, null=True, related_name="below")
    level = models.SmallIntegerField(unique=True)


class Empty(models.Model):
    """No row, and a constraint that a made-up row does not hold."""

    author = models.ForeignKey(Author, models.CASCADE)
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True)
    at = models.DateTimeField(null=True)
    amount = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    token = models.UUIDField()
    place = models.GenericIPAddressField()
    big = models.IntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="shop_empty_big", **{"condition" if django.VERSION >= (5, 1) else "check": models.Q(big__gt=10)}
            )
        ]


class Void(models.Model):
    """No row, and no constraint."""

    name = models.CharField(max_length=3)
    token = models.UUIDField(null=True)
    at = models.DateTimeField()


class Legacy(models.Model):
    """A table that no migration makes, but a RunSQL."""

    code = models.CharField(max_length=8, primary_key=True)
    amount = models.IntegerField(null=True)

    class Meta:
        managed = False
        db_table = "legacy_codes"


class Sighting(models.Model):
    """A table without a key: what is called one is there twice."""

    code = models.CharField(max_length=8, primary_key=True)
    amount = models.IntegerField()

    class Meta:
        managed = False
        db_table = "sightings"


class Summary(models.Model):
    """A view."""

    code = models.CharField(max_length=8, primary_key=True)
    amount = models.IntegerField()

    class Meta:
        managed = False
        db_table = "summaries"


class Setting(models.Model):
    """JSON's null, which reads None where NULL may not be; and a value that not every text is."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.JSONField()
    even = EvenField(default="ab", unique=True)


class Elsewhere(models.Model):
    """A table that is in neither database."""

    class Meta:
        managed = False
        db_table = "not_here"


if django.VERSION >= (5, 2):

    class Seat(models.Model):
        """Its key has two columns."""

        pk = models.CompositePrimaryKey("row", "number")
        row = models.CharField(max_length=2)
        number = models.IntegerField()
        guest = models.ForeignKey(Author, models.SET_NULL, null=True)


def write_log(sender, **kwargs):
    """Write whenever an instance is made, saved or deleted: nobody else may do either."""
    if getattr(sender, "__module__", "") == "shop.models" and "Log" not in sender.__name__:
        with open("signals.log", "a") as log:
            log.write(f"{sender.__name__}\n")


for signal in (pre_init, post_init, pre_save, post_save, post_delete):
    signal.connect(write_log)
