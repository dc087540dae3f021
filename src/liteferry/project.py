"""What a Django project says of itself: frozen dataclasses and nothing else.

Layer 0. The project is asked in its own interpreter (`liteferry.django_project`), which answers in JSON; these are the
answers. Names are Django's own words: label ``app.Model``, internal type ``DecimalField``, alias of a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

BY_DJANGO: Final = "Django: "
"""How `Decision.origin` and `Finding.decided_by` begin where the project's own fields decided."""

Lookups: TypeAlias = "dict[str, object]"
"""Keyword arguments of ``QuerySet.filter``: JSON values, dates as ISO text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRule:
    """Rows of one model that do not travel: those that match any of ``filters``; with ``all_rows`` every one."""

    model: str  # app.Model
    filters: tuple[Lookups, ...] = ()
    all_rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions:
    """Which Django project is meant, and how it is started: what the user said; "" where nothing was said."""

    directory: str
    settings: str = ""  # module, as DJANGO_SETTINGS_MODULE
    python: str = ""  # interpreter
    database: str = ""  # the alias that is moved
    target_alias: str = ""  # the alias that is the target
    target_env: tuple[tuple[str, str], ...] = ()  # variables that the project has only while it is on PostgreSQL
    prune: tuple[PruneRule, ...] = ()
    write_env: str = ""  # the file that the new setting is written to


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPlace:
    """Where a project is, and what starts it. ``manage``: its manage.py, "" when it is named by its settings alone."""

    directory: str
    manage: str
    settings: str  # "": manage.py says which
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectDatabase:
    """One entry of DATABASES; never its password. ``name``: as the settings have it, a path for SQLite."""

    alias: str
    engine: str
    vendor: str  # sqlite, postgresql, …; "" when the engine cannot be imported
    name: str
    host: str = ""
    port: str = ""
    user: str = ""
    time_zone: str = ""  # TIME_ZONE of this database, "" when not set


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """What the settings say, before any application was loaded."""

    settings_module: str
    base_dir: str  # the directory that relative paths of databases start from: the process's own
    django_version: str
    python_version: str
    psycopg_version: str  # of psycopg 3 or psycopg2, "" when there is none
    use_tz: bool
    time_zone: str
    databases: tuple[ProjectDatabase, ...]
    routers: tuple[str, ...] = ()
    installed_apps: tuple[str, ...] = ()
    auth_user_model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectField:
    """A concrete field of a model: it has a column.

    ``internal_type``: ``get_internal_type()``; ``class_name``: with its module. ``db_type``: on PostgreSQL, as
    ``db_parameters`` gives it, "" when it has none or none can be asked for; ``sqlite_type`` likewise on SQLite.
    ``custom``: the class is neither Django's own nor one that merely subclasses without changing values (its
    ``from_db_value``, ``to_python``, ``get_prep_value``, ``get_db_prep_value`` and ``db_type`` are Django's).
    ``related``: label of the model that it points at, with ``related_column``.
    """

    name: str
    column: str
    internal_type: str
    class_name: str
    db_type: str
    sqlite_type: str
    null: bool = False
    primary_key: bool = False
    unique: bool = False
    max_length: int | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    related: str = ""
    related_column: str = ""
    generated: bool = False
    collation: str = ""
    custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectModel:
    """A model that has a table, the automatic ones of many-to-many fields included; proxies and swapped ones not.

    ``allowed``: the routers let this alias have it. ``managed``: migrations make its table.
    """

    label: str
    app: str
    name: str
    table: str
    managed: bool
    allowed: bool
    auto_created: bool
    fields: tuple[ProjectField, ...]

    def field_of(self, column: str) -> ProjectField | None:
        """The field of a column; None when it has none."""
        return next((field for field in self.fields if field.column == column), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMigration:
    """A migration on disk. What it does is said of models, ``model.field`` and names of objects, all in lower case.

    ``alters``: fields. ``renames``: pairs, of models or of ``model.field``. ``tables``: models with the table that they
    are given by name. ``objects``: names of the indexes and constraints that it adds. ``raw``: RunSQL with its
    statements, RunPython with the function's name.
    """

    app: str
    name: str
    replaces: tuple[tuple[str, str], ...] = ()
    creates: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    alters: tuple[str, ...] = ()
    renames: tuple[tuple[str, str], ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    objects: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """``app.name``."""
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Django project, with its applications loaded. ``alias``: the database that is moved.

    ``applied``: the migrations that the snapshot's django_migrations names, as app and name. ``changes``: what
    ``makemigrations`` would write, described; ``schema_changes``: those of them that would change a table.
    ``inconsistent``: migrations that are applied before one that they depend on, as pairs of ``app.name``.
    ``cache_tables``: that the settings' caches use, and ``createcachetable`` makes. ``digest``: of everything that
    decides what the migrations make.
    ``digest_parts``: the digest of each part of it, by name, so that what changed can be said.
    """

    place: ProjectPlace
    settings: ProjectSettings
    alias: str
    models: tuple[ProjectModel, ...]
    migrations: tuple[ProjectMigration, ...]
    applied: tuple[tuple[str, str], ...] = ()
    unapplied: tuple[str, ...] = ()  # app.name, in the order in which migrate would apply them
    changes: tuple[str, ...] = ()
    schema_changes: tuple[str, ...] = ()
    inconsistent: tuple[tuple[str, str], ...] = ()
    cache_tables: tuple[str, ...] = ()
    digest: str = ""
    digest_parts: tuple[tuple[str, str], ...] = ()

    @property
    def database(self) -> ProjectDatabase:
        """The database that is moved."""
        return next(found for found in self.settings.databases if found.alias == self.alias)

    def model_of(self, table: str) -> ProjectModel | None:
        """The model of a table; None when it has none."""
        return next((model for model in self.models if model.table == table), None)


# ---------------------------------------------------------------------------------------------------------------------
# What the project's own code found out


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning did to one table.

    ``model``: "" for a table of no model. ``by``: the models of the rules that led to it; without one, the database's
    own ON DELETE did it. ``updated``: rows that are still there, with another key in them (SET_NULL and the like).
    ``added``: rows that an on_delete handler of the project made. ``orphaned``: rows that are still there and now refer
    to rows that are gone, where neither Django nor the database minds. ``unmatched``: this model's filters that no row
    matched.
    """

    model: str
    table: str
    deleted: int
    updated: int = 0
    by: tuple[str, ...] = ()
    added: int = 0
    orphaned: int = 0
    unmatched: tuple[str, ...] = ()


EvidenceStatus: TypeAlias = Literal["equal", "different", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEvidence:
    """One model, read through the ORM in both databases.

    ``checks``: what was looked at (count, first and last, rows, lookup, relations, insert), with what came of it.
    ``why``: what is different, failed, or was skipped; "" when all is equal. ``rows_source``, ``rows_target``: -1 where
    they could not be counted.
    """

    model: str
    table: str
    rows_source: int
    rows_target: int
    status: EvidenceStatus
    checks: tuple[tuple[str, str], ...] = ()
    why: str = ""
