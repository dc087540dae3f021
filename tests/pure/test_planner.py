from __future__ import annotations

import pytest

from builders import column, make_table
from liteferry.census import start_census
from liteferry.errors import MigrationError
from liteferry.findings import FINDINGS, make_finding
from liteferry.model import (
    Catalog,
    Census,
    ForeignKey,
    Hook,
    HookPoint,
    Index,
    IndexKey,
    Options,
    Orphans,
    Plan,
    Table,
    TargetCatalog,
    TargetColumn,
    TargetTable,
    Trigger,
    VirtualTable,
    from_json,
    to_json,
)
from liteferry.names import staging_name
from liteferry.planner import accept_findings, map_target_tables, plan_migration, select_tables


def table(name: str, *columns: str, **facts: object) -> Table:
    """A table of TEXT columns; ``id`` is an INTEGER PRIMARY KEY."""
    made = tuple(
        column(each, "INTEGER", "INTEGER", pk_position=1) if each == "id" else column(each, "TEXT", "TEXT")
        for each in columns
    )
    key: dict[str, object] = {"primary_key": ("id",), "rowid_alias": "id"} if "id" in columns else {}
    found = make_table(*made, **{**key, **facts})
    return Table(
        **{**{f: getattr(found, f) for f in found.__dataclass_fields__}, "name": name, "sql": f"CREATE TABLE {name}"}
    )


def plan(*tables: Table, options: Options | None = None, target: TargetCatalog | None = None, **facts: object) -> Plan:
    orphans: tuple[Orphans, ...] = facts.pop("orphans", ())  # type: ignore[assignment]  # a test's shorthand
    catalog = Catalog(tables=tables, **facts)  # type: ignore[arg-type]  # the same
    census = Census(tables=tuple(start_census(each).finish() for each in tables), orphans=orphans)
    return plan_migration(catalog, census, target, options or Options(), source="x.sqlite")


def codes(made: Plan) -> list[str]:
    return [finding.code for finding in made.findings]


def index(name: str, of: str, *columns: str, **facts: object) -> Index:
    keys = tuple(IndexKey(column=each) for each in columns)
    return Index(**{"name": name, "table": of, "origin": "c", "unique": False, "keys": keys, **facts})  # type: ignore[arg-type]  # the same


def test_a_plan_is_the_same_twice_and_survives_json() -> None:
    tables = (table("b", "id", "x"), table("a", "id", "x", indexes=(index("i", "a", "x"),)))
    assert plan(*tables) == plan(*tables)
    assert from_json(Plan, to_json(plan(*tables))) == plan(*tables)


def test_step_ids_are_unique_and_readable() -> None:
    made = plan(table("a", "id", "x", indexes=(index("i", "a", "x"),)))
    ids = [step.id for step in made.steps]
    assert len(set(ids)) == len(ids)
    assert "post-data/index/i" in ids
    assert ids[0] == "pre-data/schema"
    assert ids[-1] == "publish"


def test_only_and_exclude() -> None:
    catalog = Catalog(tables=(table("auth_user", "id"), table("auth_group", "id"), table("log", "id")))
    chosen, left = select_tables(catalog, Options(only=("auth_*",), exclude=("*_group",)))
    assert [each.name for each in chosen] == ["auth_user"]
    assert [finding.table for finding in left] == ["auth_group", "log"]


@pytest.mark.parametrize("options", [Options(only=("typo",)), Options(exclude=("typo",))])
def test_a_pattern_that_matches_nothing_is_a_mistake(options: Options) -> None:
    with pytest.raises(MigrationError, match="typo matches no table") as caught:
        select_tables(Catalog(tables=(table("a", "id"),)), options)
    assert caught.value.code == "usage"


def test_accepting() -> None:
    findings = [
        make_finding("value-misfit", "m", table="a", name="x"),
        make_finding("value-misfit", "m", table="b", name="y"),
    ]
    findings.append(make_finding("target-not-empty", "m"))
    for accept, expected in (
        ((), [False, False, False]),
        (("value-misfit",), [True, True, False]),
        (("value-misfit:a.x",), [True, False, False]),
        (("value-misfit:b.*",), [False, True, False]),
        (("text-nul",), [False, False, False]),
        (("all",), [True, True, False]),
    ):
        assert [finding.accepted for finding in accept_findings(findings, Options(accept=tuple(accept)))] == expected


@pytest.mark.parametrize("accept", ["typo", "target-not-empty", "rowid-not-kept"])
def test_accepting_what_cannot_be_accepted(accept: str) -> None:
    with pytest.raises(MigrationError) as caught:
        accept_findings([], Options(accept=(accept,)))
    assert caught.value.code == "usage"


@pytest.mark.parametrize("schema", ["", "a\0b", "x" * 64, "ä" * 32, "pg_mine"])
def test_a_schema_that_cannot_be_is_refused_at_once(schema: str) -> None:
    with pytest.raises(MigrationError) as caught:
        plan(table("a", "id"), options=Options(schema=schema))
    assert caught.value.code == "usage"


def test_relations_share_one_name_space() -> None:
    made = plan(table("a", "id", "x"), table("b", "id", "x", indexes=(index("a", "b", "x"), index("b_pkey", "b", "x"))))
    names = [found.name for found in made.objects if found.kind in {"table", "index", "primary_key", "sequence"}]
    assert len(set(names)) == len(names)
    assert {change.source for change in made.names} == {"a"}, "a name that the source gives comes first"
    assert codes(made).count("name-changed") == 1


def test_system_columns_get_another_name() -> None:
    made = plan(table("a", "id", "ctid", "tableoid", "oid"))
    names = {mapped.source: mapped.target for mapped in made.tables[0].columns}
    assert names["oid"] == "oid"
    assert names["ctid"].startswith("ctid_")
    assert names["tableoid"] != "tableoid"


def test_long_names_that_differ_at_the_end_stay_different() -> None:
    made = plan(table("t" * 70 + "1", "id"), table("t" * 70 + "2", "id"))
    targets = [mapped.target for mapped in made.tables]
    assert len(set(targets)) == 2
    assert all(len(name.encode()) <= 63 for name in targets)


def foreign(of: str, columns: tuple[str, ...], to: str, parents: tuple[str, ...]) -> Table:
    return table(
        of, "id", *columns, foreign_keys=(ForeignKey(columns=columns, parent_table=to, parent_columns=parents),)
    )


@pytest.mark.parametrize(
    ("tables", "options", "code"),
    [
        ([foreign("c", ("p",), "nowhere", ("id",))], Options(), "foreign-key-no-parent"),
        ([foreign("c", ("p",), "p", ("gone",)), table("p", "id")], Options(), "foreign-key-no-parent"),
        ([foreign("c", ("p",), "p", ("x",)), table("p", "id", "x")], Options(), "foreign-key-not-unique"),
        ([foreign("c", ("p",), "p", ("id",)), table("p", "id")], Options(), "foreign-key-types"),
        ([foreign("c", ("p",), "p", ("x",)), table("p", "id", "x")], Options(exclude=("p",)), "left-dangling"),
    ],
)
def test_foreign_keys_that_cannot_be(tables: list[Table], options: Options, code: str) -> None:
    made = plan(*tables, options=options)
    assert code in codes(made)
    assert not [step for step in made.steps if "foreign-key" in step.id]
    assert made.blockers


def test_a_foreign_key_finds_its_parent_whatever_the_case() -> None:
    unique = index("u", "P", "x", unique=True)
    made = plan(foreign("c", ("ref",), "p", ("X",)), table("P", "id", "x", indexes=(unique,)))
    assert codes(made) == []
    (key,) = [found for found in made.objects if found.kind == "foreign_key"]
    assert (key.parent_table, key.parent_columns) == ("P", ("x",))


def test_a_partial_unique_index_is_no_parent() -> None:
    partial = index("u", "p", "x", unique=True, where_sql="x IS NOT NULL")
    assert "foreign-key-not-unique" in codes(
        plan(foreign("c", ("r",), "p", ("x",)), table("p", "id", "x", indexes=(partial,)))
    )


def test_orphans_make_the_key_not_valid() -> None:
    tables = (foreign("c", ("r",), "p", ("x",)), table("p", "id", "x", indexes=(index("u", "p", "x", unique=True),)))
    made = plan(*tables, orphans=(Orphans(table="c", foreign_key=0, count=3),))
    assert codes(made) == ["orphan-rows"]
    (step,) = [step for step in made.steps if "foreign-key" in step.id]
    assert step.sql[0].endswith("NOT VALID")
    assert not next(found for found in made.objects if found.kind == "foreign_key").validated


def test_triggers_and_virtual_tables_are_named() -> None:
    made = plan(
        table("a", "id"),
        triggers=(Trigger(name="tr", table="a", sql="CREATE TRIGGER tr …"),),
        virtual_tables=(
            VirtualTable(name="f", module="fts5", sql="CREATE VIRTUAL TABLE f …", shadow_tables=("f_data",)),
        ),
    )
    assert codes(made) == ["trigger-left-out", "virtual-table-left-out"]
    assert "tsvector" in made.findings[1].hint


def test_a_target_that_holds_something_blocks_for_good() -> None:
    held = TargetCatalog(schema="public", exists=True, others=("function f()",))
    made = plan(table("a", "id"), target=held, options=Options(accept=("all",)))
    assert [finding.code for finding in made.blockers] == ["target-not-empty"]


def test_a_schema_that_is_not_there_is_made_and_undone() -> None:
    made = plan(table("a", "id"), target=TargetCatalog(schema="new", exists=False), options=Options(schema="new"))
    publish = made.steps[-1]
    assert publish.sql[0] == 'CREATE SCHEMA "new"'
    assert publish.undo_sql[-1] == 'DROP SCHEMA "new" RESTRICT'
    assert not plan(table("a", "id"), target=TargetCatalog(schema="public", exists=True)).creates_schema


def test_nothing_is_ever_dropped_with_cascade() -> None:
    made = plan(table("a", "id"), table("b", "id"))
    assert not [sql for step in made.steps for sql in (*step.sql, *step.undo_sql) if "CASCADE" in sql]


def test_staging_names_fit() -> None:
    assert staging_name("public") == "liteferry_staging_public"
    assert len(staging_name("s" * 63).encode()) <= 63


def test_the_targets_own_tables_can_be_mapped() -> None:
    columns = (
        TargetColumn(name="id", pg_type="bigint", not_null=True),
        TargetColumn(name="p", pg_type="point", not_null=False),
    )
    catalog = TargetCatalog(schema="public", exists=True, tables=(TargetTable(name="t", oid=1, columns=columns[:1]),))
    assert map_target_tables(catalog, Options())[0].columns[0].kind == "int8"
    odd = TargetCatalog(schema="public", exists=True, tables=(TargetTable(name="t", oid=1, columns=columns),))
    with pytest.raises(MigrationError, match="point"):
        map_target_tables(odd, Options())
    assert map_target_tables(odd, Options(exclude=("t",))) == ()


def test_every_blocker_but_four_can_be_accepted_where_the_schema_is_ours() -> None:
    theirs = ("target-", "seeded-rows", "django-")  # what an application's schema refuses
    blockers = [code for code, kind in FINDINGS.items() if kind.severity == "blocker" and not kind.if_accepted]
    assert [code for code in blockers if not code.startswith(theirs) or code == "target-not-empty"] == [
        "local-time-unclear",  # quarantine and null are offered, but nothing is the default
        "value-too-large",
        "table-too-wide",
        "target-not-empty",
    ]


def test_a_name_that_a_style_does_not_change_comes_first() -> None:
    tables = (table("userName", "id", "user name", "UserName2", "user_name"), table("user_name", "id"))
    made = plan(*tables, options=Options(names="snake"))
    first, second = made.tables
    assert second.target == "user_name"
    assert first.target.startswith("user_name_")
    targets = {column.source: column.target for column in first.columns}
    assert targets["user_name"] == "user_name"
    assert targets["UserName2"] == "user_name2"
    turned = plan(*reversed(tables), options=Options(names="snake"))
    assert {each.target for each in turned.tables} == {each.target for each in made.tables}
    assert codes(made).count("name-changed") == 2
    assert [(each.code, each.count) for each in made.findings if each.code == "names-styled"] == [("names-styled", 1)]


def test_no_style_no_finding_about_it() -> None:
    assert "names-styled" not in codes(plan(table("userName", "id", "Some Thing")))
    assert not plan(table("userName", "id", "Some Thing")).names


def list_ids(*points: HookPoint) -> list[str]:
    hooks = tuple(Hook(point=point, file=f"{point}.sql", sql="SELECT 1", sha256="") for point in points)
    made = plan(table("a", "id", "x", indexes=(index("i", "a", "x"),)), table("b", "id"), options=Options(hooks=hooks))
    short = {"pre-data/table": "make", "data/table": "copy", "post-data/primary-key": "key", "post-data/index": "index"}
    ids = [step.id for step in made.steps if "analyze" not in step.id and step.id != "pre-data/schema"]
    return [next((f"{word} {i.split('/')[-1]}" for head, word in short.items() if i.startswith(head)), i) for i in ids]


ALONE = ["make a", "copy a", "key a_pkey", "index i", "make b", "copy b", "key b_pkey"]


@pytest.mark.parametrize(
    ("points", "order"),
    [
        ((), ALONE),
        (("before-pre-data",), ["before-pre-data", *ALONE]),
        (("before-publish", "after-post-data"), [*ALONE, "after-post-data", "before-publish"]),
        (
            ("before-data", "after-pre-data"),
            [
                "make a",
                "make b",
                "after-pre-data",
                "before-data",
                "copy a",
                "key a_pkey",
                "index i",
                "copy b",
                "key b_pkey",
            ],
        ),
        (
            ("before-post-data", "after-data"),
            [
                "make a",
                "copy a",
                "make b",
                "copy b",
                "after-data",
                "before-post-data",
                "key a_pkey",
                "index i",
                "key b_pkey",
            ],
        ),
        (
            ("before-data", "after-data"),
            [
                "make a",
                "make b",
                "before-data",
                "copy a",
                "copy b",
                "after-data",
                "key a_pkey",
                "index i",
                "key b_pkey",
            ],
        ),
    ],
)
def test_hooks_stand_where_they_say(points: tuple[HookPoint, ...], order: list[str]) -> None:
    found = [step.split("/")[1] if step.startswith("hook/") else step for step in list_ids(*points)]
    assert found == [*order, "publish"]


def test_two_files_at_a_point_run_in_their_order() -> None:
    assert list_ids("after-data", "after-data")[4:6] == [
        "hook/after-data/1/after-data.sql",
        "hook/after-data/2/after-data.sql",
    ]
