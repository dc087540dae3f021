"""What the row proofs share: reading both sides in canonical form, naming rows, collecting what differs.

Layer 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from liteferry.compare import (
    StorageValue,
    Unrepresentable,
    canonical_source,
    canonicalise_columns,
    canonicalise_rows,
    convert_column,
    parse_copy_text,
)
from liteferry.compare.words import describe_text, describe_value, spell_text, spell_value
from liteferry.model import ColumnMap, Event, Mismatch, MismatchKind, Part, Span, TableMap
from liteferry.names import quote_name, quote_qualified
from liteferry.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

MISMATCHES_LISTED: Final = 100
"""Of one table; all are counted."""

_BATCH_BYTES: Final = 1 << 18
"""Of COPY text. Twice as much is no faster, and what is in memory is some ten times this a table."""

_WHOLE: Final = Span()
_LEAST_SQL: Final = "'-9223372036854775808'::bigint"
_MOST_SQL: Final = "'9223372036854775807'::bigint"
"""The ends of what an integer key may be. Negated, the number without its sign would be a numeric one."""

SourceRow: TypeAlias = "Sequence[StorageValue]"
TargetRow: TypeAlias = "Sequence[bytes | None]"


class ProofSource(Protocol):
    """Reads what SQLite stores, from the snapshot."""

    def read_storage_rows(
        self,
        table: str,
        columns: Sequence[str],
        order_by: Sequence[str],
        /,
        *,
        with_rowid: bool = False,
        part: Part = "",
    ) -> Iterator[list[tuple[StorageValue, ...]]]:
        """Give the rows in batches of bounded size, read from the table itself and from no index.

        order_by: columns, compared as BINARY does; none for any order. with_rowid: each row's rowid is its first item
        (None where there is none). part: of the table's rows; those in quarantine have what their table has beside the
        columns as their last items.
        """
        ...


class ProofTarget(Protocol):
    """Reads the target as text, always at the same moment."""

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        """Give the bytes of ``COPY (select_sql) TO STDOUT``, cut anywhere. `liteferry.compare` names the settings."""
        ...


class _Rows(Protocol):
    """Rows as read, each a sequence of values."""

    def __getitem__(self, position: int, /) -> Any:
        """Give one row: a `SourceRow` or a `TargetRow`, by the side."""
        ...


@dataclass(slots=True)
class Block:
    """Some rows of one side: as read, and in canonical form, a list for each column."""

    rows: _Rows
    forms: list[list[bytes]]
    places: Sequence[int | str | None] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofJob:
    """One table to prove: the columns that both sides have, and where they are."""

    table: TableMap
    columns: tuple[ColumnMap, ...]
    key: tuple[int, ...]  # positions in columns; empty when rows cannot be paired by a key
    schema: str
    source: ProofSource
    target: ProofTarget

    def read_source(self, *, ordered: bool = False, placed: bool = False) -> Generator[Block]:
        """Read the source's rows, in the key's order, with their rowids as places."""
        key = self.key if ordered else ()
        return read_source_blocks(self.source, self.table, self.columns, key, placed=placed)

    def read_target(self, *, ordered: bool = False, placed: bool = False) -> Generator[Block]:
        """Read the target's rows, in the key's order, with their ctids as places."""
        key = self.key if ordered else ()
        return read_target_blocks(self.target, self.schema, self.table.target, self.columns, key, placed=placed)

    def spell_source_key(self, row: SourceRow) -> str:
        """``id=17``: the key of a source row."""
        return ", ".join(f"{self.columns[at].source}={spell_value(row[at])}" for at in self.key)

    def spell_target_key(self, row: TargetRow) -> str:
        """``id=17``: the key of a target row, by the source's column names."""
        return ", ".join(f"{self.columns[at].source}={spell_text(row[at], self.columns[at].kind)}" for at in self.key)


def read_source_blocks(
    source: ProofSource,
    table: TableMap,
    columns: Sequence[ColumnMap],
    order_by: Sequence[int] = (),
    *,
    placed: bool = False,
) -> Generator[Block]:
    """Read the rows of a source table that the map is about. order_by: positions of columns; placed: with rowids."""
    names = [column.source for column in columns if not column.is_beside]
    order = [names[position] for position in order_by]
    beside = [column for column in table.columns if column.is_beside]
    held = [*names, *(column in columns for column in beside)]  # the target may have lost one
    for batch in source.read_storage_rows(table.source, names, order, with_rowid=placed, part=table.part):
        places = [row[0] for row in batch] if placed else []
        rows = [row[1:] for row in batch] if placed else batch
        if False in held:
            rows = [tuple(compress(row, (is_held is not False for is_held in held))) for row in rows]
        yield Block(rows, canonicalise_rows(rows, columns, "source"), places)  # type: ignore[arg-type]  # rowids


def read_target_blocks(
    target: ProofTarget,
    schema: str,
    table: str,
    columns: Sequence[ColumnMap],
    order_by: Sequence[int] = (),
    *,
    placed: bool = False,
) -> Generator[Block]:
    """Read a target table's rows. order_by: positions of columns, texts byte by byte; placed: with their ctids."""
    select_sql = select_target(schema, table, columns, order_by, placed=placed)
    for lines in read_lines(target.copy_out(select_sql)):
        values = parse_copy_text(lines, len(columns) + placed)
        places = [(ctid or b"").decode() for ctid in values.pop(0)] if placed else []
        yield Block(_ColumnRows(values), canonicalise_columns(values, columns, "target"), places)


def select_target(
    schema: str,
    table: str,
    columns: Sequence[ColumnMap],
    order_by: Sequence[int] = (),
    *,
    placed: bool = False,
    span: Span = _WHOLE,
) -> str:
    """The SELECT by which a target table's rows are read, as `read_target_blocks` does. Pure.

    span: of the first column of order_by, an integer. Both ends are said: of a range the server thinks that it holds
    few rows, and takes them by the key's index, even while nothing is known of the table yet.
    """
    selected = [*(["ctid"] if placed else []), *(quote_name(column.target) for column in columns)]
    select_sql = f"SELECT {', '.join(selected)} FROM {quote_qualified(schema, table)}"
    if span != _WHOLE:
        key = quote_name(columns[order_by[0]].target)
        low = _LEAST_SQL if span.low is None else span.low
        high = _MOST_SQL if span.high is None else span.high
        select_sql += f" WHERE {key} >= {low} AND {key} <= {high}"
    if order_by:
        select_sql += f" ORDER BY {', '.join(order_sql(columns[position]) for position in order_by)}"
    return select_sql


PIECE_BYTES: Final = 1 << 20
"""Of a large value, read at once."""


def select_in_pieces(
    schema: str, table: str, columns: Sequence[ColumnMap], order_by: Sequence[int], pieced: Sequence[int], span: Span
) -> str:
    """The same rows, with large values in pieces, so that nobody has to hold them in a message of libpq's. Pure.

    pieced: positions of the columns that may hold such values: texts, bytes and JSON, none of them in order_by. A row
    begins with its piece's number: 0 for the row itself, where a large value is NULL; then, in rows of their own, the
    pieces, for each of these columns one behind the row's values, as bytes.
    """
    values = {position: f"_pieces._{number}" for number, position in enumerate(pieced)}
    taken = [f"{_spell_bytes(columns[position])} AS _{number}" for number, position in enumerate(pieced)]
    counts = [
        f"CASE WHEN octet_length({value}) > {PIECE_BYTES} THEN (octet_length({value}) - 1) / {PIECE_BYTES} + 1 END"
        for value in values.values()
    ]
    fields = [
        f"CASE WHEN _number._piece = 0"
        f"{f' AND octet_length({values[at]}) <= {PIECE_BYTES}' if at in values else ''}"
        f" THEN {_ALIAS}{quote_name(column.target)} END"
        for at, column in enumerate(columns)
    ]
    pieces = [
        f"CASE WHEN _number._piece > 0 AND octet_length({value}) > {PIECE_BYTES}"
        f" AND octet_length({value}) > (_number._piece - 1) * {PIECE_BYTES}"
        f" THEN substring({value} FROM (_number._piece - 1) * {PIECE_BYTES} + 1 FOR {PIECE_BYTES}) END"
        for value in values.values()
    ]
    # The rows are put in order before they are multiplied: sorting pieces would mean to write them to disk. The order
    # of the pieces is looked at when they are read. Each OFFSET keeps a subquery apart, so that a value is taken out of
    # its storage once, and its pieces are counted once.
    rows_sql = select_target(schema, table, columns, order_by, span=span)
    return (
        f"SELECT _number._piece, {', '.join([*fields, *pieces])} FROM ({rows_sql} OFFSET 0) AS _row"
        f" CROSS JOIN LATERAL (SELECT *, coalesce(greatest({', '.join(counts)}), 0) AS _count"
        f" FROM (SELECT {', '.join(taken)} OFFSET 0) AS _pieces OFFSET 0) AS _pieces"
        f" CROSS JOIN LATERAL generate_series(0, _pieces._count) AS _number (_piece)"
    )


_ALIAS: Final = "_row."


def _spell_bytes(column: ColumnMap) -> str:
    name = _ALIAS + quote_name(column.target)
    return f"{name} || ''::bytea" if column.kind == "bytea" else f"convert_to({name}::text, 'UTF8')"


def order_sql(column: ColumnMap) -> str:
    """Order texts byte by byte, those of enums and of citext, too, which have an order of their own. Pure."""
    if column.kind != "text":
        return quote_name(column.target)
    cast = "" if column.pg_type.startswith(("text", "varchar", "character varying")) else "::text"
    return f'{quote_name(column.target)}{cast} COLLATE "C"'


class _ColumnRows:
    """Rows of values that are kept a column at a time: made only where one is looked at."""

    def __init__(self, columns: Sequence[Sequence[bytes | None]]) -> None:
        self._columns = columns

    def __getitem__(self, position: int) -> TargetRow:
        return [column[position] for column in self._columns]


def read_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut COPY text into whole lines, about `_BATCH_BYTES` at a time, without the end of the last."""
    pending: list[bytes] = []
    size = 0
    for block in blocks:
        pending.append(block)
        size += len(block)
        # a block without the end of a row cannot complete one: joining would make a huge row quadratic
        if size < _BATCH_BYTES or b"\n" not in block:
            continue
        lines, _, rest = b"".join(pending).rpartition(b"\n")
        yield lines
        pending, size = [rest], len(rest)
    if size:
        yield b"".join(pending).removesuffix(b"\n")


class Differences:
    """Collects what differs in one table: the first few as mismatches, all as a number."""

    def __init__(self, job: ProofJob, *, show_values: bool, limit: int = MISMATCHES_LISTED) -> None:
        """Start with none."""
        self.job = job
        self.show_values = show_values
        self.limit = limit
        self.count = 0
        self.listed: list[Mismatch] = []

    @property
    def is_full(self) -> bool:
        """Whether further differences are only counted."""
        return len(self.listed) >= self.limit

    def describe_source(self, column: ColumnMap, value: StorageValue) -> tuple[str, str]:
        """Words about a source value, and the reason why the column's type has no form for it ("" when it has)."""
        reason = ""
        after = convert_column([value], column)[0] if column.conversions else value
        try:
            canonical_source(after, column.kind, column.pg_type)
        except Unrepresentable as error:
            reason = str(error)
        return describe_value(value, show_values=self.show_values), reason

    def describe_target(self, column: ColumnMap, text: bytes | None) -> str:
        """Words about a target value."""
        return describe_text(text, column.kind, column.pg_type, show_values=self.show_values)

    def add_value(self, column: ColumnMap, key: str, source: tuple[str, str], target: str, *, times: int = 1) -> None:
        """Add a value that differs: where, and `describe_source`'s and `describe_target`'s words."""
        self.count += times
        if self.is_full:
            return
        words, reason = source
        message = f"the source's value has no form in {column.pg_type}: {reason}" if reason else "the values differ"
        if times > 1:
            message += f", in {times} equal rows"
        self.listed.append(
            Mismatch(
                kind="value",
                table=self.job.table.source,
                column=column.source,
                key=key or None,
                source=words,
                target=target,
                message=message,
            )
        )

    def add_conversion(self, column: ColumnMap, changed: int) -> None:
        """Add that a column's conversions change another number of values than the plan says."""
        self.count += 1
        self.listed.append(
            Mismatch(
                kind="value",
                table=self.job.table.source,
                column=column.source,
                source=f"{_count_values(changed)} changed by {', '.join(column.conversions)}",
                target=f"{_count_values(column.converted)} expected",
                message="the conversions change another number of values than the census counted",
            )
        )

    def add_row(self, kind: MismatchKind, key: str, in_source: int, in_target: int) -> None:
        """Add a row that one side has more often than the other."""
        self.count += abs(in_source - in_target)
        if self.is_full:
            return
        if in_target == 0:
            message = "the row is not in the target"
        elif in_source == 0:
            message = "the row is not in the source"
        else:
            message = f"the row is present {_times(in_target)} in the target, {_times(in_source)} in the source"
        self.listed.append(
            Mismatch(
                kind=kind,
                table=self.job.table.source,
                key=key or None,
                source=f"present {_times(in_source)}" if in_source else "absent",
                target=f"present {_times(in_target)}" if in_target else "absent",
                message=message,
            )
        )


def _count_values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class Progress:
    """Tells a watcher how many rows of a table are compared, at most ten times a second."""

    def __init__(self, table: TableMap, observe: Callable[[Event], None]) -> None:
        """Say that it begins."""
        self._table = table
        self._observe = observe
        self._pace = Pace()
        self._tell("step-start", 0)

    def advance(self, rows: int) -> None:
        """Say how many rows are done, when it is time to."""
        if self._pace.is_due():
            self._tell("step-progress", rows)

    def finish(self, rows: int) -> float:
        """Say that it is done. Returns the seconds it took."""
        self._tell("step-end", rows)
        return self._pace.elapsed_s

    def _tell(self, kind: str, rows: int) -> None:
        self._observe(
            Event(
                kind=kind,  # type: ignore[arg-type]  # one of three literals
                phase="proof",
                step_id=f"verify/{self._table.target}",
                table=self._table.source,
                rows=rows,
                total_rows=self._table.rows,
                elapsed_s=self._pace.elapsed_s,
            )
        )
