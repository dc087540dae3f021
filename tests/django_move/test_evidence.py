"""Every model through the ORM on both sides: equal after a move, and each planted fault named."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from conftest import PostgresServer, ServerPool, find_postgres_binaries
from liteferry.django_project import (
    ask_project,
    collect_evidence,
    describe_project,
    find_place,
    read_settings,
    replace_all,
)
from liteferry.django_rules.evidence import judge_evidence
from liteferry.model import Decision, Options
from liteferry.pipeline import migrate
from liteferry.project import ModelEvidence, Project, ProjectOptions
from liteferry.target import make_django_entry
from projects import find_python, make_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STAGING = "liteferry_staging_evidence"


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop, filled in SQLite."""

    project: Project
    database: Path

    @property
    def directory(self) -> Path:
        return Path(self.project.place.directory)


def make_shop(directory: Path, python: str = sys.executable) -> Shop:
    """The project, its SQLite database migrated and filled by Django alone."""
    make_project("evidence", directory, python)
    place = find_place(ProjectOptions(directory=str(directory), python=python))
    settings, _ = read_settings(place)
    (directory / "signals.log").unlink()
    return Shop(describe_project(place, settings, "default", ()), directory / "db.sqlite3")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop") / "shop")


def move(shop: Shop, url: str, *, zone: str = "UTC") -> dict[str, Any]:
    """Make the schema by the project's migrations, and bring the rows into it; the entry that leads there."""
    entry = make_django_entry(url, (STAGING, "public"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {STAGING}")
    ask_project(
        shop.project.place,
        "migrate",
        {"alias": "default"},
        databases=replace_all(shop.project.settings, "default", entry),
    )
    options = Options(
        schema=STAGING,
        into="existing",
        replace_rows=("*",),
        accept=("all",),
        decisions=(Decision(place="*", way=f"timezone:{zone}"),),
    )
    report = migrate(shop.database, url, options)
    assert report.verdict == "proven", [f"{f.code} {f.place} {f.message}" for f in report.findings if f.blocks]
    return entry


def collect(shop: Shop, entry: dict[str, Any], **more: Any) -> dict[str, ModelEvidence]:
    found = collect_evidence(shop.project, shop.database, entry, **{"show_values": False, **more})
    return {evidence.model: evidence for evidence in found}


def list_wrong(found: Mapping[str, ModelEvidence]) -> dict[str, str]:
    return {name: f"{one.status}: {one.why}" for name, one in found.items() if one.status != "equal"}


DROP_FOREIGN_KEYS = f"""
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
    WHERE contype = 'f' AND connamespace = '{STAGING}'::regnamespace
  LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.relation, one.conname); END LOOP;
END $$
""".encode()


def read_everything(url: str) -> dict[str, Any]:
    """Every row of every table, and where every sequence is."""
    found: dict[str, Any] = {}
    with psycopg.connect(url) as connection:
        relations = connection.execute(
            "SELECT oid::regclass::text, relkind FROM pg_class WHERE relnamespace = %s::regnamespace"
            " AND relkind IN ('r', 'S')",
            [STAGING],
        ).fetchall()
        for name, kind in relations:
            columns = "last_value, is_called" if kind == "S" else "t.*"
            found[name] = sorted(connection.execute(f"SELECT {columns} FROM {name} t".encode()).fetchall(), key=repr)
    assert len(found) > 20
    return found


def test_a_moved_project_is_equal(shop: Shop, pg_url_all: str) -> None:
    """Nothing is written on either side, no sequence moves, and no signal of the application is sent."""
    entry = move(shop, pg_url_all)
    before, file = read_everything(pg_url_all), shop.database.read_bytes()
    events: list[Mapping[str, Any]] = []
    found = collect(shop, entry, tell=events.append)
    assert list_wrong(found) == {"shop.Elsewhere": "skipped: the SQLite file has no table for it"}
    assert judge_evidence(found.values())
    assert read_everything(pg_url_all) == before
    assert shop.database.read_bytes() == file
    assert not (shop.directory / "signals.log").exists()
    assert [(event["name"], event["number"]) for event in events] == [
        (name, number) for number, name in enumerate(found, start=1)
    ]


def test_no_number_is_given_twice_where_others_may_use_the_target(shop: Shop, pg_url: str) -> None:
    """An application may have taken the next number by the time at which ours could be given back."""
    entry = move(shop, pg_url)
    before = read_everything(pg_url)[f"{STAGING}.shop_author_id_seq"]
    found = collect(shop, entry, shared=True)
    assert dict(found["shop.Author"].checks)["insert"] == "took primary key 61, rolled back"
    after = read_everything(pg_url)
    assert (before, after[f"{STAGING}.shop_author_id_seq"]) == ([(61, False)], [(61, True)])


@pytest.mark.parametrize("version", ["4.2", "6.0", "6.1"])
def test_other_versions_of_django_read_the_same(tmp_path: Path, pg_url: str, version: str) -> None:
    python = find_python(version)
    shop = make_shop(tmp_path / "shop", python)
    assert shop.project.settings.django_version.startswith(version)
    found = collect(shop, move(shop, pg_url))
    assert list_wrong(found) == {"shop.Elsewhere": "skipped: the SQLite file has no table for it"}
    assert ("shop.Seat" in found) == (version != "4.2")


def test_what_was_looked_at_is_told(shop: Shop, pg_url: str) -> None:
    found = collect(shop, move(shop, pg_url))
    looked_at = {name: dict(one.checks) for name, one in found.items()}
    book, author = looked_at["shop.Book"], looked_at["shop.Author"]
    assert book["rows"] == "12 rows, all fields"
    assert book["lookup"] == "8 rows"
    assert set(book["relations"].removesuffix(" of 8 rows").split(", ")) == {
        "tagging_set", "ebook", "author", "editor", "tags", "similar", "notes",
    }  # fmt: skip
    assert looked_at["shop.Note"]["relations"] == "content_type, about of 8 rows"
    assert author["count"] == "6", "its base manager hides three"
    assert author["first and last"] == "10 and 60"
    assert looked_at["shop.Tag"]["first and last"] == "'A' and 'b'", "by bytes, as SQLite orders"
    inserts = {name: checks.get("insert", "") for name, checks in looked_at.items()}
    assert inserts["shop.Author"] == "took primary key 61, rolled back"
    assert inserts["shop.Shelf"] == "took primary key 5, rolled back", "its highest level is taken: the lowest"
    assert inserts["shop.Empty"] == "check shop_empty_big refuses a made-up row, as it should"
    assert inserts["shop.Void"] == "took primary key 1, rolled back"
    assert inserts["shop.Setting"] == "not tried: no value that suits could be made: ValueError"
    assert inserts["shop.Summary"] == "not tried: it is a view"
    assert looked_at["shop.Sighting"]["count"] == "3"
    rest = {"shop.Elsewhere", "shop.Empty", "shop.Setting", "shop.Summary"}
    assert all(outcome.startswith("took ") for name, outcome in inserts.items() if name not in rest)


@dataclass(frozen=True, slots=True)
class Fault:
    """SQL that breaks the moved database, and what must be said of it: model, status, words.

    ``too``: other models of which something must be said. ``batch``: faults of the same are planted together; those of
    one have no model in common.
    """

    sql: str
    named: tuple[tuple[str, str, str], ...]
    too: frozenset[str] = frozenset()
    batch: int = 1


FAULTS = {
    "changed value": Fault(
        "UPDATE shop_tag SET label = 'Other' WHERE slug = 'Z'",
        (("shop.Tag", "different", "rows: label of row 'Z': another value"),),
    ),
    "changed value of a field of its own": Fault(
        "UPDATE shop_book SET list_price = '1.51 EUR' WHERE list_price = '1.50 EUR'",
        (("shop.Book", "different", "rows: list_price of row 000"), ("shop.Book", "different", "another value")),
    ),
    "changed value of a parent": Fault(
        "UPDATE shop_book SET facts = '{}' WHERE id = (SELECT min(book_ptr_id::text) FROM shop_ebook)::uuid",
        (("shop.EBook", "different", "rows: facts of row 0003adb9"), ("shop.Book", "different", "facts of row")),
        batch=2,
    ),
    "shifted moments": Fault(
        "UPDATE auth_user SET date_joined = date_joined + interval '8 hours'",
        (("auth.User", "different", "rows: date_joined of row 1: another value"),),
    ),
    "missing row": Fault(
        "DELETE FROM shop_note WHERE id = 3",
        (
            ("shop.Note", "different", "count: 14 rows in SQLite, 13 in PostgreSQL"),
            ("shop.Note", "different", "row 3 is missing in PostgreSQL"),
        ),
    ),
    "sequence on a key that is there": Fault(
        "SELECT setval(pg_get_serial_sequence('shop_shelf', 'id'), 2)",
        (("shop.Shelf", "different", "insert: the row's primary key is there already, says constraint shop_shelf"),),
    ),
    "sequence below keys that are there": Fault(
        "SELECT setval(pg_get_serial_sequence('shop_author', 'id'), 1, false)",
        (("shop.Author", "different", "insert: the sequence gave primary key 1, although 60 is there already"),),
    ),
    "no sequence": Fault(
        "ALTER TABLE auth_group ALTER id DROP IDENTITY",
        (("auth.Group", "failed", 'insert: IntegrityError: null value in column "id"'),),
    ),
    "row that a foreign key points at": Fault(
        "DELETE FROM shop_author WHERE id = 50",
        (
            ("shop.Author", "different", "row 50 is missing in PostgreSQL"),
            ("shop.Passport", "different", "relation author: row 50 leads to 50 in SQLite, nothing in PostgreSQL"),
            ("shop.Book", "different", "relation author: row"),
        ),
        frozenset({"shop.EBook", "shop.Seat"}),
        batch=3,
    ),
    "swapped rows of a many-to-many field": Fault(
        "UPDATE shop_tagging SET tag_id = CASE tag_id WHEN 'A' THEN '_x' ELSE tag_id END",
        (
            ("shop.Tagging", "different", "rows: tag of row"),
            ("shop.Tagging", "different", "relation tag: row"),
            ("shop.Tag", "different", "; row '_x' leads to nothing in SQLite, 000273d0"),
            ("shop.Book", "different", "relation tags: row"),
        ),
        frozenset({"shop.EBook"}),
        batch=4,
    ),
    "NOT NULL column that the models do not know": Fault(
        "ALTER TABLE shop_void ADD extra integer NOT NULL",
        (("shop.Void", "failed", 'insert: IntegrityError: null value in column "extra"'),),
    ),
    "column that is missing": Fault(
        "ALTER TABLE shop_passport DROP number",
        (("shop.Passport", "failed", "rows: ProgrammingError: column shop_passport.number does not exist"),),
    ),
    "text for uuid": Fault(
        "ALTER TABLE shop_tagging ALTER book_id TYPE text",
        (
            ("shop.Tagging", "different", "rows: book of row 1: UUID in SQLite, text in PostgreSQL"),
            ("shop.Book", "failed", "relation tagging_set: ProgrammingError: operator does not exist: text = uuid"),
            ("shop.Tag", "failed", "relation books: ProgrammingError: operator does not exist: uuid = text"),
        ),
        frozenset({"shop.EBook"}),
        batch=5,
    ),
    "text for uuid in a primary key": Fault(
        "ALTER TABLE shop_ebook ALTER book_ptr_id TYPE text",
        (
            ("shop.EBook", "failed", "rows: ProgrammingError: operator does not exist: "),
            ("shop.EBook", "failed", "lookup: ProgrammingError: operator does not exist: text = uuid"),
            ("shop.Book", "failed", "relation ebook: ProgrammingError: operator does not exist: text = uuid"),
            ("shop.Note", "failed", "relation about: ProgrammingError: operator does not exist: text = uuid"),
        ),
        batch=6,
    ),
    "double precision for numeric": Fault(
        "ALTER TABLE shop_book ALTER price TYPE double precision",
        (("shop.Book", "different", "rows: price of row 00000000-0000-0000-0000-000000000000: Decimal in SQLite, "),),
        frozenset({"shop.EBook"}),
        batch=7,
    ),
    "table of another schema": Fault(
        "ALTER TABLE legacy_codes SET SCHEMA public",
        (("shop.Legacy", "different", "table: the application would find table legacy_codes of schema public"),),
    ),
    "address that is another": Fault(
        "UPDATE shop_book SET server = '192.0.2.8' WHERE server = '192.0.2.7'",
        (("shop.Book", "different", "rows: server of row 00000000-0000-0000-0000-000000000000: another value"),),
        frozenset({"shop.EBook"}),
        batch=8,
    ),
    "number within JSON": Fault(
        "UPDATE shop_book SET facts = jsonb_set(facts, '{big}', '1.1e23') WHERE id::text < '00000001'",
        (("shop.Book", "different", "rows: facts of row 00000000-0000-0000-0000-000000000000: another value"),),
        batch=9,
    ),
    "table that is missing": Fault(
        "DROP TABLE auth_user_groups",
        (("auth.User_groups", "different", "table: PostgreSQL has no table auth_user_groups"),),
        frozenset({"auth.User", "auth.Group"}),
        batch=4,
    ),
}  # fmt: skip
ON_15 = {1, 6}
"""The batches that are planted on the oldest server, too."""


@pytest.fixture(scope="module")
def moved(shop: Shop, _pool: ServerPool) -> Iterator[Callable[[int], tuple[PostgresServer, str]]]:
    """The moved database on a server of a version, moved once, to be copied: the server and the database's name."""
    made: dict[int, tuple[PostgresServer, str]] = {}

    def get(version: int) -> tuple[PostgresServer, str]:
        if version not in made:
            found = find_postgres_binaries()
            if version not in found:
                pytest.skip(f"no PostgreSQL {version} found (`make setup` fetches it where it can)")
            server = _pool.get(version, found[version])
            database = server.create_database()
            move(shop, database.url)
            with psycopg.connect(database.url) as connection:
                connection.execute(DROP_FOREIGN_KEYS)  # which would not let the faults be planted
            made[version] = server, database.name
        return made[version]

    yield get
    for server, name in made.values():
        server.drop_database(name)


@pytest.fixture(scope="module")
def broken(
    shop: Shop, moved: Callable[[int], tuple[PostgresServer, str]]
) -> Callable[[int, int], dict[str, ModelEvidence]]:
    """The evidence of a copy of the moved database, by the version of its server and the batch of faults in it."""
    made: dict[tuple[int, int], dict[str, ModelEvidence]] = {}

    def get(version: int, batch: int) -> dict[str, ModelEvidence]:
        if (version, batch) not in made:
            server, template = moved(version)
            database = server.create_database(template)
            with psycopg.connect(database.url) as connection:
                connection.execute(f"SET search_path = {STAGING}")
                for fault in FAULTS.values():
                    if fault.batch == batch:
                        connection.execute(fault.sql.encode())
            made[version, batch] = collect(shop, make_django_entry(database.url, (STAGING, "public")))
            server.drop_database(database.name)
        return made[version, batch]

    return get


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (version, name)
        for name, fault in FAULTS.items()
        for version in (15, 18)
        if version == 18 or fault.batch in ON_15
    ],
)
def test_a_planted_fault_is_named(
    broken: Callable[[int, int], dict[str, ModelEvidence]], version: int, name: str
) -> None:
    found = broken(version, FAULTS[name].batch)
    assert not judge_evidence(found.values())
    for model, status, words in FAULTS[name].named:
        assert found[model].status == status, list_wrong(found)
        assert words in found[model].why, list_wrong(found)


@pytest.mark.parametrize("batch", sorted({fault.batch for fault in FAULTS.values()}))
def test_nothing_else_is_blamed(broken: Callable[[int, int], dict[str, ModelEvidence]], batch: int) -> None:
    faults = [fault for fault in FAULTS.values() if fault.batch == batch]
    blamed = [{model for model, _, _ in fault.named} | fault.too for fault in faults]
    assert len(set.union(*blamed)) == sum(map(len, blamed)), "no model in common"
    found = broken(18, batch)
    assert {name for name, one in found.items() if one.status in ("different", "failed")} == set.union(*blamed)


def test_values_are_told_only_when_asked_for(shop: Shop, moved: Callable[[int], tuple[PostgresServer, str]]) -> None:
    server, template = moved(18)
    database = server.create_database(template)
    with psycopg.connect(database.url) as connection:
        connection.execute(f"SET search_path = {STAGING}")
        connection.execute("UPDATE shop_tag SET label = 'Hidden' WHERE slug = 'Z'")
        connection.execute("ALTER TABLE legacy_codes ALTER amount TYPE text USING 'Hidden'")
    entry = make_django_entry(database.url, (STAGING, "public"))
    silent, open_ = collect(shop, entry), collect(shop, entry, show_values=True)
    server.drop_database(database.name)
    assert "Hidden" not in str(silent)
    assert open_["shop.Tag"].why == "rows: label of row 'Z': 'Z' in SQLite, 'Hidden' in PostgreSQL"


def test_what_was_changed_on_purpose_is_no_difference(
    shop: Shop, moved: Callable[[int], tuple[PostgresServer, str]]
) -> None:
    server, template = moved(18)
    database = server.create_database(template)
    with psycopg.connect(database.url) as connection:
        connection.execute(f"SET search_path = {STAGING}")
        connection.execute("UPDATE shop_tag SET label = 'Other'")
        connection.execute("DELETE FROM shop_note WHERE id IN (1, 14)")
        connection.execute("DELETE FROM auth_user_groups")
    entry = make_django_entry(database.url, (STAGING, "public"))
    found = collect(
        shop, entry, changed=[("shop_tag", "label")], apart={"shop_note": 2}, left_out={"auth_user_groups"}
    )  # fmt: skip
    other = collect(shop, entry, changed=[("shop_tag", "label")], apart={"shop_note": 1})
    server.drop_database(database.name)
    assert judge_evidence(found.values()), list_wrong(found)
    assert found["auth.User_groups"].why == "the table was left out"
    assert dict(found["shop.Tag"].checks)["rows"] == "6 rows, all fields but label"
    assert dict(found["shop.Note"].checks)["lookup"] == "8 rows"
    assert set(list_wrong(other)) >= {"shop.Note", "auth.User_groups", "auth.User", "auth.Group"}


def test_rows_that_the_application_cannot_read_in_sqlite_are_told(
    shop: Shop, moved: Callable[[int], tuple[PostgresServer, str]], tmp_path: Path
) -> None:
    """Nothing can be compared with them; that is no fault of the move."""
    copy = Shop(shop.project, tmp_path / "dirty.sqlite3")
    shutil.copy(shop.database, copy.database)
    with closing(sqlite3.connect(copy.database)) as connection, connection:
        connection.execute("UPDATE shop_author SET born = '2024-13-99' WHERE id = 30")
        connection.execute("UPDATE auth_user SET date_joined = 'the day before'")
        connection.execute("ALTER TABLE shop_passport RENAME number TO other")
    server, template = moved(18)
    found = collect(copy, make_django_entry(server.url(template, "ferry"), (STAGING, "public")))
    assert judge_evidence(found.values()), list_wrong(found)
    assert found["shop.Author"].status == "skipped"
    assert (
        "the application cannot read 1 value or row in SQLite: ValueError: month must be in 1..12"
        in found["shop.Author"].why
    )
    assert found["auth.User"].status == "skipped"
    assert "date_joined of row 1 is read as NULL, although a value is stored" in found["auth.User"].why
    assert found["shop.Passport"].status == "skipped"
    assert "lookup: SQLite's side cannot be read: OperationalError: no such column" in found["shop.Passport"].why


@pytest.mark.parametrize(("zone", "use_tz"), [("Asia/Manila", "0"), ("America/New_York", "1")])
def test_moments_mean_what_they_meant(
    tmp_path: Path, pg_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, zone: str, use_tz: str
) -> None:
    """Without time zones, in that of the settings; with them, in that of the database's own entry."""
    monkeypatch.setenv("SHOP_DATABASE_ZONE", zone if use_tz == "1" else "")
    monkeypatch.setenv("SHOP_USE_TZ", use_tz)
    shop = make_shop(tmp_path / "shop")
    right, wrong = pg_server.create_database(), pg_server.create_database()
    assert set(list_wrong(collect(shop, move(shop, right.url, zone=zone)))) == {"shop.Elsewhere"}
    found = collect(shop, move(shop, wrong.url, zone="UTC"))
    assert "joined of row 10: another value" in found["shop.Author"].why
    for database in (right, wrong):
        pg_server.drop_database(database.name)
