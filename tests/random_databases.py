"""Random SQLite databases: whatever the local SQLite takes, with everything that a schema can declare.

A database is a list of statements. Those that SQLite refuses are passed over: what it took is the database.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

Value = None | int | float | str | bytes


@dataclass(frozen=True)
class RawText:
    """A TEXT of these bytes, whether they are UTF-8 or not."""

    content: bytes


@dataclass(frozen=True)
class Statement:
    """SQL with its parameters."""

    sql: str
    parameters: tuple[Value | RawText, ...] = ()


HOSTILE_NAMES: Final = [
    "order", "user", "Group", "select", "table", "oid", "xmin", "ctid", "tableoid", "rowid", "a b", "a.b", 'quo"te',
    "it's", "naïve", "größe", "名前", "🦆", "x" * 63, "x" * 64, "x" * 70, "é" * 40, "%s", "%(a)s", "$1", "{}", "a\\b",
    "line\nend", " ", "A", "a", "null", "true", "check", "-- x", "/*", "[x]", "`", "public", "pragma_table_list",
    "new", "value", "id", "ID", "\u202e", "\ufeff",
]  # fmt: skip
NAMES: SearchStrategy[str] = st.one_of(
    st.sampled_from(HOSTILE_NAMES),
    st.sampled_from(["one", "two", "three", "four", "five", "six"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)

# Texts by what they may be meant for
_MOMENTS: Final = [
    "2025-10-09", "2025-10-09 16:21:00", "2025-10-09T16:21:00.123456Z", "2025-10-09 16:21", "2025-10-09 16:21:00.1",
    "2025-10-09 16:21:00.1234567", "2025-10-09 16:21:00.1234560", "2025-10-09 16:21:00+02", "2025-10-09 16:21:00-0330",
    "2025-10-09 16:21:00 +05:45", "2025-02-30", "2024-02-29", "0001-01-01", "0001-01-01 00:00:00+14:00", "0000-01-01",
    "9999-12-31 23:59:59.999999", "9999-12-31 23:00:00-02:00", "2025-10-09 24:00:00", "2025-10-09 16:21:60", "now",
    "infinity", "2025-1-2", " 2025-10-09", "08:30", "08:30:15", "08:30:15.123456", "24:00", "23:59:60", "8:30",
    "1760026860", "2460958.5", "-2025-10-09", "20251009",
]  # fmt: skip
_DOCUMENTS: Final = [
    "{}", "[]", "null", '"x"', "1", "-0", "1.50", "1e3", "1E400", "1e-400", "[1.5, 1e3, 100000000000000000000.5]",
    '{"a": 1, "a": 2}', '{"b": 1, "a": [true, false, null]}', '"\\u0000"', '"\\ud800"', '"\\ud83e\\udd86"', "NaN",
    "Infinity", "[1,]", "{'a': 1}", "no json", " [ ] ", '{"": {"": ""}}', "[" * 50 + "]" * 50, "0.1" + "0" * 30, "01",
    '"\t"', '"\\/"', "9" * 400,
]  # fmt: skip
_WORDS: Final = [
    "true", "f", "T", "FALSE", "yes", "0", "1", "", "a", "A", "a ", " a", "b", "NULL", "\\N", "\\.", "\\", "\t\n\r\\",
    "a\0b", "\0", "1.50", "1,5", " 1", "1e5", "0x10", "٣", "123456789012345678901234567890.12345", "é", "e\u0301", "🦆",
    "x" * 300, "'", '"', "%s", "\u2028", "\ufffe", "NaN", "-0", "-0.0", "inf", "0" * 32,
    "00000000-0000-0000-0000-000000001230", "{00000000-0000-0000-0000-000000001230}", "A0EEBC99" + "F" * 24,
    "a0eebc99" + "f" * 24,
]  # fmt: skip
_RAW: Final = [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"a\0b", b"\xf4\x90\x80\x80", b"ok"]
_INTEGERS: Final = [0, 1, -1, 2, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 1760026860]
_REALS: Final = [
    0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, float("inf"),
    float("-inf"), 1e15, 1e16, 1e22, 9007199254740993.0, 123456789.123, 1627303906.122, 2460958.5, 1e-7,
]  # fmt: skip

ODDITIES: Final[list[Value | RawText]] = [
    *_MOMENTS, *_DOCUMENTS, *_WORDS, *_INTEGERS, *_REALS, *map(RawText, _RAW), b"", bytes(16), bytes(range(256)),
]  # fmt: skip
"""Values that programs stumble over."""

INTEGERS: SearchStrategy[Value | RawText] = st.one_of(
    st.integers(-5, 5), st.sampled_from(_INTEGERS), st.integers(-(2**63), 2**63 - 1)
)
REALS: SearchStrategy[Value | RawText] = st.one_of(st.sampled_from(_REALS), st.floats(allow_nan=False))
TEXTS: SearchStrategy[Value | RawText] = st.one_of(
    st.sampled_from(_WORDS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
BLOBS: SearchStrategy[Value | RawText] = st.one_of(
    st.binary(max_size=20), st.sampled_from([b"", bytes(range(256)), bytes(16)])
)
ANYTHING: SearchStrategy[Value | RawText] = st.one_of(
    st.none(),
    INTEGERS,
    REALS,
    TEXTS,
    BLOBS,
    st.sampled_from(_MOMENTS),
    st.sampled_from(_DOCUMENTS),
    st.sampled_from(_RAW).map(RawText),
)

_FITTING: Final[dict[str, SearchStrategy[Value | RawText]]] = {
    "INT": INTEGERS,
    "BOOL": st.sampled_from([0, 1]),
    "REAL": REALS,
    "DOUB": REALS,
    "DEC": st.one_of(st.integers(-9999, 9999), st.integers(-9999, 9999).map(lambda n: n / 100)),
    "NUM": st.one_of(INTEGERS, REALS),
    "CHAR": st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3),
    "TEXT": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    "DATETIME": st.datetimes().map(lambda moment: moment.isoformat(" ")),
    "TIMESTAMP": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    "DATE": st.dates().map(lambda day: day.isoformat()),
    "TIME": st.times().map(lambda clock: clock.isoformat()),
    "BLOB": BLOBS,
    "JSON": st.sampled_from(_DOCUMENTS[:10]),
    "UUID": st.uuids().map(str),
}
TYPES: Final = [
    "INTEGER", "INT", "bigint", "BOOL", "REAL", "double precision", "DECIMAL(6,2)", "numeric", "VARCHAR(5)", "TEXT",
    "char(3)", "DATETIME", "TIMESTAMP", "DATE", "TIME", "BLOB", "JSON", "UUID", "", "LENGTH", "integer unsigned",
    "timestamp with time zone", '"odd type"', "NUM",
]  # fmt: skip
STRICT_TYPES: Final = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]

_CONDITIONS: Final = [
    "{c} IS NOT NULL", "{c} <> ''", "length({c}) < 100", "{c} > 0", "{c} IN (0, 1)", "typeof({c}) <> 'blob'",
    "{c} BETWEEN -5 AND 5", "{c} LIKE 'a%'", "json_valid({c})", "{c} = {d} OR {d} IS NULL", "abs({c}) < 10",
    "{c} GLOB '[a-z]*'", "coalesce({c}, {d}) IS NOT NULL", "{c} IS {d}", "NOT {c}", "{c} < {d}", "{c} + 1 > {d}",
    "{c} IN ('a', 'b', 1)", "instr({c}, 'a')", "{c} COLLATE NOCASE = 'A'", "1", "{c} == 1.0",
]  # fmt: skip
_EXPRESSIONS: Final = [
    "{c} || 'x'", "{c} + 1", "length({c})", "lower({c})", "{c} * 2.5", "coalesce({c}, 0)", "substr({c}, 1, 2)",
    "{c} || {d}", "abs({c})", "CAST({c} AS TEXT)", "{c} / 2", "typeof({c})", "round({c}, 1)", "hex({c})", "-{c}",
    "{c} % 3", "CASE WHEN {c} > 0 THEN 'p' ELSE {d} END", "upper(trim({c}))", "ifnull({c}, {d})", "{c} IS NULL",
    "replace({c}, 'a', 'b')", "{c} = {d}", "CAST({c} AS INTEGER)", "nullif({c}, '')", "{c} << 2",
    "json_extract({c}, '$.a')",
]  # fmt: skip
_DEFAULTS: Final = [
    "0", "-1", "+2.5", "1e3", "0xFF", "'x'", "'it''s'", "''", '"word"', "x'00ff'", "NULL", "TRUE", "false",
    "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "(datetime('now'))", "(1 + 2)", "(lower('X'))", "'{{}}'",
    "(strftime('%s', 'now'))", "(random())", "9223372036854775807", "'2025-10-09'", "(lower(hex(randomblob(16))))",
    "'\\'",
]  # fmt: skip
_SELECTS: Final = [
    "SELECT * FROM {t}", "SELECT {c}, {d} FROM {t}", "SELECT count(*) AS n FROM {t}",
    "SELECT {c} AS a, {d} AS b FROM {t} WHERE {c} IS NOT NULL", "SELECT DISTINCT {c} FROM {t} ORDER BY 1",
    "SELECT {c}, count(*) AS n FROM {t} GROUP BY {c}", "SELECT {c} FROM {t} UNION SELECT {d} FROM {t}",
    "SELECT x.{c} FROM {t} AS x JOIN {t} AS y ON x.{c} = y.{d}", "SELECT rowid FROM {t}", "SELECT 1 AS one",
    "SELECT max({c}) FROM {t}", "WITH w AS (SELECT {c} AS q FROM {t}) SELECT q FROM w", "SELECT nothing FROM {t}",
]  # fmt: skip
_ACTIONS: Final = [
    "",
    "ON DELETE CASCADE",
    "ON UPDATE SET NULL",
    "ON DELETE SET DEFAULT",
    "DEFERRABLE INITIALLY DEFERRED",
]


def quote(name: str) -> str:
    """For SQLite."""
    return '"' + name.replace('"', '""') + '"'


def _mostly_not(draw: st.DrawFn, one_in: int) -> bool:
    return draw(st.integers(1, one_in)) == one_in


@dataclass(frozen=True)
class _Sketch:
    """A table's name, its columns' names and types."""

    name: str
    columns: tuple[tuple[str, str], ...]
    is_strict: bool
    key: str  # "", "alias", "auto", "column", "table"
    generated: frozenset[str]  # columns that nothing can be inserted into


@st.composite
def sketches(draw: st.DrawFn) -> _Sketch:
    is_strict = _mostly_not(draw, 6)
    columns = draw(
        st.lists(
            st.tuples(NAMES, st.sampled_from(STRICT_TYPES if is_strict else TYPES)),
            min_size=1,
            max_size=5,
            unique_by=lambda item: item[0].lower(),
        )
    )
    key = draw(st.sampled_from(["", "", "alias", "alias", "auto", "column", "table", "table"]))
    generated = frozenset(name for name, _ in columns[1:] if _mostly_not(draw, 8))
    return _Sketch(draw(NAMES), tuple(columns), is_strict, key, generated)


def _fill(draw: st.DrawFn, templates: list[str], table: _Sketch, *, leave: frozenset[str] = frozenset()) -> str:
    names = [quote(name) for name, _ in table.columns if name not in leave]
    chosen = draw(st.sampled_from(templates))
    return chosen.format(c=draw(st.sampled_from(names)), d=draw(st.sampled_from(names)), t=quote(table.name))


def _references(draw: st.DrawFn, tables: list[_Sketch], count: int) -> str:
    parent = draw(st.sampled_from(tables))
    names = [quote(name) for name, _ in parent.columns]
    listed = "" if draw(st.booleans()) else f"({', '.join(draw(st.sampled_from(names)) for _ in range(count))})"
    return f"REFERENCES {quote(parent.name)} {listed} {draw(st.sampled_from(_ACTIONS))}"


def _define_column(draw: st.DrawFn, table: _Sketch, tables: list[_Sketch], index: int) -> str:
    name, declared = table.columns[index]
    parts = [quote(name), declared]
    if name in table.generated:
        stored = draw(st.sampled_from(["", "STORED", "VIRTUAL"]))
        return " ".join(
            [*parts, f"GENERATED ALWAYS AS ({_fill(draw, _EXPRESSIONS, table, leave=table.generated)}) {stored}"]
        )
    if _mostly_not(draw, 5):
        parts.append("NOT NULL")
    if _mostly_not(draw, 8):
        parts.append("UNIQUE" + draw(st.sampled_from(["", "", " ON CONFLICT REPLACE"])))
    if _mostly_not(draw, 4):
        parts.append(f"DEFAULT {draw(st.sampled_from(_DEFAULTS))}")
    if _mostly_not(draw, 6):
        parts.append(f"CHECK ({_fill(draw, _CONDITIONS, table)})")
    if _mostly_not(draw, 8):
        parts.append(f"COLLATE {draw(st.sampled_from(['NOCASE', 'RTRIM', 'BINARY']))}")
    if _mostly_not(draw, 6):
        parts.append(_references(draw, tables, 1))
    return " ".join(parts)


def _some_columns(draw: st.DrawFn, table: _Sketch) -> list[str]:
    names = [quote(name) for name, _ in table.columns]
    return draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))


def _define_table(draw: st.DrawFn, table: _Sketch, tables: list[_Sketch]) -> str:
    columns = [_define_column(draw, table, tables, index) for index in range(len(table.columns))]
    key = table.key
    constraints = []
    if key in {"alias", "auto"}:
        auto = " AUTOINCREMENT" if key == "auto" else ""
        columns[0] = f"{quote(table.columns[0][0])} INTEGER PRIMARY KEY{auto}"
    elif key == "column":
        columns[0] += " PRIMARY KEY"
    elif key == "table":
        constraints.append(f"PRIMARY KEY ({', '.join(_some_columns(draw, table))})")
    if _mostly_not(draw, 5):
        constraints.append(f"UNIQUE ({', '.join(_some_columns(draw, table))})")
    if _mostly_not(draw, 5):
        constraints.append(f"CONSTRAINT {quote(draw(NAMES))} CHECK ({_fill(draw, _CONDITIONS, table)})")
    if _mostly_not(draw, 4):
        children = _some_columns(draw, table)
        constraints.append(f"FOREIGN KEY ({', '.join(children)}) {_references(draw, tables, len(children))}")
    options = ["STRICT"] if table.is_strict else []
    if key in {"column", "table"} and draw(st.booleans()):
        options.append("WITHOUT ROWID")
    return f"CREATE TABLE {quote(table.name)} ({', '.join([*columns, *constraints])}) {', '.join(options)}"


def _fitting_values(declared: str) -> SearchStrategy[Value | RawText]:
    upper = declared.upper()
    found = [values for part, values in _FITTING.items() if part in upper]
    return found[-1] if found else TEXTS


def _insert(draw: st.DrawFn, table: _Sketch, *, is_wild: bool) -> Statement:
    columns = [(name, declared) for name, declared in table.columns if name not in table.generated]
    has_alias = table.key in {"alias", "auto"}
    values = tuple(
        draw(st.one_of(st.none(), INTEGERS))
        if has_alias and name == table.columns[0][0]
        else draw(ANYTHING if is_wild and _mostly_not(draw, 2) else st.one_of(st.none(), _fitting_values(declared)))
        for name, declared in columns
    )
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, RawText) else "?" for value in values)
    names = ", ".join(quote(name) for name, _ in columns)
    return Statement(f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})", values)


@st.composite
def databases(draw: st.DrawFn) -> tuple[Statement, ...]:
    """The statements that make a database."""
    found = draw(st.lists(sketches(), min_size=1, max_size=3, unique_by=lambda table: table.name.lower()))
    statements = [Statement("PRAGMA ignore_check_constraints = ON")] if _mostly_not(draw, 8) else []
    statements += [Statement(_define_table(draw, table, found)) for table in found]
    for table in found:
        is_wild = draw(st.booleans())
        rows = [_insert(draw, table, is_wild=is_wild) for _ in range(draw(st.integers(0, 6)))]
        statements += rows + (rows[:1] if draw(st.booleans()) else [])
    for table in found:
        if _mostly_not(draw, 3):
            keys = [*_some_columns(draw, table), *([_fill(draw, _EXPRESSIONS, table)] if _mostly_not(draw, 4) else [])]
            tails = [draw(st.sampled_from(["", "", " DESC", " COLLATE NOCASE"])) for _ in keys]
            where = f"WHERE {_fill(draw, _CONDITIONS, table)}" if _mostly_not(draw, 4) else ""
            listed = ", ".join(key + tail for key, tail in zip(keys, tails, strict=True))
            unique = draw(st.sampled_from(["", "", "UNIQUE"]))
            statements.append(
                Statement(f"CREATE {unique} INDEX {quote(draw(NAMES))} ON {quote(table.name)} ({listed}) {where}")
            )
        if _mostly_not(draw, 4):
            statements.append(Statement(f"CREATE VIEW {quote(draw(NAMES))} AS {_fill(draw, _SELECTS, table)}"))
        if _mostly_not(draw, 12):
            body = f"BEGIN DELETE FROM {quote(table.name)}; END"
            statements.append(
                Statement(f"CREATE TRIGGER {quote(draw(NAMES))} AFTER INSERT ON {quote(table.name)} {body}")
            )
    return tuple(statements)


def write_database(path: Path, statements: tuple[Statement, ...]) -> list[Statement]:
    """Make the database; the statements that SQLite took."""
    taken = []
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            parameters = [item.content if isinstance(item, RawText) else item for item in statement.parameters]
            with suppress(sqlite3.Error):
                db.execute(statement.sql, parameters)
                taken.append(statement)
        db.execute("VACUUM")  # a file, even when everything was refused
    return taken
