"""Views: a SELECT in PostgreSQL's words, with the types of its columns.

Layer 1, pure. Source: https://sqlite.org/lang_select.html, https://sqlite.org/lang_with.html; SQLite's select.c for the
names of columns and the meaning of *.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions import syntax as s
from liteferry.expressions.aggregates import AGGREGATES, FLOAT_NOTE, ORDER_NOTE, check_groupable
from liteferry.expressions.comparisons import compare
from liteferry.expressions.data import ColumnType, ViewTranslation
from liteferry.expressions.ordering import order_sql
from liteferry.expressions.outputs import (
    Compiled,
    CompiledCore,
    OutputColumn,
    finish,
    integer_literal,
    merge_terms,
    name_of,
    name_outputs,
    output_index,
    render_core,
    unify_cores,
    widen,
)
from liteferry.expressions.parser import parse_select
from liteferry.expressions.scopes import FromItem, SelectScope
from liteferry.expressions.selects import Grouping, SelectTranslator
from liteferry.expressions.terms import (
    Term,
    as_condition,
    unify,
)
from liteferry.names import NameSpace, quote_name, quote_qualified
from liteferry.sqlite_ddl import DdlError, fold_case, parse_create_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from liteferry.expressions.data import Relation

TIES_NOTE: Final = "which of several rows that are equal in ORDER BY fall within LIMIT is chance on both engines"


@dataclass(slots=True)
class Environment:
    """What all SELECTs of one view share."""

    relations: Mapping[str, Relation]
    notes: dict[str, None] = field(default_factory=dict)
    depends_on: dict[str, None] = field(default_factory=dict)
    subqueries: int = 0


def translate(sql: str, relations: Mapping[str, Relation]) -> ViewTranslation:
    """Translate a CREATE VIEW statement. Pure. Raises: Untranslatable."""
    try:
        view = parse_create_view(sql)
        select = parse_select(view.select_sql)
    except DdlError as error:
        raise Untranslatable(f"liteferry cannot read it: {error}") from error
    environment = Environment(relations)
    try:
        compiled = SelectCompiler(environment, {}, None).compile(select, names=view.columns)
    except RecursionError:
        raise Untranslatable("it is nested too deeply") from None
    return ViewTranslation(
        sql=compiled.sql,
        columns=compiled.columns,
        depends_on=tuple(environment.depends_on),
        notes=tuple(environment.notes),
        rough=FLOAT_NOTE in environment.notes,
        chance="; ".join(note for note in environment.notes if note in (TIES_NOTE, ORDER_NOTE)),
    )


class SelectCompiler:
    """Compiles SELECTs. tables: of WITH, by folded name. parent: the names of the SELECT around this one."""

    def __init__(
        self, environment: Environment, tables: Mapping[str, tuple[str, Compiled]], parent: SelectScope | None
    ) -> None:
        """Start within an environment."""
        self._environment = environment
        self._tables = dict(tables)
        self._parent = parent

    @property
    def environment(self) -> Environment:
        """What all SELECTs of the view share."""
        return self._environment

    def within(self, scope: SelectScope) -> SelectCompiler:
        """A compiler for a subquery of a SELECT."""
        return SelectCompiler(self._environment, self._tables, scope)

    def compile(self, select: s.Select, *, names: Sequence[str] = ()) -> Compiled:
        """Compile a SELECT. names: what its columns are called, () for SQLite's own choice. Raises: Untranslatable."""
        with_sql = self._compile_with(select.with_tables)
        cores = [self._compile_core(select.first), *(self._compile_core(core) for _, core in select.rest)]
        outputs = unify_cores(cores) if len(cores) > 1 else cores[0].outputs
        if names:
            if len(names) != len(outputs):
                raise Untranslatable(f"it names {len(names)} columns, but gives {len(outputs)}")
            outputs = [replace(output, name=name) for output, name in zip(outputs, names, strict=True)]
        columns, terms = name_outputs(outputs)
        limit_sql = self._compile_limit(select, cores)
        if len(cores) == 1:
            sql = self._render_simple(select, cores[0], columns, terms)
        else:
            sql = self._render_compound(select, cores, columns)
        one_row = len(cores) == 1 and cores[0].one_row
        return Compiled(f"{with_sql}{sql}{limit_sql}", columns, terms, one_row or integer_literal(select.limit) == 1)

    # WITH

    def _compile_with(self, tables: Sequence[s.CommonTable]) -> str:
        clauses: list[str] = []
        recursive = False
        for table in tables:
            if not table.name:
                raise Untranslatable("a table of its WITH has an empty name")
            if _reads(table.select, table.name):
                clauses.append(self._compile_recursive(table))
                recursive = True
                continue
            compiled = SelectCompiler(self._environment, self._tables, None).compile(table.select, names=table.columns)
            self._tables[fold_case(table.name)] = (table.name, compiled)
            clauses.append(f"{_common_table_head(table, compiled)} AS ({compiled.sql})")
        if not clauses:
            return ""
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(clauses)} "

    def _compile_recursive(self, table: s.CommonTable) -> str:
        """A table that reads itself: one SELECT to begin with, UNION [ALL], one that goes on from each row."""
        select = table.select
        if len(select.rest) != 1 or select.order or select.limit or select.with_tables:
            raise Untranslatable(f"the recursive table {table.name}, which is more than two SELECTs and a UNION")
        operator, following = select.rest[0]
        if not operator.startswith("UNION") or _reads(s.Select(select.first), table.name):
            raise Untranslatable(f"the recursive table {table.name}, which does not begin without itself")
        first = self._compile_core(select.first)
        first.outputs = [replace(output, term=widen(output.term), bare="") for output in first.outputs]
        for _ in range(2):  # the second time with what the first found out about storage classes
            outputs = [
                replace(output, name=name)
                for output, name in zip(first.outputs, table.columns or [o.name for o in first.outputs], strict=False)
            ]
            columns, terms = name_outputs(outputs)
            self._tables[fold_case(table.name)] = (table.name, Compiled("", columns, terms))
            after = self._compile_core(following)
            before = [output.term for output in first.outputs]
            unified = unify_cores([replace(first, outputs=list(first.outputs)), after])
            if [output.term.kind for output in unified] != [term.kind for term in before]:
                raise Untranslatable(f"the recursive table {table.name} changes the type of a column as it goes on")
            first.outputs = [
                replace(output, term=replace(output.term, storage=merged.term.storage))
                for output, merged in zip(first.outputs, unified, strict=True)
            ]
        compiled = Compiled("", columns, terms)
        if operator == "UNION":
            for output in unified:
                check_groupable(output.term, "UNION")
        return (
            f"{_common_table_head(table, compiled)} AS "
            f"({render_core(first, columns)} {operator} {render_core(after, columns)})"
        )

    # SELECT … FROM … WHERE … GROUP BY … HAVING

    def _compile_core(self, core: s.Core) -> CompiledCore:
        scope = SelectScope(parent=self._parent)
        if core.rows:
            return self._compile_values(core, scope)
        from_sql = self._compile_from(core.joins, scope)
        aliases = {fold_case(column.alias): column.expression for column in core.columns if column.alias}
        plain = SelectTranslator(self, scope, aliases=aliases)
        where_sql = f" WHERE {as_condition(plain.translate(core.where)).sql}" if core.where else ""
        grouping = None
        if core.group or core.having or _has_aggregates(core):
            grouping = Grouping(plain)
            for node in core.group:
                grouping.add_key(self._group_term(node, core, plain))
            scope.keys = grouping.keys
        windows = {fold_case(name): window for name, window in core.windows}
        translator = SelectTranslator(self, scope, aliases=aliases, grouping=grouping, windows=windows, results=True)
        outputs = self._compile_columns(core, scope, translator)
        having_sql = ""
        if core.having:
            having = SelectTranslator(self, scope, aliases=aliases, grouping=grouping)
            having_sql = f" HAVING {as_condition(having.translate(core.having)).sql}"
        if core.distinct:
            for output in outputs:
                check_groupable(output.term, "DISTINCT")
        group_sql = ""
        if core.group and grouping:
            group_sql = f" GROUP BY {', '.join(grouping.keys)}" if grouping.keys else " GROUP BY ()"
        tail = f"{from_sql}{where_sql}{group_sql}{having_sql}"
        return CompiledCore(outputs, tail, core.distinct, translator, one_row=grouping is not None and not core.group)

    def _compile_values(self, core: s.Core, scope: SelectScope) -> CompiledCore:
        translator = SelectTranslator(self, scope)
        rows = [[translator.translate(node) for node in row] for row in core.rows]
        width = len(rows[0])
        if any(len(row) != width for row in rows):
            raise Untranslatable("VALUES with rows of different lengths")
        by_column = [unify([finish(row[index]) for row in rows], "VALUES") for index in range(width)]
        outputs = [
            OutputColumn(f"column{index + 1}", replace(merge_terms(terms), literal=None))
            for index, terms in enumerate(by_column)
        ]
        turned = tuple(tuple(column[index] for column in by_column) for index in range(len(rows)))
        return CompiledCore(outputs, "", distinct=False, translator=translator, one_row=len(rows) == 1, rows=turned)

    def _group_term(self, node: s.Node, core: s.Core, plain: SelectTranslator) -> Term:
        position = integer_literal(node)
        if position is not None:
            if not 1 <= position <= len(core.columns) or core.columns[position - 1].expression is None:
                raise Untranslatable(f"GROUP BY {position}")
            node = core.columns[position - 1].expression or node
        term = plain.translate(node)
        check_groupable(term, "GROUP BY")
        return term

    def _compile_columns(self, core: s.Core, scope: SelectScope, translator: SelectTranslator) -> list[OutputColumn]:
        outputs: list[OutputColumn] = []
        for column in core.columns:
            if column.expression is not None:
                term = finish(translator.translate(column.expression))
                is_name = isinstance(column.expression, s.Name)
                bare = self._find_bare(term, core, translator) if is_name else ""
                outputs.append(
                    OutputColumn(column.alias or name_of(column), term, column.alias is not None or is_name, bare)
                )
                continue
            for found, _ in scope.expand_star(column.star_of or ""):
                alias = next(item.alias for item in scope.items if found in item.columns)
                name = s.Name((column.star_of or alias, found.source))
                term = finish(translator.translate(name))
                outputs.append(OutputColumn(found.source, term, bare=self._find_bare(term, core, translator)))
        return outputs

    def _find_bare(self, term: Term, core: s.Core, translator: SelectTranslator) -> str:
        """The SQL of a column that goes on ignoring case in what the SELECT gives; "" for any other.

        Not where rows are compared, whose columns are refused or brought to texts, nor in a subquery used as a value.
        """
        if term.column is None or not term.column.plain_suffix or self._parent is not None:
            return ""
        if core.distinct or translator.groups:
            return ""
        return term.sql.removeprefix("(").removesuffix(f"{term.column.plain_suffix})")

    # FROM

    def _compile_from(self, joins: Sequence[s.Join], scope: SelectScope) -> str:
        return f" FROM {self._compile_joins(joins, scope)}" if joins else ""

    def _compile_joins(self, joins: Sequence[s.Join], scope: SelectScope) -> str:
        sql = ""
        for index, join in enumerate(joins):
            before = list(scope.items)
            source_sql = self._compile_source(join.source, scope)
            if index == 0:
                sql = source_sql
                continue
            added = scope.items[len(before) :]
            condition = self._join_condition(join, before, added, scope)
            if join.kind in ("LEFT", "FULL"):
                for item in added:
                    item.nullable = True
            if join.kind in ("RIGHT", "FULL"):
                for item in before:
                    item.nullable = True
            if condition is None and join.kind in ("CROSS", "INNER"):
                sql = f"{sql} CROSS JOIN {source_sql}"
            else:
                sql = f"{sql} {join.kind.replace('CROSS', 'INNER')} JOIN {source_sql} ON {condition or 'TRUE'}"
        return sql

    def _join_condition(
        self, join: s.Join, before: list[FromItem], added: list[FromItem], scope: SelectScope
    ) -> str | None:
        if join.on is not None:
            return as_condition(SelectTranslator(self, scope).translate(join.on)).sql
        left = SelectScope(before)
        names = list(join.using)
        if join.natural:
            if len(added) != 1:
                raise Untranslatable("NATURAL JOIN with joins in parentheses")
            names = [column.source for column in added[0].columns if left.resolve_here((column.source,)) is not None]
        if not names:
            return None
        if join.kind in ("RIGHT", "FULL") or len(added) != 1:
            raise Untranslatable(f"USING with a {join.kind} JOIN or with joins in parentheses")
        conditions = []
        for name in names:
            one, other = left.resolve_here((name,)), added[0].find(name)
            if one is None or other is None:
                raise Untranslatable(f"USING ({name}), which is not on both sides")
            conditions.append(compare("=", one, other).operand)
            added[0].hidden.add(fold_case(name))
        return " AND ".join(conditions)

    def _compile_source(self, source: s.Source, scope: SelectScope) -> str:
        if isinstance(source, s.JoinSource):
            return f"({self._compile_joins(source.joins, scope)})"
        if isinstance(source, s.SelectSource):
            compiled = SelectCompiler(self._environment, self._tables, None).compile(source.select)
            self._environment.subqueries += 1
            alias = source.alias or f"subquery_{self._environment.subqueries}"
            return self._add_item(scope, f"({compiled.sql})", alias, compiled.columns)
        alias = source.alias or source.name
        if source.schema is None and (found := self._tables.get(fold_case(source.name))):
            return self._add_item(scope, quote_name(found[0]), alias, found[1].columns)
        relation = self._environment.relations.get(fold_case(source.name))
        if relation is None or (source.schema and source.schema.lower() != "main"):
            raise Untranslatable(f"it reads {source.name}, which is not carried over")
        self._environment.depends_on[relation.source] = None
        return self._add_item(scope, quote_qualified(relation.schema, relation.target), alias, relation.columns)

    def _add_item(self, scope: SelectScope, sql: str, alias: str, columns: tuple[ColumnType, ...]) -> str:
        names = NameSpace()
        for item in scope.items:
            names.claim(item.target)
        target = names.claim(alias or "unnamed")
        scope.items.append(FromItem(alias, target, columns))
        return f"{sql} AS {quote_name(target)}"

    # ORDER BY, LIMIT

    def _compile_limit(self, select: s.Select, cores: Sequence[CompiledCore]) -> str:
        if select.limit is None:
            return ""
        limit = integer_literal(select.limit)
        offset = integer_literal(select.offset) if select.offset else 0
        if limit is None or offset is None:
            raise Untranslatable("LIMIT or OFFSET that is not a literal number")
        if len(cores) == 1 and cores[0].one_row and limit >= 1 and offset <= 0:
            return ""
        if not select.order:
            raise Untranslatable("LIMIT without ORDER BY: which rows it keeps is chance")
        self._environment.notes[TIES_NOTE] = None
        sql = f" LIMIT {limit}" if limit >= 0 else ""
        return sql + (f" OFFSET {offset}" if offset > 0 else "")

    def _render_simple(
        self, select: s.Select, core: CompiledCore, columns: Sequence[ColumnType], terms: Sequence[Term]
    ) -> str:
        sql = render_core(core, columns)
        if not select.order:
            return sql
        if core.distinct or core.rows:
            return self._render_wrapped(sql, select, columns, core.outputs)
        keys = []
        for ordered in select.order:
            index = output_index(ordered.expression, core.outputs, select.first)
            term = terms[index] if index is not None else core.translator.translate(ordered.expression)
            keys.append(order_sql(term, descending=ordered.descending, nulls=ordered.nulls))
        return f"{sql} ORDER BY {', '.join(keys)}"

    def _render_compound(self, select: s.Select, cores: Sequence[CompiledCore], columns: Sequence[ColumnType]) -> str:
        sql = render_core(cores[0], columns)
        for index, (operator, _) in enumerate(select.rest):
            # SQLite gives all compound operators the same rank, PostgreSQL does not
            left = f"({sql})" if index > 0 else sql
            sql = f"{left} {operator} {render_core(cores[index + 1], columns)}"
            if operator != "UNION ALL":
                for output in (output for core in cores for output in core.outputs):
                    check_groupable(output.term, operator)
        if not select.order:
            return sql
        return self._render_wrapped(sql, select, columns, cores[0].outputs)

    def _render_wrapped(
        self, sql: str, select: s.Select, columns: Sequence[ColumnType], outputs: Sequence[OutputColumn]
    ) -> str:
        """ORDER BY around a SELECT whose own could name nothing but its columns as they are."""
        item = FromItem("", "ordered", tuple(columns))
        keys = []
        for ordered in select.order:
            index = output_index(ordered.expression, outputs, select.first)
            if index is None:
                raise Untranslatable("ORDER BY of something that is not among the columns")
            keys.append(order_sql(item.term(columns[index]), descending=ordered.descending, nulls=ordered.nulls))
        names = ", ".join(f'"ordered".{quote_name(column.target)}' for column in columns)
        return f'SELECT {names} FROM ({sql}) AS "ordered" ORDER BY {", ".join(keys)}'


def _common_table_head(table: s.CommonTable, compiled: Compiled) -> str:
    names = ", ".join(quote_name(column.target) for column in compiled.columns)
    return f"{quote_name(table.name)}({names})"


def _reads(select: s.Select, name: str) -> bool:
    """Whether a SELECT reads a table of that name in its FROM."""

    def in_source(source: s.Source) -> bool:
        if isinstance(source, s.TableSource):
            return source.schema is None and fold_case(source.name) == fold_case(name)
        if isinstance(source, s.SelectSource):
            return _reads(source.select, name)
        return any(in_source(join.source) for join in source.joins)

    cores = [select.first, *(core for _, core in select.rest)]
    return any(in_source(join.source) for core in cores for join in core.joins)


def _has_aggregates(core: s.Core) -> bool:
    return any(_is_aggregated(column.expression) for column in core.columns if column.expression is not None)


def _is_aggregated(node: object) -> bool:
    """Whether an expression calls an aggregate, subqueries apart."""
    if isinstance(node, s.Call):
        is_extreme = node.name in ("min", "max")
        if node.name in AGGREGATES and node.over is None and (not is_extreme or len(node.arguments) == 1):
            return True
    if isinstance(node, s.Subquery | s.Exists):
        return False
    if isinstance(node, s.InSelect):
        return _is_aggregated(node.operand)
    if isinstance(node, tuple):
        return any(_is_aggregated(part) for part in node)
    if isinstance(node, s.Node | s.Ordered | s.Window):
        return any(_is_aggregated(getattr(node, name)) for name in node.__dataclass_fields__)
    return False
