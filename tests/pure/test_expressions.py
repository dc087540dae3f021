"""What is translated, what is refused and why. That the translations mean the same is shown in tests/real."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from liteferry.errors import Untranslatable
from liteferry.expressions import (
    ColumnType,
    Relation,
    describe_rules,
    translate_check,
    translate_default,
    translate_generated,
    translate_index_key,
    translate_predicate,
    translate_view,
)
from liteferry.expressions.functions import FUNCTIONS, REFUSED

if TYPE_CHECKING:
    from liteferry.model import Affinity, Kind


def column(name: str, kind: Kind, affinity: Affinity, pg_type: str = "") -> ColumnType:
    return ColumnType(source=name, target=name, kind=kind, affinity=affinity, pg_type=pg_type or kind)


ID = replace(column("id", "int8", "INTEGER", "bigint"), rowid=True, not_null=True)
COLUMNS = (
    ID,
    column("i", "int8", "INTEGER", "bigint"),
    column("r", "float8", "REAL", "double precision"),
    column("n", "numeric", "NUMERIC", "numeric(10,2)"),
    column("flag", "bool", "NUMERIC", "boolean"),
    column("s", "text", "TEXT", "text"),
    replace(column("nocase", "text", "TEXT", "text"), collation="NOCASE"),
    replace(column("own", "text", "TEXT", "text"), collation="MINE"),
    column("padded", "text", "TEXT", "character(5)"),
    column("x", "bytea", "BLOB", "bytea"),
    column("d", "date", "NUMERIC", "date"),
    column("ts", "timestamp", "NUMERIC", "timestamp"),
    replace(column("any_ts", "timestamp", "NUMERIC", "timestamp"), forms=frozenset({"datetime-any"})),
    replace(column("odd_ts", "timestamp", "NUMERIC", "timestamp"), forms=frozenset({"other"})),
    column("js", "jsonb", "TEXT", "jsonb"),
    column("js_text", "text", "TEXT", "text"),
    column("u", "uuid", "TEXT", "uuid"),
    replace(column("both", "text", "NUMERIC", "text"), storage=frozenset({"integer", "text"})),
    replace(column("gen", "int8", "INTEGER", "bigint"), generated=True),
    replace(column("weird \"name'", "text", "TEXT", "text"), target="weird_name"),
)
RELATIONS = {
    "t": Relation(source="t", target="T 1", schema="stage", columns=COLUMNS),
    "p": Relation(source="p", target="p", schema="stage", columns=(ID, column("name", "text", "TEXT", "text"))),
}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("s = 0", "\"s\" = '0'"),
        ("i = '5'", '"i" = 5'),
        ("flag", '"flag"'),
        ("flag = 1", '"flag"'),
        ("flag = 0", 'NOT "flag"'),
        ("NOT flag", 'NOT "flag"'),
        ("flag IN (0, 1)", '(NOT "flag") OR "flag"'),
        ("[i] >= (0) AND [i] <= (1)", '("i" >= 0) AND ("i" <= 1)'),
        ("i / r > 1", '("i"::double precision / nullif("r", 0)) > 1'),
        ("i % 2 = 0", "(\"i\" % '2'::bigint) = 0"),
        ("s < 'b'", '"s" COLLATE "C" < \'b\''),
        ("s IN ('a', 'b')", "\"s\" IN ('a', 'b')"),
        ("length(s) <= 20", 'char_length("s") <= 20'),
        ("s LIKE '100%'", "\"s\" COLLATE \"C\" LIKE '100%' ESCAPE ''"),
        ("d >= '2020-01-31'", "\"d\" >= '2020-01-31'::date"),
        ("ts < '2020-01-31'", "\"ts\" < '2020-01-31 00:00:00'::timestamp"),
        ('ts >= d OR s = "no"', '("ts" >= "d"::timestamp) OR ("s" = \'no\')'),
        ('"weird ""name\'" = \'\'', "\"weird_name\" = ''"),
        ("s = 'back\\slash'", "\"s\" = E'back\\\\slash'"),
        ("i NOT NULL", '"i" IS NOT NULL'),
        ("t.i = 1", '"i" = 1'),
        ("rowid > 0", '"id" > 0'),
    ],
)
def test_check(sql: str, expected: str) -> None:
    translated = translate_check(sql, COLUMNS)
    assert (translated.sql, translated.kind, translated.implied_by_type) == (expected, "bool", False)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("s + 1 > 0", "adds the numbers that the texts begin with"),
        ("s * 2 > 0", "takes column s as a number, but it holds texts"),
        ("s", "a condition takes column s as a number"),
        ("s = i", "SQLite converts the texts that look like numbers"),
        ("i = 'abc'", "by storage class"),
        ("s = x", "by storage class"),
        ("s = 1.5", "with the number 1.5"),
        ("both = 5", "by storage class"),
        ("both > 'a'", "by storage class"),
        ("n / 2 > 1", "SQLite truncates in the rows where both are stored as integers"),
        ("n % 2 = 0", "cuts off first"),
        ("r || '' = ''", "PostgreSQL may write it differently"),
        ("own = 'a'", "MINE belongs to the application"),
        ("padded = 'a'", "ignores spaces at the end"),
        ("s REGEXP 'a'", "REGEXP belongs to the application"),
        ("s LIKE 'a' ESCAPE 'b'", "folds letters"),
        ("s LIKE i ESCAPE '!'", "literal pattern"),
        ("s LIKE 'a!' ESCAPE '!'", "ends with its escape character"),
        ("s GLOB s", "not a literal"),
        ("s GLOB '[[:alpha:]]'", "class of characters"),
        ("json_valid(js_text)", "only from version 16 on"),
        ("json_extract(js, '$.a') = 1", "depends on the row"),
        ("js ->> 'a' = 'b'", "its own type"),
        ("js = '{}'", "makes a text of column js"),
        ("u < u", "whose texts SQLite compares"),
        ("unheard_of(i)", "liteferry does not know what it means"),
        ("unknown = 1", "unknown names no column"),
        ("i IN (SELECT 1)", "only in views"),
        ("(SELECT 1)", "only in views"),
        ("EXISTS (SELECT 1)", "only in views"),
        ("count(*) > 1", "as an aggregate"),
        ("(i, r) = (1, 2)", "a row of values"),
        ("substr(s, i) = ''", "counts from the end"),
        ("substr(s, 2, i) = ''", "goes backwards"),
        ("substr(s, 9999999999) = ''", "32 bits"),
        ("round(r, 2) = 1", "by its decimal digits"),
        ("i << r", "literal from 0 to 63"),
        ("~r = 1", "needs integers"),
        ("CAST(s AS INTEGER) > 0", "leading digits"),
        ("CASE WHEN i THEN s ELSE 1 END = 1", "mixes values"),
        ("coalesce(i, '') = ''", "mixes values"),
        ("ts = 'yesterday'", "not written as a date"),
        ("any_ts <= '2020-01-31 00:00:00'", "in several ways"),
        ("odd_ts < '2020-01-31'", "not known well enough"),
        ("odd_ts < odd_ts", "not known well enough"),
        ("any_ts < ts", "written in different ways"),
        ("date('now', 'localtime') > d", "time zone of the machine"),
        ("date(ts, '+1 month') > d", "with the modifier '+1 month'"),
        ("date(s) > d", "what it says is not known"),
        ("date(i) > d", "what it says is not known"),
        ("strftime('%W', ts) = '01'", "strftime() with %W"),
        ("random() > 0", "random value"),
        ("s = char(0)", "literal code points"),
        ("s = 'a' COLLATE nocase || 'b'", "within a larger expression"),
        ("lower(nocase COLLATE nocase) = 'a'", "within a larger expression"),
        ("abs(1, 2)", "abs() with 2 arguments"),
        ("i >", "liteferry cannot read it"),
        ("s = 'a\0b'", "the NUL character"),
        ("r = 9007199254740993", "too many digits"),
    ],
)
def test_refused(sql: str, reason: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate_check(sql, COLUMNS)
    assert reason in caught.value.reason


def test_refused_deep_nesting() -> None:
    for sql in ("(" * 3000 + "i" + ")" * 3000, "NOT " * 3000 + "i", " + ".join(["i"] * 5000)):
        with pytest.raises(Untranslatable):
            translate_check(sql, COLUMNS)


@pytest.mark.parametrize(
    ("sql", "implied"),
    [
        ("json_valid(js)", True),
        ('(JSON_VALID("js") OR "js" IS NULL)', True),
        ("js IS NULL OR json_valid(js)", True),
        ("json_valid(js) AND i > 0", False),
        ("typeof(id) = 'integer'", True),
        ("typeof(i) IN ('integer', 'null')", True),
        ("typeof(i) = 'integer'", False),
        ("typeof(id) = 'text'", False),
        ("NOT json_valid(js)", False),
        ("1", True),
        ("0", False),
        ("i > 0", False),
    ],
)
def test_implied_by_type(sql: str, *, implied: bool) -> None:
    assert translate_check(sql, COLUMNS).implied_by_type is implied


def test_immutable_where_it_must_be() -> None:
    assert translate_predicate("ts < '2020-01-01'", COLUMNS).kind == "bool"
    assert translate_index_key("lower(s)", COLUMNS).kind == "text"
    for translate in (translate_predicate, translate_index_key):
        with pytest.raises(Untranslatable, match="same result whenever"):
            translate("ts < datetime('now')", COLUMNS)
    with pytest.raises(Untranslatable, match="same result whenever"):
        translate_generated("datetime('now')", COLUMNS, column("g", "timestamp", "NUMERIC"))
    with pytest.raises(Untranslatable, match="generated itself"):
        translate_generated("gen + 1", COLUMNS, column("g", "int8", "INTEGER"))
    with pytest.raises(Untranslatable, match="COLLATE NOCASE within"):
        translate_index_key("s COLLATE NOCASE", COLUMNS)


@pytest.mark.parametrize(
    ("sql", "own", "reason"),
    [
        ("r * 2", column("g", "int8", "INTEGER", "bigint"), "does not fit column g"),
        ("s", column("g", "int8", "INTEGER", "bigint"), "takes column s as a number"),
        ("r * n", column("g", "numeric", "NUMERIC", "numeric(10,2)"), "which would round it"),
        ("i", column("g", "bool", "NUMERIC", "boolean"), "does not fit column g"),
        ("r", column("g", "text", "TEXT", "text"), "differently"),
        ("i", column("g", "text", "BLOB", "text"), "would not store as text"),
        ("s", column("g", "date", "NUMERIC", "date"), "does not fit column g"),
        ("s", column("g", "uuid", "TEXT", "uuid"), "does not fit column g"),
        *(
            (sql, column("g", "text", "TEXT", "text"), "compares texts none of which is a column's")
            for sql in (
                "'a' < 'B'",
                "char(97) < 'B'",
                "s || (lower('A') = 'a')",
                "'a' IN (s, 'b')",
                "CASE 'a' WHEN 'b' THEN s END",
                "CASE WHEN i > 0 THEN 'a' BETWEEN s AND 'c' END",
                "min('a', 'B')",
                "replace('abc', 'b', s || nullif('x', 'y'))",
                "'a' LIKE 'A'",
            )
        ),
    ],
)
def test_generated_refused(sql: str, own: ColumnType, reason: str) -> None:
    with pytest.raises(Untranslatable, match=reason):
        translate_generated(sql, COLUMNS, own)


TEXT = column("c", "text", "TEXT", "character varying(5)")
INTEGER = column("c", "int4", "INTEGER", "integer")
STAMP = column("c", "timestamp", "NUMERIC", "timestamp")


@pytest.mark.parametrize(
    ("sql", "own", "expected"),
    [
        ("0", INTEGER, "0"),
        ("'7'", INTEGER, "7"),
        ("TRUE", INTEGER, "1"),
        ("-5", INTEGER, "-5"),
        ("NULL", INTEGER, "NULL"),
        ("0", column("c", "bool", "NUMERIC", "boolean"), "FALSE"),
        ("'t'", column("c", "bool", "NUMERIC", "boolean"), "TRUE"),
        ("''", TEXT, "''::text"),
        ('"x"', TEXT, "'x'::text"),
        ("word", TEXT, "'word'::text"),
        ("5", TEXT, "'5'::text"),
        ("x'AB'", column("c", "bytea", "BLOB", "bytea"), "decode('ab', 'hex')"),
        ("99.90", column("c", "numeric", "NUMERIC", "numeric(5,2)"), "99.9"),
        ("0", column("c", "interval", "INTEGER", "interval"), "'0 microseconds'::interval"),
        ("'[]'", column("c", "jsonb", "TEXT", "jsonb"), "'[]'::jsonb"),
        (
            "CURRENT_TIMESTAMP",
            column("c", "timestamptz", "NUMERIC", "timestamp with time zone"),
            "date_trunc('second', statement_timestamp())",
        ),
        ("CURRENT_TIMESTAMP", STAMP, "(date_trunc('second', (statement_timestamp() AT TIME ZONE 'UTC')))"),
        (
            "'12345678123456781234567812345678'",
            column("c", "uuid", "TEXT", "uuid"),
            "'12345678123456781234567812345678'::uuid",
        ),
    ],
)
def test_default(sql: str, own: ColumnType, expected: str) -> None:
    assert translate_default(sql, own).sql == expected


@pytest.mark.parametrize(
    ("sql", "own", "reason"),
    [
        ("'abc'", INTEGER, "not an integer"),
        ("1.5", INTEGER, "not an integer"),
        ("3000000000", INTEGER, "out of range"),
        ("x'00'", INTEGER, "not an integer"),
        ("2", column("c", "bool", "NUMERIC", "boolean"), "neither 0 nor 1"),
        ("'abcdef'", TEXT, "too long"),
        ("1e300", TEXT, "in different ways"),
        ("x'00'", TEXT, "not a text"),
        ("'x'", column("c", "bytea", "BLOB", "bytea"), "not a blob"),
        ("1.005", column("c", "numeric", "NUMERIC", "numeric(5,2)"), "too many digits"),
        ("1000", column("c", "numeric", "NUMERIC", "numeric(5,2)"), "too many digits"),
        ("'now'", STAMP, "not written as one"),
        ("0", STAMP, "not a text"),
        ("'2020-02-30'", column("c", "date", "NUMERIC", "date"), "not written as one"),
        ("CURRENT_TIMESTAMP", column("c", "date", "NUMERIC", "date"), "does not fit"),
        ("'{'", column("c", "jsonb", "TEXT", "jsonb"), "not JSON"),
        ("'abc'", column("c", "uuid", "TEXT", "uuid"), "not a UUID"),
        ("datetime('now', 'localtime')", STAMP, "time zone of the machine"),
        ("(SELECT 1)", INTEGER, "only in views"),
        ("current_user()", TEXT, "does not know"),
        ("1 +", INTEGER, "cannot read it"),
        ("CURRENT_TIMESTAMP", TEXT, "its text has 19 characters, more than character varying(5) takes"),
        ("CURRENT_DATE", TEXT, "its text has 10 characters"),
        ("upper(datetime('now') || 'Z')", TEXT, "its text has 20 characters"),
        ("lower(hex(randomblob(3)))", TEXT, "its text has 6 characters"),
        ("abs(1234)", column("c", "numeric", "NUMERIC", "numeric(3,0)"), "may have more digits than numeric(3,0)"),
    ],
)
def test_default_refused(sql: str, own: ColumnType, reason: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate_default(sql, own)
    assert reason in caught.value.reason


def test_view() -> None:
    view = translate_view(
        "CREATE VIEW v AS SELECT t.id, s, s, count(*), i + 1, flag, i > 0 AS positive FROM t "
        "LEFT JOIN p ON p.id = t.i WHERE s = 0 GROUP BY t.id ORDER BY s DESC",
        RELATIONS,
    )
    assert [item.source for item in view.columns] == ["id", "s", "s:1", "count(*)", "i + 1", "flag", "positive"]
    assert [item.kind for item in view.columns] == ["int8", "text", "text", "int8", "int8", "bool", "int4"]
    assert [item.affinity for item in view.columns] == ["INTEGER", "TEXT", "TEXT", None, None, "NUMERIC", None]
    assert view.columns[0].not_null
    assert view.depends_on == ("t", "p")
    assert 'FROM "stage"."T 1" AS "t" LEFT JOIN "stage"."p" AS "p" ON "p"."id" = "t"."i"' in view.sql
    assert 'GROUP BY "t"."id", "t"."s", "t"."i", "t"."flag"' in view.sql
    assert view.sql.endswith('ORDER BY "t"."s" COLLATE "C" DESC NULLS LAST')


def test_view_on_a_view() -> None:
    first = translate_view("CREATE VIEW a(key, total) AS SELECT i, sum(r) FROM t GROUP BY i", RELATIONS)
    assert [note.split(",")[0] for note in first.notes] == ["floating-point numbers are added in the order of the rows"]
    relations = RELATIONS | {"a": Relation(source="a", target="a", schema="stage", columns=first.columns)}
    second = translate_view("CREATE VIEW b AS SELECT key, total / 2 AS half FROM A WHERE total > 5", relations)
    assert [(item.source, item.kind) for item in second.columns] == [("key", "int8"), ("half", "float8")]
    assert second.depends_on == ("a",)


def test_view_names_are_cut_for_postgresql() -> None:
    long = "é" * 40
    view = translate_view(f"CREATE VIEW v AS SELECT 1 AS {long}, 2 AS {long}x", RELATIONS)
    targets = [item.target for item in view.columns]
    assert len(set(targets)) == 2
    assert all(len(target.encode()) <= 63 for target in targets)
    assert [item.source for item in view.columns] == [long, long + "x"]


@pytest.mark.parametrize(
    ("select", "reason"),
    [
        ("SELECT * FROM gone", "it reads gone, which is not carried over"),
        ("SELECT * FROM other.t", "it reads t, which is not carried over"),
        ("SELECT id FROM t, p", "id names more than one column"),
        ("SELECT s, count(*) FROM t", "neither grouped nor aggregated"),
        ("SELECT s, max(i) FROM t GROUP BY i", "neither grouped nor aggregated"),
        ("SELECT count(*), (SELECT name FROM p WHERE p.id = t.i) FROM t", "a subquery uses t.i, which is neither"),
        ("SELECT i FROM t WHERE count(*) > 1", "where there are no groups"),
        ("SELECT i FROM t LIMIT 5", "LIMIT without ORDER BY"),
        ("SELECT i FROM t ORDER BY i LIMIT (SELECT 1)", "not a literal number"),
        ("SELECT DISTINCT js FROM t", "whose JSON texts PostgreSQL does not keep"),
        ("SELECT DISTINCT nocase FROM t", "with the collation NOCASE"),
        ("SELECT nocase FROM t UNION SELECT nocase FROM t", "with the collation NOCASE"),
        ("SELECT max(nocase) FROM t", "with the collation NOCASE"),
        ("SELECT DISTINCT any_ts FROM t", "written in several ways"),
        ("SELECT any_ts FROM t ORDER BY any_ts", "written in several ways"),
        ("SELECT DISTINCT both FROM t", "by storage class"),
        ("SELECT u FROM t ORDER BY u", "which PostgreSQL does not keep"),
        ("SELECT i FROM t UNION SELECT s FROM t", "mixes values"),
        ("SELECT i FROM t UNION SELECT i, r FROM t", "different numbers of columns"),
        ("SELECT * FROM t NATURAL FULL JOIN p", "USING with a FULL JOIN"),
        ("SELECT * FROM t JOIN p USING (s)", "not on both sides"),
        ("SELECT (SELECT id, name FROM p)", "a subquery of 2 columns"),
        ("SELECT i IN (SELECT name FROM p) FROM t", "look like numbers"),
        ("SELECT row_number() OVER (ORDER BY i RANGE 1 PRECEDING) FROM t", "the window's frame"),
        ("SELECT i FROM t WHERE row_number() OVER () = 1", "outside of the columns"),
        ("SELECT i FROM t GROUP BY 9", "GROUP BY 9"),
        ("SELECT i FROM t ORDER BY 9", "ORDER BY 9"),
        ("SELECT DISTINCT i FROM t ORDER BY s", "not among the columns"),
        ("SELECT value FROM json_each('[]')", "a table-valued function"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 0.5 FROM n) SELECT x FROM n", "changes the type"),
        ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5) SELECT x FROM n", "two SELECTs"),
        ("SELECT group_concat(s, v) FROM (SELECT s, s AS v FROM t)", "separator that is not a literal"),
        ("SELECT sum(s) FROM t", "sum() takes column s as a number"),
        ("SELECT json_valid(js) FROM t", "by SQLite's version"),
        ("SELECT i FROM t WHERE", "cannot read it"),
    ],
)
def test_view_refused(select: str, reason: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate_view(f"CREATE VIEW v AS {select}", RELATIONS)
    assert reason in caught.value.reason


def test_view_with_the_wrong_number_of_names() -> None:
    with pytest.raises(Untranslatable, match="it names 1 columns, but gives 2"):
        translate_view("CREATE VIEW v(a) AS SELECT 1, 2", RELATIONS)


def test_rules_cover_the_translator() -> None:
    rules = describe_rules()
    said = " ".join(rule.sqlite for rule in rules)
    assert [name for name in [*FUNCTIONS, *REFUSED] if f"{name}(" not in said] == []
    assert all(rule.sqlite and (rule.postgresql or rule.note) for rule in rules)
    assert len({rule.sqlite for rule in rules}) == len(rules)


def test_the_package_is_light_until_it_is_used() -> None:
    code = (
        "import sys, liteferry.expressions; "
        "heavy = [name for name in sys.modules if name == 'sqlglot' or name.startswith('liteferry.expressions.')]; "
        "print(sorted(heavy))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['liteferry.expressions.data']"
