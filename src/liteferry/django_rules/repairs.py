"""What a user does about a difference between a Django project and its SQLite file.

Layer 1, pure. Never that a migration be recorded without being run: it would hide the difference, and not mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from liteferry.names import quote_name
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from liteferry.django_rules.causes import Cause
    from liteferry.model import Column, Table
    from liteferry.project import Project


def name_migrate(project: Project) -> str:
    """The command that applies migrations to the database that is moved. Pure."""
    return "python manage.py migrate" + ("" if project.alias == "default" else f" --database {project.alias}")


def repair_table(project: Project, cause: Cause) -> str:
    """How to get a table that the file does not have. Pure."""
    if cause.state == "unapplied":
        return _apply(project)
    return "make it by the SQL that is shown with this finding, after a backup, and look for its rows in one"


def repair_column(project: Project, cause: Cause) -> str:
    """How to get a column that the file does not have. Pure."""
    if cause.state == "unapplied":
        return _apply(project)
    if "renames" in cause.text:
        return "rename the column in the file, after a backup: ALTER TABLE … RENAME COLUMN"
    if cause.state == "recorded":
        return "add it by the SQL that is shown with this finding, after a backup: the migration will not run again"
    return f"python manage.py makemigrations, then {name_migrate(project)}"


def repair_extra(project: Project, cause: Cause, what: str) -> str:
    """What to do about something that no migration makes. Pure."""
    if cause.state == "unapplied":
        return _apply(project)
    if "createcachetable" in cause.text:
        return "leave it behind, and run `manage.py createcachetable` on the target"
    if cause.state == "recorded":
        return f"look whether {what} still holds anything that is needed; else drop it, after a backup"
    made = "field and a migration" if "." in what else "model with that name as db_table, and a migration"
    return f"to keep {what}, give it a {made}; else leave it behind, by accepting that"


def repair_object(project: Project, cause: Cause, *, is_extra: bool = False) -> str:
    """What to do about a column, key or index that is declared differently. Pure."""
    if cause.state == "unapplied":
        return _apply(project)
    if is_extra:
        return "to have it on the target, too, write it into a model or a migration (RunSQL for what has no model)"
    return "nothing need be done for the move: the target gets what the migrations make"


def add_column_sql(table: str, column: Column, owner: Table) -> str | None:
    """The statement that adds a column as the migrations make it; None for what SQLite cannot add. Pure.

    What the rows that are there get in a NOT NULL column without a default, only the user knows: a comment says so.
    """
    if column.generated == "stored" or column.pk_position:
        return None
    parts = [f"ALTER TABLE {quote_name(table)} ADD COLUMN {quote_name(column.name)} {column.declared_type}".rstrip()]
    if fold_case(column.collation) != "binary":
        parts.append(f"COLLATE {quote_name(column.collation)}")
    if column.generated:
        return " ".join([*parts, f"GENERATED ALWAYS AS ({column.generated_sql}) VIRTUAL"])
    if column.default_sql is not None:
        parts.append(
            f"DEFAULT ({column.default_sql})" if "(" in column.default_sql else f"DEFAULT {column.default_sql}"
        )
    if column.not_null:
        filled = column.default_sql is not None
        parts.append("NOT NULL" if filled else "NOT NULL DEFAULT /* what the rows that are there get */")
    for key in owner.foreign_keys:
        if key.columns == (column.name,):
            parts.append(
                f"REFERENCES {quote_name(key.parent_table)} ({', '.join(map(quote_name, key.parent_columns))})"
            )
            parts += ["DEFERRABLE INITIALLY DEFERRED"] if key.initially_deferred else []
    return " ".join(parts)


def _apply(project: Project) -> str:
    return f"apply it to the SQLite file first: {name_migrate(project)}"
