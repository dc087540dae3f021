"""Expressions within a SELECT: what `scalar` knows, and subqueries, aggregates and windows.

Layer 1, pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions import syntax as s
from liteferry.expressions.aggregates import AGGREGATES, WINDOW_FUNCTIONS, check_groupable
from liteferry.expressions.comparisons import compare, pair_any
from liteferry.expressions.ordering import order_sql
from liteferry.expressions.outputs import finish
from liteferry.expressions.scalar import ScalarTranslator
from liteferry.expressions.terms import TEMPORAL_KINDS, Term, as_condition, describe, make_condition
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.expressions.data import ColumnType
    from liteferry.expressions.outputs import Compiled
    from liteferry.expressions.scopes import SelectScope
    from liteferry.expressions.views import SelectCompiler

ONE_ROW_NOTE: Final = "where a subquery used as a value gives several rows, SQLite takes the first and PostgreSQL fails"
_BOUND = r"(?:UNBOUNDED PRECEDING|UNBOUNDED FOLLOWING|CURRENT ROW|\d{1,9} (?:PRECEDING|FOLLOWING))"
_FRAME: Final = re.compile(
    rf"(?:ROWS|RANGE|GROUPS) (?:{_BOUND}|BETWEEN {_BOUND} AND {_BOUND})"
    r"(?: EXCLUDE (?:NO OTHERS|CURRENT ROW|GROUP|TIES))?"
)


@dataclass(slots=True)
class Grouping:
    """What GROUP BY leaves to be named: its keys, and what depends on a primary key among them.

    plain: translates without aggregates. keys: the keys' SQL.
    """

    plain: SelectTranslator
    keys: dict[str, Term] = field(default_factory=dict)

    def add_key(self, term: Term) -> None:
        """Add a key of GROUP BY."""
        self.keys[term.sql] = term

    def find(self, node: s.Node) -> Term | None:
        """The term of an expression that is a key; None when it is none."""
        try:
            term = self.plain.translate(node)
        except Untranslatable:
            return None
        return term if term.sql in self.keys else None

    def add_dependent(self, term: Term) -> bool:
        """Make a key of a column that is settled by its table's INTEGER PRIMARY KEY, when that is a key."""
        qualifier = term.sql.rpartition('."')[0]
        for key in self.keys.values():
            if key.column and key.column.rowid and key.sql.rpartition('."')[0] == qualifier:
                check_groupable(term, "GROUP BY")
                self.keys[term.sql] = term
                return True
        return False


class SelectTranslator(ScalarTranslator):
    """Translates the expressions of one SELECT.

    aliases: the result columns that WHERE and its like may name. grouping: of an aggregated SELECT; without it,
    aggregates are refused. results: window functions may stand here.
    """

    def __init__(
        self,
        compiler: SelectCompiler,
        scope: SelectScope,
        *,
        aliases: Mapping[str, s.Node | None] | None = None,
        grouping: Grouping | None = None,
        windows: Mapping[str, s.Window] | None = None,
        results: bool = False,
    ) -> None:
        """Translate within a scope."""
        super().__init__(scope)
        self._compiler = compiler
        self._select_scope = scope
        self._aliases = aliases or {}
        self._grouping = grouping
        self._windows = windows or {}
        self._results = results
        self._open_aliases: set[str] = set()

    @property
    def groups(self) -> bool:
        """Whether the SELECT is aggregated."""
        return self._grouping is not None

    def translate(self, node: s.Node) -> Term:
        """Translate an expression; in an aggregated SELECT, a key of GROUP BY stands for itself."""
        if self._grouping and not isinstance(node, s.Literal) and (key := self._grouping.find(node)):
            return key
        return super().translate(node)

    def _name(self, node: s.Name) -> Term:
        here = self._select_scope.resolve_here(node.parts)
        if here is not None:
            if self._grouping and not self._grouping.add_dependent(here):
                raise Untranslatable(
                    f"{'.'.join(node.parts)} is neither grouped nor aggregated: SQLite takes it from any row of a group"
                )
            return here
        alias = fold_case(node.parts[0])
        expression = self._aliases.get(alias) if len(node.parts) == 1 else None
        if expression is not None and alias not in self._open_aliases:
            self._open_aliases.add(alias)
            try:
                return self.translate(expression)
            finally:
                self._open_aliases.discard(alias)
        return super()._name(node)

    # subqueries

    def _compile(self, select: s.Select) -> Compiled:
        return self._compiler.within(self._select_scope).compile(select)

    def _subquery(self, node: s.Subquery) -> Term:
        compiled = self._compile(node.select)
        if len(compiled.columns) != 1:
            raise Untranslatable(f"a subquery of {len(compiled.columns)} columns as a value")
        if not compiled.one_row:
            self._compiler.environment.notes[ONE_ROW_NOTE] = None
        (column,), (term,) = compiled.columns, compiled.terms
        if column.collation != "BINARY":
            raise Untranslatable(f"a subquery of a text with the collation {column.collation}")
        value = _make_value(f"({compiled.sql})", column)
        return replace(value, kind=None if term.is_null else column.kind, volatility=term.volatility)

    def _exists(self, node: s.Exists) -> Term:
        select = node.select
        if isinstance(select.limit, s.Literal) and isinstance(select.limit.value, int) and select.limit.value >= 1:
            select = replace(select, limit=None, order=()) if select.offset is None else select
        return make_condition(f"EXISTS ({self._compile(select).sql})", [], atom=True, not_null=True)

    def _in_select(self, node: s.InSelect) -> Term:
        operand = self.translate(node.operand)
        compiled = self._compile(node.select)
        if len(compiled.columns) != 1:
            raise Untranslatable(f"IN with a subquery of {len(compiled.columns)} columns")
        (column,) = compiled.columns
        mark = "\0"  # stands for the subquery's value, which must need no conversion
        value = _make_value(mark, column)
        verb = "NOT IN" if node.negated else "IN"
        if operand.kind in TEMPORAL_KINDS or value.kind in TEMPORAL_KINDS or operand.kind == value.kind == "bool":
            compared = compare("=", operand, value)
            left = operand.operand
            if compared.sql != f"{left} = {mark}":
                raise Untranslatable("IN with a subquery whose values compare in another way")
        else:
            sides = pair_any(operand, value)
            left = sides.left
            if sides.right != mark:
                raise Untranslatable(
                    f"IN with a subquery of values that {describe(operand)} compares only after a change"
                )
        return make_condition(f"{left} {verb} ({compiled.sql})", [operand], not_null=False)

    # aggregates and windows

    def _call(self, node: s.Call) -> Term:
        is_aggregate = node.name in AGGREGATES and (node.name not in ("min", "max") or len(node.arguments) == 1)
        if node.over is not None:
            return self._window(node, is_aggregate=is_aggregate)
        if not is_aggregate:
            term = super()._call(node)
            if node.name == "json_valid" and not term.not_null:
                raise Untranslatable("json_valid() of NULL, which is 0 or NULL by SQLite's version")
            return term
        if self._grouping is None:
            raise Untranslatable(f"the aggregate {node.name}() in a place where there are no groups")
        return self._aggregate(node, self._grouping.plain, "")

    def _aggregate(self, node: s.Call, inner: SelectTranslator, over_sql: str) -> Term:
        rule = AGGREGATES[node.name]
        smallest, largest = rule.arguments
        if node.order:
            raise Untranslatable(f"{node.name}() with ORDER BY")
        if not smallest <= len(node.arguments) <= largest or (node.star and node.name != "count"):
            raise Untranslatable(f"{node.name}() with {len(node.arguments)} arguments")
        arguments = [inner.translate_value(argument) for argument in node.arguments]
        arguments = [finish(argument) for argument in arguments]
        aggregate = rule.translate(arguments, "DISTINCT " if node.distinct else "")
        if aggregate.note:
            self._compiler.environment.notes[aggregate.note] = None
        where_sql = ""
        if node.where is not None:
            where_sql = f" FILTER (WHERE {as_condition(inner.translate(node.where)).sql})"
        sql = aggregate.wrap.format(f"{aggregate.call}{where_sql}{over_sql}")
        not_null = aggregate.term.not_null
        return replace(aggregate.term, sql=sql, atom=True, column=None, not_null=not_null)

    def _window(self, node: s.Call, *, is_aggregate: bool) -> Term:
        if not self._results:
            raise Untranslatable(f"the window function {node.name}() outside of the columns and ORDER BY")
        over_sql = f" OVER ({self._window_sql(node.over)})"
        if is_aggregate:
            if node.distinct:
                raise Untranslatable(f"{node.name}(DISTINCT) as a window function")
            return self._aggregate(node, self, over_sql)
        rule = WINDOW_FUNCTIONS.get(node.name)
        if rule is None or node.distinct or node.where or node.order:
            raise Untranslatable(f"the window function {node.name}()")
        smallest, largest = rule.arguments
        if not smallest <= len(node.arguments) <= largest:
            raise Untranslatable(f"{node.name}() with {len(node.arguments)} arguments")
        call, term = rule.translate([finish(self.translate_value(argument)) for argument in node.arguments])
        return replace(term, sql=f"{call}{over_sql}", atom=True, column=None)

    def _window_sql(self, window: s.Window | str | None) -> str:
        if isinstance(window, str):
            window = s.Window(base=window)
        pieces: list[str] = []
        partition, order, frame = self._resolve_window(window or s.Window(), set())
        if partition:
            terms = [self.translate_value(node) for node in partition]
            for term in terms:
                check_groupable(term, "PARTITION BY")
            pieces.append(f"PARTITION BY {', '.join(term.sql for term in terms)}")
        if order:
            keys = [
                order_sql(self.translate(ordered.expression), descending=ordered.descending, nulls=ordered.nulls)
                for ordered in order
            ]
            pieces.append(f"ORDER BY {', '.join(keys)}")
        if frame:
            text = " ".join(frame)
            if not _FRAME.fullmatch(text) or (frame[0] == "RANGE" and re.search(r"\d", text)):
                raise Untranslatable(f"the window's frame {text}")
            pieces.append(text)
        return " ".join(pieces)

    def _resolve_window(
        self, window: s.Window, seen: set[str]
    ) -> tuple[tuple[s.Node, ...], tuple[s.Ordered, ...], tuple[str, ...]]:
        """A window with what it takes from the window that it names."""
        if window.base is None:
            return window.partition, window.order, window.frame
        name = fold_case(window.base)
        if name in seen or name not in self._windows:
            raise Untranslatable(f"the window {window.base} is not defined")
        partition, order, frame = self._resolve_window(self._windows[name], seen | {name})
        return window.partition or partition, window.order or order, window.frame or frame


def _make_value(sql: str, column: ColumnType) -> Term:
    """The term of a subquery's one column."""
    return Term(
        sql=sql,
        kind=column.kind,
        storage=column.storage,
        affinity=column.affinity,
        forms=column.forms,
        pg_type=column.pg_type,
    )
