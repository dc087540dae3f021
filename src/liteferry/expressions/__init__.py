"""SQLite's expressions and views in PostgreSQL's words.

Layer 1, pure. A whitelist: every construct is either known to mean the same (`describe_rules` lists them) or refused
with `liteferry.errors.Untranslatable`; never a silently different meaning. The parser is our own, for SQLite's own
grammar; everything but the data types is imported with the first translation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.expressions.data import (
    TEMPORAL_FORMS,
    ColumnType,
    Relation,
    RuleDoc,
    StorageClass,
    Translation,
    ViewTranslation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "TEMPORAL_FORMS",
    "ColumnType",
    "Relation",
    "RuleDoc",
    "StorageClass",
    "Translation",
    "ViewTranslation",
    "describe_rules",
    "translate_check",
    "translate_default",
    "translate_generated",
    "translate_index_key",
    "translate_predicate",
    "translate_view",
]


def translate_default(sql: str, column: ColumnType) -> Translation:
    """Translate a DEFAULT's expression (without outer parentheses) for a column. Pure.

    ``sql`` may be anything that `liteferry.model.Column.default_sql` holds: ``0``, ``'x'``, ``"x"``, ``TRUE``,
    ``CURRENT_TIMESTAMP``, ``datetime('now')``.

    Raises: Untranslatable when the value does not fit the column's type or has no PostgreSQL form.
    """
    from liteferry.expressions.tables import default

    return default(sql, column)


def translate_check(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate a CHECK's condition (without outer parentheses). Pure. NULL passes on both engines.

    Raises: Untranslatable.
    """
    from liteferry.expressions.tables import check

    return check(sql, columns)


def translate_predicate(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate a partial index's WHERE condition; it is immutable in PostgreSQL. Pure.

    Raises: Untranslatable.
    """
    from liteferry.expressions.tables import predicate

    return predicate(sql, columns)


def translate_generated(sql: str, columns: Sequence[ColumnType], column: ColumnType) -> Translation:
    """Translate a generated column's expression, cast to the column's type; it is immutable in PostgreSQL. Pure.

    Raises: Untranslatable.
    """
    from liteferry.expressions.tables import generated

    return generated(sql, columns, column)


def translate_index_key(sql: str, columns: Sequence[ColumnType]) -> Translation:
    """Translate an expression that is an index's key; it is immutable in PostgreSQL. Pure.

    The text has no parentheses around it; CREATE INDEX wants them.

    Raises: Untranslatable.
    """
    from liteferry.expressions.tables import index_key

    return index_key(sql, columns)


def translate_view(sql: str, relations: Mapping[str, Relation]) -> ViewTranslation:
    """Translate a CREATE VIEW statement. Pure.

    relations: every table and every view that is translated already, by its source name, folded (`fold_case`).

    Raises: Untranslatable, also when the view reads a relation that is not among them.
    """
    from liteferry.expressions.views import translate

    return translate(sql, relations)


def describe_rules() -> tuple[RuleDoc, ...]:
    """List what is translated and what is refused. Pure. The docs' page is generated from this."""
    from liteferry.expressions.rules import describe

    return describe()
