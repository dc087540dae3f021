"""What Django means by the values that it stores in SQLite, as decisions and findings.

Layer 1, pure. PostgreSQL has types for what SQLite stores as numbers and texts, and Django's two backends read and
write them by rules of their own. The decisions say so to the machinery that all moves share: each is one that a user
could have taken, and comes before the user's own, which win. What no rule settles is a finding.

Sources: Django, db/backends/sqlite3/operations.py (converters and adapters), db/backends/base/base.py
(``timezone_name``), db/models/fields, versions 4.2 to 6.1.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.decisions import UTC_WAY
from liteferry.findings import make_finding
from liteferry.model import Decision
from liteferry.project import BY_DJANGO, ProjectField, ProjectModel
from liteferry.sqlite_ddl import fold_case
from liteferry.typemap import classify_declared_type, classify_pg_type, demand_of_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.model import Catalog, Census, Column, Finding, Table
    from liteferry.project import Project
    from liteferry.typemap import Family

_EXACT_INTEGERS_FROM: Final = (6, 1)
"""The version from which on Django reads an integer in a DecimalField's column with all its digits."""
_UTC_NAMES: Final = frozenset({"UTC", "Etc/UTC", "Universal", "Zulu"})
_DEEPEST: Final = 10
"""How many foreign keys that are keys themselves are followed."""


_RECORDER: Final = ProjectModel(
    label="migrations.Migration",
    app="migrations",
    name="Migration",
    table="django_migrations",
    managed=False,
    allowed=True,
    auto_created=False,
    fields=(
        ProjectField(
            name="applied",
            column="applied",
            internal_type="DateTimeField",
            class_name="django.db.models.fields.DateTimeField",
            db_type="timestamp with time zone",
            sqlite_type="datetime",
        ),
    ),
)
"""The table in which every project keeps which migrations were applied: no application of its own has the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A column of the source that a field of the project has. ``meant``: the field that a relation points at."""

    table: Table
    column: Column
    model: ProjectModel
    field: ProjectField
    meant: ProjectField

    @property
    def origin(self) -> str:
        """The field, as decisions and findings name it."""
        return f"{self.meant.internal_type} {self.model.label}.{self.field.name}"


def decide_values(project: Project, catalog: Catalog) -> tuple[Decision, ...]:
    """The decisions that Django's own reading of SQLite implies, for every column that a field has. Pure.

    A decision whose case does not occur among the values decides nothing, and nothing is said of it.
    """
    return tuple(decision for place in _find_places(project, catalog) for decision in _decide(project, place))


def judge_values(project: Project, catalog: Catalog, census: Census) -> tuple[Finding, ...]:
    """Find the columns whose values Django would read otherwise in PostgreSQL, or might. Pure.

    census: of the catalogue's tables, taken with the target's types.
    """
    counted = {table.table for table in census.tables}
    return tuple(
        finding
        for place in _find_places(project, catalog)
        if place.table.name in counted
        for finding in _judge(place, census)
    )


# ---------------------------------------------------------------------------------------------------------------------
# Columns and fields


def _find_places(project: Project, catalog: Catalog) -> Iterator[_Place]:
    """The columns that fields have, each once: where two models share a table, the one that made it speaks."""
    tables = {fold_case(table.name): table for table in catalog.tables}
    models = (*sorted(project.models, key=lambda model: not model.managed), _RECORDER)
    fields = {(model.label, field.column): field for model in project.models for field in model.fields}
    seen: set[tuple[str, str]] = set()
    for model in models:
        table = tables.get(fold_case(model.table))
        if table is None:
            continue
        columns = {fold_case(column.name): column for column in table.columns}
        for field in model.fields:
            column = columns.get(fold_case(field.column))
            if column is None or (table.name, column.name) in seen:
                continue
            seen.add((table.name, column.name))
            yield _Place(table=table, column=column, model=model, field=field, meant=_follow(field, fields))


def _follow(field: ProjectField, fields: dict[tuple[str, str], ProjectField]) -> ProjectField:
    """The field whose values a relation holds; the field itself where it is none."""
    for _ in range(_DEEPEST):
        found = fields.get((field.related, field.related_column)) if field.related else None
        if found is None:
            break
        field = found
    return field


# ---------------------------------------------------------------------------------------------------------------------
# Decisions


def _decide(project: Project, place: _Place) -> Iterator[Decision]:
    match place.meant.internal_type:
        case "DecimalField":
            way = "quantise-reals" if _read_version(project) >= _EXACT_INTEGERS_FROM else "quantise"
            yield _make_decision(place, way)
        case "DateTimeField":
            yield from _decide_times(project, place)
        case "JSONField":
            # json.loads takes the last of the members with the same key, and so does jsonb
            yield _make_decision(place, "last-key")


def _decide_times(project: Project, place: _Place) -> Iterator[Decision]:
    """Whose local times the column's texts are, and which of two moments one is that was twice.

    With USE_TZ they are of the database's TIME_ZONE, UTC unless it is set, and Python's rule for a time that was twice
    is the first (``fold=0``). Without, they are of the settings' TIME_ZONE, in which PostgreSQL will read and show
    them; what it takes such a time for is the second, and so does every query for it from then on.
    Source: Django docs, "Time zones"; PostgreSQL, datetime.c, ``DetermineTimeZoneOffset``.
    """
    if project.settings.use_tz:
        zone, fold = project.database.time_zone or "UTC", "earlier"
        rule = f"USE_TZ, {zone}"
    else:
        zone, fold = project.settings.time_zone, "later"
        rule = f"no USE_TZ, {zone}"
    if zone:
        yield _make_decision(place, UTC_WAY if zone in _UTC_NAMES else f"timezone:{zone}", rule=rule)
        yield _make_decision(place, fold, rule=rule)


def _make_decision(place: _Place, way: str, *, rule: str = "") -> Decision:
    name = f"{place.table.name}.{place.column.name}"
    origin = f"{BY_DJANGO}{place.origin}{f' ({rule})' if rule else ''}"
    return Decision(place=glob.escape(name), way=way, origin=origin)


def _read_version(project: Project) -> tuple[int, int]:
    numbers = [int(number) for number in re.findall(r"\d+", project.settings.django_version)[:2]]
    return (numbers[0], numbers[1]) if len(numbers) > 1 else (0, 0)


# ---------------------------------------------------------------------------------------------------------------------
# Findings

_NUMBERS: Final = frozenset[str]({"integer", "real", "decimal"})
_READ_OF_TEXT: Final = frozenset[str]({"uuid", "inet", "json", "datetime", "date", "time"})
"""Types whose values stand in a text as they are written everywhere: a text that is none is found by the census."""


def _judge(place: _Place, census: Census) -> Iterator[Finding]:
    yield from _judge_custom(place)
    counted = census.table(place.table.name).column(place.column.name)
    words = counted.form("bool-word")
    if place.meant.internal_type == "BooleanField" and words and not place.column.generated:
        yield make_finding(
            "django-boolean-word",
            f"{words:,} of {counted.rows:,} values are words: they are taken for what they say, but Django reads each"
            " as false in SQLite",
            table=place.table.name,
            name=place.column.name,
            count=words,
        )


def _judge_custom(place: _Place) -> Iterator[Finding]:
    """A field with its own code: whether what it stores in SQLite is what its type in PostgreSQL would be given."""
    field, column = place.field, place.column
    if not (field.custom or place.meant.custom):
        return
    if not field.db_type or not field.sqlite_type:
        return
    stored = classify_declared_type(field.sqlite_type).family
    wanted = classify_pg_type(demand_of_target(field.db_type))
    if wanted is None or _is_common(stored, wanted.family):
        return  # a type that liteferry cannot fill is a finding of its own
    yield make_finding(
        "django-custom-field",
        f"{place.model.label}.{field.name} is a {field.class_name}, whose own code decides what is stored:"
        f" {field.sqlite_type} in SQLite, {field.db_type} in PostgreSQL",
        table=place.table.name,
        name=column.name,
        sql=f"{column.name} {column.declared_type}".strip(),
    )


def _is_common(stored: Family, wanted: Family) -> bool:
    """Whether a value of the one family stands for the same in the other, whoever wrote it."""
    return stored == wanted or {stored, wanted} <= _NUMBERS or (stored == "text" and wanted in _READ_OF_TEXT)
