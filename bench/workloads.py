"""The databases that are moved in the measurements: made here, the same every time, by seeded generators.

Every writer takes the path of a new file and a scale; at 1 the sizes are those that the workload's name promises.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS: Final = ("login", "logout", "purchase", "refund", "view", "search")
START: Final = dt.datetime(2024, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
WORDS: Final = ("river", "stone", "paper", "window", "garden", "météo", "Straße", "雨", 'quote \\" and \\\\', "tab\\t")
SHAPE_TABLES: Final = 161
SHAPE_BIG: Final = 5  # of which each has 6,500 rows with GeoJSON; the others 36 without


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A database to move.

    ``target_sql``: what makes the tables in PostgreSQL beforehand, where the rows go into an existing schema.
    ``measured``: False where it is only looked at for what is lost.
    """

    name: str
    title: str
    write: Callable[[Path, float], None]
    target_sql: Callable[[float], str] | None = None
    measured: bool = True


def scaled(size: int, scale: float, least: int = 1) -> int:
    """A size at a scale. Pure."""
    return max(least, round(size * scale))


def connect_new(path: Path) -> sqlite3.Connection:
    """Open a new file, written without waiting for the disk: it can be made again."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def write_wide(path: Path, scale: float) -> None:
    """One table of eleven columns of ten types, two million rows, with two indexes."""
    rows, chance = scaled(2_000_000, scale, 100), random.Random(1)

    def generate() -> Iterator[tuple[object, ...]]:
        for i in range(1, rows + 1):
            moment = START + dt.timedelta(seconds=i * 7, microseconds=i * 7919 % 1_000_000)
            yield (
                i,
                chance.randrange(1, 100_000),
                chance.choice(KINDS),
                i % 2,
                round(chance.random() * 1000, 2),
                chance.random() if i % 7 else None,
                moment.isoformat(" ", "microseconds"),
                moment.date().isoformat(),
                f'{{"a": {i}, "b": "x{i % 100}", "c": [1, 2, 3]}}',
                None if i % 3 else f'a note with\ttab, "quotes", \\ backslash and é, {i}',
                f"{chance.getrandbits(128):032x}",
            )

    with closing(connect_new(path)) as connection:
        connection.execute(
            "CREATE TABLE event (id integer PRIMARY KEY AUTOINCREMENT, user_id bigint NOT NULL,"
            " kind varchar(32) NOT NULL, ok bool NOT NULL, amount decimal NOT NULL, score real,"
            " created_at datetime NOT NULL, day date NOT NULL, payload text NOT NULL CHECK (json_valid(payload)),"
            " note text, uid char(32) NOT NULL)"
        )
        connection.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?)", generate())
        connection.execute("CREATE INDEX event_user ON event (user_id)")
        connection.execute("CREATE INDEX event_created ON event (created_at)")
        connection.commit()


def list_shape(scale: float) -> Iterator[tuple[int, list[int], tuple[str, ...]]]:
    """Tables of the original's shape: their number, those they point at, and what is indexed besides that. Pure."""
    tables, chance = scaled(SHAPE_TABLES, scale, SHAPE_BIG + 3), random.Random(2)
    for number in range(tables):
        parents = chance.sample(range(number), min(number, 3 if number < 41 else 2))
        yield number, parents, ("status", "created_at", *(("slug",) if number < 91 else ()))


def write_shape(path: Path, scale: float) -> None:
    """An application: 161 tables, 931 indexes with keys, 357 foreign keys, 38,116 rows, most of 140 MB GeoJSON."""
    chance = random.Random(3)
    row_sql = 'INSERT INTO "t{}" (name, slug, created_at, updated_at, is_active, status, data) VALUES (?,?,?,?,?,?,?)'
    with closing(connect_new(path)) as connection:
        for number, parents, indexed in list_shape(scale):
            columns = [
                "id integer NOT NULL PRIMARY KEY AUTOINCREMENT",
                "name varchar(255) NOT NULL",
                "slug varchar(100) NOT NULL",
                "created_at datetime NOT NULL",
                "updated_at datetime NOT NULL",
                "is_active bool NOT NULL",
                "status varchar(20) NOT NULL",
                "data text NOT NULL CHECK (json_valid(data) OR data IS NULL)",
                *(
                    f'p{parent}_id bigint NULL REFERENCES "t{parent}" (id) DEFERRABLE INITIALLY DEFERRED'
                    for parent in parents
                ),
            ]
            connection.execute(f'CREATE TABLE "t{number}" ({", ".join(columns)})')
            for column in (*indexed, *(f"p{parent}_id" for parent in parents)):
                connection.execute(f'CREATE INDEX "t{number}_{column}" ON "t{number}" ({column})')
            rows, data = scaled(6500 if number < SHAPE_BIG else 36, min(1, scale), 4), "{}"
            for row in range(rows):
                if number < SHAPE_BIG and row % 500 == 0:
                    ring = [[chance.random(), chance.random()] for _ in range(70)]
                    data = json.dumps({"type": "Polygon", "coordinates": [ring]})
                moment = (START + dt.timedelta(minutes=row)).isoformat(" ")
                values = (f"name {row}", f"s{row}", moment, moment, row % 2, KINDS[row % 6], data)
                connection.execute(row_sql.format(number), values)
            for parent in parents:
                connection.execute(f'UPDATE "t{number}" SET p{parent}_id = 1 + id % 4 WHERE id % 3')
        connection.commit()


def make_shape_sql(scale: float) -> str:
    """The original's shape as its application would make it in PostgreSQL. Pure."""
    tables, rest, keys = [], [], []
    for number, parents, indexed in list_shape(scale):
        columns = [
            "id bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY",
            "name varchar(255) NOT NULL",
            "slug varchar(100) NOT NULL",
            "created_at timestamptz NOT NULL",
            "updated_at timestamptz NOT NULL",
            "is_active boolean NOT NULL",
            "status varchar(20) NOT NULL",
            "data jsonb NOT NULL",
            *(f"p{parent}_id bigint NULL" for parent in parents),
        ]
        tables.append(f'CREATE TABLE "t{number}" ({", ".join(columns)});')
        rest += [
            f'CREATE INDEX "t{number}_{column}" ON "t{number}" ({column});'
            for column in (*indexed, *(f"p{parent}_id" for parent in parents))
        ]
        keys += [
            f'ALTER TABLE "t{number}" ADD FOREIGN KEY (p{parent}_id) REFERENCES "t{parent}" (id)'
            " DEFERRABLE INITIALLY DEFERRED;"
            for parent in parents
        ]
    return "\n".join([*tables, *rest, *keys])


def write_json(path: Path, scale: float) -> None:
    """Documents: 60,000 rows with nested JSON of 0.5 to 6 kB."""
    rows, chance = scaled(60_000, scale, 50), random.Random(4)

    def make_value(depth: int) -> str:
        kind = chance.randrange(7 if depth else 5)
        if kind == 0:
            return str(chance.randrange(-(10**9), 10**9))
        if kind == 1:
            return repr(chance.random() * 1000)
        if kind in {2, 3}:
            return f'"{chance.choice(WORDS)} {chance.randrange(10**6)}"'
        if kind == 4:
            return chance.choice(("true", "false", "null"))
        size = chance.randrange(4, 9)
        if kind == 5:
            return f"[{', '.join(make_value(depth - 1) for _ in range(size))}]"
        members = (f'"k{key}": {make_value(depth - 1)}' for key in range(size))
        return f"{{{', '.join(members)}}}"

    def make_document() -> str:
        parts: list[str] = []
        wanted, size = chance.randrange(500, 6000), 0
        while size < wanted:
            parts.append(f'"part{len(parts)}": {make_value(3)}')
            size += len(parts[-1])
        return f"{{{', '.join(parts)}}}"

    documents = [make_document() for _ in range(min(rows, 2000))]  # taken by turns: to make each anew takes minutes
    with closing(connect_new(path)) as connection:
        connection.execute(
            "CREATE TABLE document (id integer PRIMARY KEY, title text NOT NULL,"
            " tags text CHECK (json_valid(tags) OR tags IS NULL), body text NOT NULL CHECK (json_valid(body)),"
            " changed datetime NOT NULL)"
        )
        connection.executemany(
            "INSERT INTO document VALUES (?,?,?,?,?)",
            (
                (
                    i,
                    f"document {i}",
                    None if i % 5 == 0 else json.dumps([f"tag{i % 7}", i]),
                    f'{{"number": {i}, {documents[i % len(documents)][1:]}',
                    (START + dt.timedelta(seconds=i)).isoformat(" "),
                )
                for i in range(1, rows + 1)
            ),
        )
        connection.execute("CREATE INDEX document_changed ON document (changed)")
        connection.commit()


def write_blobs(path: Path, scale: float) -> None:
    """Files: 10,000 blobs of 100 bytes to 128 kB, and four of 8 MB; every byte occurs."""
    rows, chance = scaled(10_000, scale, 50), random.Random(5)
    large = [8 << 20] * 4 if scale >= 1 else [256 << 10] * 2

    def draw_size() -> int:
        return int(100 * math.exp(chance.random() * math.log(1310)))

    with closing(connect_new(path)) as connection:
        connection.execute(
            "CREATE TABLE file (id integer PRIMARY KEY AUTOINCREMENT, name varchar(80) NOT NULL, size integer NOT NULL,"
            " content blob NOT NULL, thumbnail blob)"
        )
        sizes = [*large, *(draw_size() for _ in range(rows))]
        connection.executemany(
            "INSERT INTO file VALUES (?,?,?,?,?)",
            (
                (i, f"file {i}.bin", size, chance.randbytes(size), chance.randbytes(64) if i % 3 else None)
                for i, size in enumerate(sizes, 1)
            ),
        )
        connection.execute("CREATE UNIQUE INDEX file_name ON file (name)")
        connection.commit()


def write_tiny(path: Path, scale: float) -> None:
    """5,000 tables with three rows and one index each."""
    with closing(connect_new(path)) as connection:
        for number in range(scaled(5000, scale, 10)):
            name = f"tiny_{number:04}"
            connection.execute(
                f"CREATE TABLE {name} (id integer PRIMARY KEY, name varchar(40) NOT NULL, amount decimal(10, 2),"
                " created datetime NOT NULL)"
            )
            connection.execute(f"CREATE INDEX {name}_name ON {name} (name)")
            connection.executemany(
                f"INSERT INTO {name} VALUES (?, ?, ?, ?)",
                ((i, f"row {i}", None if i == 2 else number / 4, "2025-10-09 16:21:00") for i in (1, 2, 3)),
            )
        connection.commit()


def write_hostile(path: Path, scale: float) -> None:
    """Small tables with what is easily lost on the way, each valid in SQLite and with a home in PostgreSQL."""
    del scale
    every_byte = bytes(range(256))
    with closing(connect_new(path)) as connection:
        connection.executescript("""
            CREATE TABLE account (id integer PRIMARY KEY AUTOINCREMENT, email varchar(80) NOT NULL UNIQUE,
                role varchar(10) NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin')),
                balance decimal(30, 10) NOT NULL DEFAULT 0, big bigint, weight real, active bool NOT NULL DEFAULT 1,
                joined datetime NOT NULL, born date,
                settings text CHECK (json_valid(settings) OR settings IS NULL), photo blob,
                token char(32), remark text);
            CREATE INDEX account_active ON account (joined) WHERE active = 1;
            CREATE UNIQUE INDEX account_role ON account (role, email);
            CREATE TABLE "Order" (id integer PRIMARY KEY AUTOINCREMENT, account_id bigint NOT NULL
                REFERENCES account (id) ON DELETE CASCADE, "Total Sum" decimal(12, 2) NOT NULL CHECK ("Total Sum" >= 0),
                "user" text NOT NULL, placed datetime NOT NULL);
            CREATE INDEX "Order_account" ON "Order" (account_id);
            CREATE TABLE order_line (id integer PRIMARY KEY, order_id bigint NOT NULL, number integer NOT NULL,
                article text NOT NULL, price real NOT NULL, UNIQUE (order_id, number),
                FOREIGN KEY (order_id) REFERENCES "Order" (id));
            CREATE TABLE empty_one (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL);
        """)
        connection.executemany(
            "INSERT INTO account VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                (
                    i,
                    f"user{i}@example.org",
                    "admin" if i % 10 == 0 else "member",
                    i * 1.25,
                    (1 << 63) - i if i % 2 else -(1 << 63) + i,
                    0.1 + i / 3,
                    i % 2,
                    f"2025-03-{1 + i % 28:02}T23:59:59.{i:06}",
                    f"{1900 + i % 100}-02-28",
                    None if i % 4 == 0 else '{"a": 12345678901234567890, "b": "\\u00e9", "c": [0.1, null]}',
                    None if i % 5 == 0 else every_byte[i:] + every_byte[:i],
                    uuid.UUID(int=random.Random(i).getrandbits(128)).hex,
                    ("", None, "\\N", "NULL", "tab\t, line\nend, \\back, \"quoted\", 'single'", "émoji 🙂")[i % 6],
                )
                for i in range(1, 121)
            ),
        )
        connection.executemany(
            'INSERT INTO "Order" VALUES (?,?,?,?,?)',
            ((i, 1 + i % 120, i + 0.5, f"user {i}", "2025-03-30 02:30:00") for i in range(1, 61)),
        )
        connection.execute('DELETE FROM "Order" WHERE id = 60')  # its number must not be given out again
        connection.executemany(
            "INSERT INTO order_line VALUES (?,?,?,?,?)",
            ((i, 1 + i % 59, i, f"article {i}", 1 / i) for i in range(1, 301)),
        )
        connection.commit()


WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        Workload(name="wide", title="One wide table: 2 M rows of 11 columns", write=write_wide),
        Workload(name="shape", title="An application: 161 tables, 931 indexes, 357 foreign keys", write=write_shape),
        Workload(
            name="existing",
            title="The same application, data only into an existing schema",
            write=write_shape,
            target_sql=make_shape_sql,
        ),
        Workload(name="json", title="Documents: 60,000 rows of nested JSON", write=write_json),
        Workload(name="blobs", title="Files: 10,000 blobs up to 8 MB", write=write_blobs),
        Workload(name="tiny", title="5,000 tiny tables", write=write_tiny),
        Workload(name="hostile", title="Four small tables of what is easily lost", write=write_hostile, measured=False),
    )
}
