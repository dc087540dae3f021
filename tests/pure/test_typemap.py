from __future__ import annotations

from dataclasses import replace

import pytest

from builders import column, make_table
from liteferry.census import InvalidText, start_census
from liteferry.choosing import choose_conversions, map_column
from liteferry.compare.json_values import plain_decimal
from liteferry.decisions import parse_decision
from liteferry.errors import MigrationError
from liteferry.findings import FINDINGS
from liteferry.model import Check, Options
from liteferry.typemap import RULES, TypeChoice, classify_column, classify_declared_type, kind_of_type


def choose(
    declared: str, *values: object, timestamps: str = "auto", check: str = "", ways: tuple[str, ...] = ()
) -> TypeChoice:
    only = column(declared=declared, affinity="NUMERIC" if declared in {"NUM", "STRING"} else "BLOB")
    table = make_table(only, checks=(Check(sql=check),) if check else ())
    decisions = tuple(map(parse_decision, ways))
    options = Options(timestamps=timestamps, decisions=decisions)  # type: ignore[arg-type]  # the test's literals
    accumulator = start_census(table, conversions={only.name: choose_conversions(table, only, options)})
    accumulator.add_batch([(value, rowid) for rowid, value in enumerate(values, start=1)])
    return map_column(table, only, accumulator.finish().columns[0], options)


@pytest.mark.parametrize(
    ("declared", "family", "length", "precision", "scale"),
    [
        ("INTEGER", "integer", None, None, None),
        ("integer unsigned", "integer", None, None, None),
        ("BIGINT(20)", "integer", None, None, None),
        ("LENGTH 2", "none", None, None, None),
        ("character(20)", "text", 20, None, None),
        ("NATIVE CHARACTER(70)", "text", 70, None, None),
        ("nvarchar( 160 )", "text", 160, None, None),
        ("VARCHAR(255) BINARY", "text", 255, None, None),
        ("TEXT(20)", "text", None, None, None),
        ("VARCHAR(0)", "text", None, None, None),
        ("CLOB", "text", None, None, None),
        ("bool", "bool", None, None, None),
        ("DECIMAL(10,2)", "decimal", None, 10, 2),
        ("NUMERIC(10)", "decimal", None, 10, 0),
        ("DECIMAL(2,10)", "decimal", None, None, None),
        ("decimal", "decimal", None, None, None),
        ("DOUBLE PRECISION", "real", None, None, None),
        ("float", "real", None, None, None),
        ("timestamp  with\ttime zone", "datetime", None, None, None),
        ("DATETIME(6)", "datetime", None, None, None),
        ("FLOATING POINT", "integer", None, None, None),  # SQLite's own famous surprise: POINT has INT in it
        ("uuid", "uuid", None, None, None),
        ("json", "json", None, None, None),
        ("VARBINARY(16)", "blob", None, None, None),
        ("", "none", None, None, None),
        ("weird (((", "none", None, None, None),
    ],
)
def test_classify(declared: str, family: str, length: int | None, precision: int | None, scale: int | None) -> None:
    found = classify_declared_type(declared)
    assert (found.family, found.length, found.precision, found.scale) == (family, length, precision, scale)


FITS = [
    ("INTEGER", (1, None), "bigint", "integer"),
    ("BOOL", (0, 1), "boolean", "bool"),
    ("BOOLEAN", ("true", "F"), "boolean", "bool"),
    ("REAL", (1.5, float("inf")), "double precision", "real"),
    ("DECIMAL(5,2)", (1.25, 999), "numeric(5,2)", "decimal"),
    ("decimal", (0.3, 1e300), "numeric", "decimal-free"),
    ("VARCHAR(3)", ("äöü",), "varchar(3)", "varchar"),
    ("TEXT", ("x",), "text", "text"),
    ("DATETIME", ("2025-01-01 10:00:00", "2025-01-01"), "timestamp", "timestamp"),
    ("DATE", ("2025-01-01",), "date", "date"),
    ("TIME", ("10:00",), "time", "time"),
    ("BLOB", (b"x",), "bytea", "blob"),
    ("JSON", ("{}", 5), "jsonb", "jsonb"),
    ("UUID", ("0" * 32,), "uuid", "uuid"),
    ("", (1,), "bigint", "stored-integer"),
    ("", (1.5,), "double precision", "stored-real"),
    ("", ("x",), "text", "stored-text"),
    ("", (b"x",), "bytea", "stored-blob"),
    ("", (), "text", "stored-text"),
    ("WEIRD", (None,), "text", "stored-text"),
    ("NUM", (1, 1.5), "numeric", "stored-numeric"),
    ("NUM", (1, 2), "bigint", "stored-integer"),
    ("INTEGER", (), "bigint", "integer"),
    ("TIMESTAMPTZ", (), "timestamptz", "timestamptz"),
]


@pytest.mark.parametrize(("declared", "values", "pg_type", "rule"), FITS)
def test_what_fits_becomes_its_type(declared: str, values: tuple[object, ...], pg_type: str, rule: str) -> None:
    assert choose(declared, *values) == TypeChoice(pg_type=pg_type, kind=choose(declared, *values).kind, rule=rule)


MISFITS = [
    ("INTEGER", (1, "x"), "value-misfit", "text"),
    ("INTEGER", (1, 1.5), "value-misfit", "numeric"),
    ("INTEGER", (1, b"x"), "value-misfit", "bytea"),
    ("INTEGER", (1.5, float("inf"), 1), "value-misfit", "text"),
    ("BOOL", (0, 2), "value-misfit", "bigint"),
    ("BOOL", (0, "maybe"), "value-misfit", "text"),
    ("REAL", (1.5, "x"), "value-misfit", "text"),
    ("REAL", (2**53 + 1,), "value-misfit", "bigint"),
    ("DECIMAL(5,2)", (1.255,), "decimal-excess", "numeric"),
    ("DECIMAL", ("abc",), "value-misfit", "text"),
    ("VARCHAR(3)", ("abcd",), "text-too-long", "text"),
    ("VARCHAR(3)", ("ab\0cd",), "text-nul", "bytea"),
    ("TEXT", ("a\0",), "text-nul", "bytea"),
    ("TEXT", (InvalidText(b"\xff"),), "text-invalid", "bytea"),
    ("TEXT", ("x", b"y"), "value-misfit", "bytea"),
    ("DATETIME", (0, 86400), "date-form", "bigint"),
    ("DATETIME", ("2025-01-01 10:00:00", 86400), "date-form", "text"),
    ("DATETIME", ("yesterday",), "date-form", "text"),
    ("DATETIME", ("2025-01-01 10:00:00", "2025-01-01 10:00:00Z"), "time-zone-mixed", "text"),
    ("DATE", ("2025-01-01", "2025-01-01 10:00:00"), "date-form", "timestamp"),
    ("DATE", ("2025-01-01", "soon"), "date-form", "text"),
    ("TIME", ("25:00",), "date-form", "text"),
    ("BLOB", ("password",), "value-misfit", "text"),
    ("BLOB", ("password", b"x"), "value-misfit", "bytea"),
    ("JSON", ("{",), "json-invalid", "text"),
    ("JSON", (b"x",), "value-misfit", "bytea"),
    ("UUID", ("x",), "value-misfit", "text"),
    ("UUID", (1230, "0" * 32), "value-misfit", "text"),
    ("", (1, "x"), "value-misfit", "text"),
    ("", (1, 1.5), "value-misfit", "numeric"),
    ("NUM", (1, 1.5, float("inf")), "value-misfit", "text"),
    ("NUM", (1, "x"), "value-misfit", "text"),
]


@pytest.mark.parametrize(("declared", "values", "code", "pg_type"), MISFITS)
def test_what_does_not_fit_blocks_and_says_what_accepting_does(
    declared: str, values: tuple[object, ...], code: str, pg_type: str
) -> None:
    choice = choose(declared, *values)
    assert code in [finding.code for finding in choice.findings]
    assert choice.pg_type == pg_type
    for finding in choice.findings:
        assert finding.blocks
        assert finding.if_accepted.partition(";")[0].partition(",")[0] == f"the column becomes {pg_type}"
        assert finding.count
        assert finding.samples
        assert {"widen", "quarantine"} <= {way.name for way in finding.ways}
        assert {way.name for way in finding.ways[1:]} <= set(FINDINGS[finding.code].others)


QUARANTINES = [
    ("INTEGER", (1, "x"), "bigint", ("class",)),
    ("BOOL", (0, 2, b"x"), "boolean", ("class", "form")),
    ("REAL", (1.5, 2**53 + 1), "double precision", ("range",)),
    ("DECIMAL(5,2)", (1.255, "x"), "numeric(5,2)", ("form", "excess")),
    ("VARCHAR(3)", ("abc", "abcd", "a\0b"), "varchar(3)", ("nul", "too-long")),
    ("TEXT", ("a", InvalidText(b"\xff")), "text", ("invalid-utf8",)),
    ("DATETIME", ("2025-01-01 10:00:00", 86400, "soon"), "timestamp", ("class", "form")),
    ("DATETIME", ("2025-01-01 10:00:00", "2025-01-01 10:00:00Z"), "timestamp", ("zone",)),
    ("DATE", ("2025-01-01", "2025-01-01 10:00:00"), "date", ("form",)),
    ("JSON", ("{}", "{", b"x"), "jsonb", ("class", "form")),
    ("UUID", ("0" * 32, "x", 17), "uuid", ("class", "form")),
    ("", (1, 2, "x"), "bigint", ("class",)),
    ("NUM", (1, 1.5, "x", float("inf")), "numeric", ("class", "nonfinite")),
]


@pytest.mark.parametrize(("declared", "values", "pg_type", "offences"), QUARANTINES)
def test_quarantine_leaves_what_fits(
    declared: str, values: tuple[object, ...], pg_type: str, offences: tuple[str, ...]
) -> None:
    choice = choose(declared, *values, ways=("*=quarantine",))
    assert choice.pg_type == pg_type
    assert choice.quarantined == offences
    assert {finding.way for finding in choice.findings} == {"quarantine"}


CONVERSIONS = [
    ("INTEGER", (1, "x", b"y"), ("*=null",), "bigint", ("null:blob,text",), 2, ("null",)),
    ("BLOB", (b"x", InvalidText(b"\xff")), ("*=null",), "bytea", ("null:text",), 1, ("null",)),
    ("VARCHAR(3)", ("abc", "abcd", "ab\0d"), ("*=null",), "varchar(3)", ("null",), 2, ("null", "null")),
    ("VARCHAR(3)", ("abc", "ab\0d"), ("*=strip-nul",), "varchar(3)", ("strip-nul",), 1, ("strip-nul",)),
    ("TEXT", ("a\0", InvalidText(b"\xff\0"), "x"), ("*=u-fffd",), "text", ("u-fffd",), 2, ("u-fffd", "u-fffd")),
    (
        "TEXT",
        ("a\0", InvalidText(b"\xff")),
        ("text-invalid:*=escape",),
        "text",
        ("escape",),
        2,
        ("escape", "escape"),
    ),
    ("TEXT", ("a\0", "b\\"), ("*=strip-nul",), "text", ("strip-nul",), 1, ("strip-nul",)),
    ("DATETIME", (0, 86400.5), ("*=epoch-s",), "timestamptz", ("epoch-s",), 2, ("epoch-s",)),
    ("DATE", (0, "2025-01-01"), ("*=epoch-s",), "date", ("epoch-s",), 1, ("epoch-s",)),
    ("", (0, 1), ("t.c=epoch-ms",), "timestamptz", ("epoch-ms",), 2, ("epoch-ms",)),
    ("", (0, 1), ("*=epoch-ms",), "bigint", (), 0, ()),  # nothing says that they are times
    (
        "DATETIME",
        (0, "soon", 10**15),
        ("*=null", "*=epoch-s"),
        "timestamptz",
        ("epoch-s", "null"),
        3,
        ("null", "epoch-s"),
    ),
    (  # the second decision, which the first one asks for, takes no moments along
        "DATETIME",
        (0, "soon", 10**15),
        ("*=epoch-s", "t.c=null"),
        "timestamptz",
        ("epoch-s", "null"),
        3,
        ("null", "epoch-s"),
    ),
    ("DATE", (86400, 5), ("*=epoch-s", "date-form:t.c=quarantine"), "date", ("epoch-s",), 1, ("quarantine", "epoch-s")),
    ("DATETIME", ("2025-01-01",), ("*=timezone:UTC",), "timestamptz", ("timezone:UTC",), 1, ("timezone:UTC",)),
    ("JSON", ('{"a":1,"a":2}',), ("*=text",), "text", (), 0, ("text",)),
    ("STRING", (7, "x7"), ("*=quarantine",), "bigint", (), 0, ("quarantine", "")),
    ("STRING", (7, 8), ("*=text",), "text", (), 0, ("text",)),
]


@pytest.mark.parametrize(("declared", "values", "ways", "pg_type", "conversions", "converted", "taken"), CONVERSIONS)
def test_ways_out_convert(
    declared: str,
    values: tuple[object, ...],
    ways: tuple[str, ...],
    pg_type: str,
    conversions: tuple[str, ...],
    converted: int,
    taken: tuple[str, ...],
) -> None:
    choice = choose(declared, *values, ways=ways)
    assert (choice.pg_type, choice.conversions, choice.converted) == (pg_type, conversions, converted)
    assert tuple(finding.way for finding in choice.findings) == taken


def test_null_is_not_offered_where_it_is_forbidden() -> None:
    only = column(declared="INTEGER", not_null=True)
    table = make_table(only)
    accumulator = start_census(table)
    accumulator.add_batch([("x", 1)])
    options = Options(decisions=(parse_decision("*=null"),))
    (found,) = map_column(table, only, accumulator.finish().columns[0], options).findings
    assert (found.way, [way.name for way in found.ways]) == ("", ["widen", "quarantine"])


def test_null_beside_a_wider_type_is_withdrawn() -> None:
    choice = choose("DECIMAL(5,2)", 1.255, b"x", ways=("decimal-excess:*=null",))
    assert choice.pg_type == "bytea"
    excess = choose("VARCHAR(3)", "abcd", "a\0", ways=("text-too-long:*=null", "text-nul:*=widen"))
    withdrawn = next(finding for finding in excess.findings if finding.code == "text-too-long")
    assert (withdrawn.way, withdrawn.if_accepted) == ("", "")


@pytest.mark.parametrize(
    "ways", [("text-nul:*=u-fffd", "text-invalid:*=escape"), ("text-nul:*=null", "text-invalid:*=escape")]
)
def test_ways_that_exclude_each_other_are_refused(ways: tuple[str, ...]) -> None:
    with pytest.raises(MigrationError, match="exclude each other"):
        choose("TEXT", "a\0", ways=ways)


def test_an_epoch_says_the_years_that_it_would_give() -> None:
    (found,) = choose("DATETIME", 1_600_000_000, 1_700_000_000).findings
    effects = {way.name: way.effect for way in found.ways}
    assert effects["epoch-s"].endswith(": the years 2020 to 2023")
    assert effects["epoch-ms"].endswith(": the year 1970")
    assert "julian" not in effects


def test_one_problem_in_quarantine_leaves_the_other_to_be_decided() -> None:
    choice = choose("VARCHAR(3)", "abcd", "a\0b", ways=("text-nul:*=quarantine",))
    assert (choice.pg_type, choice.quarantined) == ("text", ("nul",))
    assert [(finding.code, finding.way) for finding in choice.findings] == [
        ("text-nul", "quarantine"),
        ("text-too-long", ""),
    ]


def test_uuids_as_blobs_stay_bytes_and_say_so() -> None:
    choice = choose("GUID", bytes(range(16)))
    assert (choice.pg_type, [finding.code for finding in choice.findings]) == ("bytea", ["uuid-bytes"])
    assert not choice.findings[0].blocks
    mixed = choose("GUID", bytes(16), "0" * 32)
    assert mixed.findings[0].blocks


def test_jsonb_gives_way_to_json() -> None:
    choice = choose("JSON", '{"a":1,"a":2}')
    assert (choice.pg_type, [finding.code for finding in choice.findings]) == ("json", ["json-not-jsonb"])
    assert not choice.findings[0].blocks


def test_offsets_make_timestamptz_and_say_so() -> None:
    choice = choose("DATETIME", "2025-01-01 10:00:00+02:00")
    assert (choice.pg_type, [finding.code for finding in choice.findings]) == ("timestamptz", ["time-zone-dropped"])


def test_the_policy_takes_naive_timestamps_for_utc() -> None:
    assert choose("DATETIME", "2025-01-01 10:00:00", timestamps="timestamptz").pg_type == "timestamptz"
    mixed = choose("DATETIME", "2025-01-01 10:00:00", "2025-01-01 10:00:00Z", timestamps="timestamptz")
    assert (mixed.pg_type, mixed.findings[0].code) == ("timestamptz", "time-zone-dropped")


@pytest.mark.parametrize("declared", ["TIMESTAMPTZ", "timestamp with  time zone"])
def test_a_time_zone_that_no_value_has_is_mentioned(declared: str) -> None:
    choice = choose(declared, "2025-01-01 10:00:00", None)
    (found,) = choice.findings
    assert (choice.pg_type, found.code, found.count, found.blocks) == ("timestamp", "time-zone-absent", 1, False)
    assert "--timestamps timestamptz" in found.hint
    assert not choose(declared, None).findings  # an empty one becomes what it says
    assert not choose("DATETIME", "2025-01-01 10:00:00").findings
    assert not choose(declared, "2025-01-01 10:00:00", timestamps="timestamptz").findings
    assert not choose(declared, "2025-01-01 10:00:00", timestamps="timestamp").findings


@pytest.mark.parametrize("value", ["\u00a01.50", "\x1c1.5", "1.5\u2003", " 1.5", "1e", "1e\u0663"])
def test_a_number_with_something_around_it_is_no_decimal(value: str) -> None:
    """What the proof refuses, the census must have refused: after the load there is no way out."""
    with pytest.raises(ValueError, match="decimal"):
        plain_decimal(value)
    choice = choose("DECIMAL(10,2)", value)
    assert (choice.pg_type, [finding.code for finding in choice.findings]) == ("text", ["value-misfit"])


def test_what_numeric_makes_of_reals_is_said() -> None:
    (found,) = choose("INTEGER", 1, 1.0, -0.0).findings
    assert found.if_accepted == "the column becomes numeric, by value: 1.0 becomes 1, and -0.0 becomes 0"


def test_json_valid_makes_jsonb() -> None:
    assert choose("text", "{}", check="json_valid(c)").pg_type == "jsonb"
    assert choose("varchar(9)", "{}", check='(JSON_VALID("c") OR "c" IS NULL)').pg_type == "jsonb"
    assert choose("text", "{}", check="(c > 5 OR c < 2) AND json_valid([c]) IS TRUE").pg_type == "jsonb"
    assert choose("text", "{}", check=" AND ".join(["json_valid(C)"] + ["c <> ''"] * 3000)).pg_type == "jsonb"
    assert choose("text", "{}", check="((c IS NULL) OR json_valid(c) = 1) AND length(c) < 9").pg_type == "jsonb"
    assert choose("text", "{}", check="(c IS NULL OR json_valid(c) = 1) AND (length(c) < 9)").pg_type == "jsonb"


@pytest.mark.parametrize(
    "check",
    [
        "k <> 'json' OR json_valid(c)",
        "NOT json_valid(c)",
        "json_valid(c) OR c = 'x'",
        "json_valid(c) = 0",
        "k IS NULL OR json_valid(c)",
        "not (a > 5 AND json_valid(c) AND a < 9)",
        "note <> 'a AND json_valid(c) AND b'",
        "a <> /* AND json_valid(c) AND */ 1",
        '"a AND json_valid(c) AND b" > 1',
        "CASE WHEN a > 5 AND json_valid(c) AND a < 9 THEN 1 ELSE 2 END",
        "a BETWEEN 1 AND json_valid(c) AND 1",
        "a OR b AND json_valid(c)",
        "json_valid('c')",
        "json_valid(c) IS NULL",
        "json_valid(c, 6)",
        "json_valid(c) IS NOT 1",
        "other.c IS NULL OR json_valid(c)",
        "json_valid(c) AND",
    ],
)
def test_a_check_that_takes_other_texts_too_makes_no_json(check: str) -> None:
    assert choose("text", "{}", check=check).pg_type == "text"


def test_the_rowid_alias_is_a_bigint_whatever_it_is_called() -> None:
    key = column("id", "INTEGER", pk_position=1)
    table = make_table(key, primary_key=("id",), rowid_alias="id")
    accumulator = start_census(table)
    accumulator.add_batch([(1, 1)])
    assert map_column(table, key, accumulator.finish().columns[0], Options()).rule == "rowid-alias"


def test_every_rule_is_used_and_documented() -> None:
    used = {rule for *_, rule in FITS} | {"rowid-alias", "timestamptz", "json", "widened", "cast"}
    assert used == {rule.name for rule in RULES}


@pytest.mark.parametrize(
    ("pg_type", "kind"),
    [
        ("numeric(10,2)", "numeric"),
        ("character varying(20)", "text"),
        ("timestamp with time zone", "timestamptz"),
        ("point", None),
    ],
)
def test_kind_of_type(pg_type: str, kind: str | None) -> None:
    assert kind_of_type(pg_type) == kind


CASTS = [
    ("INTEGER", "int", (1, -(2**31)), "integer", "int4"),
    ("TEXT", "uuid", ("0" * 32,), "uuid", "uuid"),
    ("INTEGER", "bool", (0, 1), "boolean", "bool"),
    ("", "varchar( 3 )", ("abc",), "varchar(3)", "text"),
    ("TEXT", "numeric(4,1)", ("123.4",), "numeric(4,1)", "numeric"),
    ("INTEGER", "numeric", (7,), "numeric", "numeric"),
    ("TEXT", "timestamp with time zone", ("2025-10-09 16:21:00",), "timestamptz", "timestamptz"),
    ("TIMESTAMPTZ", "timestamp", ("2025-10-09 16:21:00",), "timestamp", "timestamp"),
    ("INTEGER", "interval", (90_000_000,), "interval", "interval"),
    ("TEXT", "json", ('{"a":1,"a":2}',), "json", "json"),
    ("INTEGER", "text", ("x",), "text", "text"),
]


@pytest.mark.parametrize(("declared", "demanded", "values", "pg_type", "kind"), CASTS)
def test_a_cast_rule_decides_where_every_value_fits(
    declared: str, demanded: str, values: tuple[object, ...], pg_type: str, kind: str
) -> None:
    found = cast(declared, demanded, *values)
    assert (found.pg_type, found.kind, found.rule, found.findings) == (pg_type, kind, "cast", ())


def test_a_time_counted_from_1970_is_an_interval() -> None:
    found = cast("DATETIME", "interval", "1970-01-01 00:00:12.345000", None, "1969-12-31 23:00:00")
    assert (found.pg_type, found.kind, found.rule) == ("interval", "interval", "cast")
    assert [(each.code, each.severity, each.count) for each in found.findings] == [("interval-since-1970", "info", 2)]


@pytest.mark.parametrize(
    ("demanded", "value"),
    [
        ("smallint", 40_000),
        ("integer", 2**31),
        ("uuid", "x"),
        ("boolean", 2),
        ("interval", "1"),
        ("interval", "1971-01-01 00:00:00"),
        ("interval", "1970-01-01 00:00:00Z"),
        ("varchar(2)", "abc"),
    ],
)
def test_a_cast_rule_that_a_value_does_not_fit_blocks(demanded: str, value: object) -> None:
    found = cast("", demanded, value)
    assert found.rule == "widened"
    assert [finding.severity for finding in found.findings] == ["blocker"]


def test_a_cast_to_a_type_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(MigrationError, match="cannot fill a column of type money"):
        cast("TEXT", "money", "1")


@pytest.mark.parametrize(
    "demanded", ["varchar(0)", "varchar(10485761)", "numeric(0)", "numeric(1001)", "numeric(9,1001)"]
)
def test_a_cast_that_no_server_takes_is_refused_beforehand(demanded: str) -> None:
    with pytest.raises(MigrationError, match="cannot fill a column of type"):
        cast("TEXT", demanded, None)


@pytest.mark.parametrize("demanded", ["text", "numeric", "uuid", "numeric(9,0)"])
def test_an_integer_primary_key_stays_an_integer(demanded: str) -> None:
    only = column(declared="INTEGER")
    key = replace(make_table(only), primary_key=(only.name,), rowid_alias=only.name)
    assert classify_column(key, only, "smallint").pg_type == "smallint"
    with pytest.raises(MigrationError, match="goes on counting"):
        classify_column(key, only, demanded)


def cast(declared: str, demanded: str, *values: object) -> TypeChoice:
    only = column(declared=declared)
    table = make_table(only)
    accumulator = start_census(table, {only.name: demanded})
    accumulator.add_batch([(value, rowid) for rowid, value in enumerate(values, start=1)])
    return map_column(table, only, accumulator.finish().columns[0], Options(), demanded)
