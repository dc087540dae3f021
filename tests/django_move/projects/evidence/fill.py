"""Fill the shop's SQLite database, by the ORM: `manage.py shell` would say the same."""

import datetime as dt
import os
import uuid
from decimal import Decimal

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django

django.setup()

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import JSONField, Value
from django.utils import timezone

from shop import models
from shop.fields import Money


def moment(day, hour=23, microsecond=0):
    value = dt.datetime(2024, 2, day, hour, 30, 1, microsecond)
    return timezone.make_aware(value) if django.conf.settings.USE_TZ else value


def fill():
    models.Author.from_db = classmethod(lambda cls, db, names, values: cls(*values))
    for number, name in enumerate(["Zoë", "adam", "Émile", "Bea", "ödön", "Zed"], start=1):
        models.Author.objects.create(
            id=number * 10, name=name, archived=number % 2 == 0, joined=moment(number, microsecond=number * 111),
            born=dt.date(1850 + number, 1, 1) if number > 1 else None,
            score=[0.1, 1e300, -0.0, None, 2.5, 1 / 3][number - 1],
        )  # fmt: skip
    tags = [models.Tag.objects.create(slug=slug, label=slug.title()) for slug in ["b", "A", "a-1", "Z", "_x", "ab"]]
    authors = list(models.Author._base_manager.all()) + [models.Author(id=20)]
    books = []
    for number in range(12):
        make = models.EBook if number % 4 == 3 else models.Book
        more = {"size": 2**40 + number} if make is models.EBook else {}
        book = make.objects.create(
            id=uuid.UUID(int=number * 7**40), author=authors[number % len(authors)],
            editor=authors[0] if number % 3 else None, title=f"Book {number}",
            price=Decimal(number) / 4, list_price=Money(f"{number}.50", "EUR") if number % 2 else None,
            keywords=["a", str(number)], cover=bytes(range(number)) if number else None,
            facts={"n": number, "f": number / 3, "big": 1e23, "deep": [None, {"x": "é"}]},
            length=dt.timedelta(days=number, microseconds=7), opens=dt.time(8, 30, number, 5),
            server=["192.0.2.7", "2001:db8::7", None][number % 3], sample=f"samples/{number}.pdf", **more,
        )  # fmt: skip
        books.append(book)
        for tag in tags[: number % 4]:
            models.Tagging.objects.create(book=book, tag=tag, weight=number)
        models.Note.objects.create(about=book, text=f"on {number}")
    models.Book.objects.get(pk=books[0].pk).similar.add(*(book.pk for book in books[1:4]))
    models.Note.objects.create(about=tags[0], text="on a tag")
    models.Note.objects.create(
        content_type=ContentType.objects.get_for_model(models.Author), object_id="nobody", text="on nothing"
    )
    models.Setting.objects.create(name="limits", value=Value(None, JSONField()))
    models.Passport.objects.create(author=authors[0], number="07")
    above = None
    for level in range(3):
        above = models.Shelf.objects.create(level=level, above=above)
    models.Shelf.objects.create(level=32767)
    user = User.objects.create_user("ann", "ann@example.org", "secret")
    group = Group.objects.create(name="readers")
    group.permissions.set(Permission.objects.all()[:5])
    user.groups.add(group)
    if django.VERSION >= (5, 2):
        for row, number in (("B", 1), ("a", 2), ("A", 10), ("A", 9)):
            models.Seat.objects.create(row=row, number=number, guest=authors[0])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO legacy_codes VALUES ('x', 1), ('Y', NULL)")
        cursor.execute("INSERT INTO sightings VALUES ('x', 1), ('x', 2), ('y', 1)")
        cursor.execute("UPDATE shop_book SET server = '2001:DB8:0::7' WHERE server = '2001:db8::7'")


if __name__ == "__main__":
    fill()
