"""The task `migrate`: run the project's migrations, on an empty database of ours."""

from __future__ import annotations

import time
from typing import Any, Callable


def migrate(argument: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:
    """Run every migration on the database ``argument["alias"]``; tells of each as it ends.

    An error has the migration, the operation and the SQL that failed in its ``liteferry_facts``.
    """
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    alias = argument["alias"]
    connection = connections[alias]
    watch = _Watch(tell)
    applying = MigrationExecutor.apply_migration

    def apply_migration(self: Any, state: Any, migration: Any, *args: Any, **options: Any) -> Any:
        watch.begin(migration)
        try:
            after = applying(self, state, migration, *args, **options)
        except BaseException as error:
            watch.explain(error)
            raise
        watch.end(migration)
        return after

    MigrationExecutor.apply_migration = apply_migration  # this process does nothing else
    with connection.execute_wrapper(watch.see):
        # with the tables of apps that have no migrations, which are made first
        call_command("migrate", database=alias, interactive=False, verbosity=0, skip_checks=True, run_syncdb=True)
    return {"migrations": watch.count}


class _Watch:
    """Sees every statement and migration on its way."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
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
            return execute(sql, params, many, context)
        except Exception:
            self._sql = str(sql)
            raise

    def explain(self, error: BaseException) -> None:
        facts = {"migration": f"{self._migration.app_label}.{self._migration.name}", "sql": self._sql}
        facts["operation"] = _find_operation(error)
        error.liteferry_facts = facts  # type: ignore[attr-defined]  # read by program


def _find_operation(error: BaseException) -> str:
    """Describe the operation that was running: the innermost frame of Migration.apply has it."""
    found, step = "", error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name == "apply" and "operation" in step.tb_frame.f_locals:
            operation = step.tb_frame.f_locals["operation"]
            found = f"{type(operation).__name__}: {operation.describe()}"
        step = step.tb_next
    return found
