"""SQLite's date and time functions in PostgreSQL's words.

Layer 1, pure. SQLite's functions work in UTC and give texts; here they give PostgreSQL's own types, which know how
their texts are written (`Term.forms`), so that comparisons and text columns come out the same.

What SQLite does with more than three digits of a second changed between its versions; the translation drops what is
beyond the unit asked for, as the versions before 3.43 do.

Source: https://sqlite.org/lang_datefunc.html; PostgreSQL docs, "Date/Time Functions and Operators".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.expressions.temporal import read_written
from liteferry.expressions.terms import (
    INTEGER,
    INTEGER_KINDS,
    REAL,
    TEXT,
    Term,
    Volatility,
    as_bigint,
    describe,
    make_expression,
    make_literal,
)
from liteferry.names import quote_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from liteferry.model import Kind

NOW_SQL: Final = "statement_timestamp() AT TIME ZONE 'UTC'"
"""SQLite's 'now' is the moment at which the statement began, in UTC."""

_SHIFT: Final = re.compile(r"([+-]?)(\d{1,9}) (second|minute|hour|day)s?\Z", re.IGNORECASE)
_START: Final = re.compile(r"start of (day|month|year)\Z", re.IGNORECASE)
_LOCAL: Final = frozenset({"localtime", "utc"})
_MILLISECONDS: Final = frozenset({"date", "datetime", "datetime-f1", "datetime-f2", "datetime-f3"})
_JULIAN_EPOCH_MS: Final = 210866760000000  # of 1970-01-01 00:00:00


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment that a date function is about. sql: a timestamp without time zone, in UTC, fit to be an operand."""

    sql: str
    parts: tuple[Term, ...]
    volatility: Volatility
    literal: str | None = None  # the text that was written, as long as no modifier changed it
    milliseconds: bool = False  # nothing is written beyond thousandths


def _read_moment(name: str, arguments: Sequence[Term]) -> Moment:
    values = [term.literal.value if term.literal else None for term in arguments]
    modifiers = [value if isinstance(value, str) else None for value in values[1:]]
    if None in modifiers:
        raise Untranslatable(f"{name}() with a modifier that is not a literal")
    words = [str(modifier).strip() for modifier in modifiers]
    moment = _first_moment(name, arguments[0] if arguments else make_literal("now"), words)
    for word in words:
        moment = _modify(name, moment, word)
    return moment


def _first_moment(name: str, term: Term, words: list[str]) -> Moment:
    value = term.literal.value if term.literal else None
    if isinstance(value, str):
        if value.strip().lower() == "now":
            return Moment(f"({NOW_SQL})", (), Volatility.STABLE, milliseconds=True)
        written = read_written(value)
        if written is None:
            raise Untranslatable(f"{name}() of {value!r}, which is not written YYYY-MM-DD or YYYY-MM-DD HH:MM:SS")
        return Moment(f"{quote_literal(value)}::timestamp", (), Volatility.IMMUTABLE, value, len(written.digits) <= 3)
    if term.kind in INTEGER_KINDS and term.storage <= INTEGER and words and words[0].lower() == "unixepoch":
        del words[0]
        seconds = as_bigint(term, f"{name}()")
        sql = f"('1970-01-01'::timestamp + {seconds.operand} * '1 second'::interval)"
        return Moment(sql, (term,), term.volatility, milliseconds=True)
    if not term.storage <= TEXT or term.kind not in ("timestamp", "timestamptz", "date"):
        raise Untranslatable(f"{name}() of {describe(term)}, which is {term.kind or 'NULL'}: what it says is not known")
    if term.kind == "timestamptz":
        sql = f"({term.operand} AT TIME ZONE 'UTC')"
    else:
        sql = term.operand if term.kind == "timestamp" else f"{term.operand}::timestamp"
    return Moment(sql, (term,), term.volatility, milliseconds=term.forms <= _MILLISECONDS)


def _modify(name: str, moment: Moment, word: str) -> Moment:
    if match := _SHIFT.match(word):
        sign, count, unit = match[1] or "+", match[2], match[3].lower()
        sql = f"({moment.sql} {sign} '{int(count)} {unit}s'::interval)"
        return replace(moment, sql=sql, literal=None)
    if match := _START.match(word):
        return replace(moment, sql=f"date_trunc('{match[1].lower()}', {moment.sql})", literal=None, milliseconds=True)
    if word.lower() in _LOCAL:
        raise Untranslatable(
            f"{name}() with {word!r} depends on the time zone of the machine that runs SQLite; the server's may differ"
        )
    raise Untranslatable(f"{name}() with the modifier {word!r}")


def _make(moment: Moment, sql: str, kind: Kind, form: str, *, atom: bool = True) -> Term:
    term = make_expression(sql, kind, moment.parts, storage=TEXT, atom=atom)
    return replace(term, forms=frozenset({form}), volatility=moment.volatility)


def _date(arguments: Sequence[Term]) -> Term:
    moment = _read_moment("date", arguments)
    if moment.literal:
        return make_literal(moment.literal[:10])
    return _make(moment, f"{moment.sql}::date", "date", "date")


def _datetime(arguments: Sequence[Term]) -> Term:
    moment = _read_moment("datetime", arguments)
    if moment.literal:
        return make_literal(moment.literal[:10] + " " + (moment.literal[11:19] or "00:00:00"))
    return _make(moment, f"date_trunc('second', {moment.sql})", "timestamp", "datetime")


def _time(arguments: Sequence[Term]) -> Term:
    moment = _read_moment("time", arguments)
    if moment.literal:
        return make_literal(moment.literal[11:19] or "00:00:00")
    return _make(moment, f"date_trunc('second', {moment.sql})::time", "time", "time-s")


def _unixepoch(arguments: Sequence[Term]) -> Term:
    moment = _read_moment("unixepoch", arguments)
    sql = f"floor(extract(epoch from {moment.sql}))::bigint"
    term = make_expression(sql, "int8", moment.parts, storage=INTEGER, atom=True)
    return replace(term, volatility=moment.volatility)


def _julianday(arguments: Sequence[Term]) -> Term:
    moment = _read_moment("julianday", arguments)
    if not moment.milliseconds:
        raise Untranslatable("julianday() of a time with more than three digits of a second")
    epoch_ms = f"round(extract(epoch from date_trunc('milliseconds', {moment.sql})) * 1000)::bigint"
    sql = f"({epoch_ms} + {_JULIAN_EPOCH_MS})::double precision / 86400000"
    return replace(make_expression(sql, "float8", moment.parts, storage=REAL), volatility=moment.volatility)


def _number_text(field: str, width: int) -> Callable[[str], str]:
    def write(moment: str) -> str:
        return f"lpad(floor(extract({field} from {moment}))::int::text, {width}, '0')"

    return write


_PIECES: Final[dict[str, Callable[[str], str]]] = {
    "Y": _number_text("year", 4),
    "m": _number_text("month", 2),
    "d": _number_text("day", 2),
    "H": _number_text("hour", 2),
    "M": _number_text("minute", 2),
    "S": _number_text("second", 2),
    "j": _number_text("doy", 3),
    "w": _number_text("dow", 1),
    "s": lambda moment: f"floor(extract(epoch from {moment}))::bigint::text",
    "f": lambda moment: f"lpad(trunc(extract(second from {moment})::numeric, 3)::text, 6, '0')",
}
_WHOLE: Final = {"S": "second", "f": "milliseconds"}
_WHOLE_FORMAT: Final = re.compile(r"%Y-%m-%d(?:[ T]%H:%M:%([Sf])Z?)?\Z")


def _strftime(arguments: Sequence[Term]) -> Term:
    template = arguments[0].literal.value if arguments[0].literal else None
    if not isinstance(template, str):
        raise Untranslatable("strftime() with a format that is not a literal")
    moment = _read_moment("strftime", arguments[1:])
    pieces: list[str] = []
    digits = bool(template)
    for directive, text in re.findall(r"%(.?)|([^%]+)", template, re.DOTALL):
        if text or directive == "%":
            pieces.append(quote_literal(text or "%"))
            digits = digits and text.isascii() and text.isdigit()
            continue
        if directive not in _PIECES or (directive == "f" and not moment.milliseconds):
            raise Untranslatable(f"strftime() with %{directive}")
        pieces.append(_PIECES[directive](moment.sql))
        digits = digits and directive != "f"
    if not re.search("%[^%]", template.replace("%%", "")):
        raise Untranslatable(f"strftime({template!r}), which says nothing of the time")
    sql = " || ".join(pieces)
    term = make_expression(sql, "text", moment.parts, storage=TEXT, atom=len(pieces) == 1)
    instant = None
    if match := _WHOLE_FORMAT.match(template):
        instant = f"date_trunc('{_WHOLE.get(match[1], 'day')}', {moment.sql})"
    digits = digits and (template == "%s" or "%s" not in template)
    return replace(term, volatility=moment.volatility, digits=digits, instant=instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRule:
    """How a date function is translated. arguments: the smallest number. The rest is for the docs."""

    arguments: int
    translate: Callable[[Sequence[Term]], Term]
    sqlite: str
    postgresql: str
    note: str = ""


DATE_FUNCTIONS: Final[dict[str, DateRule]] = {
    "date": DateRule(
        arguments=0, translate=_date, sqlite="date(x)", postgresql="x::date", note="x: 'now', a literal or a column"
    ),
    "datetime": DateRule(arguments=0, translate=_datetime, sqlite="datetime(x)", postgresql="date_trunc('second', x)"),
    "time": DateRule(arguments=0, translate=_time, sqlite="time(x)", postgresql="date_trunc('second', x)::time"),
    "unixepoch": DateRule(
        arguments=0, translate=_unixepoch, sqlite="unixepoch(x)", postgresql="floor(extract(epoch from x))::bigint"
    ),
    "julianday": DateRule(
        arguments=0,
        translate=_julianday,
        sqlite="julianday(x)",
        postgresql="from extract(epoch from x)",
        note="of times with at most three digits of a second",
    ),
    "strftime": DateRule(
        arguments=1,
        translate=_strftime,
        sqlite="strftime('%Y-%m', x)",
        postgresql="extract(…) in texts of fixed width",
        note="%Y %m %d %H %M %S %j %w %s %f %%",
    ),
}
"""Every date function that is translated, by its name in lower case."""

MODIFIERS: Final = (
    ("'now'", f"{NOW_SQL}", "the moment at which the statement began"),
    ("'+3 days', '-1 hour', …", "x + '3 days'::interval", "days, hours, minutes and seconds"),
    ("'start of month'", "date_trunc('month', x)", "day, month, year"),
    ("'unixepoch'", "'1970-01-01' + x * '1 second'", "on integers"),
    ("'localtime', 'utc'", "", "the time zone is that of the machine that runs SQLite; the server's may differ"),
    ("'+1 month', '+1 year', 'weekday 1'", "", "PostgreSQL counts beyond a month's end in another way"),
)
"""What may stand in a date function's arguments, for the docs: SQLite's, PostgreSQL's ("" when refused), a note."""


def current(word: str) -> Term:
    """CURRENT_TIMESTAMP, CURRENT_DATE, CURRENT_TIME. Pure."""
    translate = {"CURRENT_TIMESTAMP": _datetime, "CURRENT_DATE": _date, "CURRENT_TIME": _time}[word]
    return translate([])
