"""Comparisons of dates and times, which SQLite makes between their texts.

Layer 1, pure. A timestamp column of PostgreSQL compares moments; SQLite compares what is written, where
``1997-01-01`` comes before ``1997-01-01 00:00:00``, and that before ``1997-01-01 00:00:00.000``. Two texts of
different moments always compare as the moments do, as long as both begin YYYY-MM-DD; so what matters is the tie: the
same day where one side has no time or another separator, the same moment where one side has more digits. `compare`
works out for each form that the column's texts have what SQLite says at the tie, and asks PostgreSQL for just that, or
refuses where the forms disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal

from liteferry.errors import Untranslatable
from liteferry.expressions.terms import CANONICAL_FORMS, Term, describe, make_condition

if TYPE_CHECKING:
    from liteferry.model import Kind

Tie = Literal["below", "equal", "above"]
"""Where the column's text stands to the literal's when both mean the same day, or the same moment."""

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)\Z", re.ASCII)
_DATETIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\Z", re.ASCII)
_TIME: Final = re.compile(r"(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\Z", re.ASCII)
_SPACED: Final = frozenset({"datetime", *(f"datetime-f{digits}" for digits in range(1, 10))})
_PYTHON: Final = frozenset({"datetime", "datetime-f6"})
_ANY: Final = _SPACED - {"datetime-f7", "datetime-f8", "datetime-f9"}
_NO_ZEROS: Final = (frozenset({"datetime"}), _PYTHON)  # a fraction that is zero is never written
MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_SAME_ORDER: Final = frozenset({"date", "time-python", "time-s", "datetime", *_SPACED})


@dataclass(frozen=True, slots=True)
class Written:
    """A date or time that a literal writes. separator: "" for a date alone. digits: of the fraction, as written."""

    text: str
    day: str
    separator: str
    digits: str


def read_written(text: str) -> Written | None:
    """Read a date or a date and time in SQLite's spelling; None when it is neither, or no day of the calendar. Pure."""
    match = _DATETIME.match(text) or _DATE.match(text)
    if match is None:
        return None
    separator, digits = (match[2], match[4] or "") if match.re is _DATETIME else ("", "")
    try:
        datetime.fromisoformat(match[1] if not separator else f"{match[1]} {match[3]}")
    except ValueError:
        return None
    return Written(text, match[1], separator, digits)


def temporal_literal(text: str, kind: Kind) -> str | None:
    """The PostgreSQL literal of a date or time as SQLite writes it; None when it is not one of that kind. Pure."""
    if kind == "time":
        match = _TIME.match(text)
        if match is None:
            return None
        try:
            time.fromisoformat(match[1])
        except ValueError:
            return None
        return f"'{text}'::time without time zone"
    written = read_written(text)
    if written is None or (kind == "date" and written.separator):
        return None
    if kind == "date":
        return f"'{text}'::date"
    moment = text.replace("T", " ") if written.separator else f"{text} 00:00:00"
    return f"'{moment}+00'::timestamp with time zone" if kind == "timestamptz" else f"'{moment}'::timestamp"


def compare_with_text(operator: str, column: Term, text: str) -> Term:
    """Compare a date or time with a text literal as SQLite does. Pure.

    operator: one of ``< <= > >= = <>``. Raises: Untranslatable.
    """
    if column.kind == "time":
        return _compare_time(operator, column, text)
    written = read_written(text)
    if written is None:
        raise Untranslatable(f"{text!r} is not written as a date or time, so that its place among dates is not known")
    forms = _forms_of(column)
    wanted = {_compare_form(operator, column, form, written, forms) for form in forms}
    if len(wanted) != 1:
        raise Untranslatable(
            f"the texts of {describe(column)} are written in several ways ({', '.join(sorted(forms))}), which SQLite "
            f"orders differently against {text!r}"
        )
    return make_condition(wanted.pop(), [column])


def _forms_of(column: Term) -> frozenset[str]:
    forms = column.forms
    if "datetime-any" in forms:
        forms = (forms - {"datetime-any"}) | _ANY
    if not forms or not forms <= _SPACED | {"date", "datetime-t"}:
        raise Untranslatable(f"how the texts of {describe(column)} are written is not known well enough to order them")
    return forms


def _compare_form(operator: str, column: Term, form: str, written: Written, forms: frozenset[str]) -> str:
    if form == "date" or not written.separator or (form == "datetime-t") != (written.separator == "T"):
        return _compare_day(operator, column, form, written)
    if form == "datetime-t":
        raise Untranslatable(
            f"whether {describe(column)} writes fractions is not known, and {written.text!r} may tie with one"
        )
    return _compare_moment(operator, column, _tie_of_moments(form, written.digits, forms), written)


def _compare_day(operator: str, column: Term, form: str, written: Written) -> str:
    """The sides differ in whether, or after which separator, they write a time."""
    tie: Tie
    if form == "date":
        tie = "below" if written.separator else "equal"
    elif not written.separator:
        tie = "above"
    else:
        tie = "above" if form == "datetime-t" else "below"  # a space comes before T
    if tie == "equal" and (operator in ("=", "<>") or column.kind == "date"):
        return f"{column.operand} {operator} {_moment(column, written.day, 0)}"
    if tie == "equal":
        # within a day there is only midnight: the bounds of the day are exact for dates and for timestamps
        after = 1 if operator in ("<=", ">") else 0
        return f"{column.operand} {'<' if operator in ('<', '<=') else '>='} {_moment(column, written.day, after)}"
    if operator in ("=", "<>"):
        return _constant(column, value=operator == "<>")
    after = 1 if tie == "below" else 0
    return f"{column.operand} {'<' if operator in ('<', '<=') else '>='} {_moment(column, written.day, after)}"


def _moment(column: Term, day: str, days_after: int) -> str:
    try:
        moved = (datetime.fromisoformat(day) + timedelta(days=days_after)).date().isoformat()
    except OverflowError:
        raise Untranslatable(f"the day after {day} is beyond the calendar") from None
    assert column.kind is not None  # noqa: S101 - a date has a kind; for the type checker
    return temporal_literal(moved, column.kind) or ""


def _tie_of_moments(form: str, digits: str, forms: frozenset[str]) -> Tie | None:
    """What the texts say where both mean the same moment; None when they never do."""
    own = 0 if form == "datetime" else int(form.removeprefix("datetime-f"))
    significant = len(digits.rstrip("0"))
    if own < significant:
        return None
    if forms == _PYTHON and form == "datetime-f6" and significant == 0:
        return None  # Python writes a fraction only when it is not zero
    if own == len(digits):
        return "equal"
    return "above" if own > len(digits) else "below"


def _compare_moment(operator: str, column: Term, tie: Tie | None, written: Written) -> str:
    if column.kind == "date":
        raise Untranslatable(f"{describe(column)} is a date in PostgreSQL, but its texts have times")
    assert column.kind is not None  # noqa: S101 - a timestamp has a kind; for the type checker
    literal = temporal_literal(written.text, column.kind)
    return _compare_tie(operator, column, tie, literal or "")


def _compare_tie(operator: str, column: Term, tie: Tie | None, literal: str) -> str:
    if tie in ("equal", None):
        return f"{column.operand} {operator} {literal}"
    if operator in ("=", "<>"):
        return _constant(column, value=operator == "<>")
    if operator in ("<", "<="):
        return f"{column.operand} {'<=' if tie == 'below' else '<'} {literal}"
    return f"{column.operand} {'>=' if tie == 'above' else '>'} {literal}"


def _compare_time(operator: str, column: Term, text: str) -> Term:
    literal = temporal_literal(text, "time")
    if literal is None or column.forms not in (CANONICAL_FORMS["time"], {"time-s"}):
        raise Untranslatable(f"how the texts of {describe(column)} and {text!r} compare is not known")
    digits = text.partition(".")[2]
    if digits and (column.forms == {"time-s"} or len(digits) != 6 or not digits.strip("0")):
        raise Untranslatable(f"{text!r} is not written as {describe(column)} writes times")
    return make_condition(f"{column.operand} {operator} {literal}", [column])


def _constant(column: Term, *, value: bool) -> str:
    """A truth value that is NULL where the column is."""
    if column.not_null:
        return "TRUE" if value else "FALSE"
    return f"{column.operand} = {column.operand}" if value else f"{column.operand} <> {column.operand}"


def compare_temporal(operator: str, left: Term, right: Term) -> Term:
    """Compare two dates or times whose texts' order is known. Pure. Raises: Untranslatable."""
    if left.kind == right.kind == "time" and left.forms == right.forms and has_one_form(left):
        return make_condition(f"{left.operand} {operator} {right.operand}", [left, right])
    if "time" in (left.kind, right.kind) or not {left.kind, right.kind} <= {"date", "timestamp", "timestamptz"}:
        raise Untranslatable(f"it compares {describe(left)} with {describe(right)}, of which one is no date")
    if left.forms == right.forms == {"date"} or (left.forms in _NO_ZEROS and right.forms in _NO_ZEROS):
        return _compare_alike(operator, left, right)
    if left.forms == right.forms and has_one_form(left):
        return _compare_alike(operator, left, right)
    if right.forms == {"date"} and _has_times(left):
        return _compare_with_day(operator, left, right)
    if left.forms == {"date"} and _has_times(right):
        return _compare_with_day(MIRRORED[operator], right, left)
    raise Untranslatable(
        f"{describe(left)} and {describe(right)} are dates or times that are written in different ways, or in ways "
        "that are not known well enough"
    )


def _has_times(term: Term) -> bool:
    return bool(term.forms) and term.forms <= _SPACED | {"datetime-any", "datetime-t"}


def _as_moment(term: Term, *, zoned: bool) -> str:
    moment = f"{term.operand}::timestamp" if term.kind == "date" else term.operand
    return f"({moment} AT TIME ZONE 'UTC')" if zoned and term.kind != "timestamptz" else moment


def _compare_alike(operator: str, left: Term, right: Term) -> Term:
    if left.kind == right.kind:
        return make_condition(f"{left.operand} {operator} {right.operand}", [left, right])
    zoned = "timestamptz" in (left.kind, right.kind)
    sides = [_as_moment(side, zoned=zoned) for side in (left, right)]
    return make_condition(f"{sides[0]} {operator} {sides[1]}", [left, right])


def _compare_with_day(operator: str, moment: Term, day: Term) -> Term:
    """A date and time against a date: on the same day the longer text is the greater, at midnight too."""
    if operator in ("=", "<>"):
        sides = [f"{side.operand} = {side.operand}" for side in (moment, day) if not side.not_null]
        sql = " AND ".join(sides) or "TRUE"
        return make_condition(sql if operator == "<>" else f"NOT ({sql})", [moment, day])
    bound = _as_moment(day, zoned=moment.kind == "timestamptz")
    return make_condition(f"{moment.operand} {'<' if operator in ('<', '<=') else '>='} {bound}", [moment, day])


def has_one_form(term: Term) -> bool:
    """Whether equal moments are always equal texts, and texts are in the order of the moments. Pure."""
    return term.forms == _PYTHON or (len(term.forms) == 1 and term.forms <= _SAME_ORDER)
