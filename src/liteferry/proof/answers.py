"""What the proofs of behaviour share: whom they ask, how answers become comparable, how a difference is named.

Layer 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from liteferry.compare import Unrepresentable, canonical_source, canonical_target
from liteferry.model import Mismatch, ObjectKind
from liteferry.proof.differences import describe_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from liteferry.compare import StorageValue
    from liteferry.model import Kind, TranslatedSql, TranslationUse

CODES_OF_USES: Final[dict[TranslationUse, str]] = {
    "default": "default-untranslatable",
    "generated": "generated-untranslatable",
    "check": "check-untranslatable",
    "predicate": "index-untranslatable",
    "index-key": "index-untranslatable",
    "view": "view-untranslatable",
}
"""The finding that leaves out what was translated: at its exact place, as `name_place` gives it, even this."""

_OBJECTS_OF_USES: Final[dict[TranslationUse, ObjectKind]] = {
    "default": "column",
    "generated": "column",
    "check": "check",
    "predicate": "index",
    "index-key": "index",
    "view": "view",
}
ZERO: Final = canonical_source(0.0, "float8", "double precision")
MINUS_ZERO: Final = canonical_source(-0.0, "float8", "double precision")


class AnswerSource(Protocol):
    """Asks SQLite, on the snapshot. Both raise TooSlow, and MigrationError when SQLite cannot compute it."""

    def read_view(self, view: str, /, *, within_s: float) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give a view's rows in batches of bounded size."""
        ...

    def read_expressions(
        self,
        table: str,
        key: Sequence[str],
        expressions: Sequence[str],
        /,
        *,
        within_s: float,
        most_rows: int = 0,
        from_end: bool = False,
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give for each row its key, then what expressions of the table's schema come to.

        most_rows: that many, in the key's order, from its end where wanted; 0 for all, in any order.
        """
        ...


class AnswerTarget(Protocol):
    """Asks PostgreSQL, always at the same moment."""

    def answer(self, select_sql: str, /, *, within_s: float) -> Iterator[bytes]:
        """Give the bytes of ``COPY (select_sql) TO STDOUT``. Raises: TooSlow; MigrationError."""
        ...

    def expect(self, selects: Sequence[str], /, *, within_s: float) -> None:
        """Say what small things are going to be asked for, so that they can be read together."""
        ...


def name_place(translated: TranslatedSql) -> str:
    """``CODE:PLACE``, as `--accept` takes it. Pure."""
    place = f"{translated.table}.{translated.name}" if translated.table else translated.name
    return f"{CODES_OF_USES[translated.use]}:{place}"


def call_object(translated: TranslatedSql) -> str:
    """``index foo of bar``. Pure."""
    return describe_object(_OBJECTS_OF_USES[translated.use], translated.name, translated.table)


def contradict(translated: TranslatedSql, what: str, source: str, target: str, key: str = "") -> Mismatch:
    """Say that a translation gives another answer, and how to do without it. Pure."""
    return Mismatch(
        kind="object",
        table=translated.table,
        key=key or None,
        object_kind=_OBJECTS_OF_USES[translated.use],
        object_name=translated.name,
        source=source,
        target=target,
        message=f"{call_object(translated)} {what}. To leave it out: --accept '{name_place(translated)}'",
    )


def form_of_source(value: StorageValue, kind: Kind, pg_type: str) -> bytes:
    """The canonical form of an answer of SQLite's; that of what has none equals no other. Pure."""
    try:
        form = canonical_source(value, kind, pg_type)
    except Unrepresentable:
        return b"!"
    return ZERO if form == MINUS_ZERO else form


def form_of_target(text: bytes | None, kind: Kind, pg_type: str) -> bytes:
    """The canonical form of an answer of PostgreSQL's. A zero's sign is no part of it. Pure."""
    form = canonical_target(text, kind, pg_type)
    return ZERO if form == MINUS_ZERO else form
