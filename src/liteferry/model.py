"""The data that liteferry works on: frozen dataclasses and nothing else.

Layer 0: imports nothing of liteferry but what a Django project says (`project`). Everything here is a value: it can be
compared, printed, stored as JSON (`to_json`) and read back (`from_json`), sent to another process, and never changes
after it was made.

Units stand in the names: ``_bytes``, ``_s`` (seconds). Sequences are tuples.

One file although it is long: it is the vocabulary that all parts share, there is no behaviour in it to be kept apart,
and its parts would need each other (a report holds a plan's findings, a plan the census's samples).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from liteferry.project import (  # noqa: TC001 - from_json resolves them at run time
    ModelEvidence,
    ProjectOptions,
    Pruned,
    PruneRule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

Into = Literal["new", "existing", "django"]
"""How the target's schema comes about: ``new``, liteferry makes it, in staging; ``existing``, an application made it in
its place, and rows go in by one transaction; ``django``, the project's own migrations make it, in staging."""

PLAN_SCHEMA = "liteferry.plan/1"
REPORT_SCHEMA = "liteferry.report/1"
CHECK_SCHEMA = "liteferry.check/1"
INSPECT_SCHEMA = "liteferry.inspect/1"
DIGEST_SCHEMA = "liteferry.digest/1"
WINDOW_SCHEMA = "liteferry.window/1"

MOST_JOBS = 64
"""More workers than that would wait for each other, and for the server, which keeps a process and memory for each."""
CONFIG_NAME = "liteferry.toml"
"""The file of decisions that is looked for in the current directory."""


class _Lookups:
    """Room beside a dataclass's fields for what is looked up by name again and again: no part of its value.

    Without it a plan of 10,000 tables is made by looking through 10,000 tables for each of them.
    """

    __slots__ = ("_lookups",)

    def _find(self, what: str, name: str, items: Callable[[], Iterable[tuple[str, T]]]) -> T | None:
        """The first item of that name. what: which items they are; items: gives them with their names."""
        lookups: dict[str, dict[str, T]]
        try:
            lookups = self._lookups  # type: ignore[attr-defined]  # set below: an annotation here would be a field to msgspec
        except AttributeError:
            lookups = {}
            object.__setattr__(self, "_lookups", lookups)
        if what not in lookups:
            made: dict[str, T] = {}
            for key, item in items():
                made.setdefault(key, item)
            lookups[what] = made
        return lookups[what].get(name)


# ---------------------------------------------------------------------------------------------------------------------
# What the source holds

Affinity = Literal["INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"]

Kind = Literal[
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "bool",
    "text",
    "bytea",
    "timestamp",
    "timestamptz",
    "date",
    "time",
    "interval",
    "json",
    "jsonb",
    "uuid",
    "inet",
]
"""The family of a PostgreSQL type: decides how a value is encoded, compared and digested.

varchar(n), char(n), text and enums are all ``text``; the exact type with its modifier is `ColumnMap.pg_type`.
``float4`` (real) and ``inet`` (and cidr) only a schema that is there can have: no rule of ours chooses them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a SQLite table, as ``PRAGMA table_xinfo`` and the CREATE TABLE text tell it."""

    name: str
    declared_type: str  # as written, "" when there is none
    affinity: Affinity
    not_null: bool = False
    default_sql: str | None = None  # the expression's SQL, without outer parentheses
    collation: str = "BINARY"
    generated: Literal["", "virtual", "stored"] = ""
    generated_sql: str | None = None
    pk_position: int = 0  # 1-based position in the primary key, 0 when not part of it


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexKey:
    """One key of an index: a column or an expression."""

    column: str | None = None
    expression_sql: str | None = None
    descending: bool = False
    collation: str = "BINARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index. ``origin``: ``c`` CREATE INDEX, ``u`` UNIQUE constraint, ``pk`` PRIMARY KEY (SQLite's own letters).

    ``name`` is SQLite's (``sqlite_autoindex_…`` for constraints); ``constraint_name`` what the CREATE TABLE text calls
    the constraint, if anything.
    """

    name: str
    table: str
    origin: Literal["c", "u", "pk"]
    unique: bool
    keys: tuple[IndexKey, ...]
    where_sql: str | None = None
    sql: str | None = None
    constraint_name: str | None = None
    on_conflict: str | None = None  # "REPLACE", "IGNORE", …; None when not written or ABORT


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key. ``parent_columns`` is resolved to the parent's primary key where the text leaves it out.

    ``is_of_uuids``: of one column that the target has as uuid: two spellings are one value.
    """

    columns: tuple[str, ...]
    parent_table: str
    parent_columns: tuple[str, ...]
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: bool = False
    initially_deferred: bool = False
    name: str | None = None
    is_of_uuids: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A CHECK constraint. ``sql`` is the expression without the outer parentheses."""

    sql: str
    name: str | None = None
    column: str | None = None  # where it was written as a column constraint


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An ordinary SQLite table.

    ``rowid_alias``: the INTEGER PRIMARY KEY column, which SQLite fills by itself. ``sequence_value``: the table's row
    in ``sqlite_sequence`` (the highest id ever given, which can be above max(id)); None when there is no such row.
    """

    name: str
    sql: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    primary_key_name: str | None = None
    primary_key_on_conflict: str | None = None
    rowid_alias: str | None = None
    without_rowid: bool = False
    strict: bool = False
    autoincrement: bool = False
    sequence_value: int | None = None
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    not_null_on_conflict: tuple[str, ...] = ()  # columns with NOT NULL ON CONFLICT other than ABORT


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view. ``columns``: its output columns as SQLite names them; empty when SQLite cannot prepare it.

    ``error``: why SQLite itself cannot use the view (a table it reads is gone, for instance).
    """

    name: str
    sql: str
    columns: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A trigger, which is never carried over, always named."""

    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualTable:
    """A virtual table (FTS, R-Tree, …) with the shadow tables that belong to it."""

    name: str
    module: str
    sql: str
    shadow_tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog(_Lookups):
    """Everything that the source's schema declares. Tables and views are in the order of ``sqlite_schema``."""

    tables: tuple[Table, ...]
    views: tuple[View, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    virtual_tables: tuple[VirtualTable, ...] = ()
    encoding: str = "UTF-8"
    page_size_bytes: int = 4096
    size_bytes: int = 0
    journal_mode: str = "delete"
    user_version: int = 0
    application_id: int = 0
    sqlite_version: str = ""
    wal_pages_unread: int = 0  # as in SourceInfo

    def find_table(self, name: str) -> Table | None:
        """The table of that name, None where there is none."""
        return self._find("tables", name, lambda: ((table.name, table) for table in self.tables))

    def table(self, name: str) -> Table:
        """The table of that name. Raises: KeyError."""
        found = self.find_table(name)
        if found is None:
            raise KeyError(name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An offending value's place, never the value itself: the row's key as text, and why it offends."""

    key: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """A kind of oddity found in a column (`liteferry.census.OFFENCES`): how often, and the first few places."""

    name: str
    count: int
    samples: tuple[Sample, ...] = ()


StorageName = Literal["null", "integer", "real", "text", "blob"]
"""SQLite's storage classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfits:
    """How many values of one storage class have exactly these offences: so that no value is counted twice.

    ``converted``: whether the column's conversions change them all the same.
    """

    storage: StorageName
    offences: tuple[str, ...]
    count: int
    converted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How many values of a column look like this (`liteferry.census.FORMS`, `liteferry.census.SHAPES`)."""

    name: str
    count: int
    first: str = ""  # of a shape: the key of the first row that was seen with it


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCounts:
    """How many values of each storage class a column has, and their extremes."""

    name: str
    nulls: int = 0
    integers: int = 0
    reals: int = 0
    texts: int = 0
    blobs: int = 0
    min_integer: int | None = None
    max_integer: int | None = None
    min_real: float | None = None  # of the finite ones
    max_real: float | None = None  # of the finite ones
    negative_zeros: int = 0
    positive_infinities: int = 0
    negative_infinities: int = 0
    longest_text_chars: int = 0
    longest_value_bytes: int = 0
    size_bytes: int = 0  # of the values, as SQLite stores them, roughly
    max_fraction_digits: int = 0  # of seconds in dates and times; of decimals where the type has a scale
    max_integer_digits: int = 0  # before the decimal point, where the type has a precision


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnCensus(ColumnCounts):
    """What is really stored in one column, over every row.

    ``forms`` counts the texts by the forms that the declared type makes matter (`liteferry.census.FORMS`); `forms_of`
    says which family was looked for ("" none). ``shapes`` counts what texts and blobs look like whatever was declared
    (`liteferry.census.SHAPES`): texts that have a form of a date, time, JSON, UUID, address or boolean word are counted
    there alone.
    ``offences`` by name: see `liteferry.census.OFFENCES`. ``misfits``: the same values, each in one group.
    ``notes``: what is odd, but hinders nothing; ``reasons``: why texts are none of the forms.
    ``conversions``: those that the user decided on, which offences and lengths already reckon with; ``converted``: how
    many values they change.
    """

    forms_of: str = ""
    forms: tuple[Form, ...] = ()
    shapes: tuple[Form, ...] = ()
    offences: tuple[Offence, ...] = ()
    misfits: tuple[Misfits, ...] = ()
    notes: tuple[Offence, ...] = ()
    reasons: tuple[Form, ...] = ()
    conversions: tuple[str, ...] = ()
    converted: int = 0
    half_pairs: bool = False  # texts of a UTF-16 database that SQLite gives out as others: see `text-invalid`

    @property
    def rows(self) -> int:
        """The number of rows that were looked at."""
        return self.nulls + self.integers + self.reals + self.texts + self.blobs

    def offence(self, name: str) -> Offence | None:
        """The offence of that name, if it was found."""
        return next((offence for offence in self.offences if offence.name == name), None)

    def form(self, name: str) -> int:
        """How many texts have the form of that name."""
        return next((form.count for form in self.forms if form.name == name), 0)

    def shape(self, name: str) -> int:
        """How many values have the shape of that name."""
        return next((shape.count for shape in self.shapes if shape.name == name), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCensus(_Lookups):
    """The census of one table: one entry a column, in the table's order."""

    table: str
    rows: int
    columns: tuple[ColumnCensus, ...]
    size_bytes: int = 0  # of the values, as SQLite stores them, roughly
    max_rowid: int | None = None

    def column(self, name: str) -> ColumnCensus:
        """The column's census. Raises: KeyError."""
        found = self._find("columns", name, lambda: ((column.name, column) for column in self.columns))
        if found is None:
            raise KeyError(name)
        return found

    def count_documents(self, columns: Iterable[ColumnMap]) -> int:
        """The bytes of the values that become jsonb. columns: of this table's map. Raises: KeyError."""
        return sum(self.column(column.source).size_bytes for column in columns if column.kind == "jsonb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Rows whose foreign key points at nothing. ``foreign_key`` is the index in `Table.foreign_keys`.

    ``exact``: counted byte for byte although the parent's columns have another collation; without it, by SQLite's
    own rules. Where the two differ, both are there.
    """

    table: str
    foreign_key: int
    count: int
    samples: tuple[Sample, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Texts of a NOCASE column that SQLite holds apart, and that a wider idea of case may take for one.

    ``count``: rows that have such a twin. ``beyond_ascii``: rows with a character that is not printable ASCII: only
    these can be one of a pair.
    """

    table: str
    column: str
    beyond_ascii: int
    count: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """Rows that a constraint or index of the target would not take, although each value fits its column.

    ``code``: the finding's. ``name``: of the check, key or index, as the finding has it. ``error``: why it could not be
    found out; the count is then 0.
    """

    table: str
    code: str
    name: str
    count: int
    samples: tuple[Sample, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many rows are set apart for a reason: ``class:age``, ``orphan-rows:author_id``."""

    reason: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """The rows of a table that the user quarantines. A row may be there for more than one reason."""

    table: str
    rows: int
    reasons: tuple[ReasonCount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Census(_Lookups):
    """What the source really stores.

    ``faults``: what was found when rows were looked at together. ``apart``: the rows that are set apart, by the user's
    decisions; ``fitting``: the census of those tables without them.
    """

    tables: tuple[TableCensus, ...]
    orphans: tuple[Orphans, ...] = ()
    twins: tuple[Twins, ...] = ()
    faults: tuple[RowFault, ...] = ()
    apart: tuple[Apart, ...] = ()
    fitting: tuple[TableCensus, ...] = ()

    def table(self, name: str) -> TableCensus:
        """The table's census. Raises: KeyError."""
        found = self._find("tables", name, lambda: ((table.table, table) for table in self.tables))
        if found is None:
            raise KeyError(name)
        return found

    def kept(self, name: str) -> TableCensus:
        """The census of the rows that are not set apart. Raises: KeyError."""
        fitting = self._find("fitting", name, lambda: ((table.table, table) for table in self.fitting))
        return fitting or self.table(name)

    def set_apart(self, name: str) -> Apart:
        """The rows of a table that are set apart."""
        apart = self._find("apart", name, lambda: ((apart.table, apart) for apart in self.apart))
        return apart or Apart(table=name, rows=0)

    def fault(self, table: str, code: str, name: str) -> RowFault | None:
        """What was found about an object of a table, if anything."""
        wanted = (table, code, name)
        return next((found for found in self.faults if (found.table, found.code, found.name) == wanted), None)


# ---------------------------------------------------------------------------------------------------------------------
# What the target holds

ObjectKind = Literal[
    "table", "column", "primary_key", "unique", "check", "foreign_key", "index", "sequence", "view", "other"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetColumn:
    """A column as PostgreSQL's catalogue has it. ``pg_type`` is ``format_type()``'s text, ``numeric(10,2)``."""

    name: str
    pg_type: str
    not_null: bool
    default_sql: str | None = None
    identity: Literal["", "a", "d"] = ""
    generated: Literal["", "s", "v"] = ""
    collation: str = ""  # "" for the type's default


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetConstraint:
    """A constraint: ``kind`` is pg_constraint.contype (p, u, c, f, x).

    NOT NULL (n, from PostgreSQL 18 on) is the column's, and a trait of the table where it is not valid.
    """

    name: str
    kind: Literal["p", "u", "c", "f", "x"]
    columns: tuple[str, ...]
    definition_sql: str  # pg_get_constraintdef()
    validated: bool = True
    deferrable: bool = False
    deferred: bool = False
    parent_schema: str | None = None
    parent_table: str | None = None
    parent_columns: tuple[str, ...] = ()
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetIndex:
    """An index that does not belong to a constraint. ``columns``: None stands for an expression."""

    name: str
    columns: tuple[str | None, ...]
    descending: tuple[bool, ...]
    unique: bool
    partial: bool
    valid: bool
    definition_sql: str  # pg_get_indexdef()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSequence:
    """A sequence owned by a column. ``next_value`` is what nextval would give; None when it is exhausted.

    ``definition_sql``: its type and limits in the words of CREATE SEQUENCE.
    """

    name: str
    column: str
    next_value: int | None
    definition_sql: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """A table in PostgreSQL. ``oid`` tells it from another table of the same name made later.

    ``traits``: whatever else changes how it behaves, and no plan of ours makes: triggers, rules, policies, inheritance,
    storage options and the like, each as a readable text that begins with what it is.
    """

    name: str
    oid: int
    columns: tuple[TargetColumn, ...]
    constraints: tuple[TargetConstraint, ...] = ()
    indexes: tuple[TargetIndex, ...] = ()
    sequences: tuple[TargetSequence, ...] = ()
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """A view in PostgreSQL, with its columns' names and types. ``traits``: as in `TargetTable`."""

    name: str
    oid: int
    definition_sql: str  # pg_get_viewdef()
    columns: tuple[TargetColumn, ...] = ()
    traits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCatalog(_Lookups):
    """One schema of the target.

    ``others`` names every relation, type or routine that is neither a table nor a view nor belongs to one, nor to an
    extension, as ``sequence foo``, ``function bar(integer)``: what makes a schema not empty.
    """

    schema: str
    exists: bool
    tables: tuple[TargetTable, ...] = ()
    views: tuple[TargetView, ...] = ()
    others: tuple[str, ...] = ()
    version_num: int = 0  # of the server that rendered the definitions

    @property
    def is_empty(self) -> bool:
        """Whether the schema holds nothing of anybody's."""
        return not (self.tables or self.views or self.others)

    def table(self, name: str) -> TargetTable:
        """The table of that name. Raises: KeyError."""
        found = self._find("tables", name, lambda: ((table.name, table) for table in self.tables))
        if found is None:
            raise KeyError(name)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaObject:
    """What stands in a schema by itself. ``kind``: the word for ALTER and DROP; ``name``: quoted, as it follows it."""

    kind: str
    oid: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """The PostgreSQL server that answered. No secrets: no password, no connection string."""

    version: str  # "18.1"
    version_num: int  # 180001
    host: str  # a name, an address or a socket directory
    port: int
    database: str
    user: str
    encoding: str = "UTF8"
    timezone: str = "UTC"
    icu: bool = False  # it has ICU's collations, and so nondeterministic ones
    citext: Literal["absent", "available", "installed"] = "absent"  # available: the role may install and move it
    citext_schema: str = ""  # where it is installed
    folds_ascii_only: bool = False  # the database's lower() leaves every letter beyond A to Z as it is
    can_create_schema: bool = True
    size_bytes: int = 0
    embedded: bool = False


# ---------------------------------------------------------------------------------------------------------------------
# The plan

Severity = Literal["info", "blocker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """A way out of a finding: its name, a key of `liteferry.findings.WAYS`, and what taking it does at this place."""

    name: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the user decided: the way out that is taken at a place (a shell pattern on `Finding.place`).

    ``way``: a key of `liteferry.findings.WAYS`; that of a time zone with its name, ``timezone:Europe/Berlin``.
    ``code``: of findings of this code alone; "" of whatever finding offers the way there.
    ``origin``: the file that says so; "" for the command line or the caller; `liteferry.project.BY_DJANGO`
    and the field whose meaning it is.
    """

    place: str
    way: str
    code: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """The file that options came from: where it is, what it was, and which of `Options.accept` stand in it."""

    path: str
    sha256: str
    accept: tuple[str, ...] = ()


HookPoint = Literal[
    "before-pre-data",
    "after-pre-data",
    "before-data",
    "after-data",
    "before-post-data",
    "after-post-data",
    "before-publish",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """SQL of the user's, run at a point of every run. ``file``: its name as the user wrote it; ``sha256``: of the file.

    ``undo_sql``: what takes back what it does outside the target's schema; "" where there is no such file.
    """

    point: HookPoint
    file: str
    sql: str
    sha256: str
    undo_file: str = ""
    undo_sql: str = ""
    undo_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """A user's own cast rule: the columns of this name, or declared so, become this PostgreSQL type.

    ``column``: a shell pattern on ``table.column``; "" any. ``declared_type``: as SQLite has it, whatever its case and
    blanks; "" any.
    """

    pg_type: str
    column: str = ""
    declared_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the source or target that the user must know, or must decide before anything starts.

    ``code`` is a key of `liteferry.findings.FINDINGS`. ``name`` is the object's name within the table (column, index,
    constraint) or the view's, trigger's own. A blocker stops the plan until `accepted`; ``if_accepted`` says what then
    happens ("the column becomes text"), and is empty for a blocker that nothing but a repair removes.

    ``ways``: every way out that is offered here; accepting takes the first. ``way``: the one that was taken.
    """

    code: str
    severity: Severity
    message: str
    table: str | None = None
    name: str | None = None
    count: int = 0
    samples: tuple[Sample, ...] = ()
    sql: str | None = None
    hint: str = ""
    if_accepted: str = ""
    accepted: bool = False
    ways: tuple[WayOut, ...] = ()
    way: str = ""
    decided_by: str = ""  # the option or the file's line that took the way

    @property
    def blocks(self) -> bool:
        """Whether this finding stops the plan."""
        return self.severity == "blocker" and not self.accepted

    @property
    def place(self) -> str:
        """``table.name``, ``table`` or ``name``: what `--accept CODE:PLACE` takes."""
        return ".".join(part for part in (self.table, self.name) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """How one column travels. ``rule`` names the cast rule (`liteferry.typemap.RULES`) that chose the type.

    ``generated``: the target computes it, so that it is not copied but is compared.
    ``conversions``: what the user decided to make of the stored values before they are encoded, in this order, by the
    names of `liteferry.findings.WAYS` (``strip-nul``, ``epoch-s``, ``timezone:Europe/Berlin``; ``null`` stands for:
    what does not fit becomes NULL; ``null:integer,blob``: so do all values of these storage classes).
    ``converted``: how many values the census says that they change.
    """

    source: str
    target: str
    pg_type: str
    kind: Kind
    rule: str
    declared_type: str = ""
    generated: bool = False
    conversions: tuple[str, ...] = ()
    converted: int = 0

    @property
    def is_beside(self) -> bool:
        """Whether it is no column of the source's, but one that a quarantine table has beside them."""
        return self.rule == BESIDE


KEPT_WHOLE = "quarantine"
"""The conversion of a column of a quarantine table: each value becomes the SQL literal that SQLite reads as it."""

BESIDE = "beside"
"""The rule of a column that only a quarantine table has: the rowid where it is no column, and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a table's rowids, its ends among them; None for no end. Rows without a rowid cannot be cut so."""

    low: int | None = None
    high: int | None = None


Part = Literal["", "fitting", "quarantine"]
"""Of a source table's rows: all, those that are not set apart, those that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowQuestion:
    """What must be asked about a table's rows together before the plan is made. ``code``, ``name``: the finding's.

    ``columns``: of the key or index, as they travel; of the row. ``condition_sql``: in SQLite's words, what the rows
    must hold (of a CHECK), or what chooses them (of a partial index). ``limit``: of bytes. ``is_quarantined``: the user
    puts the rows that are found into quarantine.
    """

    table: str
    code: str
    name: str
    columns: tuple[ColumnMap, ...] = ()
    condition_sql: str = ""
    limit: int = 0
    is_quarantined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMap:
    """How one table travels: its columns in source order, and the key that rows are paired by in the proof.

    ``key``: source column names; empty when the table has no usable key, and rows are compared as a multiset.
    ``part``: which of the source's rows: all of them (""), those that are not in quarantine (``fitting``), or those
    that are (``quarantine``: the target is then the table beside it). Two maps may have the same source, none have the
    same target. ``rows``: of this part; ``document_bytes``: of its values that become jsonb. ``replaced``: rows of the
    target's table that these take the place of.
    """

    source: str
    target: str
    columns: tuple[ColumnMap, ...]
    key: tuple[str, ...] = ()
    rows: int = 0
    size_bytes: int = 0
    document_bytes: int = 0
    part: Part = ""
    replaced: int = 0


Phase = Literal["pre-data", "data", "post-data", "publish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFile:
    """Where the SQL of a hook's step comes from; the digests are of the files, as they were when the plan was made."""

    point: HookPoint
    file: str
    sha256: str
    undo_file: str = ""
    undo_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that the executor does: SQL statements, or the copy of one table (``copy``).

    ``id`` is stable and readable: ``post-data/index/auth_user_email_idx``. The plan's order is that of execution, but
    that neighbours with a ``group`` (one a table) run in parallel: those of one group in their order, the next step
    without a group after all of them. The phase publish comes last, after the proof. ``hook``: the SQL is the user's.
    ``undo_sql`` takes back what the step did *after publication*, in the target's own schema.
    """

    id: str
    phase: Phase
    sql: tuple[str, ...] = ()
    copy: str | None = None  # the source table's name
    table: str | None = None  # the target table that it works on
    group: str = ""
    undo_sql: tuple[str, ...] = ()
    hook: HookFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedObject:
    """An object that must be in the target at the end, as the source's catalogue demands it.

    Derived from the source, not from the steps' SQL. ``source_sql`` is what SQLite said. For a sequence
    ``at_least`` is the smallest allowed next value.
    """

    kind: ObjectKind
    name: str
    table: str | None = None
    columns: tuple[str | None, ...] = ()
    parent_table: str | None = None
    parent_columns: tuple[str, ...] = ()
    on_update: str = "NO ACTION"
    on_delete: str = "NO ACTION"
    deferrable: bool = False
    deferred: bool = False
    validated: bool = True
    unique: bool = False
    partial: bool = False
    descending: tuple[bool, ...] = ()
    pg_type: str | None = None
    not_null: bool = False
    has_default: bool = False
    generated: bool = False
    at_least: int | None = None
    source_sql: str | None = None
    collation: str = ""  # a column's, without its schema; "" for the type's own
    stands_for: ObjectKind | None = None  # what the source declares where this index does its work
    key_columns: tuple[str, ...] = ()  # one an entry of ``columns``: the column of a key that is an expression
    folds: tuple[str, ...] = ()  # one an entry of ``columns``: what a unique key leaves out of account, NOCASE or RTRIM
    bare: tuple[str, ...] = ()  # one an entry of ``columns``: the column that an expression is, and nothing but that


TranslationUse = Literal["default", "generated", "check", "predicate", "index-key", "view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedSql:
    """SQL of the source beside what the plan made of it, so that both engines' answers can be compared.

    ``name``: as findings name the object (`Finding.name`). ``object_name``: the target's. ``results``: the columns that
    it gives, one unless it is a view. ``reads``: of a view, the tables and views that it reads, by their source names.
    ``moves``: it reads the clock or makes random values. ``rough``: it adds floating-point numbers in any order.
    ``chance``: why two good answers may differ, "" when they may not.
    """

    use: TranslationUse
    name: str
    object_name: str
    source_sql: str
    target_sql: str
    results: tuple[ColumnMap, ...]
    table: str | None = None  # the source table's name
    reads: tuple[str, ...] = ()
    moves: bool = False
    rough: bool = False
    chance: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """A name that could not be kept: what it was, what it is now, why."""

    kind: ObjectKind
    table: str | None
    source: str
    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTotals:
    """How many objects of each sort one side has."""

    tables: int = 0
    columns: int = 0
    indexes: int = 0
    unique: int = 0
    checks: int = 0
    foreign_keys: int = 0
    sequences: int = 0
    views: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the user decided about values, and which rows do not travel: as in `Options`, kept in the plan."""

    accept: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    casts: tuple[Cast, ...] = ()
    timestamps: Literal["auto", "timestamp", "timestamptz"] = "auto"
    prune: tuple[PruneRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(_Lookups):
    """What `migrate` will do, exactly, as data: printed, compared, stored, executed, reversed."""

    schema: str  # PLAN_SCHEMA
    liteferry_version: str
    source: str  # the file's name, without its directory
    target_schema: str
    staging_schema: str
    creates_schema: bool
    tables: tuple[TableMap, ...]
    steps: tuple[Step, ...]
    objects: tuple[PlannedObject, ...]
    findings: tuple[Finding, ...] = ()
    names: tuple[NameChange, ...] = ()
    source_objects: ObjectTotals = ObjectTotals()  # what the source declares, accepted losses included
    config: ConfigFile | None = None
    apart: tuple[Apart, ...] = ()  # the rows that go into quarantine, and why
    decided: Decided | None = None  # what the user said of values; with it `verify` sets the same rows apart
    translations: tuple[TranslatedSql, ...] = ()
    pruned: tuple[Pruned, ...] = ()  # what was taken out of the snapshot before it was planned

    @property
    def counterparts(self) -> tuple[TableMap, ...]:
        """The maps of the tables that stand for the source's own: those of quarantined rows left out."""
        return tuple(table for table in self.tables if table.part != "quarantine")

    into: Into = "new"

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that stop the plan."""
        return tuple(finding for finding in self.findings if finding.blocks)

    def table(self, source: str) -> TableMap:
        """The map of the source's table of that name, not that of its quarantined rows. Raises: KeyError."""
        found = self._find("sources", source, lambda: ((table.source, table) for table in self.counterparts))
        if found is None:
            raise KeyError(source)
        return found

    def target_table(self, target: str) -> TableMap:
        """The map of the target's table of that name. Raises: KeyError."""
        found = self._find("targets", target, lambda: ((table.target, table) for table in self.tables))
        if found is None:
            raise KeyError(target)
        return found


# ---------------------------------------------------------------------------------------------------------------------
# What happens, and what came out

EventKind = Literal["phase-start", "phase-end", "step-start", "step-progress", "step-end", "note", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a watcher may want to show. ``rows`` and ``size_bytes`` count what this step did so far.

    ``total_rows``, ``total_bytes``: how many it will be; 0 when that is not known. A ``warning`` is a note that also
    those are shown who want to see no progress.
    """

    kind: EventKind
    phase: str = ""
    step_id: str = ""
    table: str = ""
    rows: int = 0
    total_rows: int = 0
    size_bytes: int = 0
    total_bytes: int = 0
    elapsed_s: float = 0.0
    message: str = ""


def ignore(_: Event) -> None:
    """Watch nothing: the default of every ``observe``."""


MismatchKind = Literal["value", "row-missing", "row-extra", "row-count", "object"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A difference that the proof found: exactly where, and what it is.

    ``key`` is the row's key as JSON-like text (``id=17``). ``source`` and ``target`` describe the two sides without
    showing values (``text, 12 characters``) unless the user asked for values.
    """

    kind: MismatchKind
    table: str | None = None
    column: str | None = None
    key: str | None = None
    object_kind: ObjectKind | None = None
    object_name: str | None = None
    source: str = ""
    target: str = ""
    message: str = ""


Verdict = Literal["proven", "not proven", "mismatch", "blocked", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDigest:
    """The canonical digest of a table's rows, independent of their order.

    ``rows`` rows; ``sum`` and ``xor``: of the rows' blake2b-128 digests, modulo 2^128, as 32 hexadecimal digits.
    """

    rows: int
    sum: str
    xor: str

    @property
    def text(self) -> str:
        """``rows:sum:xor``."""
        return f"{self.rows}:{self.sum}:{self.xor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """What became of one table. ``digest`` is the target's, equal to the source's when the verdict is ``proven``."""

    name: str
    target: str
    rows_source: int
    rows_target: int
    bytes: int
    elapsed_s: float
    values_compared: int
    digest: str
    verdict: Verdict
    proof_elapsed_s: float = 0.0
    method: str = ""  # "merge by primary key", "multiset"
    part: Part = ""  # of the source's rows, as in `TableMap`
    rows_replaced: int = 0  # rows of the target that these took the place of, kept in the run directory


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionSample:
    """A value before and after its conversion; only where the user asked for values."""

    key: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionReport:
    """What the user's ways out made of a column's values: which, and how many values they changed.

    ``values``: counted by the proof; without one, by the census.
    """

    table: str
    column: str
    pg_type: str
    conversions: tuple[str, ...]
    values: int
    samples: tuple[ConversionSample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePart:
    """What a phase did of one kind: from the beginning of the first step to the end of the last.

    Parts of a phase overlap where several tables are in work. ``busy_s`` adds up what each step took.
    """

    name: str
    elapsed_s: float
    started_s: float = 0.0
    busy_s: float = 0.0
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTime:
    """How long a phase took, and when it began, counted from the start of the run.

    ``cpu_s``: processor time of liteferry and the processes that it waited for; the server's is not in it. ``rows``,
    ``size_bytes``: what the phase went through; 0 where a rate would mean nothing.
    """

    name: str
    elapsed_s: float
    started_s: float = 0.0
    cpu_s: float = 0.0
    rows: int = 0
    size_bytes: int = 0
    parts: tuple[PhasePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSpeed:
    """What a short trial of a server showed, which read nothing of anybody's and wrote nothing."""

    round_trip_s: float  # of the shortest question
    work_s: float  # for a sum that is the same everywhere
    transfer_bytes_s: float = 0.0  # bytes a second, from the server to us; 0 where it is near, or that was not tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much there is to do: what times are scaled by when a source grows. Counts; ``*_bytes`` in bytes."""

    source_bytes: int = 0  # of the file
    tables: int = 0
    objects: int = 0  # constraints, indexes, sequences and views
    steps: int = 0
    rows: int = 0
    values: int = 0
    size_bytes: int = 0  # of the values, as SQLite stores them
    document_bytes: int = 0  # of those that become jsonb, which the server takes apart
    entries: int = 0  # of indexes and keys: a row counts once for each
    references: int = 0  # rows whose foreign keys are looked up, once for each


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPart:
    """What one phase takes of the window. Of phases that overlap each has its share, so that parts can be added up."""

    name: str  # of the phase; of the load apart: indexes, analyze; "between": what lies between phases
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long the application must stand still: from the beginning of the snapshot to the end of the publication.

    Measured. What is written to the source after the snapshot was begun does not arrive.
    """

    elapsed_s: float
    started_s: float = 0.0  # from the start of the run
    parts: tuple[WindowPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How long a phase is expected to take, and the bounds of that."""

    name: str
    likely_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How long the window is expected to be. The phases, named as `WindowPart`, add up to it.

    ``basis``: ``rehearsal``, from the times of an earlier run, whose ``rehearsal`` is the id and ``rehearsed_at`` the
    time; ``rates``, from this machine's census and what the rest usually takes. ``notes``: what it reckons with.
    """

    schema: str  # WINDOW_SCHEMA
    likely_s: float
    low_s: float
    high_s: float
    phases: tuple[Expected, ...]
    basis: Literal["rehearsal", "rates"]
    rehearsal: str = ""
    rehearsed_at: str = ""  # ISO 8601, UTC
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTrial:
    """A unique key that has to ignore case, and what the target did with a duplicate, in a transaction rolled back.

    ``refused``: that very key refused it; None where nothing could be tried. ``how``: what was inserted, or why not.
    """

    table: str
    name: str
    kind: ObjectKind
    refused: bool | None
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCount:
    """How many objects of a sort each side has. ``left_out``: those that accepted findings left behind."""

    source: int = 0
    target: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCounts:
    """Both sides' objects by sort. Primary keys are counted with the tables' indexes in neither."""

    tables: ObjectCount = ObjectCount()
    columns: ObjectCount = ObjectCount()
    indexes: ObjectCount = ObjectCount()
    unique: ObjectCount = ObjectCount()
    checks: ObjectCount = ObjectCount()
    foreign_keys: ObjectCount = ObjectCount()
    sequences: ObjectCount = ObjectCount()
    views: ObjectCount = ObjectCount()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """The source, as the report names it.

    ``wal_pages_unread``: pages at the end of the source's -wal file that SQLite does not read. ``pruned_rows``: rows
    that were taken out of the snapshot, or changed in it, before anything was read from it; 0 where it is the source.
    """

    path: str
    size_bytes: int
    sha256: str  # of the snapshot, before anything was pruned; "" with --snapshot none
    sqlite_version: str
    encoding: str
    journal_mode: str
    snapshot: Literal["copy", "none"] = "copy"
    wal_pages_unread: int = 0
    pruned_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeUse:
    """How often a declared type became which PostgreSQL type, by which rule."""

    declared_type: str
    pg_type: str
    rule: str
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run failed: the same that the command line prints."""

    code: str
    what: str
    hint: str = ""
    step_id: str = ""
    is_settled: bool = True  # everything that the run had begun was taken away again


@dataclass(frozen=True, slots=True, kw_only=True)
class HookChange:
    """Something that a hook did in the schema that the tables are made in.

    ``made``: an object of this kind and name was not there before; ``changed``: it is defined otherwise than before;
    ``dropped``: it is gone.
    """

    change: Literal["made", "changed", "dropped"]
    kind: ObjectKind
    name: str
    table: str | None = None
    definition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    """A hook that was run, and what it did in the schema."""

    step_id: str
    file: HookFile
    changes: tuple[HookChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DjangoReport:
    """What a Django project's own code had part in.

    ``made_by``: ``migrations``, they ran for this schema, or ``rehearsal``, the schema that they made earlier was
    restored and compared. ``seeded``: rows that the migrations put there and the source's replaced, by table.
    ``migrations``: how many made the schema, in ``migrations_s`` seconds when they ran. ``evidence``: None where the
    run did not come that far. ``moved_from``: the alias.
    """

    directory: str  # the project's
    settings_module: str
    django_version: str
    moved_from: str
    made_by: Literal["migrations", "rehearsal", "user", ""] = ""
    digest: str = ""
    migrations: int = 0
    migrations_s: float = 0.0
    seeded: tuple[tuple[str, int], ...] = ()
    pruned: tuple[Pruned, ...] = ()
    evidence: tuple[ModelEvidence, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The evidence of one run. Every figure in it was measured in that run."""

    schema: str  # REPORT_SCHEMA
    verdict: Verdict
    exit_status: int
    liteferry_version: str
    python_version: str
    run_id: str
    started_at: str  # ISO 8601, UTC
    elapsed_s: float
    run_dir: str
    source: SourceInfo
    target: ServerInfo | None
    target_schema: str
    phases: tuple[PhaseTime, ...]
    tables: tuple[TableReport, ...]
    objects: ObjectCounts
    findings: tuple[Finding, ...]
    mismatches: tuple[Mismatch, ...] = ()
    mismatch_count: int = 0  # mismatches lists at most a hundred a table
    names: tuple[NameChange, ...] = ()
    types: tuple[TypeUse, ...] = ()
    key_trials: tuple[KeyTrial, ...] = ()
    conversions: tuple[ConversionReport, ...] = ()
    config: ConfigFile | None = None
    options: tuple[str, ...] = ()  # words of a command line that moves the same things in the same way
    hooks: tuple[HookRun, ...] = ()
    published: bool = False
    undone_at: str = ""  # ISO 8601, UTC; "" while what was published is there
    compiled: tuple[str, ...] | None = (
        None  # the compiled parts that were in use; None in reports before there were any
    )
    jobs: int = 1
    failure: Failure | None = None
    apart: tuple[Apart, ...] = ()  # the rows in quarantine, and why
    offenders: str = ""  # the file that lists every offending value's place; "" when there is none
    into: Into = "new"
    django: DjangoReport | None = None
    rehearsal: bool = False  # nothing was to remain in the target
    window: Window | None = None  # as it was measured; null where nothing was published or rehearsed
    forecast: Forecast | None = None  # a migration's: made before its rows were loaded; a rehearsal's: of the move
    work: Work | None = None  # what the plan had to do
    server_speed: ServerSpeed | None = None
    undo_phases: tuple[PhaseTime, ...] = ()  # of the undo, counted from its own start

    @property
    def rows(self) -> int:
        """Rows in the target, over all tables."""
        return sum(table.rows_target for table in self.tables)

    @property
    def values_compared(self) -> int:
        """Values compared, over all tables."""
        return sum(table.values_compared for table in self.tables)


NocaseWay = Literal["auto", "icu", "citext", "index", "bytes"]
"""How a column with COLLATE NOCASE goes on: see `liteferry.planner.collations`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user decided. The defaults are what a careful user would choose."""

    schema: str = "public"
    only: tuple[str, ...] = ()  # patterns as in a shell, on table names
    exclude: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()  # CODE or CODE:PLACE, where PLACE is Finding.place, patterns allowed
    decisions: tuple[Decision, ...] = ()  # the later ones come before the earlier ones
    casts: tuple[Cast, ...] = ()  # the first that matches a column counts
    into: Into = "new"
    project: ProjectOptions | None = None  # the Django project whose database is moved
    replace_rows: tuple[str, ...] = ()  # patterns on target tables whose rows may be replaced, with into existing
    names: Literal["preserve", "lower", "snake"] = "preserve"
    timestamps: Literal["auto", "timestamp", "timestamptz"] = "auto"
    nocase: NocaseWay = "auto"
    hooks: tuple[Hook, ...] = ()
    config: ConfigFile | None = None  # where some of the above came from
    snapshot: Literal["copy", "none"] = "copy"
    jobs: int = 0  # at most MOST_JOBS; 0: chosen from the number of cores
    verify: bool = True
    keep_staging: bool = False
    dry_run: bool = False
    rehearsal: bool = False  # everything is done, and nothing remains in the target
    show_values: bool = False
    run_dir: str | None = None
    offenders: str | None = None  # a file to keep every offender's place in, where there is no run directory
    rehearsed: str | None = None  # an earlier run's directory, to predict by; None: the newest beside the source

    @property
    def prune(self) -> tuple[PruneRule, ...]:
        """The rows that do not travel, by the project's rules."""
        return self.project.prune if self.project is not None else ()


def encode_json(value: object, *, indent: int = 2) -> bytes:
    """Write any dataclass of this module as JSON, in UTF-8. Pure."""
    import msgspec  # here: it costs 16 ms that `--help` need not pay

    packed = msgspec.json.encode(value)
    return msgspec.json.format(packed, indent=indent) if indent else packed


def to_json(value: object, *, indent: int = 2) -> str:
    """The same as text. Pure."""
    return encode_json(value, indent=indent).decode()


def from_json(cls: type[T], text: str | bytes) -> T:
    """Read a dataclass back from `to_json`'s text. Pure.

    Raises: ValueError when the text is not that dataclass (msgspec.ValidationError, a ValueError).
    """
    import msgspec

    return msgspec.json.decode(text, type=cls)


def json_schema(cls: type[object]) -> dict[str, object]:
    """The JSON Schema (2020-12) of a dataclass of this module. Pure."""
    import msgspec

    return msgspec.json.schema(cls)
