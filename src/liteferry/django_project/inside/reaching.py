"""The task `read_server`: with the project's settings as they are, where does a database of it lead?"""

from __future__ import annotations

import os
from typing import Any, Callable

_COUNTED_MAX_BYTES = 64 * 1024 * 1024
"""A table that is counted to compare must not keep anybody waiting."""
_FACTS_SQL = """
SELECT current_setting('server_version'), current_database(), current_user, coalesce(host(inet_server_addr()), ''),
       current_setting('port'), current_setting('search_path'), pg_is_in_recovery()
"""
_MARK_SQL = """
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
                 AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid)
"""
_TABLES_SQL = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid),
       has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
         AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
         AND NOT EXISTS (SELECT FROM pg_depend s JOIN pg_class q ON q.oid = s.objid
                         WHERE s.refobjid = c.oid AND s.classid = 'pg_class'::regclass AND s.deptype IN ('a', 'i')
                           AND CASE q.relkind WHEN 'S' THEN NOT has_sequence_privilege(q.oid, 'USAGE') END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)
"""


def read_server(argument: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:  # noqa: ARG001 - as all tasks
    """Connect the database ``argument["alias"]`` and say what it is; write nothing.

    ``argument["mark"]``: the key of an advisory lock that somebody holds in the database that is meant. ``refused``
    stands alone where no connection came about. Rights and rows are looked at where the mark was seen.
    """
    from django.db import connections, utils

    connection = connections[argument["alias"]]
    if connection.vendor != "postgresql":
        return {"vendor": str(connection.vendor), "database": str(connection.settings_dict.get("NAME") or "")}
    try:
        connection.ensure_connection()
    except utils.OperationalError as error:
        return {"vendor": "postgresql", "refused": _describe_refusal(error, connection)}
    try:
        return _describe_server(connection, argument["mark"])
    finally:
        connection.close()


def _describe_refusal(error: Exception, connection: Any) -> dict[str, Any]:
    parameters = connection.get_connection_params()
    names = ("service", "host", "hostaddr", "port", "dbname", "user")
    cause = error.__cause__
    return {
        "message": str(error),
        "sqlstate": getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None),
        "parameters": {name: str(parameters[name]) for name in names if parameters.get(name)},
        "taken_from": _find_password(connection),
    }


def _describe_server(connection: Any, mark: int) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS_SQL)
        version, database, user, host, port, search_path, standby = cursor.fetchone()
        cursor.execute(_MARK_SQL, [mark >> 32, mark & 0xFFFFFFFF])
        (held,) = cursor.fetchone()
    found = {
        "vendor": "postgresql",
        "version": str(version).split(" ")[0],
        "database": database,
        "user": user,
        "host": host,
        "port": str(port),
        "search_path": search_path,
        "standby": bool(standby),
        "taken_from": _find_password(connection),
        "settings_host": str(connection.settings_dict.get("HOST") or ""),
        "settings_port": str(connection.settings_dict.get("PORT") or ""),
        "held": bool(held),
    }
    if held:
        found.update(_describe_tables(connection))
    return found


def _find_password(connection: Any) -> str:
    """Where the password would come from: ``settings``, ``environment``, or ``other`` (a file of libpq's, or none)."""
    if connection.get_connection_params().get("password"):
        return "settings"
    return "environment" if os.environ.get("PGPASSWORD") else "other"


def _describe_tables(connection: Any) -> dict[str, Any]:
    """What of the models' tables is seen and may be used, the migrations still to come, and one model's count."""
    from django.apps import apps
    from django.db import router
    from django.db.migrations.executor import MigrationExecutor

    alias = connection.alias
    schemas: dict[str, int] = {}
    missing, forbidden, largest = [], [], None
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if meta.proxy or meta.swapped or not meta.managed or not router.allow_migrate_model(alias, model):
            continue
        with connection.cursor() as cursor:
            cursor.execute(_TABLES_SQL, [connection.ops.quote_name(meta.db_table)])
            row = cursor.fetchone()
        if row is None:
            missing.append(meta.db_table)
            continue
        schema, table, size, usable = row
        schemas[schema] = schemas.get(schema, 0) + 1
        if not usable:
            forbidden.append(meta.db_table)
        elif size <= _COUNTED_MAX_BYTES and (largest is None or size > largest[0]):
            largest = (size, model, schema, table)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    counted = None
    if largest is not None:
        _, model, schema, table = largest
        rows = model._base_manager.using(alias).count()
        counted = {"model": model._meta.label, "schema": schema, "table": table, "rows": rows}
    return {
        "schemas": schemas,
        "missing": missing,
        "forbidden": forbidden,
        "applied": len(executor.loader.applied_migrations),
        "unapplied": [f"{migration.app_label}.{migration.name}" for migration, _ in plan],
        "counted": counted,
    }
