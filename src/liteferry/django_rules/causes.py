"""Which migration is to blame: what a project's migrations say of a table, a column, an index.

Layer 1, pure. A migration that makes something which is not there was either not applied, or is recorded as applied
without having run. Squashed migrations stand beside those that they replace: whichever is applied counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from liteferry.django_rules.spelling import list_names
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from liteferry.project import Project, ProjectField, ProjectMigration, ProjectModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why something is not as the project wants it. ``text``: a clause that can follow a colon.

    ``state``: of the migration at fault; ``unknown`` where no migration is.
    """

    text: str
    state: Literal["unapplied", "recorded", "unknown"] = "unknown"
    migration: str = ""


def list_gone(project: Project) -> dict[str, list[str]]:
    """The migrations that are recorded as applied and are not on disk, by app; replaced ones aside. Pure."""
    known = {(found.app, found.name) for found in project.migrations}
    known |= {key for found in project.migrations for key in found.replaces}
    gone: dict[str, list[str]] = {}
    for app, name in project.applied:
        if (app, name) not in known:
            gone.setdefault(app, []).append(name)
    return gone


def explain_missing_table(project: Project, table: str) -> Cause:
    """Why the file does not have a table that the project's migrations make. Pure."""
    model = _model_of(project, table)
    if model is None:
        found = _blame(project, [m for m in project.migrations if _mentions(m, table)], "makes it")
        return found or Cause(text="no model has it, and no migration names it")
    names = _former(project, model.app, {model.name.lower()})
    makers = [
        migration
        for migration in project.migrations
        if migration.app == model.app
        and (names & set(migration.creates) or any(_is_link(model, entry) for entry in migration.adds))
    ]
    renamed = [m for m in project.migrations if m.app == model.app and any(new in names for _, new in m.renames)]
    pending = [m for m in renamed if m.key in project.unapplied]
    found = _blame(project, pending, "gives it its name") or _blame(project, makers, "creates it")
    return found or Cause(text="no migration creates it")


def explain_missing_column(project: Project, table: str, column: str, there: Collection[str]) -> Cause:
    """Why the file does not have a column. there: the columns that the file's table has. Pure."""
    model, field = _field_of(project, table, column)
    if model is None or field is None:
        named = [m for m in project.migrations if _mentions(m, table, column)]
        found = _blame(project, named, "makes it") or _blame(
            project, _find_removers(project, table, column), "knows it"
        )
        return found or Cause(text="no model has it, and no migration names it")
    full = f"{model.name}.{field.name}".lower()
    names = _former(project, model.app, {full}) | _former_fields(project, model, field.name)
    present = {fold_case(name) for name in there}
    for migration in _of_app(project, model.app):
        for old, new in migration.renames:
            former = old.rpartition(".")[2]
            if new in names and "." in new and {former, f"{former}_id"} & present:
                return _blame_one(project, migration, f"renames {former}")
    found = _blame(project, [m for m in _of_app(project, model.app) if names & set(m.adds)], "adds it")
    return found or Cause(text="no migration adds it")


def explain_extra_column(project: Project, table: str, column: str) -> Cause:
    """Why the file has a column that the migrations do not make. Pure."""
    model, field = _field_of(project, table, column)
    if model is not None and field is not None:
        return Cause(text=f"it is the field {model.label}.{field.name}, which no migration adds")
    if model is not None:
        for migration in _of_app(project, model.app):
            for old, new in migration.renames:
                if _is_field(project, model, column, old):
                    return _blame_one(project, migration, f"renames it to {new.rpartition('.')[2]}")
        found = _blame(project, _find_removers(project, table, column), "removes it")
        if found:
            return found
    return Cause(text="no model and no migration knows it: it was added by hand, or by another version of the project")


def explain_extra_table(project: Project, table: str) -> Cause:
    """Why the file has a table that the migrations do not make. Pure."""
    model = _model_of(project, table)
    if model is not None and not model.allowed:
        return Cause(text=f"the routers keep the model {model.label} off the database {project.alias}")
    if model is not None and not model.managed:
        return Cause(
            text=f"the model {model.label} is unmanaged (managed = False), so that no migration makes its table"
        )
    if model is not None:
        return Cause(text=f"no migration creates the model {model.label}")
    name = fold_case(table)
    if name in {fold_case(known) for known in project.cache_tables}:
        return Cause(text="the settings keep a cache in it: `manage.py createcachetable` makes it, no migration does")
    for migration in project.migrations:
        for old, new in migration.renames:
            if "." not in old and name == f"{migration.app}_{old}":
                return _blame_one(project, migration, f"renames its model to {new}")
    removers = [m for m in project.migrations if name in _tables_taken(project, m)]
    found = _blame(project, removers, "deletes it")
    if found:
        return found
    gone = [app for app in list_gone(project) if name.startswith(f"{app}_") and not _is_installed(project, app)]
    if gone:
        app = max(gone, key=len)
        return Cause(text=f"it belongs to the app {app}, whose migrations were applied and which is not installed now")
    if name.endswith("__old") or name.startswith("new__"):
        return Cause(text="it is what an interrupted change of a table left behind")
    return Cause(
        text="no model and no migration knows it: the application makes it itself, or somebody made it by hand"
    )


def explain_difference(project: Project, table: str, columns: Iterable[str], *, is_extra: bool = False) -> Cause:
    """Why columns of the file are declared otherwise than the migrations do. is_extra: the file has more. Pure."""
    model = _model_of(project, table)
    if model is None:
        return Cause(text="the table was made or changed by hand")
    fields = [field for column in columns for field in model.fields if fold_case(field.column) == fold_case(column)]
    names: set[str] = set()
    for field in fields:
        names |= {f"{model.name}.{field.name}".lower()} | _former_fields(project, model, field.name)
    changing = [m for m in _of_app(project, model.app) if names & set(m.alters)]
    pending = [m for m in changing if m.key in project.unapplied]
    found = _blame(project, pending, "changes it")
    if found:
        return found
    by_hand = "it was added by hand" if is_extra else "the table was changed by hand"
    if changing:
        last = changing[-1].key
        doubt = f"or migration {last}, which changes it, is recorded as applied but was not (migrate --fake?)"
        return Cause(text=f"{by_hand}, {doubt}", state="recorded", migration=last)
    return Cause(text=by_hand)


def explain_object(project: Project, name: str, table: str | None) -> Cause:
    """Why the file does not have an index, a constraint, a view or a trigger. Pure."""
    makers = [m for m in project.migrations if fold_case(name) in m.objects or _mentions(m, name)]
    there = f" (of {table})" if table else ""
    return _blame(project, makers, "makes it") or Cause(text=f"it was dropped by hand{there}")


# ---------------------------------------------------------------------------------------------------------------------


def _blame(project: Project, makers: Iterable[ProjectMigration], does: str) -> Cause | None:
    """The cause, when one of these migrations should have made it so: the first that is not applied, else the last."""
    found = list(makers)
    for migration in found:
        if migration.key in project.unapplied:
            return _blame_one(project, migration, does)
    applied = [migration for migration in found if (migration.app, migration.name) in project.applied]
    return _blame_one(project, (applied or found)[-1], does) if found else None


def _blame_one(project: Project, migration: ProjectMigration, does: str) -> Cause:
    if migration.key in project.unapplied:
        return Cause(text=f"migration {migration.key}, which {does}, is not applied", state="unapplied",
                     migration=migration.key)  # fmt: skip
    return Cause(
        text=f"migration {migration.key}, which {does}, is recorded as applied, but was not (migrate --fake?)",
        state="recorded",
        migration=migration.key,
    )


def _of_app(project: Project, app: str) -> list[ProjectMigration]:
    return [migration for migration in project.migrations if migration.app == app]


def _model_of(project: Project, table: str) -> ProjectModel | None:
    return next((model for model in project.models if fold_case(model.table) == fold_case(table)), None)


def _field_of(project: Project, table: str, column: str) -> tuple[ProjectModel | None, ProjectField | None]:
    model = _model_of(project, table)
    fields = model.fields if model is not None else ()
    return model, next((field for field in fields if fold_case(field.column) == fold_case(column)), None)


def _former(project: Project, app: str, names: set[str]) -> set[str]:
    """Names of a model or field with all that it had before, as far as migrations rename it."""
    found = set(names)
    for migration in reversed(_of_app(project, app)):
        found |= {old for old, new in migration.renames if new in found}
    return found


def _former_fields(project: Project, model: ProjectModel, field: str) -> set[str]:
    """``model.field`` under every name that both ever had."""
    models = _former(project, model.app, {model.name.lower()})
    return _former(project, model.app, {f"{name}.{field}".lower() for name in models})


def _is_field(project: Project, model: ProjectModel, column: str, full: str) -> bool:
    """Whether ``model.field`` of a migration is a column of the model's, under whatever name the model had then."""
    owner, _, field = full.rpartition(".")
    return owner in _former(project, model.app, {model.name.lower()}) and fold_case(column) in {field, f"{field}_id"}


def _find_removers(project: Project, table: str, column: str) -> list[ProjectMigration]:
    model = _model_of(project, table)
    if model is None:
        return []
    return [
        migration
        for migration in _of_app(project, model.app)
        if any(_is_field(project, model, column, entry) for entry in migration.removes)
    ]


def _tables_taken(project: Project, migration: ProjectMigration) -> set[str]:
    """The tables that a migration takes away: of models that it deletes, and of many-to-many fields."""
    named = {model: table for m in _of_app(project, migration.app) for model, table in m.tables if table}
    taken = {fold_case(named.get(model, f"{migration.app}_{model}")) for model in migration.deletes}
    for entry in migration.removes:
        model, _, field = entry.partition(".")
        taken.add(fold_case(f"{named.get(model, f'{migration.app}_{model}')}_{field}"))
    links = {f"{table}_{field.rpartition('.')[2]}" for m in _of_app(project, migration.app) for field in m.adds
             for table in taken if field.rpartition(".")[0] in migration.deletes}  # fmt: skip
    return taken | links


def _is_link(model: ProjectModel, entry: str) -> bool:
    """Whether a field that a migration adds is the many-to-many field of an automatic model (``Owner_field``)."""
    return model.auto_created and entry.replace(".", "_") == model.name.lower()


def _is_installed(project: Project, app: str) -> bool:
    return any(model.app == app for model in project.models) or any(m.app == app for m in project.migrations)


def _mentions(migration: ProjectMigration, *names: str) -> bool:
    """Whether the SQL of a migration names all of these."""
    wanted = {fold_case(name) for name in names}
    return any(wanted <= list_names(text.partition(":")[2]) for text in migration.raw if text.startswith("RunSQL:"))
