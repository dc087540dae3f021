"""A translated expression and what is known of it; how terms change their kind without changing their value.

Layer 1, pure. SQLite decides by the storage class and the affinity of each value, PostgreSQL by the type of each
expression: a `Term` carries both, so that the translator can tell where the two agree.

Source: https://sqlite.org/datatype3.html, https://sqlite.org/lang_expr.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.syntax import Literal
from liteferry.names import quote_literal, quote_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.expressions.data import ColumnType, StorageClass
    from liteferry.model import Affinity, Kind

PG_TYPES: Final[dict[Kind, str]] = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float8": "double precision",
    "numeric": "numeric",
    "bool": "boolean",
    "text": "text",
    "bytea": "bytea",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "date": "date",
    "time": "time without time zone",
    "interval": "interval",
    "json": "json",
    "jsonb": "jsonb",
    "uuid": "uuid",
}
INTEGER_KINDS: Final = frozenset({"int2", "int4", "int8"})
NUMBER_KINDS: Final = INTEGER_KINDS | {"float8", "numeric"}
TEMPORAL_KINDS: Final = frozenset({"timestamp", "timestamptz", "date", "time"})

INTEGER: Final[frozenset[StorageClass]] = frozenset({"integer"})
REAL: Final[frozenset[StorageClass]] = frozenset({"real"})
TEXT: Final[frozenset[StorageClass]] = frozenset({"text"})
BLOB: Final[frozenset[StorageClass]] = frozenset({"blob"})
NUMBER: Final = INTEGER | REAL
NOTHING: Final[frozenset[StorageClass]] = frozenset()

_OWN_STORAGE: Final[dict[Kind, frozenset[StorageClass]]] = {
    "int2": INTEGER,
    "int4": INTEGER,
    "int8": INTEGER,
    "bool": INTEGER,
    "interval": INTEGER,
    "float8": REAL,
    "numeric": NUMBER,
    "bytea": BLOB,
}
CANONICAL_FORMS: Final[dict[Kind, frozenset[str]]] = {
    "date": frozenset({"date"}),
    "timestamp": frozenset({"datetime", "datetime-f6"}),  # Python's: no fraction, or six digits that are not all zero
    "timestamptz": frozenset({"datetime", "datetime-f6"}),
    "time": frozenset({"time-python"}),
}


class Volatility(IntEnum):
    """PostgreSQL's classes of functions."""

    IMMUTABLE = 0
    STABLE = 1
    VOLATILE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """An expression in PostgreSQL's words.

    sql: without outer parentheses unless ``atom``, which says that an operator may stand beside it as it is.
    kind: of the PostgreSQL expression, None for a bare NULL. storage: the storage classes that the value, unless NULL,
    can have in SQLite. affinity: SQLite's, None for an expression that has none. collation: SQLite's; ``explicit``
    when COLLATE is written. condition: a truth value that SQLite computes as 0 or 1. forms: of dates and times.
    always: neither false nor anything else than true or NULL, whatever the columns hold. lowest: a lower bound of an
    integer. values: all the texts that it can be, where they are few. digits: the text of an integer. instant: the
    moment (timestamp in UTC) that a text denotes. column: it is a column, as it stands in the table.
    """

    sql: str
    kind: Kind | None
    storage: frozenset[StorageClass] = NOTHING
    atom: bool = True
    affinity: Affinity | None = None
    collation: str | None = None
    explicit: bool = False
    condition: bool = False
    literal: Literal | None = None
    not_null: bool = False
    forms: frozenset[str] = frozenset()
    pg_type: str = ""
    volatility: Volatility = Volatility.IMMUTABLE
    always: bool = False
    lowest: int | None = None
    values: frozenset[str] | None = None
    digits: bool = False
    instant: str | None = None
    column: ColumnType | None = None

    @property
    def operand(self) -> str:
        """The SQL as an operator's operand."""
        return self.sql if self.atom else f"({self.sql})"

    @property
    def is_null(self) -> bool:
        """Whether this is a bare NULL."""
        return self.kind is None


def most_volatile(terms: Sequence[Term]) -> Volatility:
    """The volatility of an expression made of these. Pure."""
    return max((term.volatility for term in terms), default=Volatility.IMMUTABLE)


def make_literal(value: int | float | str | bytes | None) -> Term:  # noqa: PYI041 - int and float differ here
    """Make the term of a literal. Pure. Raises: Untranslatable for a text with NUL."""
    literal = Literal(value)
    if value is None:
        return Term(sql="NULL", kind=None, literal=literal)
    if isinstance(value, bytes):
        sql = f"decode('{value.hex()}', 'hex')"
        return Term(sql=sql, kind="bytea", storage=BLOB, literal=literal, not_null=True)
    if isinstance(value, str):
        if "\0" in value:
            raise Untranslatable("a text with the NUL character cannot be in PostgreSQL")
        sql = f"{quote_literal(value)}::text"
        return Term(
            sql=sql,
            kind="text",
            storage=TEXT,
            literal=literal,
            not_null=True,
            digits=value.isascii() and value.isdigit(),
        )
    if isinstance(value, int):
        kind: Kind = "int4" if -(2**31) < value < 2**31 else "int8"
        sql = str(value) if value != -(2**63) else "'-9223372036854775808'::bigint"
        return Term(sql=sql, kind=kind, storage=INTEGER, atom=value >= 0, literal=literal, not_null=True, lowest=value)
    return Term(
        sql=f"{_float_sql(value)}::double precision", kind="float8", storage=REAL, literal=literal, not_null=True
    )


def _float_sql(value: float) -> str:
    if value in (float("inf"), float("-inf")):
        return "'Infinity'" if value > 0 else "'-Infinity'"
    return repr(value) if value >= 0 else f"'{value!r}'"


def make_decimal(value: float) -> str:
    """A number literal without a type, which PostgreSQL compares exactly with any number. Pure."""
    return repr(value) if value not in (float("inf"), float("-inf")) else f"{_float_sql(value)}::double precision"


def make_column(column: ColumnType, qualifier: str = "", *, nullable: bool = False) -> Term:
    """Make the term of a column. qualifier: quoted, with its dot. nullable: an outer join may make it NULL. Pure."""
    storage = column.storage or _OWN_STORAGE.get(column.kind, TEXT)
    if column.whole:
        storage = INTEGER
    sql = qualifier + quote_name(column.target)
    return Term(
        sql=f"({sql}{column.plain_suffix})" if column.plain_suffix else sql,
        kind=column.kind,
        storage=storage,
        affinity=column.affinity,
        collation=column.collation.upper(),
        not_null=column.not_null and not nullable,
        forms=column.forms or CANONICAL_FORMS.get(column.kind, frozenset()),
        pg_type=column.pg_type,
        column=column,
    )


def make_expression(
    sql: str,
    kind: Kind,
    parts: Sequence[Term],
    *,
    storage: frozenset[StorageClass],
    atom: bool = False,
    not_null: bool | None = None,
    lowest: int | None = None,
) -> Term:
    """Make the term of an expression: NULL when a part is NULL, no affinity, as volatile as its parts. Pure."""
    return Term(
        sql=sql,
        kind=kind,
        storage=storage,
        atom=atom,
        not_null=all(part.not_null for part in parts) if not_null is None else not_null,
        volatility=most_volatile(parts),
        lowest=lowest,
    )


def make_condition(
    sql: str, parts: Sequence[Term], *, atom: bool = False, not_null: bool | None = None, always: bool = False
) -> Term:
    """Make the term of a truth value. Pure."""
    term = make_expression(sql, "bool", parts, storage=INTEGER, atom=atom, not_null=not_null, lowest=0)
    return replace(term, condition=True, always=always)


def describe(term: Term) -> str:
    """Name a term in a reason. Pure."""
    if term.column:
        return f"column {term.column.source}"
    if term.literal:
        return f"the literal {term.literal.value!r}"
    return "an expression"


def describe_storage(term: Term) -> str:
    """Say what a term is in SQLite, in a reason. Pure."""
    names = {"integer": "integers", "real": "floating-point numbers", "text": "texts", "blob": "blobs"}
    if term.condition:
        return "a truth value"
    return " and ".join(names[storage] for storage in sorted(term.storage)) or "NULL"


# ---------------------------------------------------------------------------------------------------------------------
# Changes of kind


def as_number(term: Term, why: str) -> Term:
    """The term as an operand of arithmetic: numbers as they are, truth values as 0 and 1. Pure.

    Raises: Untranslatable for texts and blobs, of which SQLite would take the leading digits.
    """
    if term.is_null:
        return Term(sql="NULL::bigint", kind="int8", storage=INTEGER, literal=term.literal)
    if term.kind == "bool" and term.storage <= INTEGER:
        return replace(
            term,
            sql=f"{term.operand}::int",
            kind="int4",
            storage=INTEGER,
            condition=False,
            always=False,
            atom=True,
            lowest=0,
            column=None,
        )
    if term.kind not in NUMBER_KINDS or not term.storage <= NUMBER:
        raise Untranslatable(
            f"{why} takes {describe(term)} as a number, but it holds {describe_storage(term)}: SQLite would read the "
            "leading digits, or 0"
        )
    return term


def as_bigint(term: Term, why: str) -> Term:
    """The term as a 64-bit integer. Pure. Raises: Untranslatable where it may hold a fraction."""
    number = as_number(term, why)
    if not number.storage <= INTEGER:
        raise Untranslatable(f"{why} needs integers, but {describe(term)} may hold {describe_storage(term)}")
    if number.kind == "int8":
        return number
    sql = f"{number.operand}::bigint"
    if number.literal and isinstance(number.literal.value, int):
        sql = f"'{number.literal.value}'::bigint"  # quoted, because :: binds tighter than a minus
    return replace(number, sql=sql, kind="int8", atom=True, column=None)


def as_float(term: Term, why: str) -> Term:
    """The term as a double. Pure. Raises: Untranslatable for texts and blobs."""
    number = as_number(term, why)
    if number.kind == "float8":
        return number
    if number.literal and isinstance(number.literal.value, int):
        return replace(make_literal(float(number.literal.value)), storage=number.storage)
    return replace(number, sql=f"{number.operand}::double precision", kind="float8", atom=True, column=None)


def as_condition(term: Term) -> Term:
    """The term as a truth value: true when it is a number other than 0. Pure. Raises: Untranslatable."""
    if term.is_null:
        return make_condition("NULL::boolean", [], atom=True, not_null=False)
    if term.condition:
        return term
    if term.kind == "bool" and term.storage <= INTEGER:
        return replace(make_condition(term.sql, [term], atom=term.atom), column=term.column)
    if isinstance(term.literal, Literal) and isinstance(term.literal.value, int | float):
        return make_condition("TRUE" if term.literal.value else "FALSE", [], atom=True, always=bool(term.literal.value))
    number = as_number(term, "a condition")
    return make_condition(f"{number.operand} <> 0", [number])


def as_text(term: Term, why: str) -> Term:
    """The term as the text that SQLite would make of it. Pure.

    Raises: Untranslatable where the two engines write a value differently (floating-point numbers, timestamps).
    """
    if term.is_null:
        return replace(term, sql="NULL::text", kind="text", storage=TEXT)
    if term.kind == "text" and term.storage <= TEXT:
        _refuse_padded(term)
        if term.pg_type and term.pg_type not in ("text", "") and not term.pg_type.startswith(_PLAIN_TEXT):
            return replace(term, sql=f"{term.operand}::text", pg_type="text", atom=True)
        return term
    if term.storage <= INTEGER and term.kind in INTEGER_KINDS | {"bool", "numeric"}:
        number = as_bigint(term, why)
        sql = f"{number.operand}::text"
        literal = None
        if term.literal and isinstance(term.literal.value, int):
            sql, literal = f"'{term.literal.value}'::text", Literal(str(term.literal.value))
        return replace(
            make_expression(sql, "text", [term], storage=TEXT, atom=True),
            literal=literal,
            digits=True,
        )
    if term.kind == "date" and term.forms == {"date"}:
        # immutable, which to_char is not
        parts = (("year", 4), ("month", 2), ("day", 2))
        pieces = [f"lpad(extract({part} from {term.operand})::int::text, {width}, '0')" for part, width in parts]
        return make_expression(" || '-' || ".join(pieces), "text", [term], storage=TEXT)
    if term.kind in ("timestamp", "timestamptz") and len(term.forms) == 1 and (form := min(term.forms)) in _TO_CHAR:
        moment = term.sql if term.kind == "timestamp" else f"{term.operand} AT TIME ZONE 'UTC'"
        text = make_expression(f"to_char({moment}, '{_TO_CHAR[form]}')", "text", [term], storage=TEXT, atom=True)
        return replace(text, volatility=max(term.volatility, Volatility.STABLE))
    if term.kind == "time" and term.forms == {"time-s"}:
        return make_expression(f"{term.operand}::text", "text", [term], storage=TEXT, atom=True)
    raise Untranslatable(
        f"{why} makes a text of {describe(term)}, which holds {describe_storage(term)} as {term.kind}: "
        "PostgreSQL may write it differently"
    )


_TO_CHAR: Final = {
    "datetime": "YYYY-MM-DD HH24:MI:SS",
    "datetime-f3": "YYYY-MM-DD HH24:MI:SS.MS",
    "datetime-f6": "YYYY-MM-DD HH24:MI:SS.US",
}
_PLAIN_TEXT: Final = ("character varying", "varchar")


def _refuse_padded(term: Term) -> None:
    if term.pg_type.startswith(("character(", "char(", "bpchar", "character ", "char")) and not term.pg_type.startswith(
        _PLAIN_TEXT
    ):
        raise Untranslatable(f"{describe(term)} is of type {term.pg_type}, which ignores spaces at the end")


def fold_ascii(operand: str, *, upper: bool = False) -> str:
    """Fold A to Z and nothing else, as SQLite does. Pure. operand: `Term.operand`.

    In the collation "C", whatever the database's provider of locales. Source: PostgreSQL's str_tolower().
    """
    return f'{"upper" if upper else "lower"}({operand} COLLATE "C")'


def unify(terms: Sequence[Term], why: str) -> tuple[Term, ...]:
    """Bring terms to one kind without changing a value, for CASE, coalesce(), UNION and the like. Pure.

    NULLs take the kind of the others. Raises: Untranslatable when the kinds have nothing in common.
    """
    present = [term for term in terms if not term.is_null]
    kinds = {term.kind for term in present}
    if not kinds:
        return tuple(terms)
    if kinds == {"bool"} and len({term.condition for term in present}) == 1:
        return _with_nulls(terms, "bool")
    if (
        "bool" in kinds
        and all(_is_bool_like(term) for term in present)
        and any(term.kind == "bool" and not term.condition for term in present)
    ):
        return _with_nulls([_literal_as_bool(term) for term in terms], "bool")
    if kinds <= NUMBER_KINDS | {"bool"}:
        return _unify_numbers(terms, why)
    if len(kinds) == 1 and len({term.forms for term in present}) == 1:
        (kind,) = kinds
        if kind == "text":
            terms = [term if term.is_null else as_text(term, why) for term in terms]
        if kind is not None:
            return _with_nulls(terms, kind)
    found = " and ".join(sorted({describe_storage(term) if term.kind != "bool" else "booleans" for term in present}))
    kinds_found = ", ".join(sorted(str(kind) for kind in kinds))
    raise Untranslatable(f"{why} mixes values that PostgreSQL keeps in different types ({found}: {kinds_found})")


def _is_bool_like(term: Term) -> bool:
    return term.kind == "bool" or (
        term.literal is not None and term.literal.value in (0, 1) and term.storage <= INTEGER
    )


def _literal_as_bool(term: Term) -> Term:
    if term.kind == "bool" or term.is_null or term.literal is None:
        return term
    sql = "TRUE" if term.literal.value else "FALSE"
    return Term(sql=sql, kind="bool", storage=INTEGER, not_null=True)


def _with_nulls(terms: Sequence[Term], kind: Kind) -> tuple[Term, ...]:
    return tuple(
        replace(term, sql=f"NULL::{PG_TYPES[kind]}", kind=kind, atom=True) if term.is_null else term for term in terms
    )


def _unify_numbers(terms: Sequence[Term], why: str) -> tuple[Term, ...]:
    numbers = [term if term.is_null else as_number(term, why) for term in terms]
    kinds = {term.kind for term in numbers if not term.is_null}
    if kinds <= INTEGER_KINDS:
        return _with_nulls([term if term.is_null else as_bigint(term, why) for term in numbers], "int8")
    if "float8" in kinds:
        return _with_nulls([term if term.is_null else as_float(term, why) for term in numbers], "float8")
    widened = [
        term if term.is_null or term.kind == "numeric" else replace(
            term, sql=f"{term.operand}::numeric", kind="numeric", atom=True, column=None
        )
        for term in numbers
    ]  # fmt: skip
    return _with_nulls(widened, "numeric")


def merge(
    sql: str, terms: Sequence[Term], parts: Sequence[Term], *, atom: bool = False, not_null: bool = False
) -> Term:
    """Make the term of an expression whose value is one of these unified terms. Pure."""
    present = [term for term in terms if not term.is_null] or list(terms)
    first = present[0]
    storage = frozenset[str]().union(*(term.storage for term in present))
    lowest = [term.lowest for term in present]
    return Term(
        sql=sql,
        kind=first.kind,
        storage=storage,  # type: ignore[arg-type] # a union of storage classes
        atom=atom,
        condition=all(term.condition for term in present),
        not_null=not_null,
        forms=first.forms,
        volatility=most_volatile([*terms, *parts]),
        lowest=min(bound for bound in lowest if bound is not None) if lowest and None not in lowest else None,
        digits=all(term.digits for term in present),
    )
