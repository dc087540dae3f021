"""Which way a column goes on ignoring case, and what an index's keys become."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from builders import column, make_table
from liteferry.census import start_census
from liteferry.decisions import parse_decision
from liteferry.errors import MigrationError, Untranslatable
from liteferry.model import Catalog, Census, ForeignKey, Index, IndexKey, Options, ServerInfo, Twins
from liteferry.planner import plan_migration
from liteferry.planner.collations import EMBEDDED, Collations, KeyPart, Offer, choose_way, plan_collations
from liteferry.proof import verify_objects
from liteferry.source.twins import fold_widely

if TYPE_CHECKING:
    from liteferry.model import Kind, NocaseWay, Plan, Table
    from liteferry.planner.collations import Way

ALL = Offer(icu=True, rules=True, citext="public")
NONE = Offer()


@pytest.mark.parametrize(
    ("collation", "kind", "wanted", "offer", "way"),
    [
        ("NOCASE", "text", "auto", ALL, "icu"),
        ("nocase", "text", "auto", replace(ALL, icu=False), "citext"),
        ("NOCASE", "text", "auto", EMBEDDED, "citext"),
        ("NOCASE", "text", "auto", Offer(citext="tools", near=False), "index"),
        ("NOCASE", "text", "citext", Offer(citext="tools", near=False), "citext"),
        ("NOCASE", "text", "auto", NONE, "index"),
        ("NOCASE", "text", "icu", ALL, "icu"),
        ("NOCASE", "text", "index", ALL, "index"),
        ("NOCASE", "text", "bytes", ALL, "bytes"),
        ("RTRIM", "text", "auto", ALL, "index"),
        ("RTRIM", "text", "bytes", ALL, "bytes"),
        ("RTRIM", "text", "icu", NONE, "index"),
        ("unicase", "text", "auto", ALL, "bytes"),
        ("NOCASE", "int8", "auto", ALL, "none"),
        ("NOCASE", "uuid", "bytes", ALL, "none"),
        ("NOCASE", "jsonb", "auto", ALL, "bytes"),
        ("NOCASE", "bytea", "auto", ALL, "bytes"),
    ],
)
def test_a_way_is_chosen(collation: str, kind: Kind, wanted: NocaseWay, offer: Offer, way: Way) -> None:
    assert choose_way(collation, kind, wanted, offer) == way


@pytest.mark.parametrize(
    ("wanted", "offer", "words"),
    [
        ("icu", NONE, "the server was built without ICU"),
        ("icu", EMBEDDED, "the embedded server was built"),
        ("citext", NONE, "no extension citext"),
    ],
)
def test_what_is_not_there_is_refused(wanted: NocaseWay, offer: Offer, words: str) -> None:
    with pytest.raises(MigrationError, match=words) as refused:
        choose_way("NOCASE", "text", wanted, offer)
    assert refused.value.code == "usage"


TABLE = make_table(
    column("plain", "TEXT", "TEXT"),
    column("folded", "TEXT", "TEXT", collation="NOCASE"),
    column("trimmed", "TEXT", "TEXT", collation="RTRIM"),
    column("own", "TEXT", "TEXT", collation="unicase"),
)
REFUSED = "refused"


def decide(wanted: NocaseWay) -> Collations:
    census = Census(tables=(start_census(TABLE).finish(),))
    server = ServerInfo(
        version="17.1", version_num=170001, host="", port=1, database="", user="", icu=True, citext="installed",
        citext_schema="public",
    )  # fmt: skip
    return plan_collations([TABLE], census, Options(nocase=wanted), server, "s", lambda *_: "text")


@pytest.mark.parametrize(
    ("name", "collation", "icu", "citext", "index", "at_bytes"),
    [
        ("plain", "BINARY", "x", "x", "x", "x"),
        ("plain", "NOCASE", 'lower(x COLLATE "C")', 'lower(x COLLATE "C")', 'lower(x COLLATE "C")', REFUSED),
        ("plain", "RTRIM", "rtrim(x COLLATE \"C\", ' ')", "rtrim(x COLLATE \"C\", ' ')", None, REFUSED),
        ("plain", "unicase", REFUSED, REFUSED, REFUSED, REFUSED),
        ("folded", "NOCASE", "x", "x", 'lower(x COLLATE "C")', "x"),
        ("folded", "BINARY", 'x COLLATE "C"', '((x)::pg_catalog.text) COLLATE "C"', "x", "x"),
        ("folded", "RTRIM", None, "rtrim(x::pg_catalog.text COLLATE \"C\", ' ')", None, REFUSED),
        ("trimmed", "RTRIM", "rtrim(x COLLATE \"C\", ' ')", None, None, "x"),
        ("trimmed", "NOCASE", 'lower(x COLLATE "C")', None, None, REFUSED),
        ("trimmed", "BINARY", "x", "x", "x", "x"),
        ("own", "unicase", "x", "x", "x", "x"),
        ("own", "NOCASE", 'lower(x COLLATE "C")', None, None, REFUSED),
    ],
)
def test_a_key_of_an_index(
    name: str, collation: str, icu: str | None, citext: str | None, index: str | None, at_bytes: str
) -> None:
    ways: dict[NocaseWay, str | None] = {"icu": icu, "citext": citext, "index": index, "bytes": at_bytes}
    for way, wanted in ways.items():
        try:
            part = decide(way).key_part(TABLE, IndexKey(column=name, collation=collation), "x", "text")
        except Untranslatable:
            assert wanted == REFUSED, way
            continue
        assert wanted in {None, part.sql.removeprefix("pg_catalog.")}, way
        assert part.expression == (part.sql not in {"x", 'x COLLATE "C"'}), way
        assert part.folds in {"", collation}, way
        if collation == "BINARY" or way == "bytes":
            assert part.folds == "", way


def test_a_key_without_case_is_a_plain_one() -> None:
    key = IndexKey(column="plain", collation="NOCASE")
    assert decide("auto").key_part(TABLE, key, "x", "int8") == KeyPart(sql="x")
    with pytest.raises(Untranslatable):
        decide("auto").key_part(TABLE, key, "x", "bytea")


# ---------------------------------------------------------------------------------------------------------------------
# Findings


def plan(*tables: Table, twins: tuple[Twins, ...] = (), server: ServerInfo | None = None) -> Plan:
    census = Census(tables=tuple(start_census(each).finish() for each in tables), twins=twins)
    return plan_migration(Catalog(tables=tables), census, None, Options(), source="x", server=server)


def folded_table(**facts: object) -> Table:
    return make_table(column("a", "TEXT", "TEXT", collation="NOCASE"), column("b", "TEXT", "TEXT"), **facts)


UNIQUE = Index(
    name="u", table="t", origin="c", unique=True, keys=(IndexKey(column="a", collation="NOCASE"),), sql="CREATE"
)


def test_twins_block_unless_the_way_is_exact() -> None:
    twins = (Twins(table="t", column="a", beyond_ascii=2, count=2),)
    server = ServerInfo(
        version="18", version_num=180000, host="", port=1, database="", user="", citext="available",
        folds_ascii_only=True,
    )  # fmt: skip
    assert [found.code for found in plan(folded_table(), twins=twins).blockers] == ["collation-wider"]
    exact = plan(folded_table(), twins=twins, server=server)
    assert not exact.blockers
    assert "beyond" not in next(found.message for found in exact.findings if found.code == "collation-kept")
    assert not plan(folded_table(), twins=(replace(twins[0], count=0),)).blockers


def test_an_index_way_says_whether_a_unique_key_is_kept() -> None:
    server = ServerInfo(version="15", version_num=150000, host="", port=1, database="", user="")
    (with_key,) = plan(folded_table(indexes=(UNIQUE,)), server=server).blockers
    (without,) = plan(folded_table(indexes=(replace(UNIQUE, unique=False),)), server=server).blockers
    assert "unique keys go on" in with_key.if_accepted
    assert without.if_accepted == "the column compares byte for byte"


def test_strict_servers_refuse_keys_between_collations() -> None:
    """From PostgreSQL 18 on; before it, the foreign key compares as its parent does, as in SQLite."""
    parent = make_table(column("p", "TEXT", "TEXT"), primary_key=("p",))
    child = replace(
        make_table(
            column("c", "TEXT", "TEXT", collation="NOCASE"),
            foreign_keys=(ForeignKey(columns=("c",), parent_table="t", parent_columns=("p",)),),
        ),
        name="child",
    )
    server = ServerInfo(version="18", version_num=180000, host="", port=1, database="", user="", icu=True)
    assert [found.code for found in plan(parent, child, server=server).blockers] == ["foreign-key-types"]
    assert not plan(parent, child, server=replace(server, version_num=170000)).blockers


def test_a_planner_that_forgets_a_collation_is_caught() -> None:
    """No finding, or an index that minds case where the source's does not: the proof names either."""
    unique = Index(
        name="u", table="t", origin="c", unique=True, keys=(IndexKey(column="b", collation="NOCASE"),), sql="CREATE"
    )
    table = folded_table(indexes=(unique,))
    made = plan(table)
    from liteferry.model import TargetCatalog

    def names(forged: Plan) -> set[str | None]:
        _, found = verify_objects(forged, Catalog(tables=(table,)), TargetCatalog(schema="public", exists=True))
        return {each.object_name for each in found if each.target == "not planned"}

    assert names(made) == set()
    untold = tuple(found for found in made.findings if found.code != "collation-kept")
    assert names(replace(made, findings=untold)) == {"collation NOCASE of column a"}
    blind = tuple(replace(each, folds=(), key_columns=()) if each.name == "u" else each for each in made.objects)
    assert "collation of index u" in names(replace(made, objects=blind))


# ---------------------------------------------------------------------------------------------------------------------
# The wide folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("É", "e\u0301"), ("a\x01", "A"), ("\u00ad", ""), ("²", "2"), ("ﬁ", "FI"), ("か", "カ"), ("\u212a", "k"),
        ("İ", "i"), ("Σ", "ς"), ("٣", "3"), ("\u0902", "\u0982"), ("❤", "❤\ufe0f"), ("Å", "\u212b"),
    ],
)  # fmt: skip
def test_what_a_server_may_take_for_one(one: str, other: str) -> None:
    assert fold_widely(one) == fold_widely(other)


@pytest.mark.parametrize(
    ("one", "other"), [("é", "e"), ("ñ", "n"), ("ö", "o"), ("a b", "ab"), ("a\t", "a"), ("一", "1")]
)
def test_what_no_server_takes_for_one(one: str, other: str) -> None:
    assert fold_widely(one) != fold_widely(other)


@pytest.mark.parametrize(
    ("decisions", "way", "ways", "blocks"),
    [
        ((), "citext", [], False),
        (("t.a=index",), "index", ["index", "citext", "bytes"], False),
        (("collation-lost:*=bytes",), "bytes", ["bytes", "citext", "index"], False),
        (("t.b=index",), "citext", [], False),
    ],
)
def test_a_way_is_named_for_one_column(decisions: tuple[str, ...], way: Way, ways: list[str], *, blocks: bool) -> None:
    options = Options(decisions=tuple(map(parse_decision, decisions)))
    table = folded_table(indexes=(UNIQUE,))
    census = Census(tables=(start_census(table).finish(),))
    made = plan_migration(Catalog(tables=(table,)), census, None, options, source="x")
    (found,) = (each for each in made.findings if each.code.startswith("collation-"))
    assert [each.name for each in found.ways] == ways
    assert found.way == ("" if way == "citext" else way)
    assert found.blocks == blocks
    assert any("citext" in sql for step in made.steps for sql in step.sql) == (way == "citext")
    assert any("lower(" in sql for step in made.steps for sql in step.sql) == (way == "index")
