"""The plan of one table: its columns, keys, checks, indexes, sequence and foreign keys.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from liteferry.choosing import count_converted, map_column
from liteferry.decisions import find_way
from liteferry.errors import Untranslatable
from liteferry.expressions import (
    ColumnType,
    Translation,
    translate_check,
    translate_default,
    translate_generated,
    translate_index_key,
    translate_predicate,
)
from liteferry.findings import make_finding
from liteferry.model import (
    Census,
    Column,
    ColumnCensus,
    ColumnMap,
    Finding,
    Index,
    IndexKey,
    Kind,
    NameChange,
    ObjectKind,
    Options,
    PlannedObject,
    Step,
    Table,
    TableCensus,
    TableMap,
    TranslatedSql,
    TranslationUse,
)
from liteferry.names import LIMIT_BYTES, NameSpace, NameStyle, fit_name, quote_name, restyle_name
from liteferry.planner.collations import Collations, KeyPart, describe_parts
from liteferry.planner.faults import find_fault, offer_quarantine
from liteferry.planner.questions import name_check, name_key
from liteferry.planner.sql import (
    ColumnClause,
    add_check_sql,
    add_key_sql,
    analyze_sql,
    copy_sql,
    create_index_sql,
    create_table_sql,
    set_sequence_sql,
)
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from liteferry.expressions import StorageClass
    from liteferry.planner.refusals import Refusals
    from liteferry.typemap import TypeChoice

SYSTEM_COLUMNS: Final = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
"""Names that no column can have. Source: PostgreSQL docs, "System Columns"."""
MOST_COLUMNS: Final = 1600
MOST_KEY_COLUMNS: Final = 32
"""Of a table, and of an index. Source: PostgreSQL docs, "PostgreSQL Limits"."""
MOST_TEXT_BYTES: Final = (1 << 30) - 1024
MOST_BYTEA_BYTES: Final = MOST_TEXT_BYTES // 2
"""Of a value that the server can still write out: in a buffer of less than 1 GiB, some of it for what goes around.
Source: PostgreSQL docs, "PostgreSQL Limits", and "Binary Data Types": bytea's hex format."""
LARGEST_ID: Final = 2**63 - 1
_TEMPORAL: Final = frozenset({"timestamp", "timestamptz", "date", "time"})


class _Judge(Protocol):
    """`find_fault` for one table."""

    def __call__(
        self, code: str, name: str, /, *, what: str = "", sql: str | None = None
    ) -> tuple[Finding | None, str]: ...


@dataclass(slots=True, kw_only=True)
class TablePlan:
    """What was decided for one table; filled while planning, then only read."""

    table: Table
    map: TableMap
    types: tuple[ColumnType, ...]
    unique_sets: list[tuple[str, ...]] = field(default_factory=list)  # source columns that are unique in the target
    steps: list[Step] = field(default_factory=list)
    objects: list[PlannedObject] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    names: list[NameChange] = field(default_factory=list)
    constraint_names: NameSpace = field(default_factory=NameSpace)
    style: NameStyle = "preserve"
    sequence: str = ""  # the identity column's sequence
    translations: list[TranslatedSql] = field(default_factory=list)
    refusals: Refusals
    collations: Collations
    rows: int = 0  # of the source, with those in quarantine

    def target_of(self, column: str) -> str:
        """The target's name of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).target

    def kind_of(self, column: str) -> Kind:
        """The kind of a source column, whatever its case. Raises: KeyError."""
        return self._find(column).kind

    def _find(self, column: str) -> ColumnMap:
        for found in self.map.columns:
            if fold_case(found.source) == fold_case(column):
                return found
        raise KeyError(column)


def plan_table(
    table: Table,
    census: TableCensus,
    target: str,
    options: Options,
    relations: NameSpace,
    demanded: Mapping[str, str],
    refusals: Refusals,
    collations: Collations,
    whole: Census | None = None,
) -> TablePlan:
    """Plan one table without its foreign keys. Pure.

    relations: the target schema's relation names; the table's own is taken already. demanded: the types that cast
    rules demand, by column. refusals: the translations that are not to be used. whole: the census of everything, which
    knows what was found about rows, and which of them are set apart.
    """
    staging = collations.staging
    whole = whole or Census(tables=(census,))
    kept, apart = whole.kept(table.name), whole.set_apart(table.name).rows
    choices = {
        column.name: map_column(table, column, census.column(column.name), options, demanded.get(column.name, ""))
        for column in table.columns
    }
    targets = claim_names([column.name for column in table.columns], NameSpace(), options.names, SYSTEM_COLUMNS)
    types = tuple(
        replace(
            _column_type(table, column, kept.column(column.name), targets[column.name], choices[column.name]),
            plain_suffix=collations.plain_suffix(table.name, column.name),
        )
        for column in table.columns
    )
    by_name = {column.source: column for column in types}
    findings: list[Finding] = [found for choice in choices.values() for found in choice.findings]
    generated: dict[str, str] = {}
    for column in table.columns:
        if column.generated:
            sql, found = _translate_generated(table, column, types, by_name[column.name], refusals)
            findings += found
            if sql:
                generated[column.name] = sql
    key_has_null = any(kept.column(name).nulls and name != table.rowid_alias for name in table.primary_key)
    plan = TablePlan(
        table=table,
        map=TableMap(
            source=table.name,
            target=target,
            columns=tuple(
                ColumnMap(
                    source=column.name,
                    target=targets[column.name],
                    pg_type=collations.type_name(table.name, column.name, choices[column.name].pg_type),
                    kind=choices[column.name].kind,
                    rule=choices[column.name].rule,
                    declared_type=column.declared_type,
                    generated=column.name in generated,
                    conversions=choices[column.name].conversions,
                    converted=count_converted(choices[column.name], kept.column(column.name)),
                )
                for column in table.columns
            ),
            key=() if key_has_null else table.primary_key,
            rows=kept.rows,
            size_bytes=kept.size_bytes,
            part="fitting" if apart else "",
        ),
        types=types,
        findings=findings,
        collations=collations,
        rows=census.rows,
        refusals=refusals,
        constraint_names=NameSpace(list_given_names(table, options.names)),
        style=options.names,
    )
    for column in table.columns:
        plan.names += note_change("column", table.name, column.name, targets[column.name], options.names)
    if len(table.columns) > MOST_COLUMNS:
        plan.findings.append(
            make_finding(
                "table-too-wide",
                f"table {table.name} has {len(table.columns):,} columns; PostgreSQL allows {MOST_COLUMNS:,}",
                table=table.name,
                count=len(table.columns),
                hint="leave it behind with --exclude, or split it in the source",
            )
        )
    judge = partial(find_fault, table, whole, options)
    _plan_columns(plan, census, kept, staging, relations, generated, options)
    _plan_keys(plan, census, relations, options, judge, key_has_null=key_has_null)
    _plan_checks(plan, staging, judge)
    _plan_indexes(plan, relations, judge)
    plan.findings += _find_too_large(plan, kept)
    width, _ = judge("row-too-wide", "")
    plan.findings += [width] if width else []
    _plan_sequence(plan, census, staging)
    plan.steps.append(
        Step(
            id=f"post-data/analyze/{target}",
            phase="post-data",
            table=target,
            sql=(analyze_sql(staging, target),),
            group=target,
        )
    )
    if not table.primary_key:
        plan.findings.append(make_finding("rowid-not-kept", f"table {table.name} has no primary key", table=table.name))
    return plan


def _find_too_large(plan: TablePlan, census: TableCensus) -> Iterator[Finding]:
    """Find the columns with a value that PostgreSQL could not write out as a text. Pure."""
    for column in plan.map.columns:
        longest = census.column(column.source).longest_value_bytes
        limit = MOST_BYTEA_BYTES if column.kind == "bytea" else MOST_TEXT_BYTES
        if longest > limit:
            yield make_finding(
                "value-too-large",
                f"a value of column {column.source} has {longest:,} bytes; of {column.pg_type}, PostgreSQL can read out"
                f" at most {limit:,}",
                table=plan.table.name,
                name=column.source,
                hint="split the value on a copy of the source, or put it into a file and keep the file's name",
            )


def list_given_names(table: Table, style: NameStyle) -> Iterator[str]:
    """The names that the source gives to the table's constraints and indexes, in a style. Pure."""
    found = (
        table.primary_key_name,
        *(index.name if index.origin == "c" else index.constraint_name for index in table.indexes),
        *(check.name for check in table.checks),
        *(key.name for key in table.foreign_keys),
    )
    return (_style(name, style) for name in found if name)


def _style(name: str, style: NameStyle) -> str:
    return restyle_name(name, style) or "unnamed"


def claim_names(
    names: Sequence[str], space: NameSpace, style: NameStyle, kept_back: Iterable[str] = ()
) -> dict[str, str]:
    """Take a name in the target for each of the source's: first for those that the style does not change. Pure.

    So user_name keeps its name, and userName evades it, in whatever order they stand. kept_back: names that nothing
    may have.
    """
    for name in kept_back:
        space.claim(name)
    ordered = sorted(names, key=lambda name: _style(name, style) != name)
    claimed = {name: space.claim(_style(name, style), seed=name, given=bool(name)) for name in ordered}
    return {name: claimed[name] for name in names}


def note_change(kind: ObjectKind, table: str | None, source: str, target: str, style: NameStyle) -> list[NameChange]:
    """Note that a name was not kept, and why; nothing where it was. Pure."""
    if source == target:
        return []
    why = say_why(source, target, style)
    if kind == "column" and (styled := _style(source, style)) in SYSTEM_COLUMNS and target != styled:
        why = "PostgreSQL keeps the name for itself"
    return [NameChange(kind=kind, table=table, source=source, target=target, why=why)]


def why_styled(style: NameStyle) -> str:
    """The reason for a change of name that the user asked for. Pure."""
    return f"--names {style}"


def say_why(name: str, target: str, style: NameStyle) -> str:
    """Say why a name that the source gives could not be kept. Pure."""
    styled = restyle_name(name, style)
    if not name:
        return "a name cannot be empty"
    if not styled:
        return f"nothing is left of it with --names {style}"
    if styled == target:
        return why_styled(style)
    if len(styled.encode()) > LIMIT_BYTES:
        return f"it has more than {LIMIT_BYTES} bytes"
    return "another object has it already" if styled == name else f"another object has the name {styled} already"


def _column_type(table: Table, column: Column, census: ColumnCensus, target: str, choice: TypeChoice) -> ColumnType:
    storage: list[StorageClass] = []
    if census.integers:
        storage.append("integer")
    if census.reals:
        storage.append("real")
    if census.texts:
        storage.append("text")
    if census.blobs:
        storage.append("blob")
    return ColumnType(
        source=column.name,
        target=target,
        kind=choice.kind,
        affinity=column.affinity,
        pg_type=choice.pg_type,
        not_null=column.not_null or column.name == table.rowid_alias,
        collation=column.collation,
        whole=bool(census.integers) and not (census.reals or census.texts or census.blobs),
        storage=frozenset(storage),
        forms=frozenset(form.name for form in census.forms) if choice.kind in _TEMPORAL else frozenset(),
        rowid=column.name == table.rowid_alias,
        generated=bool(column.generated),
    )


def _translate_generated(
    table: Table, column: Column, types: Sequence[ColumnType], own: ColumnType, refusals: Refusals
) -> tuple[str, list[Finding]]:
    try:
        sql = translate_generated(column.generated_sql or "", types, own).sql
        refusals.check("generated-untranslatable", table.name, column.name)
    except Untranslatable as error:
        message = f"the expression of generated column {column.name} is not carried over: {error.reason}"
        found = make_finding(
            "generated-untranslatable", message, table=table.name, name=column.name, sql=column.generated_sql
        )
        return "", [found]
    if own.kind == "float8" and own.affinity == "REAL":
        # SQLite stores whole numbers in a REAL column as integers, which have no negative zero
        sql = f"({sql}) + 0.0::double precision"
    return sql, []


def _plan_columns(
    plan: TablePlan,
    census: TableCensus,
    kept: TableCensus,
    staging: str,
    relations: NameSpace,
    generated: Mapping[str, str],
    options: Options,
) -> None:
    """CREATE TABLE and COPY, and the columns as objects."""
    table, target = plan.table, plan.map.target
    types = {column.source: column for column in plan.types}
    clauses = []
    for column, mapped in zip(table.columns, plan.map.columns, strict=True):
        counted = census.column(column.name)
        not_null = column.not_null or column.name == table.rowid_alias or column.name in plan.map.key
        left = kept.column(column.name).nulls
        if not_null and counted.nulls and column.not_null and column.name != table.rowid_alias:
            offence = counted.offence("null")
            found = make_finding(
                "null-in-not-null",
                f"{counted.nulls:,} rows have NULL in {column.name}, which is declared NOT NULL",
                table=table.name,
                name=column.name,
                count=counted.nulls,
                samples=offence.samples if offence else (),
                more_ways=(offer_quarantine(counted.nulls),),
            )
            if find_way(found.code, found.place, {"quarantine"}, options):
                plan.findings.append(replace(found, way="quarantine"))
            elif left:
                plan.findings.append(found)
            not_null = not left
        default = _translate_default(plan, column, types[column.name]) if not mapped.generated else ""
        plan.findings += plan.collations.explain(table, column)
        identity = ""
        if column.name == table.rowid_alias:
            identity = plan.sequence = relations.claim(f"{target}_{mapped.target}_seq")
        clauses.append(
            ColumnClause(
                name=mapped.target,
                pg_type=plan.collations.type_sql(table.name, column.name, types[column.name].pg_type),
                not_null=not_null,
                not_null_name=_evade(plan, f"{target}_{mapped.target}_not_null") if not_null else "",
                default_sql=default,
                generated_sql=generated.get(column.name, ""),
                identity=identity,
            )
        )
        plan.objects.append(
            PlannedObject(
                kind="column",
                name=mapped.target,
                table=target,
                pg_type=_catalogue_type(mapped.pg_type),
                not_null=not_null,
                has_default=bool(default),
                generated=mapped.generated,
                source_sql=f"{column.name} {column.declared_type}".strip(),
                collation=plan.collations.collation_name(table.name, column.name),
            )
        )
        if column.name in generated:
            note_translation(
                plan,
                "generated",
                (column.name, mapped.target),
                column.generated_sql or "",
                Translation(sql=generated[column.name], kind=mapped.kind),
                mapped.pg_type,
            )
    plan.objects.insert(0, PlannedObject(kind="table", name=target, source_sql=table.sql))
    plan.steps.append(
        Step(
            id=f"pre-data/table/{target}",
            phase="pre-data",
            table=target,
            sql=(create_table_sql(staging, target, clauses),),
            group=target,
        )
    )
    copied = [column.target for column in plan.map.columns if not column.generated]
    plan.steps.append(
        Step(
            id=f"data/table/{target}",
            phase="data",
            table=target,
            copy=table.name,
            sql=(copy_sql(staging, target, copied),),
            group=target,
        )
    )


def _evade(plan: TablePlan, default: str) -> str:
    """A name for NOT NULL, where the one that PostgreSQL 18 would choose is the source's for another constraint."""
    name = plan.constraint_names.claim(default)
    return "" if name == fit_name(default) else name


def _catalogue_type(pg_type: str) -> str:
    """The type's name as format_type() writes it. Source: PostgreSQL docs, "Data Types"."""
    if pg_type.startswith("varchar"):
        return "character varying" + pg_type.removeprefix("varchar")
    return {
        "timestamp": "timestamp without time zone",
        "timestamptz": "timestamp with time zone",
        "time": "time without time zone",
    }.get(pg_type, pg_type)


def _translate_default(plan: TablePlan, column: Column, own: ColumnType) -> str:
    if column.default_sql is None or column.name == plan.table.rowid_alias:
        return ""
    try:
        translated = translate_default(column.default_sql, own)
        plan.refusals.check("default-untranslatable", plan.table.name, column.name)
    except Untranslatable as error:
        plan.findings.append(
            make_finding(
                "default-untranslatable",
                f"the default of {column.name} is not carried over: {error.reason}",
                table=plan.table.name,
                name=column.name,
                sql=column.default_sql,
            )
        )
        return ""
    if translated.sql.upper() == "NULL":
        return ""
    note_translation(plan, "default", (column.name, own.target), column.default_sql, translated, own.pg_type)
    return translated.sql


def note_translation(
    plan: TablePlan,
    use: TranslationUse,
    names: tuple[str, str],
    source_sql: str,
    translated: Translation,
    pg_type: str = "",
) -> None:
    """Note what was translated, for the proof. names: the object's in findings, and in the target."""
    if translated.kind is None:
        return
    result = ColumnMap(
        source=names[0], target=names[1], pg_type=pg_type or translated.kind, kind=translated.kind, rule=""
    )
    plan.translations.append(
        TranslatedSql(
            use=use,
            name=names[0],
            object_name=names[1],
            table=plan.table.name,
            source_sql=source_sql,
            target_sql=translated.sql,
            results=(result,),
            moves=translated.moves,
        )
    )


def _why_no_index(plan: TablePlan, keys: Sequence[IndexKey]) -> str:
    """Why PostgreSQL cannot have an index on these keys; "" when it can."""
    if len(keys) > MOST_KEY_COLUMNS:
        return f"it has {len(keys)} columns; PostgreSQL allows {MOST_KEY_COLUMNS}"
    for key in keys:
        if key.column is not None and plan.kind_of(key.column) == "json":
            return f"{key.column} is of type json, which PostgreSQL cannot order"
    return ""


def _note_conflict(plan: TablePlan, name: str, clause: str) -> None:
    plan.findings.append(
        make_finding(
            "conflict-clause",
            f"{name} says {clause}; PostgreSQL has no such clause",
            table=plan.table.name,
            name=name,
            hint="say INSERT … ON CONFLICT in the application where it relies on this",
        )
    )


def _plan_keys(
    plan: TablePlan,
    census: TableCensus,
    relations: NameSpace,
    options: Options,
    judge: _Judge,
    *,
    key_has_null: bool,
) -> None:
    """The primary key and the UNIQUE constraints."""
    table, target = plan.table, plan.map.target
    for column in table.not_null_on_conflict:
        _note_conflict(plan, f"NOT NULL of {column}", "ON CONFLICT")
    if table.primary_key:
        if table.primary_key_on_conflict is not None:
            _note_conflict(plan, "PRIMARY KEY", f"ON CONFLICT {table.primary_key_on_conflict}")
        nulls = [census.column(name) for name in table.primary_key if census.column(name).nulls]
        if nulls and table.rowid_alias is None:
            offence = nulls[0].offence("null")
            places = ", ".join(f"{found.nulls:,} in {found.name}" for found in nulls)
            rows = sum(found.nulls for found in nulls)
            made = make_finding(
                "null-in-key",
                f"PRIMARY KEY ({', '.join(table.primary_key)}) contains NULL: {places}",
                table=table.name,
                name=", ".join(table.primary_key),
                count=rows,
                samples=offence.samples if offence else (),
                more_ways=(offer_quarantine(rows),),
            )
            if find_way(made.code, made.place, {"quarantine"}, options):
                plan.findings.append(replace(made, way="quarantine"))
            elif key_has_null:
                plan.findings.append(made)
        name = _claim(plan, relations, "primary_key", table.primary_key_name, f"{target}_pkey")
        index = next((index for index in table.indexes if index.origin == "pk"), None)
        what = f"PRIMARY KEY ({', '.join(table.primary_key)})"
        if index is not None and (reason := _why_no_index(plan, index.keys)):
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"{what} is not carried over: {reason}",
                    table=table.name,
                    name=name_key(index),
                )
            )
        elif index is None or _is_taken(plan, index, what, judge):
            _plan_primary_key(plan, name, relations, key_has_null=key_has_null)
    for index in table.indexes:
        if index.origin != "u":
            continue
        columns = tuple(key.column for key in index.keys if key.column is not None)
        if index.on_conflict is not None:
            _note_conflict(plan, f"UNIQUE ({', '.join(columns)})", f"ON CONFLICT {index.on_conflict}")
        default = "_".join((target, *(plan.target_of(column) for column in columns), "key"))
        name = _claim(plan, relations, "unique", index.constraint_name, default)
        try:
            parts = _key_parts(plan, index.keys)
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"UNIQUE ({', '.join(columns)}) is not carried over: {error.reason}",
                    table=table.name,
                    name=index.name,
                )
            )
            continue
        if _is_taken(plan, index, f"UNIQUE ({', '.join(columns)})", judge):
            _add_unique(plan, name, columns, parts)


def _plan_primary_key(plan: TablePlan, name: str, relations: NameSpace, *, key_has_null: bool) -> None:
    """The primary key, and where it cannot ignore what SQLite's does, a unique index beside it that can."""
    table = plan.table
    declared = next((index.keys for index in table.indexes if index.origin == "pk"), ())
    keys = declared or tuple(IndexKey(column=column) for column in table.primary_key)
    parts: list[KeyPart] = []
    try:
        parts = _key_parts(plan, keys)
    except Untranslatable as error:
        if not any(_is_named(plan, key) for key in keys):
            message = f"PRIMARY KEY ({', '.join(table.primary_key)}) compares byte for byte: {error.reason}"
            place = ", ".join(table.primary_key)
            plan.findings.append(make_finding("collation-lost", message, table=table.name, name=place))
    if key_has_null and parts:
        _add_unique(plan, name, table.primary_key, parts)
        return
    is_plain = not any(part.expression for part in parts)
    _add_key(plan, name, table.primary_key, primary=not key_has_null, folds=parts if is_plain else ())
    if not is_plain:
        ending = "nocase" if any(part.folds == "NOCASE" for part in parts) else "rtrim"
        beside = _claim(plan, relations, "index", None, f"{name}_{ending}")
        _add_folding_index(plan, beside, table.primary_key, parts, "primary_key")


def _is_named(plan: TablePlan, key: IndexKey) -> bool:
    """Whether the key's collation is the column's own, which a finding names."""
    own = {fold_case(column.name): column.collation.upper() for column in plan.table.columns}
    return key.collation.upper() != "BINARY" and own.get(fold_case(key.column or "")) == key.collation.upper()


def _add_unique(plan: TablePlan, name: str, columns: Sequence[str], parts: Sequence[KeyPart]) -> None:
    """A UNIQUE constraint; an index where a key is no plain column, which no constraint can have."""
    if not _is_plain(parts):
        _add_folding_index(plan, name, columns, parts, "unique")
    else:
        _add_key(plan, name, columns, primary=False, folds=parts)


def _add_folding_index(
    plan: TablePlan, name: str, columns: Sequence[str], parts: Sequence[KeyPart], stands_for: ObjectKind
) -> None:
    target, staging = plan.map.target, plan.collations.staging
    names = [plan.target_of(column) for column in columns]
    sql = create_index_sql(staging, target, name, [part.sql for part in parts], unique=True, where_sql="")
    plan.steps.append(Step(id=f"post-data/index/{name}", phase="post-data", table=target, sql=(sql,), group=target))
    key_columns, folds = describe_parts(parts, names)
    plan.objects.append(
        PlannedObject(
            kind="index",
            name=name,
            table=target,
            columns=tuple(None if part.expression else column for part, column in zip(parts, names, strict=True)),
            unique=True,
            stands_for=stands_for,
            key_columns=key_columns,
            folds=folds,
        )
    )


def _is_taken(plan: TablePlan, index: Index, what: str, judge: _Judge) -> bool:
    """Whether a key or index is made, whatever rows it would not take; adds the findings about them."""
    taken = True
    for code in ("unique-clash", "index-entry-too-long"):
        found, way = judge(code, name_key(index), what=what, sql=index.sql)
        if found is not None:
            plan.findings.append(found)
            taken = taken and way in {"quarantine", "try"}
    return taken


def _claim(plan: TablePlan, relations: NameSpace, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for something backed by an index: unique in the schema, and among the table's constraints."""
    wanted = _style(given, plan.style) if given else default
    name = relations.claim(wanted, seed=f"{plan.map.target}/{kind}", given=given is not None)
    plan.constraint_names.claim(name, given=True)
    _note_name(plan, kind, given, name)
    return name


def claim_constraint(plan: TablePlan, kind: ObjectKind, given: str | None, default: str) -> str:
    """Take a name for a constraint without an index: unique among the table's constraints."""
    wanted = _style(given, plan.style) if given else default
    name = plan.constraint_names.claim(wanted, seed=given or "", given=given is not None)
    _note_name(plan, kind, given, name)
    return name


def _note_name(plan: TablePlan, kind: ObjectKind, given: str | None, name: str) -> None:
    if given is not None:
        plan.names += note_change(kind, plan.table.name, given, name, plan.style)


def _add_key(
    plan: TablePlan, name: str, columns: Sequence[str], *, primary: bool, folds: Sequence[KeyPart] = ()
) -> None:
    target, staging = plan.map.target, plan.collations.staging
    names = tuple(plan.target_of(column) for column in columns)
    kind: ObjectKind = "primary_key" if primary else "unique"
    step_kind = "primary-key" if primary else "unique"
    plan.steps.append(
        Step(
            id=f"post-data/{step_kind}/{name}",
            phase="post-data",
            table=target,
            sql=(add_key_sql(staging, target, name, "PRIMARY KEY" if primary else "UNIQUE", names),),
            group=target,
        )
    )
    _, folded = describe_parts(folds, names if folds else ())
    plan.objects.append(PlannedObject(kind=kind, name=name, table=target, columns=names, unique=True, folds=folded))
    plan.unique_sets.append(tuple(map(fold_case, columns)))


def _plan_checks(plan: TablePlan, staging: str, judge: _Judge) -> None:
    table, target = plan.table, plan.map.target
    for position, check in enumerate(table.checks, start=1):
        place = f"CHECK {check.name}" if check.name else f"CHECK ({check.sql})"
        broken, way = judge("check-broken", name_check(table, position - 1), what=place, sql=check.sql)
        if broken is not None and way == "quarantine":  # whether or not it is carried over
            plan.findings.append(broken)
        try:
            translated = translate_check(check.sql, plan.types)
            plan.refusals.check("check-untranslatable", table.name, check.name or f"check {position}")
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "check-untranslatable",
                    f"{place} is not carried over: {error.reason}",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        if translated.implied_by_type:
            plan.findings.append(
                make_finding(
                    "check-implied",
                    f"{place} is enforced by the column's type",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        if broken is not None and way != "quarantine":
            plan.findings.append(broken)
            if way == "leave-out":
                continue
        is_valid = broken is None or way != "not-valid"
        default = f"{target}_{check.column}_check" if check.column else f"{target}_check"
        name = claim_constraint(plan, "check", check.name, default)
        plan.steps.append(
            Step(
                id=f"post-data/check/{target}.{name}",
                phase="post-data",
                table=target,
                sql=(add_check_sql(staging, target, name, translated.sql) + ("" if is_valid else " NOT VALID"),),
                group=target,
            )
        )
        plan.objects.append(
            PlannedObject(kind="check", name=name, table=target, validated=is_valid, source_sql=check.sql)
        )
        note_translation(plan, "check", (check.name or f"check {position}", name), check.sql, translated)


def _plan_indexes(plan: TablePlan, relations: NameSpace, judge: _Judge) -> None:
    table, target = plan.table, plan.map.target
    for index in table.indexes:
        if index.origin != "c":
            continue
        try:
            keys = _key_parts(plan, index.keys)
            predicate = translate_predicate(index.where_sql, plan.types) if index.where_sql else None
            where = predicate.sql if predicate else ""
            plan.refusals.check("index-untranslatable", table.name, index.name)
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "index-untranslatable",
                    f"index {index.name} is not carried over: {error.reason}",
                    table=table.name,
                    name=index.name,
                    sql=index.sql,
                )
            )
            continue
        if not _is_taken(plan, index, f"index {index.name}", judge):
            continue
        name = _claim(plan, relations, "index", index.name, index.name)
        plan.steps.append(
            Step(
                id=f"post-data/index/{name}",
                phase="post-data",
                table=target,
                sql=(_index_sql(plan, index, name, keys, where),),
                group=target,
            )
        )
        plan.objects.append(_index_object(plan, index, name, keys))
        if predicate and index.where_sql:
            note_translation(plan, "predicate", (index.name, name), index.where_sql, predicate)
        for key in index.keys:
            if key.expression_sql:
                translated = translate_index_key(key.expression_sql, plan.types)
                note_translation(plan, "index-key", (index.name, name), key.expression_sql, translated)
        if index.unique and not where and all(key.column is not None for key in index.keys) and _is_plain(keys):
            plan.unique_sets.append(tuple(fold_case(key.column or "") for key in index.keys))


def _key_parts(plan: TablePlan, keys: Sequence[IndexKey]) -> list[KeyPart]:
    """The keys in SQL. Raises: Untranslatable where PostgreSQL cannot have an index on them."""
    if reason := _why_no_index(plan, keys):
        raise Untranslatable(reason)
    return [_key_part(plan, key) for key in keys]


def _key_part(plan: TablePlan, key: IndexKey) -> KeyPart:
    kind: Kind | None
    if key.column is not None:
        sql, kind = quote_name(plan.target_of(key.column)), plan.kind_of(key.column)
    else:
        translated = translate_index_key(key.expression_sql or "", plan.types)
        sql, kind = f"({translated.sql})", translated.kind
    return plan.collations.key_part(plan.table, key, sql, kind)


def _is_plain(parts: Sequence[KeyPart]) -> bool:
    """Whether all keys are columns with their own collation, so that foreign keys may point at them."""
    return not any(part.expression or part.collated for part in parts)


def _index_sql(plan: TablePlan, index: Index, name: str, parts: Sequence[KeyPart], where_sql: str) -> str:
    sql = [part.sql + " DESC" * key.descending for part, key in zip(parts, index.keys, strict=True)]
    staging, target = plan.collations.staging, plan.map.target
    return create_index_sql(staging, target, name, sql, unique=index.unique, where_sql=where_sql)


def _index_object(plan: TablePlan, index: Index, name: str, parts: Sequence[KeyPart]) -> PlannedObject:
    names = [plan.target_of(key.column) if key.column is not None else "" for key in index.keys]
    key_columns, folds = describe_parts(parts, names)
    return PlannedObject(
        kind="index",
        name=name,
        table=plan.map.target,
        columns=tuple(None if part.expression else column or None for part, column in zip(parts, names, strict=True)),
        descending=tuple(key.descending for key in index.keys),
        unique=index.unique,
        partial=index.where_sql is not None,
        source_sql=index.sql,
        key_columns=key_columns,
        folds=folds if index.unique else (),
    )


def _plan_sequence(plan: TablePlan, census: TableCensus, staging: str) -> None:
    """The identity's next value: greater than any id that is there, and than any that SQLite ever gave."""
    table, target = plan.table, plan.map.target
    if table.rowid_alias is None:
        return
    highest = max(census.max_rowid or 0, table.sequence_value or 0, 0)
    column, sequence = plan.target_of(table.rowid_alias), plan.sequence
    if highest > 0:
        plan.steps.append(
            Step(
                id=f"post-data/sequence/{sequence}",
                phase="post-data",
                table=target,
                sql=(set_sequence_sql(staging, sequence, highest),),
                group=target,
            )
        )
    plan.objects.append(
        PlannedObject(
            kind="sequence",
            name=sequence,
            table=target,
            columns=(column,),
            at_least=None if highest >= LARGEST_ID else highest + 1,
        )
    )
    if highest >= LARGEST_ID:
        plan.findings.append(
            make_finding(
                "sequence-exhausted",
                f"{table.rowid_alias} has reached {LARGEST_ID}: no greater id can be given",
                table=table.name,
                name=table.rowid_alias,
            )
        )
