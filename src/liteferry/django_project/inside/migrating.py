"""The task `migrate`: run the project's migrations, on an empty database of ours."""

from __future__ import annotations

import re
import time
from typing import Any, Callable

_CREATE_EXTENSION = re.compile(
    r"""\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>"(?:[^"]|"")+"|[\w$-]+)(?:\s+WITH\b)?"""
    r"""(?P<rest>[^;$]*)""",
    re.IGNORECASE,
)
_MARK_SQL = """DO $liteferry$
DECLARE found record;
BEGIN
  FOR found IN SELECT e.extname FROM pg_catalog.pg_extension e
               WHERE e.extname <> ALL ({known}::text[]) AND pg_catalog.pg_get_userbyid(e.extowner) = current_user
                 AND pg_catalog.obj_description(e.oid, 'pg_extension') IS DISTINCT FROM {mark}
  LOOP
    EXECUTE pg_catalog.format('COMMENT ON EXTENSION %I IS %L', found.extname, {mark});
  END LOOP;
END $liteferry$"""


def migrate(argument: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:
    """Run every migration on the database ``argument["alias"]``; tells of each as it ends.

    ``argument["extensions"]``: which schema takes the extensions that migrations create (see `_Extensions`).
    ``argument["outside"]``: SQL that lists, a line a row, what migrations must leave alone. Both are for PostgreSQL;
    neither has to be there. An error has the migration, the operation and the SQL that failed in its
    ``liteferry_facts``.
    """
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    alias = argument["alias"]
    connection = connections[alias]
    outside = _Outside(connection, argument["outside"]) if "outside" in argument else None
    extensions = _Extensions(connection, **argument["extensions"]) if "extensions" in argument else None
    watch = _Watch(tell, extensions)
    applying = MigrationExecutor.apply_migration

    def apply_migration(self: Any, state: Any, migration: Any, *args: Any, **options: Any) -> Any:
        watch.begin(migration)
        try:
            after = applying(self, state, migration, *args, **options)
        except BaseException as error:
            watch.explain(error)
            raise
        if outside is not None:
            outside.compare(migration)
        watch.end(migration)
        return after

    MigrationExecutor.apply_migration = apply_migration  # this process does nothing else
    with connection.execute_wrapper(watch.see):
        # with the tables of apps that have no migrations, which are made first
        call_command("migrate", database=alias, interactive=False, verbosity=0, skip_checks=True, run_syncdb=True)
    return {"migrations": watch.count}


class OutsideError(Exception):
    """A migration did something elsewhere."""


class _Outside:
    """What stands outside the schema that migrations make, compared after each of them."""

    def __init__(self, connection: Any, sql: str) -> None:
        self._connection = connection
        self._sql = sql
        self._before = self._read()

    def compare(self, migration: Any) -> None:
        """Raise OutsideError, with what changed in its ``liteferry_facts``, if something did."""
        now = self._read()
        made = [line for line in now if line not in self._before]
        gone = [line for line in self._before if line not in now]
        if made or gone:
            error = OutsideError(f"{len(made) + len(gone)} changes")
            error.liteferry_facts = {  # type: ignore[attr-defined]  # read by program
                "outside": f"{migration.app_label}.{migration.name}", "made": made, "gone": gone,
            }  # fmt: skip
            raise error

    def _read(self) -> dict[str, None]:
        from django.db import transaction

        with transaction.atomic(using=self._connection.alias), self._connection.cursor() as cursor:
            cursor.execute("SET LOCAL search_path TO ''")  # so that every name is qualified
            cursor.execute(self._sql)
            return {line: None for (line,) in cursor.fetchall()}


class _Watch:
    """Sees every statement and migration on its way."""

    def __init__(self, tell: Callable[..., None], extensions: _Extensions | None) -> None:
        self._tell = tell
        self._extensions = extensions
        self._sql = ""
        self._migration: Any = None
        self._begun = 0.0
        self.count = 0

    def begin(self, migration: Any) -> None:
        self._migration, self._begun, self._sql = migration, time.monotonic(), ""

    def end(self, migration: Any) -> None:
        self.count += 1
        name = f"{migration.app_label}.{migration.name}"
        self._tell(kind="migration", name=name, elapsed_s=time.monotonic() - self._begun, count=self.count)

    def see(self, execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        try:
            if self._extensions is not None and isinstance(sql, str) and _CREATE_EXTENSION.search(sql):
                return self._extensions.create(execute, sql, params, many, context)
            return execute(sql, params, many, context)
        except Exception:
            self._sql = str(sql)
            raise

    def explain(self, error: BaseException) -> None:
        facts = {"migration": f"{self._migration.app_label}.{self._migration.name}", "sql": self._sql}
        facts["operation"] = _find_operation(error)
        error.liteferry_facts = facts  # type: ignore[attr-defined]  # read by program


class _Extensions:
    """Leads extensions to the schema in which a migrate without staging would create them, and marks them as new.

    An extension cannot always be moved later: not all are relocatable, and what a trusted one makes belongs to the
    server's superuser. ``schema``: where they go. ``fixed``: those that choose their schema themselves. ``known``:
    those that were there before. ``mark``: the comment by which a run that is killed can be tidied up after. ``path``:
    the search path from when on one is in ``schema``; ``creates``: the schema itself has to be made then.
    """

    def __init__(
        self, connection: Any, *, schema: str, fixed: list[str], known: list[str], mark: str, path: str, creates: str
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._fixed = frozenset(fixed)
        self._path = path
        self._creates = creates
        array = _quote(_write_array(known))
        self._mark_sql = _MARK_SQL.format(known=array, mark=_quote(mark))
        self._count_sql = f"SELECT count(*) FROM pg_catalog.pg_extension e WHERE e.extname <> ALL ({array}::text[])"

    def create(self, execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        """Execute SQL that creates an extension."""
        if self._creates:
            execute(self._creates, None, False, context)
        schema = self._schema if params is None else self._schema.replace("%", "%%")

        def lead(match: Any) -> str:
            name, rest = match["name"].strip('"'), match["rest"]
            if name in self._fixed or re.search(r"\bSCHEMA\b", rest, re.IGNORECASE):
                return str(match[0])
            return str(match[0][: len(match[0]) - len(rest)]) + " SCHEMA " + schema + str(rest)

        result = execute(_CREATE_EXTENSION.sub(lead, sql), params, many, context)
        execute(self._mark_sql, None, False, context)
        self._see_schema(execute, context)
        return result

    def _see_schema(self, execute: Callable[..., Any], context: Any) -> None:
        """Let what follows find an extension that was created in a schema outside the search path."""
        if not self._path:
            return
        execute(self._count_sql, None, False, context)
        if context["cursor"].fetchone()[0]:
            execute("SET search_path TO " + self._path, None, False, context)
            written = self._path.replace("\\", "\\\\").replace(" ", "\\ ")
            options = self._connection.settings_dict["OPTIONS"]  # of sessions to come
            options["options"] = options.get("options", "") + " -c search_path=" + written
            self._path = ""


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _write_array(names: list[str]) -> str:
    return "{" + ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names) + "}"


def _find_operation(error: BaseException) -> str:
    """Describe the operation that was running: the innermost frame of Migration.apply has it."""
    found, step = "", error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name == "apply" and "operation" in step.tb_frame.f_locals:
            operation = step.tb_frame.f_locals["operation"]
            found = f"{type(operation).__name__}: {operation.describe()}"
        step = step.tb_next
    return found
