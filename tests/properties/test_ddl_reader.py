"""Statements that are written together with what they say: whatever SQLite takes is read in full, clause by clause.

SQLite's pragmas do not tell everything (CHECKs, names of constraints, ON CONFLICT, DEFERRABLE), so that a reader that
passes over a clause would agree with them. Here the generator knows what it wrote.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from liteferry.sqlite_ddl import (
    CheckText,
    ForeignKeyText,
    KeyText,
    TableText,
    data,
    fold_case,
    lex,
    parse_create_index,
    parse_create_table,
    parse_create_view,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RELAXED: Final = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
QUIET: Final = settings(deadline=None, suppress_health_check=RELAXED)

SPACES: Final = st.sampled_from([" ", "\n", "\t", "\f", " /* CHECK (1) */ ", " -- it's, (\n", "/**/", "/* ' */", "  "])
# Words that are keywords somewhere, and names all the same
FALLBACKS: Final = [
    "abort", "action", "after", "always", "analyze", "asc", "attach", "before", "begin", "by", "cascade", "cast",
    "column", "conflict", "current", "current_date", "database", "deferred", "desc", "detach", "do", "each", "end",
    "exclude", "exclusive", "explain", "fail", "filter", "first", "following", "for", "generated", "glob", "groups",
    "if", "ignore", "immediate", "indexed", "initially", "instead", "key", "last", "like", "match", "materialized",
    "no", "nulls", "offset", "of", "others", "over", "partition", "plan", "pragma", "preceding", "query", "raise",
    "range", "recursive", "regexp", "reindex", "release", "rename", "replace", "restrict", "row", "rows", "rowid",
    "savepoint", "strict", "temp", "temporary", "ties", "trigger", "unbounded", "vacuum", "view", "virtual", "window",
    "with", "without",
]  # fmt: skip
RESERVED: Final = ["check", "primary", "unique", "table", "select", "default", "collate", "constraint", "not", "null"]
ODD: Final = ["a b", "it's", 'x"y', "`", "é", "🦆", "(", ")", ",", "--", "/*", "*/", ";", "", "1", "CHECK (1)", "\n"]
CONFLICTS: Final = ["", "", "", "ON CONFLICT ABORT", "ON CONFLICT REPLACE", "on conflict Ignore", "ON CONFLICT FAIL"]
TYPES: Final = [
    "", "INT", "TEXT", "VARCHAR(20)", "DECIMAL(10,2)", "double precision", '"a type"', "[int]", "`x`", "'s'",
    "x(-1,+2)", "generated", "Unsigned Big Int", "character varying ( 5 )",
]  # fmt: skip
DEFAULTS: Final = [
    "0", "-1", "+2.5", ".5", "5.", "1e3", "0xFF", "'x'", "'it''s, (not) CHECK'", "''", '"w"', "x'00fF'", "NULL", "true",
    "current_timestamp", "word", "[b]", "`b`",
]  # fmt: skip


QUOTED: Final = st.sampled_from([*FALLBACKS, *RESERVED, *ODD]) | st.text("ab'\"`[(.é ", min_size=1, max_size=6)


@st.composite
def names(draw: st.DrawFn) -> str:
    """A name as it may be written."""
    style = draw(st.sampled_from(["word", "word", "word", '"', "`", "[", "'"]))
    if style == "word":
        word = draw(st.sampled_from([*FALLBACKS, "a", "b", "Größe", "x$1", "_", "oid"]))
        return draw(st.sampled_from([word, word.upper(), word.capitalize()]))
    name = draw(QUOTED)
    if style == "[":
        return f"[{name}]"
    return style + name.replace(style, style * 2) + style


NAMES: Final = names()


def unquote(written: str) -> str:
    return lex(written)[0].value


_COLUMN: Final = "\x01"


def _expressions() -> st.SearchStrategy[str]:
    """Expressions over a column, with everything that could be taken for the end of one."""
    leaves = st.sampled_from(
        [_COLUMN, _COLUMN, "1", "-2.5", "0x1F", ".5e-3", "'a'", "')'", "'it''s'", "','", "x'2829'", "NULL",
         "current_date", "'/*'", "'--'", "''''"]
    )  # fmt: skip
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "||", "=", "IS NOT", "AND", "<>", "<<", "LIKE", "->>"]), inner).map(
                " ".join
            ),
            inner.map("({})".format),
            inner.map("(({}))".format),
            inner.map("NOT ({})".format),
            inner.map("- ({})".format),
            inner.map("abs({})".format),
            inner.map("({}) IS NULL".format),
            inner.map("({}) NOTNULL".format),
            inner.map("CAST({} AS VARCHAR(5))".format),
            inner.map("({}) COLLATE nocase".format),
            st.tuples(inner, inner).map(lambda two: f"CASE WHEN {two[0]} THEN {two[1]} ELSE ')' END"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) IN ({two[1]}, ',', 3)"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) BETWEEN 1 AND ({two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) NOT LIKE ({two[1]}) ESCAPE '('"),
            st.tuples(inner, inner).map(lambda two: f"coalesce({two[0]}, {two[1]})"),
        ),
        max_leaves=5,
    )


_EXPRESSIONS: Final = _expressions()
"""One strategy for all: to make one costs more than to draw from it."""


def express(draw: st.DrawFn, columns: list[str]) -> str:
    """An expression over these columns."""
    return draw(_EXPRESSIONS).replace(_COLUMN, draw(st.sampled_from(columns)))


def squeeze(text: str | None) -> str | None:
    """A text without spaces and comments, which mean nothing."""
    return None if text is None else " ".join(token.text for token in lex(text))


@dataclass(frozen=True)
class Clause:
    """A piece of a statement, and what must be found of it, as comparable facts."""

    sql: str
    facts: tuple[tuple[object, ...], ...] = ()


def _conflict_of(clause: str) -> str | None:
    return clause.rsplit(maxsplit=1)[-1].upper() if clause else None


@st.composite
def references(draw: st.DrawFn, column_count: int) -> tuple[str, tuple[object, ...]]:
    """A REFERENCES clause; the parent's name and columns, the actions, and when it is checked."""
    parent = draw(NAMES)
    parents = draw(st.sampled_from([(), tuple(f"p{n}" for n in range(column_count))]))
    update, delete = (
        draw(st.sampled_from(["NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"])) for _ in "ab"
    )
    parts = [f"REFERENCES {parent}", f"({', '.join(parents)})" if parents else ""]
    clauses = [f"ON UPDATE {update}", f"on delete {delete}", draw(st.sampled_from(["", "MATCH full"]))]
    parts += draw(st.permutations(clauses))
    when = draw(st.sampled_from(["", "DEFERRABLE", "NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"]))
    is_deferrable = when.startswith("DEFERRABLE")
    facts = (unquote(parent), parents, update, delete, is_deferrable, when.endswith("DEFERRED"))
    return " ".join([*parts, when]), facts


@st.composite
def columns_of(draw: st.DrawFn, written: list[str], index: int, *, has_key: bool) -> Clause:
    """A column's definition: at most one clause of a sort but for CHECK, in any order, named or not."""
    name = unquote(written[index])
    declared = draw(st.sampled_from(TYPES))
    found: list[tuple[str, Callable[[str | None], tuple[object, ...]]]] = []
    is_generated = index > 0 and not has_key and draw(st.integers(0, 5)) == 0
    conflict = draw(st.sampled_from(CONFLICTS))
    if has_key:
        declared = "INTEGER"
        auto = draw(st.booleans())
        words = f"PRIMARY KEY {conflict} {'AUTOINCREMENT' if auto else ''}"
        found.append((words, lambda named: ("key", name, named, _conflict_of(conflict), auto)))
    if is_generated:
        value = express(draw, written[:1])
        kind = draw(st.sampled_from(["", "STORED", "VIRTUAL", "stored"]))
        words = draw(st.sampled_from(["AS", "GENERATED ALWAYS AS", "generated always as"]))
        is_stored = kind.upper() == "STORED"
        found.append((f"{words} ({value}) {kind}", lambda _: ("generated", name, squeeze(value), is_stored)))
    elif draw(st.booleans()):
        value, enclosed = draw(st.sampled_from(DEFAULTS)), draw(st.booleans())
        enclosed = enclosed and not value.startswith(('"', "[", "`", "w"))
        words = f"DEFAULT ({value})" if enclosed else f"DEFAULT {value}"
        found.append((words, lambda _: ("default", name, squeeze(value))))
    if draw(st.integers(0, 3)) == 0:
        null = draw(st.sampled_from(CONFLICTS))
        found.append((f"NOT NULL {null}", lambda named: ("not null", name, named, _conflict_of(null))))
    if draw(st.integers(0, 3)) == 0 and not has_key:
        unique = draw(st.sampled_from(CONFLICTS))
        found.append((f"UNIQUE {unique}", lambda named: ("unique", name, named, _conflict_of(unique))))
    if draw(st.integers(0, 2)) == 0:
        collation = draw(st.sampled_from(["NOCASE", "binary", "[rtrim]", '"nocase"', "'RTRIM'"]))
        found.append((f"COLLATE {collation}", lambda _: ("collate", name, unquote(collation))))
    if draw(st.integers(0, 3)) == 0:
        words, facts = draw(references(1))
        found.append((words, lambda named: ("foreign key", (name,), named, *facts)))
    for _ in range(draw(st.integers(0, 2))):
        condition = express(draw, written)
        found.append((f"CHECK ({condition})", _check_fact(condition)))
    return _name_clauses(draw, [f"{written[index]} {declared}"], draw(st.permutations(found)))


def _check_fact(condition: str) -> Callable[[str | None], tuple[object, ...]]:
    return lambda named: ("check", squeeze(condition), named)


def _name_clauses(
    draw: st.DrawFn, parts: list[str], clauses: list[tuple[str, Callable[[str | None], tuple[object, ...]]]]
) -> Clause:
    facts = []
    for sql, make in clauses:
        named = draw(NAMES) if draw(st.integers(0, 2)) == 0 else None
        # a name before DEFAULT, COLLATE or GENERATED is the next constraint's to SQLite, and that of nothing to most
        can_be_named = not sql.upper().startswith(("DEFAULT", "COLLATE", "AS", "GENERATED"))
        if named is not None and can_be_named:
            parts.append(f"CONSTRAINT {named}")
        parts.append(sql)
        facts.append(make(unquote(named) if named is not None and can_be_named else None))
    return Clause(" ".join(parts), tuple(facts))


@st.composite
def table_clauses(draw: st.DrawFn, written: list[str], *, wants_key: bool) -> list[Clause]:
    """Table constraints."""
    found: list[tuple[str, Callable[[str | None], tuple[object, ...]]]] = []

    def draw_keys() -> tuple[str, tuple[tuple[str, str | None, bool], ...]]:
        chosen = draw(st.lists(st.sampled_from(written), min_size=1, max_size=3, unique=True))
        tails = [
            draw(st.sampled_from(["", " ASC", " DESC", " COLLATE nocase", " COLLATE [rtrim] DESC"])) for _ in chosen
        ]
        facts = tuple(
            (
                unquote(name),
                "nocase" if "nocase" in tail else "rtrim" if "rtrim" in tail else None,
                tail.endswith("DESC"),
            )
            for name, tail in zip(chosen, tails, strict=True)
        )
        return ", ".join(map("".join, zip(chosen, tails, strict=True))), facts

    for kind in ["PRIMARY KEY"] * wants_key + ["UNIQUE"] * draw(st.integers(0, 2)):
        keys, facts = draw_keys()
        conflict = draw(st.sampled_from(CONFLICTS))
        found.append((f"{kind} ({keys}) {conflict}", _key_fact(kind, facts, conflict)))
    for _ in range(draw(st.integers(0, 2))):
        condition = express(draw, written)
        tail = draw(st.sampled_from(CONFLICTS))
        found.append((f"CHECK ({condition}) {tail}", _check_fact(condition)))
    for _ in range(draw(st.integers(0, 1))):
        children = draw(st.lists(st.sampled_from(written), min_size=1, max_size=2, unique=True))
        words, of_key = draw(references(len(children)))
        child_names = tuple(map(unquote, children))
        found.append((f"FOREIGN KEY ({', '.join(children)}) {words}", _foreign_fact(child_names, of_key)))
    return [_name_clauses(draw, [], [clause]) for clause in draw(st.permutations(found))]


def _key_fact(kind: str, facts: tuple[object, ...], conflict: str) -> Callable[[str | None], tuple[object, ...]]:
    return lambda named: (kind, facts, named, _conflict_of(conflict))


def _foreign_fact(children: tuple[str, ...], facts: tuple[object, ...]) -> Callable[[str | None], tuple[object, ...]]:
    return lambda named: ("foreign key", children, named, *facts)


@st.composite
def statements(draw: st.DrawFn) -> Clause:
    """A CREATE TABLE statement of the table t."""
    written = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda name: fold_case(unquote(name))))
    key = draw(st.sampled_from(["", "column", "table"]))
    columns = [
        draw(columns_of(written, index, has_key=key == "column" and index == 0)) for index in range(len(written))
    ]
    extra = draw(table_clauses(written, wants_key=key == "table"))
    text = ", ".join(column.sql for column in columns)
    for clause in extra:
        # SQLite does not insist on the comma between two table constraints
        text += (", " if clause is extra[0] else draw(st.sampled_from([", ", ", ", " "]))) + clause.sql
    options = draw(st.sampled_from(["", "", " WITHOUT ROWID", " without rowid"])) if key == "table" else ""
    head = draw(st.sampled_from(["CREATE TABLE t", "create table [t]", 'CREATE TABLE "t"', "CREATE TABLE main . t"]))
    facts: list[tuple[object, ...]] = [("column", unquote(name)) for name in written]
    facts += [fact for clause in (*columns, *extra) for fact in clause.facts]
    if options:
        facts.append(("without rowid",))
    return Clause(_respace(draw, f"{head} ({text}){options}"), tuple(facts))


def _respace(draw: st.DrawFn, sql: str) -> str:
    tokens = lex(sql)
    pieces = [tokens[0].text]
    for before, token in pairwise(tokens):
        gap = sql[before.end : token.start]
        pieces.append((draw(SPACES) if draw(st.integers(0, 7)) == 0 else gap) + token.text)
    return "".join(pieces)


# ---------------------------------------------------------------------------------------------------------------------
# What was read, as the same facts


def _read_check(check: CheckText) -> tuple[object, ...]:
    return "check", squeeze(check.sql), check.name


def _read_foreign_key(key: ForeignKeyText) -> tuple[object, ...]:
    parent = (key.parent_table, key.parent_columns)
    behaviour = (key.on_update, key.on_delete, key.deferrable, key.initially_deferred)
    return ("foreign key", key.columns, key.name, *parent, *behaviour)


def _read_key(kind: str, key: KeyText) -> tuple[object, ...]:
    columns = tuple((column.name, column.collation, column.descending) for column in key.columns)
    return kind, columns, key.name, key.on_conflict


def list_facts(table: TableText) -> list[tuple[object, ...]]:
    """Everything that a statement was read to say."""
    facts: list[tuple[object, ...]] = []
    for column in table.columns:
        name = column.name
        facts.append(("column", name))
        if column.primary_key:
            facts.append(("key", name, column.primary_key_name, column.primary_key_on_conflict, column.autoincrement))
        if column.generated_sql is not None:
            facts.append(("generated", name, squeeze(column.generated_sql), column.stored))
        if column.default_sql is not None:
            facts.append(("default", name, squeeze(column.default_sql)))
        if column.not_null:
            facts.append(("not null", name, column.not_null_name, column.not_null_on_conflict))
        if column.unique:
            facts.append(("unique", name, column.unique_name, column.unique_on_conflict))
        if column.collation is not None:
            facts.append(("collate", name, column.collation))
        facts += map(_read_foreign_key, column.references)
        facts += map(_read_check, column.checks)
    if table.primary_key:
        facts.append(_read_key("PRIMARY KEY", table.primary_key))
    facts += [_read_key("UNIQUE", key) for key in table.uniques]
    facts += map(_read_check, table.checks)
    facts += map(_read_foreign_key, table.foreign_keys)
    if table.without_rowid:
        facts.append(("without rowid",))
    return facts


def take(sql: str) -> list[str]:
    """What SQLite keeps as the text of the objects that the statement makes; nothing when it refuses."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(sql)
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            return []
        return [text for (text,) in db.execute("SELECT sql FROM sqlite_schema WHERE name <> 'sqlite_sequence'") if text]


def check_reading(statement: Clause) -> None:
    """Whatever SQLite takes is read as it was written: from the statement itself, and from what SQLite keeps of it."""
    kept = take(statement.sql)
    assume(kept)
    for text in (statement.sql, *kept):
        assert sorted(map(repr, list_facts(parse_create_table(text)))) == sorted(map(repr, statement.facts))


@settings(QUIET, max_examples=200)
@given(statement=statements())
def test_every_clause_is_read(statement: Clause) -> None:
    check_reading(statement)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(QUIET, max_examples=2_500)
@given(statement=statements())
def test_every_clause_is_read_at_length(statement: Clause) -> None:
    check_reading(statement)


@pytest.mark.parametrize("lost", ["CHECK", "COLLATE", "NOT NULL", "ON CONFLICT", "DEFERRABLE", "the last key"])
def test_a_clause_that_is_passed_over_is_noticed(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The property itself is true of our reader only: one that skips a clause, and says nothing, does not hold it."""
    reader = tables.TableReader
    if lost == "CHECK":
        monkeypatch.setattr(tables, "ColumnText", _column_without("checks"))
    elif lost == "COLLATE":
        monkeypatch.setattr(tables, "ColumnText", _column_without("collation"))
    elif lost == "NOT NULL":
        monkeypatch.setattr(tables, "ColumnText", _column_without("not_null"))
    elif lost == "ON CONFLICT":
        read = reader._read_on_conflict
        monkeypatch.setattr(reader, "_read_on_conflict", lambda self: read(self) and None)
    elif lost == "DEFERRABLE":
        monkeypatch.setattr(tables, "replace", _replace_without("deferrable"))
    else:
        split = reader.split_keys
        monkeypatch.setattr(reader, "split_keys", lambda self, tokens: tuple(split(self, tokens))[:1])

    @settings(QUIET, max_examples=300, phases=[Phase.generate], database=None, report_multiple_bugs=False)
    @given(statement=statements())
    def property_of_a_bad_reader(statement: Clause) -> None:
        check_reading(statement)

    with pytest.raises(AssertionError):
        property_of_a_bad_reader()


def _column_without(field: str) -> Callable[..., data.ColumnText]:
    """What makes a column, and forgets one field of it."""
    return lambda **fields: data.ColumnText(**{name: value for name, value in fields.items() if name != field})


def _replace_without(lost: str) -> Callable[..., object]:
    from dataclasses import replace

    def replace_most(value: object, **changes: object) -> object:
        changes.pop(lost, None)
        return replace(value, **changes)  # type: ignore[type-var]  # a dataclass, as the reader's own

    return replace_most


# ---------------------------------------------------------------------------------------------------------------------
# Indexes and views


@st.composite
def indexes(draw: st.DrawFn) -> tuple[str, str, list[tuple[str | None, str | None, bool]], str | None]:
    """A table, an index on it; its keys (column or None, collation, descending) and condition."""
    written = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=lambda name: fold_case(unquote(name))))
    keys, facts = [], []
    for _ in range(draw(st.integers(1, 3))):
        column = draw(st.sampled_from(written))
        is_plain = draw(st.booleans())
        key = column if is_plain else f"({express(draw, written)}) || ''"
        collation = draw(st.sampled_from(["", " COLLATE nocase", " collate [RTRIM]"]))
        if not is_plain and collation:
            key = f"({key})"  # else it would belong to the last operand
        order = draw(st.sampled_from(["", " ASC", " DESC"]))
        keys.append(key + collation + order)
        facts.append(
            (unquote(column) if is_plain else None, collation and unquote(collation.split()[1]), order == " DESC")
        )
    condition = express(draw, written) if draw(st.booleans()) else None
    tail = "" if condition is None else f" WHERE {condition}"
    sql = _respace(draw, f"CREATE {draw(st.sampled_from(['', 'UNIQUE']))} INDEX i ON t ({', '.join(keys)}){tail}")
    table = f"CREATE TABLE t ({', '.join(written)})"
    return table, sql, [(column, collation or None, descending) for column, collation, descending in facts], condition


def check_index(table: str, sql: str, keys: list[tuple[str | None, str | None, bool]], condition: str | None) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(table)
            db.execute(sql)
        except sqlite3.Error:
            assume(False)
        (kept,) = db.execute("SELECT sql FROM sqlite_schema WHERE type = 'index'").fetchone()
        told = db.execute("SELECT cid, \"desc\", coll FROM pragma_index_xinfo('i') WHERE key").fetchall()
    for text in (sql, kept):
        index = parse_create_index(text)
        assert [(key.column, key.collation, key.descending) for key in index.keys] == keys
        assert [key.descending for key in index.keys] == [bool(descending) for _, descending, _ in told]
        for key, (_, _, collation) in zip(index.keys, told, strict=True):
            assert key.collation is None or key.collation.upper() == collation.upper()
        assert squeeze(index.where_sql) == squeeze(condition)


@settings(QUIET, max_examples=150)
@given(made=indexes())
def test_every_key_of_an_index_is_read(
    made: tuple[str, str, list[tuple[str | None, str | None, bool]], str | None],
) -> None:
    check_index(*made)


@pytest.mark.slow
@settings(QUIET, max_examples=5000)
@given(made=indexes())
def test_every_key_of_an_index_is_read_at_length(
    made: tuple[str, str, list[tuple[str | None, str | None, bool]], str | None],
) -> None:
    check_index(*made)


@st.composite
def views(draw: st.DrawFn) -> tuple[str, str, list[str], str]:
    """A CREATE VIEW statement: its text, the view's name, the columns that are listed, its SELECT."""
    name, value = draw(NAMES), express(draw, ["1"])
    listed = draw(st.sampled_from([[], ["x1", "y1"], ['"x"', "[y]"]]))
    select = f"SELECT {value} AS x, ')' AS y"
    named = f" ({', '.join(listed)})" if listed else ""
    return _respace(draw, f"CREATE VIEW {name}{named} AS {select}"), name, listed, select


@settings(QUIET, max_examples=100)
@given(made=views())
def test_views_are_read(made: tuple[str, str, list[str], str]) -> None:
    sql, name, listed, select = made
    kept = take(sql)
    assume(kept)
    for text in (sql, *kept):
        view = parse_create_view(text)
        assert view.name == unquote(name)
        assert list(view.columns) == [unquote(column) for column in listed]
        assert squeeze(view.select_sql) == squeeze(select)


# ---------------------------------------------------------------------------------------------------------------------
# Damaged statements


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A statement with a token or a character lost, doubled, moved or put in."""
    sql = draw(statements()).sql
    how = draw(st.sampled_from(["lose", "double", "swap", "put", "character", "cut"]))
    tokens = [token.text for token in lex(sql)]
    at = draw(st.integers(0, len(tokens) - 1))
    if how == "lose":
        del tokens[at]
    elif how == "double":
        tokens.insert(at, tokens[at])
    elif how == "swap":
        other = draw(st.integers(0, len(tokens) - 1))
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif how == "put":
        words = ["CONSTRAINT c", "NULL", "DEFAULT 1", "x", "(", ")", ",", "'", "GENERATED ALWAYS", "AS (1)", "STRICT",
                 "COLLATE nocase", "CHECK (1)", "NOT NULL", "DEFERRABLE", "INITIALLY DEFERRED", ";", "--"]  # fmt: skip
        tokens.insert(at, draw(st.sampled_from(words)))
    else:
        place = draw(st.integers(0, len(sql) - 1))
        return sql[:place] + ("" if how == "cut" else draw(st.characters(codec="utf-8")) + sql[place + 1 :])
    return " ".join(tokens)


def check_damaged(sql: str) -> None:
    """SQLite refuses it, or it is read, with the columns that SQLite sees and no fewer constraints."""
    with closing(sqlite3.connect(":memory:")) as db:
        try:
            db.execute(sql)
        except (sqlite3.Error, sqlite3.Warning, ValueError):
            return
        found = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for name, kept in found.fetchall():
            argument = '"' + name.replace('"', '""') + '"'
            columns = db.execute(f"PRAGMA table_xinfo({argument})").fetchall()
            keys = db.execute(f"PRAGMA foreign_key_list({argument})").fetchall()
            table = parse_create_table(kept)
            assert table.name == name
            assert [column.name for column in table.columns] == [row[1] for row in columns]
            for column, (_, _, _, not_null, default, _, hidden) in zip(table.columns, columns, strict=True):
                assert table.without_rowid or column.not_null is bool(not_null)
                assert squeeze(column.default_sql) == squeeze(default)
                assert (column.generated_sql is not None) is (hidden in (2, 3))
            read = [key for column in table.columns for key in column.references] + list(table.foreign_keys)
            assert len(read) == len({row[0] for row in keys})
            words = [token.text.upper() for token in lex(kept) if token.kind == "word"]
            checks = len(table.checks) + sum(len(column.checks) for column in table.columns)
            assert checks == _count_checks(kept), words


def _count_checks(sql: str) -> int:
    """How often the keyword CHECK stands before a parenthesis, where only a constraint can begin."""
    tokens = lex(sql)
    depth, found = 0, 0
    for token, following in pairwise(tokens):
        if token.kind == "operator":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        found += depth == 1 and token.kind == "word" and token.text.upper() == "CHECK" and following.text == "("
    return found


@settings(QUIET, max_examples=250)
@given(sql=damaged())
def test_damaged_statements_are_refused_or_read(sql: str) -> None:
    check_damaged(sql)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(QUIET, max_examples=5_000)
@given(sql=damaged())
def test_damaged_statements_are_refused_or_read_at_length(sql: str) -> None:
    check_damaged(sql)
