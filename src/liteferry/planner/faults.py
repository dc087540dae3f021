"""The findings about rows that a constraint or index would not take, and what becomes of that constraint or index.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.decisions import find_way
from liteferry.findings import make_finding
from liteferry.model import WayOut

if TYPE_CHECKING:
    from liteferry.model import Census, Finding, Options, RowFault, Table

_MESSAGES: Final = MappingProxyType(
    {
        "check-broken": "{rows} not hold {what}",
        "unique-clash": "{rows} clash in {what}: their keys differ in SQLite, and are equal in PostgreSQL's types",
        "index-entry-too-long": "the keys of {rows} may be too long for {what}",
        "row-too-wide": "{rows} too wide for a page of PostgreSQL",
    }
)


def offer_quarantine(rows: int, more: str = "") -> WayOut:
    """The way out of quarantine for so many rows. Pure."""
    are = "row is" if rows == 1 else "rows are"
    return WayOut(name="quarantine", effect=f"{rows:,} {are} kept whole, in a table beside the target's{more}")


def find_fault(
    table: Table, census: Census, options: Options, code: str, name: str, *, what: str = "", sql: str | None = None
) -> tuple[Finding | None, str]:
    """The finding about rows that an object would not take, and the way out that the plan follows: its name. Pure.

    Without a finding the object is made as it is declared; as it is with the ways ``quarantine`` and ``try``.
    what: the object, in words.
    """
    fault = census.fault(table.name, code, name)
    if fault is None:
        return None, ""
    made = make_finding(
        code,
        _describe(fault, what),
        table=table.name,
        name=name or None,
        count=fault.count,
        samples=fault.samples,
        sql=sql,
        hint=_hint(code),
        more_ways=_offer(fault),
    )
    if fault.error and code == "row-too-wide":  # not even quarantine holds them
        return replace(made, ways=(), if_accepted=""), ""
    first = made.ways[0].name
    way = find_way(code, made.place, {found.name for found in made.ways}, options) or first
    return (made if way == first else replace(made, way=way)), way


def _describe(fault: RowFault, what: str) -> str:
    if fault.error and fault.code == "check-broken":
        return f"SQLite cannot say whether all rows hold {what}: {fault.error}"
    verb = {"check-broken": (" does", " do"), "row-too-wide": (" is", " are")}.get(fault.code, ("", ""))[
        fault.count != 1
    ]
    rows = f"{fault.count:,} row{'s' * (fault.count != 1)}{verb}"
    message = _MESSAGES[fault.code].format(rows=rows, what=what)
    return f"{message}; {fault.error}" if fault.error else message


def _hint(code: str) -> str:
    return {
        "check-broken": "repair the rows in the source, or decide",
        "unique-clash": "repair the rows in the source, or decide; quarantine takes all rows of each group, since none"
        " is more right than the others",
        "index-entry-too-long": "an index on an expression, such as md5(column), takes keys of any length",
        "row-too-wide": "split the table in the source, or decide",
    }[code]


def _offer(fault: RowFault) -> tuple[WayOut, ...]:
    """The ways out beside the first."""
    quarantine = offer_quarantine(fault.count)
    match fault.code:
        case "check-broken":
            out = WayOut(name="leave-out", effect="the CHECK is left out")
            return (quarantine, out) if fault.count else (out,)
        case "unique-clash":
            return (offer_quarantine(fault.count, ": all rows of each group"),)
        case "index-entry-too-long":
            attempt = WayOut(name="try", effect="the index is made; where an entry is too long, the run is taken back")
            return (attempt, quarantine)
        case _:
            return ()
