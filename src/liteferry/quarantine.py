"""Which rows are set apart, and what else of the rows the target would not take: settled before the plan is made.

Layer 3. The census says what each value is; the user's decisions say which rows go into quarantine; and what is left
is asked the questions that only rows together answer (`liteferry.planner.questions`). Taking rows away can break
nothing but foreign keys: their orphans are sought again until none is new.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.choosing import demand_conversions
from liteferry.decisions import demand_types
from liteferry.errors import MigrationError
from liteferry.planner import select_tables
from liteferry.planner.questions import list_quarantined_offences, plan_questions, quarantines_orphans

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from liteferry.decisions import DemandedTypes
    from liteferry.model import Apart, Catalog, Census, Event, Options, Orphans, RowFault, Table
    from liteferry.source import Snapshot
    from liteferry.source.offenders import OffenderStore

LONGEST_TEXT_BYTES: Final = 1_073_741_823
"""Source: PostgreSQL docs, "PostgreSQL Limits": field size."""
_LITERAL_ROOM_BYTES: Final = 32  # for what stands around the digits
MOST_ROUNDS: Final = 500
"""How deep orphans of orphans may go: a chain of rows that point at each other costs a look at the table for each."""


def settle_rows(
    snapshot: Snapshot,
    catalog: Catalog,
    census: Census,
    options: Options,
    observe: Callable[[Event], None],
    demanded: DemandedTypes | None = None,
    asked: Sequence[Table] | None = None,
    unenforced: Collection[tuple[str, str]] = (),
) -> Census:
    """Set the rows apart that the user quarantines, and find those that keys, CHECKs and indexes would not take.

    asked: the tables with the keys and indexes that are meant, where these are not the source's own. unenforced: those
    of them that the source does not have, by table and name.

    Returns the census with the answers, and with that of the rows that are left. Writes the file of offenders.

    Raises: MigrationError.
    """
    store = snapshot.offenders
    assert store is not None  # noqa: S101 - whoever plans has one
    tables, _ = select_tables(catalog, options)
    demanded = demand_types(catalog, options) if demanded is None else demanded
    conversions = demand_conversions(catalog, options, demanded)
    for table, column, offence in list_quarantined_offences(census, options, tables, demanded):
        store.set_apart(table, column, offence, f"{offence}:{column}")
    faults: list[RowFault] = []
    for question in plan_questions(census, options, tables if asked is None else asked, demanded, unenforced):
        found = snapshot.answer(question)
        if not (found.count or found.error):
            continue
        faults.append(found)
        if question.is_quarantined and not found.error:
            store.set_apart(question.table, question.name, question.code, _spell_reason(question.code, question.name))
    orphans = _settle_orphans(snapshot, store, catalog, census, options, tables)
    apart = store.count_apart()
    _refuse_long_literals(census, apart)
    known = {table.name: table for table in tables}
    fitting = tuple(
        snapshot.count_fitting(
            known[found.table], observe, demanded.get(found.table, {}), conversions.get(found.table, {})
        )
        for found in apart
    )
    return replace(census, orphans=orphans, faults=tuple(faults), apart=apart, fitting=fitting)


def _refuse_long_literals(census: Census, apart: Sequence[Apart]) -> None:
    """Refuse what could fail in the load: a blob's literal has two digits a byte. Raises: MigrationError."""
    for found in apart:
        for column in census.table(found.table).columns:
            if 2 * column.longest_value_bytes + _LITERAL_ROOM_BYTES > LONGEST_TEXT_BYTES:
                raise MigrationError(
                    f"a value of {column.longest_value_bytes:,} bytes may be too long for a quarantine table, where"
                    " it would be a literal of twice that",
                    code="value-misfit",
                    hint="decide otherwise than by quarantine on the rows of this table",
                    table=found.table,
                    column=column.name,
                )


def _spell_reason(code: str, name: str) -> str:
    return f"{code}:{name}" if name else code


def _settle_orphans(
    snapshot: Snapshot,
    store: OffenderStore,
    catalog: Catalog,
    census: Census,
    options: Options,
    tables: Sequence[Table],
) -> tuple[Orphans, ...]:
    """Quarantine the orphans that the user quarantines, those that this makes, and so on; count the others."""
    chosen = {table.name for table in tables}
    found = {(orphans.table, orphans.foreign_key, orphans.exact): orphans for orphans in census.orphans}
    total: dict[tuple[str, int, bool], Orphans] = {}
    gone = {apart.table for apart in store.count_apart()}  # tables that lost rows since their orphans were counted
    for number in range(MOST_ROUNDS):
        kept = options if number else None  # what was quarantined in an earlier round stays on the list
        for table in tables:
            if gone & {table.name, *(key.parent_table for key in table.foreign_keys)}:
                _count_anew(snapshot, store, catalog, table, found, kept)
        gone = set()
        for place, orphans in [*found.items()]:
            table = catalog.table(orphans.table)
            if table.name not in chosen or not quarantines_orphans(table, orphans.foreign_key, options):
                continue
            name = ", ".join(table.foreign_keys[orphans.foreign_key].columns)
            if store.set_apart(table.name, name, "orphan-rows", f"orphan-rows:{name}"):
                gone.add(table.name)
            before = total.get(place)
            total[place] = (
                orphans
                if before is None
                else replace(
                    before, count=before.count + orphans.count, samples=(*before.samples, *orphans.samples)[:5]
                )
            )
            del found[place]
        if not gone:
            return tuple(sorted((*found.values(), *total.values()), key=lambda o: (o.table, o.foreign_key, o.exact)))
    raise MigrationError(
        f"the rows that point at rows in quarantine form a chain of more than {MOST_ROUNDS} links",
        code="usage",
        hint="decide on not-valid for that foreign key, or repair its rows in the source",
        table=next(iter(gone), None),
    )


def _count_anew(
    snapshot: Snapshot,
    store: OffenderStore,
    catalog: Catalog,
    table: Table,
    found: dict[tuple[str, int, bool], Orphans],
    kept: Options | None,
) -> None:
    """Count a table's orphans among the rows that are left. kept: by these decisions, offenders stay on the list."""
    for number, key in enumerate(table.foreign_keys):
        for exact in (False, True):
            found.pop((table.name, number, exact), None)
        if kept is None or not quarantines_orphans(table, number, kept):
            store.forget(table.name, ", ".join(key.columns), "orphan-rows")
    anew = snapshot.find_orphans(table, catalog)
    found.update({(orphans.table, orphans.foreign_key, orphans.exact): orphans for orphans in anew})
