"""The proof of what objects say: one schema's catalogue against another's, definition by definition.

Layer 3, pure. `objects` compares by name, number and shape what the source declares; here the texts are compared that
PostgreSQL itself renders, so that a default, a condition or a view that says something else is found.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, TypeVar

from liteferry.model import ObjectKind, TargetColumn, TargetConstraint, TargetIndex, TargetSequence, TargetView
from liteferry.proof.differences import describe_object, differ, exceed, miss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from liteferry.model import Mismatch, TargetCatalog, TargetTable

    Named = TypeVar("Named", TargetColumn, TargetConstraint, TargetIndex, TargetSequence, TargetView)
    Facts = list[tuple[str, str]]

CONSTRAINT_KINDS: Final[dict[str, ObjectKind]] = {
    "p": "primary_key",
    "u": "unique",
    "c": "check",
    "f": "foreign_key",
    "x": "other",
}
"""What the letters of `TargetConstraint.kind` stand for."""

_TOKEN: Final = re.compile(
    r"""'(?P<text>(?:[^']|'')*)'(?P<cast>::reg(?:class|config|dictionary|type|proc|procedure|oper|operator|collation)\b)?|"(?P<quoted>(?:[^"]|"")*)"|(?P<word>[^\W\d][\w$]*)""",
)


def compare_catalogs(expected: TargetCatalog, found: TargetCatalog) -> tuple[Mismatch, ...]:
    """Compare two catalogues in everything but object identifiers and the sequences' next values. Pure.

    The schemas may have different names: where a definition of the expected one names its own schema, the name of the
    other is meant. Owners, grants and comments are in no catalogue here.
    """
    return tuple(_Comparison(expected, found).run())


def name_constraint(constraint: TargetConstraint) -> str:
    """The constraint's name; one without a kind of its own is called what it is. Pure."""
    return f"exclusion constraint {constraint.name}" if constraint.kind == "x" else constraint.name


class _Comparison:
    """One comparison of two catalogues."""

    def __init__(self, expected: TargetCatalog, found: TargetCatalog) -> None:
        self._expected = expected
        self._found = found
        self._schemas = {expected.schema, found.schema}
        self._plain = re.fullmatch("[a-z_][a-z0-9_]*", found.schema) is not None

    def run(self) -> Iterator[Mismatch]:
        tables = {table.name: table for table in self._found.tables}
        for table in self._expected.tables:
            if table.name in tables:
                yield from self._compare_table(table, tables.pop(table.name))
            else:
                yield miss("table", table.name, table.name)
        for name in tables:
            yield exceed("table", name, name)
        yield from self._pair(self._expected.views, self._found.views, None, lambda _: "view", self._list_view_facts)
        views = {view.name: view for view in self._found.views}
        for view in self._expected.views:
            if view.name in views:
                yield from self._compare_traits(view.traits, views[view.name].traits, view.name)
        yield from self._compare_traits(self._expected.others, self._found.others, None)

    def _compare_table(self, expected: TargetTable, found: TargetTable) -> Iterator[Mismatch]:
        name = expected.name
        yield from self._pair(expected.columns, found.columns, name, lambda _: "column", self._list_column_facts)
        order, order_found = ([column.name for column in table.columns] for table in (expected, found))
        if order != order_found and sorted(order) == sorted(order_found):
            yield differ("table", name, name, f"columns ({', '.join(order)})", f"columns ({', '.join(order_found)})")
        yield from self._pair(
            expected.constraints,
            found.constraints,
            name,
            lambda constraint: CONSTRAINT_KINDS[constraint.kind],
            self._list_constraint_facts,
        )
        yield from self._pair(expected.indexes, found.indexes, name, lambda _: "index", self._list_index_facts)
        yield from self._pair(
            expected.sequences, found.sequences, name, lambda _: "sequence", self._list_sequence_facts
        )
        yield from self._compare_traits(expected.traits, found.traits, name)

    def _pair(
        self,
        expected: Sequence[Named],
        found: Sequence[Named],
        table: str | None,
        kind_of: Callable[[Named], ObjectKind],
        list_facts: Callable[[Named], Facts],
    ) -> Iterator[Mismatch]:
        """Pair objects by name, and compare their facts."""
        others = {other.name: other for other in found}
        for one in expected:
            other = others.pop(one.name, None)
            kind, name = kind_of(one), _call(one)
            if other is None:
                yield miss(kind, name, table, list_facts(one)[0][1])
                continue
            pairs = zip_longest(list_facts(one), list_facts(other), fillvalue=("", "nothing"))
            for (field, text), (_, text_found) in pairs:
                if text == text_found:
                    continue
                wanted, there = self._normalise(text), self._normalise(text_found)
                if wanted != there:
                    wanted, there = " ".join(wanted.split()), " ".join(there.split())  # PostgreSQL breaks lines
                    what = f"{describe_object(kind, name, table)}: {field} should be {wanted}, and is {there}"
                    yield differ(kind, name, table, wanted, there, what)
        for other in others.values():
            yield exceed(kind_of(other), _call(other), table, list_facts(other)[0][1])

    def _compare_traits(self, expected: Iterable[str], found: Iterable[str], table: str | None) -> Iterator[Mismatch]:
        wanted = {self._normalise(trait): trait for trait in expected}
        there = {self._normalise(trait): trait for trait in found}
        for key, trait in wanted.items():
            if key not in there:
                yield miss("other", name_trait(trait), table, trait)
        for key, trait in there.items():
            if key not in wanted:
                yield exceed("other", name_trait(trait), table, trait)

    def _list_column_facts(self, column: TargetColumn) -> Facts:
        identities = {"": "none", "a": "always", "d": "by default"}
        value = column.default_sql or "none"
        return [
            ("the type", column.pg_type),
            ("NOT NULL", "NOT NULL" if column.not_null else "nullable"),
            ("the collation", column.collation or "the database's"),
            ("identity", f"identity {identities[column.identity]}"),
            ("the value", f"generated ({column.generated}) as {value}" if column.generated else f"default {value}"),
        ]

    def _list_constraint_facts(self, constraint: TargetConstraint) -> Facts:
        return [
            ("the definition", constraint.definition_sql),
            ("its state", "valid" if constraint.validated else "not valid"),
        ]

    def _list_index_facts(self, index: TargetIndex) -> Facts:
        return [("the definition", index.definition_sql), ("its state", "valid" if index.valid else "invalid")]

    def _list_sequence_facts(self, sequence: TargetSequence) -> Facts:
        return [("the definition", sequence.definition_sql), ("its column", sequence.column)]

    def _list_view_facts(self, view: TargetView) -> Facts:
        columns = ", ".join(f"{column.name} {column.pg_type} {column.default_sql or ''}" for column in view.columns)
        return [("the definition", view.definition_sql), ("its columns", columns)]

    def _normalise(self, definition: str) -> str:
        """Write both schemas' names alike wherever they qualify another name."""

        def rewrite(match: re.Match[str]) -> str:
            if match["cast"]:  # the literal holds a name: 'schema.sequence'::regclass
                return f"'{self._normalise(match['text'])}'{match['cast']}"
            name = match["word"] or (match["quoted"] or "").replace('""', '"')
            qualifies = definition.startswith(".", match.end()) and not definition.startswith(".", match.start() - 1)
            if name in self._schemas and qualifies:
                # of an alias that is called like the found schema the quotes are all that can change
                return self._found.schema if self._plain else '"' + self._found.schema.replace('"', '""') + '"'
            return match[0]

        return _TOKEN.sub(rewrite, definition)


def name_trait(trait: str) -> str:
    """What a trait is, without its definition. Pure."""
    return trait.partition(": ")[0]


def _call(named: TargetColumn | TargetConstraint | TargetIndex | TargetSequence | TargetView) -> str:
    return name_constraint(named) if isinstance(named, TargetConstraint) else named.name
