"""The catalogues' stamp: it changes with whatever could change what is read of a schema, and with nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from application import install
from harness import execute
from liteferry.target import catalog, footprint, holding, open_target
from liteferry.target.stamp import CATALOGUES, read_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from conftest import PostgresServer


@pytest.fixture
def connection(pg_url: str) -> Iterator[psycopg.Connection]:
    """A session with a database in which the application's schema is."""
    install(pg_url)
    with open_target(pg_url) as server:
        yield server.control


CHANGES = [
    "ALTER TABLE public.person ALTER COLUMN extra SET DEFAULT 'made later'",
    "ALTER TABLE public.person ALTER COLUMN extra DROP DEFAULT",
    "ALTER TABLE public.person ALTER COLUMN note SET NOT NULL",
    "ALTER TABLE public.person ALTER COLUMN note SET STORAGE EXTERNAL",
    "ALTER TABLE public.person ALTER COLUMN note SET STATISTICS 7",
    "ALTER TABLE public.person ALTER COLUMN extra TYPE varchar(2000)",
    "ALTER TABLE public.person ADD COLUMN more text",
    "ALTER TABLE public.person DROP COLUMN extra",
    "ALTER TABLE public.person RENAME COLUMN extra TO further",
    "ALTER TABLE public.person SET (fillfactor = 60)",
    "ALTER TABLE public.person DISABLE TRIGGER t_on",
    "ALTER TABLE public.person DISABLE ROW LEVEL SECURITY",
    "ALTER POLICY later_ones ON public.person USING (id > 3)",
    "ALTER TABLE public.person DROP CONSTRAINT person_note_check",
    "ALTER TABLE public.team RENAME CONSTRAINT team_lead_fkey TO other",
    "ALTER TABLE public.event DETACH PARTITION public.event_old",
    "ALTER TABLE public.person CLUSTER ON person_code",
    "ALTER TABLE public.person REPLICA IDENTITY FULL",
    "ALTER INDEX public.person_born RENAME TO other",
    "ALTER INDEX public.person_note ALTER COLUMN 1 SET STATISTICS 7",
    "CREATE INDEX ON public.log (what)",
    "DROP INDEX public.person_note",
    "COMMENT ON TABLE public.log IS 'words'",
    "COMMENT ON CONSTRAINT team_lead_fkey ON public.team IS NULL",
    "GRANT SELECT ON public.log TO PUBLIC",
    "GRANT SELECT (what) ON public.log TO PUBLIC",
    "CREATE TABLE public.further (id integer)",
    "CREATE TABLE elsewhere.further (id integer REFERENCES public.team)",
    "DROP TABLE elsewhere.badge",
    "DROP VIEW public.people",
    "CREATE OR REPLACE VIEW public.people AS SELECT id, note FROM public.person WHERE id > 0",
    "ALTER RULE team_kept ON public.team RENAME TO other",
    "DROP STATISTICS public.person_stats",
    "ALTER STATISTICS public.person_stats SET STATISTICS 7",
    "ALTER TYPE public.mood ADD VALUE 'angry'",
    "ALTER TYPE public.mood RENAME VALUE 'ok' TO 'fine'",
    "ALTER DOMAIN public.price SET NOT NULL",
    "ALTER DOMAIN public.price SET DEFAULT 1",
    "ALTER FUNCTION public.note_it() RENAME TO other",
    "ALTER SEQUENCE public.team_id_seq INCREMENT 2",
    "ALTER SEQUENCE public.team_id_seq OWNED BY NONE",
    "ALTER SCHEMA elsewhere RENAME TO other",
    "CREATE PUBLICATION everything FOR TABLE public.team",
    # written and written back: another row all the same, so that the texts are read, which are equal
    "ALTER TABLE public.log ALTER COLUMN what SET DEFAULT 'x'; ALTER TABLE public.log ALTER COLUMN what DROP DEFAULT",
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_schema_changes_the_stamp(
    change: str, connection: psycopg.Connection, pg_url: str
) -> None:
    before = read_stamp(connection)
    execute(pg_url, change)
    assert read_stamp(connection) != before


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO public.log (what) VALUES ('more')",
        "DELETE FROM public.version",
        "SELECT nextval('public.shared')",
        "ANALYZE",
        "VACUUM public.team",
        "VACUUM FREEZE public.log",
        "BEGIN; ALTER TABLE public.person ADD COLUMN more text; DROP VIEW public.people; ROLLBACK",
    ],
)
def test_rows_and_what_is_taken_back_do_not(change: str, connection: psycopg.Connection, pg_url: str) -> None:
    before = read_stamp(connection)
    execute(pg_url, change)
    assert read_stamp(connection) == before


def test_a_role_counts_although_its_password_may_not_be_read(pg_server: PostgresServer, pg_url: str) -> None:
    with open_target(pg_url) as server:
        before = read_stamp(server.control)
        execute(pg_server.url("postgres"), "CREATE ROLE stamp_bearer")
        try:
            made = read_stamp(server.control)
            assert made != before
            execute(pg_server.url("postgres"), "ALTER ROLE stamp_bearer BYPASSRLS")
            allowed = read_stamp(server.control)
            assert allowed != made
            execute(pg_server.url("postgres"), "GRANT stamp_bearer TO ferry")
            assert read_stamp(server.control) != allowed
        finally:
            execute(pg_server.url("postgres"), "DROP ROLE stamp_bearer")


def test_every_catalogue_that_is_read_counts() -> None:
    asked = [
        sql
        for module in (catalog, footprint, holding)
        for name, sql in vars(module).items()
        if name.endswith("_SQL") and name != "_OBJECTS_SQL" and isinstance(sql, str)
    ]
    read = {name for sql in asked for name in re.findall(r"(?:FROM|JOIN)\s+pg_catalog\.(pg_\w+)(?!\w*\()", sql)}
    assert len(read) > 20
    assert read - set(CATALOGUES) == {"pg_roles"}


@pytest.mark.parametrize("in_transaction", [False, True])
def test_the_stamp_on_every_version(pg_url_all: str, *, in_transaction: bool) -> None:
    with open_target(pg_url_all) as server:
        before = read_stamp(server.control)
        assert before == read_stamp(server.control)
        if in_transaction:
            server.control.execute("BEGIN")
        server.control.execute("CREATE TABLE public.one (id integer)")
        assert before != read_stamp(server.control)
