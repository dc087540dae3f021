"""SQLite's scalar functions in PostgreSQL's words: a table, one entry a function.

Layer 1, pure. Dates and times are in `datetimes`, aggregates in `aggregates`.

Source: https://sqlite.org/lang_corefunc.html, func.c; PostgreSQL docs, "Functions and Operators".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.comparisons import compare
from liteferry.expressions.temporal import has_one_form
from liteferry.expressions.terms import (
    BLOB,
    INTEGER,
    NUMBER,
    REAL,
    TEMPORAL_KINDS,
    TEXT,
    Term,
    Volatility,
    as_bigint,
    as_condition,
    as_float,
    as_number,
    as_text,
    describe,
    describe_storage,
    fold_ascii,
    make_condition,
    make_expression,
    make_literal,
    merge,
    unify,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_RANDOM_BYTES: Final = 1024
_SHA256_BYTES: Final = 32
_MAX_SIZE: Final = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRule:
    """How a function is translated. arguments: the smallest and largest number. sqlite, postgresql, note: the docs."""

    arguments: tuple[int, int]
    translate: Callable[[Sequence[Term]], Term]
    sqlite: str
    postgresql: str
    note: str = ""


def _fold(name: str, *, upper: bool) -> Callable[[Sequence[Term]], Term]:
    def translate(arguments: Sequence[Term]) -> Term:
        text = as_text(arguments[0], f"{name}()")
        return make_expression(fold_ascii(text.operand, upper=upper), "text", [text], storage=TEXT, atom=True)

    return translate


def _length(arguments: Sequence[Term]) -> Term:
    (value,) = arguments
    if value.kind == "bytea" and value.storage <= BLOB:
        return make_expression(f"octet_length({value.sql})", "int4", [value], storage=INTEGER, atom=True, lowest=0)
    text = as_text(value, "length()")
    return make_expression(f"char_length({text.sql})", "int4", [text], storage=INTEGER, atom=True, lowest=0)


def _substr(arguments: Sequence[Term]) -> Term:
    text = as_text(arguments[0], "substr()")
    start = as_bigint(arguments[1], "substr()")
    count = as_bigint(arguments[2], "substr()") if len(arguments) > 2 else None
    parts = [text, start, *([count] if count else [])]
    first = start.literal.value if start.literal else None
    if isinstance(first, int) and first < 0:
        return _substr_from_end(text, -first, count, parts)
    if first is None and (start.lowest is None or start.lowest < 1):
        raise Untranslatable("substr() counts from the end when its second argument is negative, which is not known")
    if count is None:
        return make_expression(f"substr({text.sql}, {_small(start)})", "text", parts, storage=TEXT, atom=True)
    length = _small(count)
    if count.lowest is None or count.lowest < 0:
        if first != 1:
            raise Untranslatable("substr() goes backwards when its third argument is negative, which is not known")
        length = _at_least_zero(length)
    return make_expression(f"substr({text.sql}, {_small(start)}, {length})", "text", parts, storage=TEXT, atom=True)


def _substr_from_end(text: Term, start: int, count: Term | None, parts: Sequence[Term]) -> Term:
    if start >= _MAX_SIZE:
        raise Untranslatable(f"substr() with {-start}, of which SQLite takes 32 bits")
    tail = f"right({text.sql}, {start})"
    if count is None:
        return make_expression(tail, "text", parts, storage=TEXT, atom=True)
    if count.lowest is None or count.lowest < 0:
        raise Untranslatable("substr() goes backwards when its third argument is negative, which is not known")
    missing = f"greatest({start} - char_length({text.sql}), 0)"
    sql = f"left({tail}, {_at_least_zero(f'{_small(count)} - {missing}')})"
    return make_expression(sql, "text", parts, storage=TEXT, atom=True)


def _at_least_zero(sql: str) -> str:
    """The number, or 0 when it is negative; greatest() would make 0 of NULL too."""
    return f"CASE WHEN {sql} < 0 THEN 0 ELSE {sql} END"


def _small(term: Term) -> str:
    """A position or count as PostgreSQL's text functions want it; SQLite takes 32 bits of it, PostgreSQL fails."""
    if term.literal and isinstance(term.literal.value, int):
        if not -_MAX_SIZE < term.literal.value < _MAX_SIZE:
            raise Untranslatable(f"substr() with {term.literal.value}, of which SQLite takes 32 bits")
        return str(term.literal.value)
    return f"{term.operand.removesuffix('::bigint')}::int"


def _instr(arguments: Sequence[Term]) -> Term:
    texts = [as_text(argument, "instr()") for argument in arguments]
    sql = f"strpos({texts[0].sql}, {texts[1].sql})"
    return make_expression(sql, "int4", texts, storage=INTEGER, atom=True, lowest=0)


def _replace(arguments: Sequence[Term]) -> Term:
    texts = [as_text(argument, "replace()") for argument in arguments]
    pattern = texts[1].literal.value if texts[1].literal else None
    if not arguments[0].storage <= TEXT and not pattern:
        raise Untranslatable("replace() in a number, which stays a number where the text to look for is empty")
    if not pattern and not texts[2].not_null:
        raise Untranslatable("replace() by what may be NULL, which SQLite ignores where the text to look for is empty")
    return make_expression(f"replace({', '.join(text.sql for text in texts)})", "text", texts, storage=TEXT, atom=True)


def _trim(name: str, target: str) -> Callable[[Sequence[Term]], Term]:
    def translate(arguments: Sequence[Term]) -> Term:
        texts = [as_text(argument, f"{name}()") for argument in arguments]
        characters = texts[1].sql if len(texts) > 1 else "' '"
        return make_expression(f"{target}({texts[0].sql}, {characters})", "text", texts, storage=TEXT, atom=True)

    return translate


def translate_hex(value: Term, *, upper: bool = True) -> Term:
    """hex(x), or lower(hex(x)). NULL gives an empty text, as in SQLite. Pure. Raises: Untranslatable."""
    if value.kind == "bytea" and value.storage <= BLOB:
        octets, volatility = value.sql, value.volatility
    else:
        text = as_text(value, "hex()")
        octets, volatility = f"convert_to({text.sql}, 'UTF8')", max(text.volatility, Volatility.STABLE)
    sql = f"encode({octets}, 'hex')"
    if upper:
        sql = f"upper({sql})"
    if not value.not_null:
        sql = f"coalesce({sql}, '')"
    term = make_expression(sql, "text", [value], storage=TEXT, atom=True, not_null=True)
    return replace(term, volatility=volatility)


def _hex(arguments: Sequence[Term]) -> Term:
    return translate_hex(arguments[0])


def _abs(arguments: Sequence[Term]) -> Term:
    number = as_number(arguments[0], "abs()")
    if number.storage <= INTEGER:
        number = as_bigint(number, "abs()")
    return replace(
        make_expression(f"abs({number.sql})", number.kind or "int8", [number], storage=number.storage, atom=True),
        lowest=0 if number.storage <= INTEGER else None,
    )


def _round(arguments: Sequence[Term]) -> Term:
    value = as_number(arguments[0], "round()")
    if value.storage <= INTEGER:
        digits = arguments[1].literal.value if len(arguments) > 1 and arguments[1].literal else 0
        if not isinstance(digits, int):
            raise Untranslatable("round() to a number of digits that is not a literal")
        return replace(as_float(value, "round()"), storage=REAL, literal=None)
    if len(arguments) > 1 and not (arguments[1].literal and arguments[1].literal.value == 0):
        raise Untranslatable(
            "round() to a number of digits rounds a binary fraction by its decimal digits, which PostgreSQL does "
            "differently"
        )
    number = as_float(value, "round()")
    x = number.operand
    # the arithmetic of SQLite's roundFunc: halves go away from zero, and from 2^52 on there is nothing to round
    halves = f"trunc({x} + CASE WHEN {x} < 0 THEN -0.5 ELSE 0.5 END) + 0"
    sql = f"CASE WHEN abs({number.sql}) < 4503599627370496 THEN {halves} ELSE {number.sql} END"
    return make_expression(sql, "float8", [number], storage=REAL)


def _coalesce(arguments: Sequence[Term]) -> Term:
    terms = unify(arguments, "coalesce()")
    sql = f"coalesce({', '.join(term.sql for term in terms)})"
    return merge(sql, terms, [], atom=True, not_null=any(term.not_null for term in terms))


def _nullif(arguments: Sequence[Term]) -> Term:
    first, second = arguments
    # a function's arguments are compared as they are: no affinity is applied
    equal = compare("=", replace(first, affinity=None), replace(second, affinity=None))
    return merge(f"CASE WHEN {equal.sql} THEN NULL ELSE {first.sql} END", [first], [equal])


def _iif(arguments: Sequence[Term]) -> Term:
    condition = as_condition(arguments[0])
    results = unify([arguments[1], arguments[2] if len(arguments) > 2 else make_literal(None)], "iif()")
    sql = f"CASE WHEN {condition.sql} THEN {results[0].sql} ELSE {results[1].sql} END"
    return merge(sql, results, [condition], not_null=all(term.not_null for term in results))


def _extreme(name: str, target: str) -> Callable[[Sequence[Term]], Term]:
    def translate(arguments: Sequence[Term]) -> Term:
        terms = unify(arguments, f"{name}()")
        if any(term.is_null for term in terms):
            return make_literal(None)
        check_orderable(terms, f"{name}()")
        items = [f'{term.operand} COLLATE "C"' if term.kind == "text" else term.sql for term in terms]
        sql = f"{target}({', '.join(items)})"
        maybe_null = [term.operand for term in terms if not term.not_null]
        if not maybe_null:
            return merge(sql, terms, [], atom=True, not_null=True)
        # SQLite's gives NULL as soon as one argument is; PostgreSQL's leaves NULLs out
        test = " OR ".join(f"{operand} IS NULL" for operand in maybe_null)
        return merge(f"CASE WHEN {test} THEN NULL ELSE {sql} END", terms, [])

    return translate


def check_orderable(terms: Sequence[Term], why: str) -> None:
    """Refuse what PostgreSQL orders in another way than SQLite, or not at all. Pure. Raises: Untranslatable."""
    for term in terms:
        if term.kind in TEMPORAL_KINDS and not has_one_form(term):
            raise Untranslatable(f"{why} orders {describe(term)} by its texts, which are written in several ways")
        if term.kind in ("json", "jsonb", "uuid", "interval"):
            raise Untranslatable(f"{why} orders {describe(term)} by its texts, which PostgreSQL does not keep")
        check_one_order(term, why)
        if (term.collation or "BINARY") != "BINARY":
            raise Untranslatable(f"{why} of a text with the collation {term.collation}")


def check_one_order(term: Term, why: str) -> None:
    """Refuse values of several storage classes, which SQLite keeps apart. Pure. Raises: Untranslatable."""
    if not (term.storage <= NUMBER or len(term.storage) == 1):
        raise Untranslatable(f"{why} compares {describe_storage(term)} in {describe(term)} by storage class")
    if term.kind == "text" and not term.storage <= TEXT:
        raise Untranslatable(f"{why} compares {describe_storage(term)}, which are text in PostgreSQL")


def _typeof(arguments: Sequence[Term]) -> Term:
    (value,) = arguments
    if value.is_null:
        return make_literal("null")
    if len(value.storage) != 1:
        raise Untranslatable(f"typeof() of {describe(value)}, which may hold {describe_storage(value)}")
    (storage,) = value.storage
    if value.not_null:
        return replace(make_literal(storage), literal=None, values=frozenset({str(storage)}))
    sql = f"CASE WHEN {value.operand} IS NULL THEN 'null' ELSE '{storage}' END"
    term = make_expression(sql, "text", [value], storage=TEXT, not_null=True)
    return replace(term, values=frozenset({"null", str(storage)}))


def _json_valid(arguments: Sequence[Term]) -> Term:
    (value,) = arguments
    if value.kind not in ("json", "jsonb"):
        raise Untranslatable(
            f"json_valid() of {describe(value)}, which is {value.kind or 'NULL'} in PostgreSQL, whose IS JSON exists "
            "only from version 16 on"
        )
    sql = "TRUE" if value.not_null else f"CASE WHEN {value.operand} IS NOT NULL THEN TRUE END"
    return make_condition(sql, [value], atom=value.not_null, always=True)


def _char(arguments: Sequence[Term]) -> Term:
    pieces = []
    for argument in arguments:
        code = argument.literal.value if argument.literal else None
        if not isinstance(code, int) or not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
            raise Untranslatable("char() of anything but literal code points above 0")
        pieces.append(chr(code))
    return make_literal("".join(pieces))


def _same(arguments: Sequence[Term]) -> Term:
    return replace(arguments[0], affinity=None, collation=None, column=None)


def _random(_: Sequence[Term]) -> Term:
    sql = "('x' || substr(md5(gen_random_uuid()::text), 1, 16))::bit(64)::bigint"
    return Term(sql=sql, kind="int8", storage=INTEGER, not_null=True, volatility=Volatility.VOLATILE)


def _randomblob(arguments: Sequence[Term]) -> Term:
    size = arguments[0].literal.value if arguments[0].literal else None
    if not isinstance(size, int) or size > MAX_RANDOM_BYTES:
        raise Untranslatable(f"randomblob() of anything but a literal size of up to {MAX_RANDOM_BYTES:,} bytes")
    size = max(size, 1)
    block = "sha256(convert_to(gen_random_uuid()::text, 'UTF8'))"
    blocks = " || ".join([block] * -(-size // _SHA256_BYTES))
    sql = f"substring({blocks} from 1 for {size})" if size % _SHA256_BYTES else f"({blocks})"
    return Term(sql=sql, kind="bytea", storage=BLOB, not_null=True, volatility=Volatility.VOLATILE)


def _zeroblob(arguments: Sequence[Term]) -> Term:
    size = arguments[0].literal.value if arguments[0].literal else None
    if not isinstance(size, int) or size > MAX_RANDOM_BYTES:
        raise Untranslatable(f"zeroblob() of anything but a literal size of up to {MAX_RANDOM_BYTES:,} bytes")
    return make_literal(bytes(max(size, 0)))


def _json(arguments: Sequence[Term]) -> Term:
    literal = arguments[0].literal.value if arguments[0].literal else None
    if not isinstance(literal, str):
        raise Untranslatable("json() of anything but a literal")
    import json

    try:
        json.loads(literal)
    except ValueError:
        raise Untranslatable(f"json() of {literal!r}, which is not JSON") from None
    sql = f"{make_literal(literal).sql.removesuffix('::text')}::json"
    return Term(sql=sql, kind="json", storage=TEXT, not_null=True, literal=arguments[0].literal)


def _empty_json(text: str) -> Callable[[Sequence[Term]], Term]:
    def translate(_: Sequence[Term]) -> Term:
        return _json([make_literal(text)])

    return translate


_ASCII: Final = "only A to Z are folded, as in SQLite"

FUNCTIONS: Final[dict[str, FunctionRule]] = {
    "abs": FunctionRule(arguments=(1, 1), translate=_abs, sqlite="abs(x)", postgresql="abs(x)", note="numbers only"),
    "char": FunctionRule(
        arguments=(1, 99), translate=_char, sqlite="char(65, 66)", postgresql="'AB'", note="of literals only"
    ),
    "coalesce": FunctionRule(
        arguments=(2, 99),
        translate=_coalesce,
        sqlite="coalesce(x, y, …)",
        postgresql="coalesce(x, y, …)",
        note="where all have one type",
    ),
    "glob": FunctionRule(arguments=(2, 2), translate=_same, sqlite="glob(pattern, x)", postgresql="as x GLOB pattern"),
    "hex": FunctionRule(
        arguments=(1, 1),
        translate=_hex,
        sqlite="hex(x)",
        postgresql="upper(encode(x, 'hex'))",
        note="NULL gives an empty text",
    ),
    "ifnull": FunctionRule(arguments=(2, 2), translate=_coalesce, sqlite="ifnull(x, y)", postgresql="coalesce(x, y)"),
    "if": FunctionRule(
        arguments=(2, 3), translate=_iif, sqlite="if(c, x, y)", postgresql="CASE WHEN c THEN x ELSE y END"
    ),
    "iif": FunctionRule(
        arguments=(2, 3), translate=_iif, sqlite="iif(c, x, y)", postgresql="CASE WHEN c THEN x ELSE y END"
    ),
    "instr": FunctionRule(
        arguments=(2, 2), translate=_instr, sqlite="instr(x, y)", postgresql="strpos(x, y)", note="texts only"
    ),
    "json": FunctionRule(
        arguments=(1, 1), translate=_json, sqlite="json('…')", postgresql="'…'::json", note="of a literal only"
    ),
    "json_array": FunctionRule(
        arguments=(0, 0), translate=_empty_json("[]"), sqlite="json_array()", postgresql="'[]'::json"
    ),
    "json_object": FunctionRule(
        arguments=(0, 0), translate=_empty_json("{}"), sqlite="json_object()", postgresql="'{}'::json"
    ),
    "json_valid": FunctionRule(
        arguments=(1, 1),
        translate=_json_valid,
        sqlite="json_valid(x)",
        postgresql="TRUE",
        note="on json and jsonb, whose type implies it, NULL passes; refused on text (IS JSON came with version 16)",
    ),
    "length": FunctionRule(
        arguments=(1, 1),
        translate=_length,
        sqlite="length(x)",
        postgresql="char_length(x), octet_length(x)",
        note="characters of a text, bytes of a blob",
    ),
    "like": FunctionRule(arguments=(2, 3), translate=_same, sqlite="like(pattern, x)", postgresql="as x LIKE pattern"),
    "likely": FunctionRule(arguments=(1, 1), translate=_same, sqlite="likely(x)", postgresql="x"),
    "lower": FunctionRule(
        arguments=(1, 1),
        translate=_fold("lower", upper=False),
        sqlite="lower(x)",
        postgresql='lower(x COLLATE "C")',
        note=_ASCII,
    ),
    "ltrim": FunctionRule(
        arguments=(1, 2), translate=_trim("ltrim", "ltrim"), sqlite="ltrim(x, y)", postgresql="ltrim(x, y)"
    ),
    "max": FunctionRule(
        arguments=(2, 99),
        translate=_extreme("max", "greatest"),
        sqlite="max(x, y, …)",
        postgresql="CASE WHEN x IS NULL OR … THEN NULL ELSE greatest(x, y, …) END",
        note="NULL when an argument is NULL, which PostgreSQL's is not",
    ),
    "min": FunctionRule(
        arguments=(2, 99),
        translate=_extreme("min", "least"),
        sqlite="min(x, y, …)",
        postgresql="CASE WHEN x IS NULL OR … THEN NULL ELSE least(x, y, …) END",
        note="NULL when an argument is NULL, which PostgreSQL's is not",
    ),
    "nullif": FunctionRule(
        arguments=(2, 2), translate=_nullif, sqlite="nullif(x, y)", postgresql="CASE WHEN x = y THEN NULL ELSE x END"
    ),
    "random": FunctionRule(
        arguments=(0, 0),
        translate=_random,
        sqlite="random()",
        postgresql="64 bits of md5(gen_random_uuid())",
        note="any 64-bit integer",
    ),
    "randomblob": FunctionRule(
        arguments=(1, 1),
        translate=_randomblob,
        sqlite="randomblob(16)",
        postgresql="substring(sha256(gen_random_uuid()) from 1 for 16)",
        note="as many random bytes: the digest of a strong random UUID, so that no bits are fixed as a UUID's are",
    ),
    "replace": FunctionRule(
        arguments=(3, 3), translate=_replace, sqlite="replace(x, y, z)", postgresql="replace(x, y, z)"
    ),
    "round": FunctionRule(
        arguments=(1, 2),
        translate=_round,
        sqlite="round(x)",
        postgresql="trunc(x ± 0.5)",
        note="halves away from zero, as SQLite computes it; refused with a number of digits",
    ),
    "rtrim": FunctionRule(
        arguments=(1, 2), translate=_trim("rtrim", "rtrim"), sqlite="rtrim(x, y)", postgresql="rtrim(x, y)"
    ),
    "substr": FunctionRule(
        arguments=(2, 3),
        translate=_substr,
        sqlite="substr(x, y, z)",
        postgresql="substr(x, y, z), left(right(x, -y), z)",
        note="where it is known that y is positive or a literal, and that z is not negative",
    ),
    "substring": FunctionRule(
        arguments=(2, 3), translate=_substr, sqlite="substring(x, y, z)", postgresql="as substr()"
    ),
    "trim": FunctionRule(
        arguments=(1, 2), translate=_trim("trim", "btrim"), sqlite="trim(x, y)", postgresql="btrim(x, y)"
    ),
    "typeof": FunctionRule(
        arguments=(1, 1),
        translate=_typeof,
        sqlite="typeof(x)",
        postgresql="CASE WHEN x IS NULL THEN 'null' ELSE 'integer' END",
        note="where the column holds one storage class",
    ),
    "unlikely": FunctionRule(arguments=(1, 1), translate=_same, sqlite="unlikely(x)", postgresql="x"),
    "upper": FunctionRule(
        arguments=(1, 1),
        translate=_fold("upper", upper=True),
        sqlite="upper(x)",
        postgresql='upper(x COLLATE "C")',
        note=_ASCII,
    ),
    "zeroblob": FunctionRule(
        arguments=(1, 1), translate=_zeroblob, sqlite="zeroblob(4)", postgresql="decode('00000000', 'hex')"
    ),
}
"""Every scalar function that is translated, by its name in lower case."""

REFUSED: Final[dict[str, str]] = {
    "printf": "it writes numbers in C's way",
    "format": "it writes numbers in C's way",
    "quote": "it writes SQL literals in SQLite's way",
    "unicode": "PostgreSQL's ascii() differs for an empty text",
    "json_extract": "the type of its result depends on the row",
    "json_array_length": "it depends on SQLite's JSON paths",
    "json_type": "it depends on SQLite's JSON paths",
    "soundex": "it needs an extension in PostgreSQL",
    "last_insert_rowid": "PostgreSQL has no such thing",
    "changes": "PostgreSQL has no such thing",
    "total_changes": "PostgreSQL has no such thing",
    "sqlite_version": "it is SQLite's own",
    "regexp": "it belongs to the application",
    "raise": "it belongs to triggers",
}
"""Functions that are refused, and why; any other is refused as unknown."""
