"""SQLite's grammar of expressions and SELECT.

Layer 1, pure. Written for SQLite's own grammar, because a parser for many dialects gets its precedence wrong in
places that change the meaning without a word: ``a < b BETWEEN c AND d``, ``a = b LIKE c``, and the unary plus that
takes away a column's affinity.

Source: SQLite's parse.y: the %left/%right table and the rules for expr, select and window.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from liteferry.expressions import syntax as s
from liteferry.sqlite_ddl import DdlError
from liteferry.sqlite_ddl.reader import RESERVED, Reader

_OR, _AND, _NOT, _EQUAL, _LESS, _BITS, _SUM, _PRODUCT, _CONCAT, _COLLATE, _UNARY = range(1, 12)

_BINARY: Final = {
    "OR": _OR,
    "AND": _AND,
    "=": _EQUAL,
    "==": _EQUAL,
    "<>": _EQUAL,
    "!=": _EQUAL,
    "<": _LESS,
    "<=": _LESS,
    ">": _LESS,
    ">=": _LESS,
    "&": _BITS,
    "|": _BITS,
    "<<": _BITS,
    ">>": _BITS,
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "%": _PRODUCT,
    "||": _CONCAT,
    "->": _CONCAT,
    "->>": _CONCAT,
}
_SPELLING: Final = {"==": "=", "!=": "<>"}
_MATCHES: Final = frozenset({"LIKE", "GLOB", "REGEXP", "MATCH"})
_CURRENT: Final = frozenset({"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"})
_JOIN_WORDS: Final = frozenset({"NATURAL", "LEFT", "RIGHT", "FULL", "OUTER", "INNER", "CROSS"})
_NOT_AN_ALIAS: Final = RESERVED | _JOIN_WORDS | {"INDEXED"}
_WINDOW_WORDS: Final = frozenset({"PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"})
_MAX_INTEGER: Final = 2**63 - 1
_INTEGER: Final = re.compile(r"[0-9]+\Z")


def parse_expression(sql: str) -> s.Node:
    """Read one expression. Pure. Raises: DdlError, also for nesting deeper than Python's stack."""
    reader = _SelectReader(sql)
    try:
        node = reader.read_expression()
    except RecursionError:
        raise DdlError(0, "the expression is nested too deeply") from None
    reader.expect_end()
    return node


def parse_select(sql: str) -> s.Select:
    """Read one SELECT. Pure. Raises: DdlError, also for nesting deeper than Python's stack."""
    reader = _SelectReader(sql)
    try:
        select = reader.read_select()
    except RecursionError:
        raise DdlError(0, "the SELECT is nested too deeply") from None
    reader.expect_end()
    return select


def read_number(text: str) -> int | float:
    """The value that SQLite gives a numeric literal: a decimal that does not fit 64 bits is a float. Pure."""
    text = text.replace("_", "")
    if text[:2] in ("0x", "0X"):
        value = int(text, 16)
        return value - 2**64 if value > _MAX_INTEGER else value
    if _INTEGER.match(text):
        number = int(text)
        return number if number <= _MAX_INTEGER else float(text)
    return float(text)


class _SelectReader(Reader):
    """Precedence climbing over SQLite's table of operators, and SELECT by descent."""

    def read_expression(self, lowest: int = _OR) -> s.Node:
        node = self._read_operand()
        while True:
            after = self._read_operation(node, lowest)
            if after is None:
                return node
            node = after

    def _read_operation(self, left: s.Node, lowest: int) -> s.Node | None:
        """What the next operator makes of ``left``; None when it binds less tightly than ``lowest``."""
        token = self.token
        if token is None or token.kind not in ("operator", "word"):
            return None
        word = token.text.upper()
        precedence = _BINARY.get(word)
        if precedence is not None:
            if precedence < lowest:
                return None
            self.at += 1
            return s.Binary(_SPELLING.get(word, word), left, self.read_expression(precedence + 1))
        if lowest <= _COLLATE and self.accept("COLLATE"):
            return s.Collate(left, self.read_name())
        return self._read_equality(left) if lowest <= _EQUAL else None

    def _read_equality(self, left: s.Node) -> s.Node | None:
        """IS, IN, LIKE, BETWEEN and the tests for NULL, all of which bind like ``=``."""
        if self.accept("ISNULL"):
            return s.Binary("IS", left, s.Literal(None))
        if self.accept("NOTNULL") or self.accept("NOT", "NULL"):
            return s.Binary("IS NOT", left, s.Literal(None))
        if self.accept("IS"):
            negated = self.accept("NOT")
            if self.accept("DISTINCT", "FROM"):
                negated = not negated
            return s.Binary("IS NOT" if negated else "IS", left, self.read_expression(_LESS))
        negated = self.peek("NOT")
        word = self.tokens[self.at + negated].text.upper() if self.at + negated < len(self.tokens) else ""
        if word not in _MATCHES | {"BETWEEN", "IN"} or self.tokens[self.at + negated].kind != "word":
            return None
        self.at += 1 + negated
        if word == "IN":
            return self._read_in(left, negated=negated)
        if word == "BETWEEN":
            low = self.read_expression(_NOT)
            self.expect("AND")
            return s.Between(left, low, self.read_expression(_LESS), negated)
        pattern = self.read_expression(_LESS)
        escape = self.read_expression(_LESS) if self.accept("ESCAPE") else None
        return s.Match(word, left, pattern, escape, negated)

    def _read_in(self, left: s.Node, *, negated: bool) -> s.Node:
        if not self.accept("("):
            source = self._read_table_source(alias=False)
            star = s.ResultColumn(None, star_of="")
            return s.InSelect(left, s.Select(s.Core((star,), joins=(s.Join(source),))), negated)
        if self._peek_select():
            select = self.read_select()
            self.expect(")")
            return s.InSelect(left, select, negated)
        items = () if self.peek(")") else self._read_expressions()
        self.expect(")")
        return s.InList(left, items, negated)

    def _read_expressions(self) -> tuple[s.Node, ...]:
        nodes = [self.read_expression()]
        while self.accept(","):
            nodes.append(self.read_expression())
        return tuple(nodes)

    def _read_operand(self) -> s.Node:
        token = self.token
        if token is None:
            raise self.error("expected an expression")
        match token.kind:
            case "number":
                self.at += 1
                return s.Literal(read_number(token.text))
            case "string":
                self.at += 1
                return s.Literal(token.value)
            case "blob":
                self.at += 1
                return s.Literal(bytes.fromhex(token.text[2:-1]))
            case "operator":
                return self._read_prefix(token.text)
            case "variable":
                raise self.error("a parameter has no value here")
            case _:
                return self._read_word(token.text.upper() if token.kind == "word" else "")

    def _read_prefix(self, operator: str) -> s.Node:
        if operator in ("-", "+", "~"):
            self.at += 1
            if operator == "-" and self.token and self.token.text == str(_MAX_INTEGER + 1):
                self.at += 1
                return s.Literal(-_MAX_INTEGER - 1)
            return s.Unary(operator, self.read_expression(_UNARY))
        self.expect("(")
        if self._peek_select():
            node: s.Node = s.Subquery(self.read_select())
        else:
            nodes = self._read_expressions()
            node = nodes[0] if len(nodes) == 1 else s.Row(nodes)
        self.expect(")")
        return node

    def _read_word(self, word: str) -> s.Node:
        if word == "NOT":
            self.at += 1
            return s.Unary("NOT", self.read_expression(_NOT))
        if word == "NULL":
            self.at += 1
            return s.Literal(None)
        if word == "CASE":
            return self._read_case()
        if word == "EXISTS" and self.peek("(", ahead=1):
            self.at += 2
            select = self.read_select()
            self.expect(")")
            return s.Exists(select)
        if word == "CAST" and self.peek("(", ahead=1):
            self.at += 2
            operand = self.read_expression()
            self.expect("AS")
            target = self.read_type()
            self.expect(")")
            return s.Cast(operand, target)
        if word in _CURRENT and not self.peek("(", ahead=1):
            self.at += 1
            return s.CurrentTime(word)
        if self.peek("(", ahead=1):
            return self._read_call()
        quotes = self.tokens[self.at].text[0] if word == "" else ""
        parts = [self.read_name()]
        while self.accept("."):
            quotes = self.tokens[self.at].text[0] if self.token and self.token.kind == "quoted" else ""
            parts.append(self.read_name())
        return s.Name(tuple(parts), quotes)

    def _read_case(self) -> s.Node:
        self.expect("CASE")
        base = None if self.peek("WHEN") else self.read_expression()
        whens: list[tuple[s.Node, s.Node]] = []
        while self.accept("WHEN"):
            condition = self.read_expression()
            self.expect("THEN")
            whens.append((condition, self.read_expression()))
        if not whens:
            raise self.error("expected WHEN")
        otherwise = self.read_expression() if self.accept("ELSE") else None
        self.expect("END")
        return s.Case(base, tuple(whens), otherwise)

    def _read_call(self) -> s.Node:
        name = self.read_name().lower()
        self.expect("(")
        star = distinct = False
        arguments: tuple[s.Node, ...] = ()
        order: tuple[s.Ordered, ...] = ()
        if self.accept("*"):
            star = True
        elif not self.peek(")"):
            distinct = self.accept("DISTINCT")
            if not distinct:
                self.accept("ALL")
            arguments = self._read_expressions()
            if self.accept("ORDER", "BY"):
                order = self._read_order()
        self.expect(")")
        where = None
        if self.peek("FILTER", "("):
            self.expect("FILTER", "(")
            self.expect("WHERE")
            where = self.read_expression()
            self.expect(")")
        over: s.Window | str | None = None
        if self.accept("OVER"):
            over = self._read_window() if self.peek("(") else self.read_name()
        return s.Call(name, arguments, star, distinct, order, where, over)

    def _read_window(self) -> s.Window:
        self.expect("(")
        base = None
        token = self.token
        if token and not (token.kind == "word" and token.text.upper() in _WINDOW_WORDS) and not self.peek(")"):
            base = self.read_name()
        partition = self._read_expressions() if self.accept("PARTITION", "BY") else ()
        order = self._read_order() if self.accept("ORDER", "BY") else ()
        frame: list[str] = []
        while self.token and not self.peek(")"):
            if self.token.kind not in ("word", "number"):
                raise self.error("expected a plain number of rows in the window's frame")
            frame.append(self.token.text.upper())
            self.at += 1
        self.expect(")")
        return s.Window(base, partition, order, tuple(frame))

    def _read_order(self) -> tuple[s.Ordered, ...]:
        terms = [self._read_ordered()]
        while self.accept(","):
            terms.append(self._read_ordered())
        return tuple(terms)

    def _read_ordered(self) -> s.Ordered:
        expression = self.read_expression()
        descending = self.accept("DESC")
        if not descending:
            self.accept("ASC")
        nulls = ""
        if self.accept("NULLS"):
            nulls = self.accept_one_of(frozenset({"FIRST", "LAST"})) or ""
            if not nulls:
                raise self.error("expected FIRST or LAST")
        return s.Ordered(expression, descending, nulls)

    def _peek_select(self) -> bool:
        return self.peek("SELECT") or self.peek("VALUES") or self.peek("WITH")

    # SELECT

    def read_select(self) -> s.Select:
        tables: list[s.CommonTable] = []
        if self.accept("WITH"):
            self.accept("RECURSIVE")
            tables.append(self._read_common_table())
            while self.accept(","):
                tables.append(self._read_common_table())
        first = self._read_core()
        rest: list[tuple[str, s.Core]] = []
        while operator := self.accept_one_of(frozenset({"UNION", "INTERSECT", "EXCEPT"})):
            if operator == "UNION" and self.accept("ALL"):
                operator = "UNION ALL"
            rest.append((operator, self._read_core()))
        order = self._read_order() if self.accept("ORDER", "BY") else ()
        limit = offset = None
        if self.accept("LIMIT"):
            limit = self.read_expression()
            if self.accept("OFFSET"):
                offset = self.read_expression()
            elif self.accept(","):
                limit, offset = self.read_expression(), limit
        return s.Select(first, tuple(rest), order, limit, offset, tuple(tables))

    def _read_common_table(self) -> s.CommonTable:
        name = self.read_name()
        columns = self.read_names() if self.peek("(") else ()
        self.expect("AS")
        self.accept("NOT")
        self.accept("MATERIALIZED")
        self.expect("(")
        select = self.read_select()
        self.expect(")")
        return s.CommonTable(name, columns, select)

    def _read_core(self) -> s.Core:
        if self.accept("VALUES"):
            rows = [self._read_values_row()]
            while self.accept(","):
                rows.append(self._read_values_row())
            return s.Core(rows=tuple(rows))
        self.expect("SELECT")
        distinct = self.accept("DISTINCT")
        if not distinct:
            self.accept("ALL")
        columns = [self._read_result_column()]
        while self.accept(","):
            columns.append(self._read_result_column())
        joins = self._read_joins() if self.accept("FROM") else ()
        where = self.read_expression() if self.accept("WHERE") else None
        group = self._read_expressions() if self.accept("GROUP", "BY") else ()
        having = self.read_expression() if self.accept("HAVING") else None
        windows: list[tuple[str, s.Window]] = []
        if self.accept("WINDOW"):
            while True:
                name = self.read_name()
                self.expect("AS")
                windows.append((name, self._read_window()))
                if not self.accept(","):
                    break
        return s.Core(tuple(columns), distinct, joins, where, group, having, tuple(windows))

    def _read_values_row(self) -> tuple[s.Node, ...]:
        self.expect("(")
        nodes = self._read_expressions()
        self.expect(")")
        return nodes

    def _read_result_column(self) -> s.ResultColumn:
        if self.accept("*"):
            return s.ResultColumn(None, star_of="")
        if self.peek(".", "*", ahead=1):
            table = self.read_name()
            self.at += 2
            return s.ResultColumn(None, star_of=table)
        first = self.at
        expression = self.read_expression()
        text = self.text_of(self.tokens[first : self.at])
        return s.ResultColumn(expression, self._read_alias(), text=text)

    def _read_alias(self) -> str | None:
        if self.accept("AS"):
            return self.read_name()
        token = self.token
        if token is None or token.kind not in ("word", "quoted", "string"):
            return None
        if token.kind == "word" and token.text.upper() in _NOT_AN_ALIAS:
            return None
        if self.peek("WINDOW") and self.peek("AS", "(", ahead=2):
            return None
        self.at += 1
        return token.value

    def _read_joins(self) -> tuple[s.Join, ...]:
        joins = [s.Join(self._read_source())]
        if self.peek("ON") or self.peek("USING"):
            raise self.error("ON without a join")
        while True:
            kind = self._read_join_operator()
            if kind is None:
                return tuple(joins)
            join_kind, natural = kind
            source = self._read_source()
            on = self.read_expression() if self.accept("ON") else None
            using = self.read_names() if on is None and self.accept("USING") else ()
            joins.append(s.Join(source, join_kind, natural, on, using))

    def _read_join_operator(
        self,
    ) -> tuple[Literal["CROSS", "INNER", "LEFT", "RIGHT", "FULL"], bool] | None:
        if self.accept(","):
            return "CROSS", False
        words: set[str] = set()
        while word := self.accept_one_of(_JOIN_WORDS):
            words.add(word)
        if not self.accept("JOIN"):
            if words:
                raise self.error("expected JOIN")
            return None
        natural = "NATURAL" in words
        sides = words - {"NATURAL", "OUTER"}
        if sides == {"LEFT"}:
            return "LEFT", natural
        if sides == {"RIGHT"}:
            return "RIGHT", natural
        if sides in ({"FULL"}, {"LEFT", "RIGHT"}):
            return "FULL", natural
        if sides <= {"INNER", "CROSS"} and "OUTER" not in words:
            return "INNER", natural
        raise self.error("an unknown kind of join")

    def _read_source(self) -> s.Source:
        if not self.accept("("):
            return self._read_table_source(alias=True)
        if self._peek_select():
            select = self.read_select()
            self.expect(")")
            return s.SelectSource(select, self._read_alias())
        joins = self._read_joins()
        self.expect(")")
        if self._read_alias() is not None:
            raise self.error("a name for joins in parentheses")
        return s.JoinSource(joins)

    def _read_table_source(self, *, alias: bool) -> s.TableSource:
        name = self.read_name()
        schema = None
        if self.accept("."):
            schema, name = name, self.read_name()
        if self.peek("("):
            raise self.error("a table-valued function")
        source = s.TableSource(name, schema, self._read_alias() if alias else None)
        if self.accept("INDEXED", "BY"):
            self.read_name()
        else:
            self.accept("NOT", "INDEXED")
        return source
