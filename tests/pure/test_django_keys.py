"""What changed since a project's schema was kept, in words; what of a dump is run."""

from __future__ import annotations

import pytest

from liteferry.django_rules.keys import explain_change
from liteferry.servers.dumping import strip_session

OLD = (
    ("Python", "3.11"), ("migration a.0001", "x"), ("migration a.0002", "x"), ("module a.models", "x"),
    ("package Django", "5.2.18"), ("package gone", "1.0"), ("setting USE_TZ", "x"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (OLD, ()),
        ((*OLD[1:], ("Python", "3.12")), ("Python 3.11 → 3.12",)),
        ((*OLD, ("migration b.0036", "x")), ("migration b.0036 is new",)),
        ((*OLD[:2], ("migration a.0002", "y"), *OLD[3:]), ("migration a.0002 was changed",)),
        ((OLD[0], *OLD[2:]), ("migration a.0001 is gone",)),
        ((*OLD[:3], ("module a.models", "y"), *OLD[4:]), ("module a.models was changed",)),
        ((*OLD[:4], ("package Django", "5.2.19"), *OLD[5:]), ("package Django 5.2.18 → 5.2.19",)),
        ((*OLD[:5], *OLD[6:]), ("package gone is gone",)),
        ((*OLD, ("package new", "2")), ("package new 2 is new",)),
        ((*OLD[:6], ("setting USE_TZ", "y")), ("setting USE_TZ was changed",)),
        ((*OLD, ("something", "x")), ("something is new",)),
    ],
)
def test_a_change_is_explained(new: tuple[tuple[str, str], ...], said: tuple[str, ...]) -> None:
    assert explain_change(OLD, new) == said


def test_migrations_come_first() -> None:
    said = explain_change((), (("module m", "x"), ("Python", "3.12"), ("package p", "1"), ("migration a.0001", "x")))
    assert said == ("migration a.0001 is new", "package p 1 is new", "Python 3.12 is new", "module m is new")


def test_only_the_ends_of_a_dump_are_left_out() -> None:
    body = (
        "CREATE FUNCTION s.f() RETURNS text LANGUAGE sql AS $$\n\\restrict x\nSET work_mem = 1;\n-- kept\nSELECT 'x'$$;"
    )
    dump = (
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n"
        "SELECT pg_catalog.set_config('search_path', '', false);\n\nCREATE SCHEMA s;\n\n"
        f"SET default_tablespace = '';\n\n{body}\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n"
    )
    assert strip_session(dump) == f"CREATE SCHEMA s;\n\nSET default_tablespace = '';\n\n{body}\n"
