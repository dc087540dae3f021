"""Rows of every kind, tied at random; and Django's own deleting of them, to compare with."""

import json
import random
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from library import models


def fill(seed: str, size: str = "30") -> None:
    """Make rows, the same for the same seed. size: how many authors."""
    dice, count = random.Random(int(seed)), int(size)  # noqa: S311 - a sample

    def pick(rows: Any, chance: float = 1.0) -> Any:
        return dice.choice(rows) if rows and dice.random() < chance else None

    authors = [
        models.Author(
            id=number,
            code=f"a{number}",
            name=f"Author {number}",
            is_test=number > 3 and dice.random() < 0.4,
            hidden=dice.random() < 0.2,
            born=f"19{dice.randrange(10, 99)}-01-31",
            created=f"20{dice.randrange(10, 30)}-05-05T12:00:00+00:00",
            mentor_id=dice.randrange(1, number) if number > 1 and dice.random() < 0.5 else None,
        )
        for number in range(1, count + 1)
    ]
    models.Author.objects.bulk_create(authors)
    publishers = models.Publisher.objects.bulk_create([models.Publisher(name=f"P{n}") for n in range(5)])
    series = models.Series.objects.bulk_create([models.Series(owner=pick(authors)) for _ in range(5)])
    tags = models.Tag.objects.bulk_create([models.Tag(name=f"t{n}") for n in range(6)])
    books: list[Any] = []
    for number in range(1, count * 2):
        author, one = pick(authors), pick(series, 0.5)
        books.append(
            models.Book(
                id=number,
                author=one.owner if one else author,
                editor=pick(authors, 0.5),
                reviewer=pick(authors),
                translator=pick(authors, 0.3),
                publisher=pick(publishers, 0.4),
                series=one,
                sequel_of_id=dice.randrange(1, number) if number > 1 and dice.random() < 0.2 else None,
            )
        )
    models.Book.objects.bulk_create(books)
    for book in books:
        book.tags.set(dice.sample(tags, dice.randrange(3)))
    models.Chapter.objects.bulk_create([models.Chapter(book=pick(books), text=f"c{n}") for n in range(count * 3)])
    models.PenName.objects.bulk_create([models.PenName(author=pick(authors), name=f"n{n}") for n in range(count)])
    owner_of_places: list[Any] = []
    for number in range(count):
        made: Any = dice.choice([models.Place, models.Shop, models.Antiquarian])
        more = {"oldest": pick(books, 0.7)} if made is models.Antiquarian else {}
        owner_of_places.append(made.objects.create(name=f"place {number}", owner=pick(authors, 0.6), **more))
        if made is not models.Place:
            owner_of_places[-1].sells.set(dice.sample(books, dice.randrange(4)))
    shops = [place for place in owner_of_places if isinstance(place, models.Shop)]
    models.Visit.objects.bulk_create(
        [models.Visit(place_id=pick(owner_of_places).name, shop_id=pick(shops).pk) for _ in range(count)]
    )
    models.Device.objects.bulk_create(
        [models.Device(id=uuid.UUID(int=dice.getrandbits(128)), owner=pick(authors)) for _ in range(10)]
    )
    devices = list(models.Device.objects.all())
    things = [*books, *authors, *devices]
    for kind, key, made in (("kind", "number", models.Note), ("content_type", "object_id", models.Like)):
        made.objects.bulk_create(
            [
                made(**{kind: ContentType.objects.get_for_model(thing), key: str(thing.pk)})
                for thing in dice.choices(things, k=count * 2)
            ]
        )
    User.objects.create(username="somebody")


def delete(label: str, lookups: str) -> None:
    """Delete as Django does."""
    from django.apps import apps
    from django.db.models import QuerySet

    model: Any = apps.get_model(label)
    QuerySet(model=model).filter(**json.loads(lookups)).delete()
