"""How a staging schema that others made becomes the target's schema: which SQL moves all of it, and takes it back.

Layer 3. What stands in staging is found in the catalogue, whatever made it. Both ways are tried before they are given
out, in a transaction that is rolled back, and the server itself finds the order in which things can be dropped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.names import STAGING_COMMENT, quote_literal, quote_name
from liteferry.proof import compare_catalogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from liteferry.model import SchemaObject, TargetCatalog
    from liteferry.target import Target

_NAME_OF_TYPES: Final = ("ROUTINE", "OPERATOR")
"""Kinds whose names hold those of types: they are moved while these are where the names say."""
_DEPENDED_ON: Final = "2BP01"
_EXISTS: Final = frozenset({"42P07", "42710", "42723", "42P06"})
"""duplicate_table, duplicate_object, duplicate_function, duplicate_schema. Source: PostgreSQL docs, "Error Codes"."""


def mark_of(staging: str) -> str:
    """The comment on what a run made outside its staging schema, as long as it is not published. Pure."""
    return f"{STAGING_COMMENT} {staging}"


def plan_publication(
    server: Target,
    staging: str,
    schema: str,
    creates_schema: bool,  # noqa: FBT001 - named wherever it is not plain
    connection: psycopg.Connection | None = None,
    further: Sequence[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Plan how everything in a staging schema moves into the schema, and how exactly that is dropped again.

    creates_schema: the schema is not there yet. connection: the one in whose transaction staging was made or filled,
    if that is not over. further: SQL that will make more in staging before it is published. Both results are meant to
    be run in order, in one transaction; the second for a day on which the first was committed. An extension that others
    use by then stays. Nothing is changed by planning.

    Raises: MigrationError: target-not-empty, where something in the schema has the same name; django-staging-named,
    where a function's body or another text would still name the staging schema; step-failed.
    """
    with server.rolled_back(connection) as trial:
        server.execute_all(further, step_id="pre-data", connection=trial)
        staged, beside = server.read_catalog(staging, trial), server.read_catalog(schema, trial)
        publish, extensions = _list_publish_sql(server, staging, schema, trial, creates_schema=creates_schema)
        stood = {found.oid for found in server.read_objects(staging, trial)}
        try:
            server.execute_all(publish, step_id="publish", connection=trial)
        except MigrationError as error:
            raise _explain_clash(error, schema) from error
        _refuse_mentions(server, staging, schema, trial)
        _refuse_differences(staged, beside, server.read_catalog(schema, trial))
        moved = [found for found in server.read_objects(schema, trial) if found.oid in stood]
        undo = _find_undo(server, moved, trial)
    undo += [_drop_if_unused(name) for name in extensions]
    undo += [f"DROP SCHEMA {quote_name(schema)} RESTRICT"] * creates_schema
    return tuple(publish), tuple(undo)


def clear_made(server: Target, staging: str, schema: str) -> None:
    """Take a staging schema of ours away, with all in it, and what its migrations created beside it.

    Extensions of this run are known by their comment, and so is a schema that was made for them. An extension that
    somebody uses by now stays, with its usual comment. Where nothing is left of a run, nothing is done.

    Raises: MigrationError when the server does not let us.
    """
    sql = []
    if server.read_schema_comment(staging) == STAGING_COMMENT:
        sql.append(f"DROP SCHEMA {quote_name(staging)} CASCADE")
    for found in server.read_extensions():
        if found.comment == mark_of(staging):
            sql += [_drop_if_unused(found.name), _unmark_extension(found.name, found.words, only_if_there=True)]
    if server.read_schema_comment(schema) == mark_of(staging):
        sql += [f"COMMENT ON SCHEMA {quote_name(schema)} IS NULL", _drop_schema_if_unused(schema)]
    server.execute_all(sql, step_id="drop-staging")


def _list_publish_sql(
    server: Target, staging: str, schema: str, trial: psycopg.Connection, *, creates_schema: bool
) -> tuple[list[str], list[str]]:
    """The SQL that publishes, and the names of the extensions that are published with the rest."""
    into = quote_name(schema)
    marked = [found for found in server.read_extensions(trial) if found.comment == mark_of(staging)]
    there = server.read_schema_comment(schema) is not None  # or made for the extensions of the migrations
    if ranges := _list_ranges(server, staging, trial):
        if not creates_schema or there:
            raise MigrationError(
                f"the migrations make {', '.join(ranges)}, and PostgreSQL cannot move range types into another schema",
                code="django-unmovable",
                hint="choose a --schema that does not exist yet: it is published by being renamed",
            )
        sql = [f"ALTER SCHEMA {quote_name(staging)} RENAME TO {into}", f"COMMENT ON SCHEMA {into} IS NULL"]
        return sql, []
    sql = [f"COMMENT ON SCHEMA {into} IS NULL" if there else f"CREATE SCHEMA {into}"] * creates_schema
    objects = sorted(server.read_objects(staging, trial), key=lambda found: found.kind not in _NAME_OF_TYPES)
    sql += [f"ALTER {found.kind} {found.name} SET SCHEMA {into}" for found in objects]
    sql += [_unmark_extension(found.name, found.words) for found in marked]
    sql.append(f"DROP SCHEMA {quote_name(staging)} RESTRICT")
    landed = [found.name.strip('"') for found in objects if found.kind == "EXTENSION"]
    return sql, sorted({*landed, *(found.name for found in marked)})


def _unmark_extension(name: str, words: str, *, only_if_there: bool = False) -> str:
    sql = f"COMMENT ON EXTENSION {quote_name(name)} IS {quote_literal(words) if words else 'NULL'}"
    if not only_if_there:
        return sql
    body = f"BEGIN {sql}; EXCEPTION WHEN undefined_object THEN NULL; END"
    return f"DO {quote_literal(body)}"


def _drop_if_unused(name: str) -> str:
    """Drop an extension, unless something depends on it by then."""
    drop = f"DROP EXTENSION IF EXISTS {quote_name(name)}"
    body = f"BEGIN {drop}; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END"
    return f"DO {quote_literal(body)}"


def _drop_schema_if_unused(schema: str) -> str:
    body = f"BEGIN DROP SCHEMA {quote_name(schema)}; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END"
    return f"DO {quote_literal(body)}"


def _explain_clash(error: MigrationError, schema: str) -> MigrationError:
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) not in _EXISTS:
        return error
    said = getattr(getattr(cause, "diag", None), "message_primary", None) or str(cause)
    return MigrationError(
        f"schema {schema} of the target already has something that the project's migrations make, too: {said}",
        code="target-not-empty",
        hint="choose another --schema or another database; liteferry replaces nothing",
    )


def _list_ranges(server: Target, staging: str, trial: psycopg.Connection) -> list[str]:
    """Range types: ALTER TYPE … SET SCHEMA leaves their functions and multiranges where they are."""
    found = server.read_definitions(staging, trial)
    return [what for what, words in found if what.startswith("type ") and words.startswith("r ")]


def _refuse_mentions(server: Target, staging: str, schema: str, trial: psycopg.Connection) -> None:
    found = server.read_definitions(schema, trial)
    mentions = list(dict.fromkeys(what for what, words in found if staging in words))
    if mentions:
        raise MigrationError(
            f"the text of {', '.join(mentions[:5])} names the schema {staging}, in which it was made at first",
            code="django-staging-named",
            hint="a migration wrote the name of its schema into it (current_schema(), SET search_path FROM CURRENT …):"
            " let it leave the schema out",
        )


def _refuse_differences(staged: TargetCatalog, beside: TargetCatalog, published: TargetCatalog) -> None:
    """See that all is the same after the move, whatever else was in the schema before."""
    strangers = {table.oid for table in beside.tables} | {view.oid for view in beside.views}
    others = set(beside.others)
    own = replace(
        published,
        tables=tuple(found for found in published.tables if found.oid not in strangers),
        views=tuple(found for found in published.views if found.oid not in strangers),
        others=tuple(found for found in published.others if found not in others),
    )
    differences = compare_catalogs(staged, own)
    if differences:
        raise MigrationError(
            f"moving the schema would change it: {differences[0].message}"
            + (f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""),
            code="step-failed",
            hint="nothing was published",
        )


def _find_undo(server: Target, moved: Sequence[SchemaObject], trial: psycopg.Connection) -> list[str]:
    """The order in which everything can be dropped without CASCADE: it is tried until nothing is left.

    One DROP for all tables: foreign keys among them do not hinder it, those of strangers do. What goes with something
    else (a range's functions) is not named.
    """
    tables = [found.name for found in moved if found.kind == "TABLE"]
    views = [found for found in reversed(moved) if found.kind in {"VIEW", "MATERIALIZED VIEW"}]
    rest = [found for found in reversed(moved) if found.kind not in {"TABLE", "VIEW", "MATERIALIZED VIEW", "EXTENSION"}]
    waiting = [f"DROP {found.kind} {found.name}" for found in views]
    waiting += [f"DROP TABLE {', '.join(tables)}"] * bool(tables)
    waiting += [f"DROP {found.kind} IF EXISTS {found.name}" for found in rest]
    undo: list[str] = []
    while waiting:
        held: list[str] = []
        last: MigrationError | None = None
        for sql in waiting:
            try:
                server.execute_all([sql], step_id="undo", connection=trial)
            except MigrationError as error:
                if getattr(error.__cause__, "sqlstate", "") != _DEPENDED_ON:
                    raise
                held.append(sql)
                last = error
            else:
                undo.append(sql)
        if last is not None and len(held) == len(waiting):
            raise last
        waiting = held
    return undo
