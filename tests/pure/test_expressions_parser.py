"""The parser of expressions and SELECTs: SQLite itself says whether the precedence is right.

A random text is read, written again with parentheses around everything, and both are evaluated by SQLite.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from liteferry.expressions import syntax as s
from liteferry.expressions.parser import parse_expression, parse_select, read_number
from liteferry.sqlite_ddl import DdlError

NODES = {node for node in vars(s).values() if isinstance(node, type) and issubclass(node, s.Node)} - {s.Node}


def write(node: s.Node) -> str:
    """A node with parentheses around each of its parts."""
    match node:
        case s.Literal(None):
            return "NULL"
        case s.Literal(bytes(value)):
            return f"x'{value.hex()}'"
        case s.Literal(str(value)):
            return "'" + value.replace("'", "''") + "'"
        case s.Literal(value):
            return f"({value!r})" if value != -(2**63) else "(-9223372036854775808)"
        case s.Name(parts, quotes):
            return ".".join(parts) if not quotes else ".".join('"' + part.replace('"', '""') + '"' for part in parts)
        case s.CurrentTime(word):
            return word
        case s.Unary(operator, operand):
            return f"({operator} {write(operand)})"
        case s.Binary(operator, left, right):
            return f"({write(left)} {operator} {write(right)})"
        case s.Collate(operand, collation):
            return f"({write(operand)} COLLATE {collation})"
        case s.Match(operator, operand, pattern, escape, negated):
            text = f"{write(operand)} {'NOT ' if negated else ''}{operator} {write(pattern)}"
            return f"({text} ESCAPE {write(escape)})" if escape else f"({text})"
        case s.Between(operand, low, high, negated):
            return f"({write(operand)} {'NOT ' if negated else ''}BETWEEN {write(low)} AND {write(high)})"
        case s.InList(operand, items, negated):
            return f"({write(operand)} {'NOT ' if negated else ''}IN ({', '.join(map(write, items))}))"
        case s.Cast(operand, type_):
            return f"CAST({write(operand)} AS {type_})"
        case s.Case(base, whens, otherwise):
            pieces = "".join(f" WHEN {write(when)} THEN {write(then)}" for when, then in whens)
            start = f" {write(base)}" if base else ""
            return f"(CASE{start}{pieces}{f' ELSE {write(otherwise)}' if otherwise else ''} END)"
        case s.Call(name, arguments):
            return f"{name}({', '.join(map(write, arguments))})"
        case _:
            raise AssertionError(node)


OPERANDS = [
    "1",
    "2",
    "0",
    "-1",
    "3.5",
    "NULL",
    "'a'",
    "'2'",
    "x'61'",
    "a",
    "b",
    "[c]",
    '"d"',
    "TRUE",
    "abs(a)",
    "(a)",
    "''",
]
BINARY = ["+", "-", "*", "/", "%", "||", "&", "|", "<<", ">>", "<", "<=", ">", ">=", "=", "==", "<>", "!=", "IS",
          "IS NOT", "AND", "OR", "LIKE", "NOT LIKE", "GLOB", "IS NOT DISTINCT FROM", "IS DISTINCT FROM"]  # fmt: skip
PREFIX = ["-", "+", "~", "NOT"]
SUFFIX = ["ISNULL", "NOTNULL", "NOT NULL", "COLLATE NOCASE", "BETWEEN 1 AND 2", "NOT BETWEEN a AND b", "IN (1, 'a')",
          "NOT IN (2)", "IN ()", "LIKE 'A' ESCAPE '!'"]  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Operators and operands in a row, without a parenthesis to say what belongs to what."""
    pieces: list[str] = []
    for index in range(draw(st.integers(1, 6))):
        if index:
            pieces.append(draw(st.sampled_from(BINARY)))
        pieces += draw(st.lists(st.sampled_from(PREFIX), max_size=2))
        pieces.append(draw(st.sampled_from(OPERANDS)))
        pieces += draw(st.lists(st.sampled_from(SUFFIX), max_size=1))
    return " ".join(pieces)


def compare_with_sqlite(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b TEXT COLLATE NOCASE, c REAL, d)")
        connection.execute("INSERT INTO t VALUES (2, 'A', 0.5, '2'), (-1, '2', 3, NULL)")
        try:
            expected = connection.execute(f"SELECT {text} FROM t").fetchall()
        except sqlite3.Error:  # DISTINCT FROM is newer than some SQLites; a deep LIKE may lack its text
            assume(False)
        written = write(parse_expression(text))
        assert connection.execute(f"SELECT {written} FROM t").fetchall() == expected, written


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(text=texts())
def test_precedence_is_sqlites(text: str) -> None:
    compare_with_sqlite(text)


@pytest.mark.slow
@settings(max_examples=8000, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(text=texts())
def test_precedence_is_sqlites_at_length(text: str) -> None:
    compare_with_sqlite(text)


@pytest.mark.parametrize(
    ("text", "parenthesised"),
    [
        ("a < b BETWEEN c AND d", "((a < b) BETWEEN c AND d)"),
        ("a = b LIKE c", "((a = b) LIKE c)"),
        ("a = NOT b = c", "(a = (NOT (b = c)))"),
        ("- a || b", "((- a) || b)"),
        ("a || b COLLATE x", "(a || (b COLLATE x))"),
        ("a + b || c", "(a + (b || c))"),
        ("a & b = c", "((a & b) = c)"),
        ("a BETWEEN b AND c AND d", "((a BETWEEN b AND c) AND d)"),
        ("-9223372036854775808", "(-9223372036854775808)"),
    ],
)
def test_precedence(text: str, parenthesised: str) -> None:
    assert write(parse_expression(text)) == parenthesised


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", 9223372036854775808.0),
        ("0xFFFFFFFFFFFFFFFF", -1),
        ("1_000", 1000),
        ("1e999", float("inf")),
        (".5", 0.5),
    ],
)
def test_numbers(text: str, value: float) -> None:
    number = read_number(text)
    assert (type(number), number) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    ["", "a b", "a +", "(a", "a)", "CASE END", "CASE WHEN a THEN b", "CAST(a INTEGER)", "a IN", "a LIKE", "?1",
     "SELECT", ":a", "a BETWEEN b", "f(a", "NOT", "a IS", "a, b", "count(*) OVER", "rank() OVER (ROWS ?)",
     "(" * 5000 + "a" + ")" * 5000],
)  # fmt: skip
def test_expressions_refused(text: str) -> None:
    with pytest.raises(DdlError):
        parse_expression(text)


@pytest.mark.parametrize(
    "text",
    ["SELECT", "SELECT a FROM", "SELECT a FROM t WHERE", "SELECT a FROM t GROUP", "SELECT a FROM t LEFT t",
     "SELECT a FROM f(1)", "SELECT a FROM t ON a", "SELECT a FROM t LIMIT", "VALUES", "SELECT a FROM (t) x",
     "WITH q SELECT 1", "SELECT a; SELECT b", "SELECT a FROM t ORDER BY a NULLS",
     "SELECT a FROM t OUTER JOIN u", "SELECT (SELECT " * 3000],
)  # fmt: skip
def test_selects_refused(text: str) -> None:
    with pytest.raises(DdlError):
        parse_select(text)


def test_select_keeps_all_that_is_written() -> None:
    select = parse_select(
        "WITH q(x) AS (SELECT 1) SELECT DISTINCT t.*, a AS [b c], "
        "count(DISTINCT d) FILTER (WHERE e) OVER (w ROWS 1 PRECEDING) "
        "FROM main.t AS u INDEXED BY i NATURAL LEFT OUTER JOIN (SELECT 2) v, w WHERE a GROUP BY b HAVING c "
        "WINDOW w AS (PARTITION BY a ORDER BY b DESC) UNION ALL VALUES (1), (2) ORDER BY 1 DESC NULLS LAST LIMIT 5, 6"
    )
    assert [table.name for table in select.with_tables] == ["q"]
    core = select.first
    assert core.distinct
    assert [column.alias for column in core.columns] == [None, "b c", None]
    assert core.columns[0].star_of == "t"
    call = core.columns[2].expression
    assert isinstance(call, s.Call)
    assert (call.distinct, call.where is not None) == (True, True)
    assert call.over == s.Window("w", (), (), ("ROWS", "1", "PRECEDING"))
    assert [(join.kind, join.natural) for join in core.joins] == [("CROSS", False), ("LEFT", True), ("CROSS", False)]
    assert core.joins[0].source == s.TableSource("t", "main", "u")
    assert (len(core.group), core.having is not None, core.windows[0][0]) == (1, True, "w")
    assert [operator for operator, _ in select.rest] == ["UNION ALL"]
    assert len(select.rest[0][1].rows) == 2
    assert select.order == (s.Ordered(s.Literal(1), descending=True, nulls="LAST"),)
    assert (select.limit, select.offset) == (s.Literal(6), s.Literal(5))


def test_every_node_is_known_to_the_translator() -> None:
    from liteferry.expressions.scalar import _METHODS

    assert set(_METHODS) == NODES
