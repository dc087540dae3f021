"""Makes the tables and fills them through the ORM; then what no ORM writes, by SQL."""

import os
import sys
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "values_site.settings")
django.setup()

from django.conf import settings  # noqa: E402 - the applications must be loaded first
from django.core.management import call_command  # noqa: E402 - the same
from django.db import connection  # noqa: E402 - the same
from store.models import Letter, Moment, Price, Rate, Thing, Use  # noqa: E402 - the same

LONG_AGO = [
    datetime(1, 1, 1),
    datetime(1582, 10, 10, 12),
    datetime(1883, 11, 18, 12, 3, 58),
    datetime(1899, 12, 31, 23, 59, 59, 999999),
    datetime(1900, 1, 1),
    datetime(1969, 12, 31, 23, 59, 59, 1),
]
LATER = [
    datetime(2024, 2, 29, 23, 59, 59, 999999),
    datetime(2024, 7, 1, 12, 0, 0, 123456),
    datetime(2024, 7, 1, 12, 0, 0, 120000),
    datetime(2024, 10, 27, 2, 30),
    datetime(2038, 1, 19, 3, 14, 8),
    datetime(9999, 12, 31, 23, 59, 59, 999999),
]
SPANS = [
    timedelta(0),
    timedelta(microseconds=-1),
    timedelta(days=-1, hours=1),
    timedelta(days=3, hours=25, microseconds=7),
    timedelta(days=106_751_991, hours=4, microseconds=54_775_807),
    -timedelta(days=106_751_990, microseconds=3),
]


def fill_prices():
    for text in ("0.30", "-0.00", "19.99", "99999999.99", "-99999999.99", "0.01", "1.005", "2.675"):
        total = Decimal(text).quantize(Decimal("0.01"))
        Price.objects.create(total=total, rate=Decimal(text) / 3, whole=Decimal(7), wide=Decimal("123456789012.5"))
    Price.objects.create(size=0.1, pieces=2**31 - 1, few=32767, many=2**63 - 1, small=-32768, large=-(2**63))
    Price.objects.create(size=-0.0, number=-(2**31))
    Price.objects.create(size=1e308)
    rate = Rate.objects.create(key=Decimal("19.125"))
    for price in ("0.10", "0.70", "1234.56", "-3.33"):
        Use.objects.create(rate=rate, price=Decimal(price))


def fill_moments():
    zone = ZoneInfo(settings.DATABASES["default"].get("TIME_ZONE") or "UTC") if settings.USE_TZ else None
    for number, local in enumerate(LONG_AGO[1:] + LATER):
        at = local.replace(tzinfo=zone) if zone else local
        if number == len(LONG_AGO + LATER) - 2 and zone and zone.key != "UTC":
            at = datetime(9999, 12, 30, tzinfo=UTC)
        Moment.objects.create(
            at=at,
            day=local.date(),
            clock=local.time(),
            lasts=SPANS[number % len(SPANS)],
        )
    Moment.objects.create(day=date(1, 1, 1), clock=time(23, 59, 59, 999999))
    if not zone or zone.key == "UTC":
        Moment.objects.create(at=LONG_AGO[0].replace(tzinfo=zone)) if zone else None


def fill_things():
    first = Thing.objects.create(
        data={"a": [1, 2.5, None, True], "text": "äöü \u2028 😀", "": {}, "big": 12345678901234567890, "e": 1e-7},
        address="2001:db8::1",
        either="::ffff:10.0.0.1",
        raw=bytes(range(256)),
        yes=True,
        perhaps=None,
        other=uuid.UUID("00000000-0000-0000-0000-000000001230"),
    )
    for data in ("text", 1.5, 10**20, [], {}, None, False):
        Thing.objects.create(parent=first, data=data, address="192.168.0.1", raw=b"", perhaps=bool(data))
    first.prices.set(Price.objects.all()[:3])


def fill_letters():
    for number, name in enumerate(("Ann", "Zoë", "李", " blank ", "")):
        Letter.objects.create(
            name=name,
            slug=f"letter-{number}",
            body="line\nline\t'quoted'" * number,
            file=f"letters/2024/ä {number}.pdf",
            mail="a@example.org",
            link="https://example.org/?a=1&b=%20",
            title=f"title {number}",
            secret="Hello, World",
            size=number,
        )
    Letter.objects.create(name="gone", slug="gone").delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM store_letter WHERE slug = 'letter-4'")


def fill_oddly():
    """What other programs write into the file."""
    with connection.cursor() as cursor:
        for value in ("0.1 + 0.2", "7", "1e-10", "-0.0", "0.125", "0.135", "1.0 / 3", "12345678.905"):
            cursor.execute(
                f"INSERT INTO store_price (total, rate, whole, wide, pieces, few, many, small, large)"
                f" VALUES ({value}, {value}, 2.5, {value} * 1000, 1, 1, 1, 1, 1)"
            )
        cursor.execute(
            "INSERT INTO store_price (wide, pieces, few, many, small, large) VALUES (123456789012345678, 1, 1, 1, 1, 1)"
        )
        for text in ("2024-03-01", "2024-03-01T10:20", "2024-03-01 10:20:30.5", "2024-03-01 10:20:30.123"):
            cursor.execute("INSERT INTO store_moment (at, again) VALUES (%s, '2024-03-01 00:00:00')", [text])
        if settings.USE_TZ:
            for text in ("2024-03-01 10:20:30+05:30", "2024-03-01T10:20:30Z"):
                cursor.execute("INSERT INTO store_moment (at, again) VALUES (%s, '2024-03-01 00:00:00')", [text])
        cursor.execute("UPDATE store_thing SET other = upper(other) WHERE other IS NOT NULL")
        for number, data in enumerate(('{"a": 1, "a": {"b": 2, "b": 3}}', '{"n": 1.50, "m": 1E2}', "null")):
            key = uuid.UUID(int=number + 1)
            spelled = str(key) if number == 0 else key.hex.upper() if number == 1 else key.hex
            cursor.execute(
                "INSERT INTO store_thing (id, other, data, address, yes) VALUES (%s, %s, %s, %s, 0)",
                [key.hex, spelled, data, "10.0.0.1"],
            )


def fill_own():
    from own.models import Walk

    Walk.objects.create(lasts=30, tags=["a", "b"], mask=b"\x00\xff secret", done=True)
    Walk.objects.create()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    fill_prices()
    fill_moments()
    fill_things()
    fill_letters()
    if "VALUES_OWN" in os.environ:
        fill_own()
    if "--oddly" in sys.argv:
        fill_oddly()
