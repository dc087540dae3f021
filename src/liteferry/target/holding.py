"""Read what an application's schema holds beyond its catalogue: see `liteferry.holding`.

Layer 2. Used through `target` only. Runs under an empty search_path, so that every name in the server's own texts is
qualified.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from liteferry.holding import (
    HeldForeignKey,
    HeldIndex,
    HeldSequence,
    HeldTable,
    HeldTrigger,
    HeldType,
    Holding,
    Standing,
)
from liteferry.names import quote_name, quote_qualified
from liteferry.target.catalog import of_schema
from liteferry.target.footprint import ask_footprint
from liteferry.target.together import ask_together

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import psycopg

_KEYS_SHOWN: Final = 5
_COUNTED_TOGETHER: Final = 50
"""So many tables are counted in one round trip, which is one transaction: each holds a lock until its end."""

_TREE_SQL: Final = """
WITH RECURSIVE tree (root, oid) AS (
  SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p')
  UNION ALL SELECT t.root, i.inhrelid FROM tree t
            JOIN pg_catalog.pg_class p ON p.oid = t.oid AND p.relkind = 'p'
            JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid)
"""

_OIDS_SQL: Final = f"{_TREE_SQL} SELECT DISTINCT oid::bigint FROM tree"

_TABLES_SQL: Final = f"""{_TREE_SQL}
SELECT c.oid::bigint, c.relname, c.relkind::text, c.relispartition,
       ARRAY(SELECT t.oid::bigint FROM tree t WHERE t.root = c.oid ORDER BY t.oid <> c.oid, t.oid),
       (SELECT bool_and(pg_catalog.pg_has_role(m.relowner, 'USAGE'))
        FROM tree t JOIN pg_catalog.pg_class m ON m.oid = t.oid WHERE t.root = c.oid),
       CASE
         WHEN EXISTS (SELECT FROM tree t JOIN pg_catalog.pg_class m ON m.oid = t.oid
                      WHERE t.root = c.oid AND m.relkind NOT IN ('r', 'p')) THEN 'a partition of it is a foreign table'
         WHEN EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class m ON m.oid = i.inhparent
                      WHERE m.relkind = 'r' AND c.oid IN (i.inhparent, i.inhrelid)) THEN 'it takes part in inheritance'
         WHEN c.relkind = 'p' AND pg_catalog.current_setting('server_version_num')::integer < 150000 AND EXISTS (
              SELECT FROM pg_catalog.pg_trigger g
              WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgtype & 1 = 1 AND g.tgenabled IN ('O', 'A'))
              THEN 'before PostgreSQL 15 the row triggers of partitions cannot be disabled one by one'
         WHEN NOT role.bypasses AND EXISTS (
              SELECT FROM tree t JOIN pg_catalog.pg_class m ON m.oid = t.oid
              WHERE t.root = c.oid AND m.relrowsecurity
                AND (m.relforcerowsecurity OR NOT pg_catalog.pg_has_role(m.relowner, 'USAGE')))
              THEN 'row level security'
         ELSE '' END
FROM pg_catalog.pg_class c,
     (SELECT rolsuper OR rolbypassrls AS bypasses FROM pg_catalog.pg_roles WHERE rolname = current_user) role
WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p') AND c.relname <> ALL (%(without)s::text[])
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""

_TYPES_SQL: Final = """
WITH RECURSIVE layer (relation, num, type, modifier, depth, not_null, has_default) AS (
  SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod, 0, false, false
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT l.relation, l.num, t.typbasetype, t.typtypmod, l.depth + 1,
         l.not_null OR t.typnotnull, l.has_default OR t.typdefault IS NOT NULL
  FROM layer l JOIN pg_catalog.pg_type t ON t.oid = l.type AND t.typtype = 'd')
SELECT l.relation::bigint, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN e.objid IS NOT NULL THEN t.typname ELSE pg_catalog.format_type(l.type, l.modifier) END,
       CASE WHEN t.typtype = 'e' THEN 'enum' WHEN e.objid IS NOT NULL THEN 'extension'
            WHEN t.typcategory = 'A' THEN 'array'
            WHEN t.typtype = 'b' AND t.typnamespace = 'pg_catalog'::regnamespace THEN 'base' ELSE 'other' END,
       ARRAY(SELECT v.enumlabel::text FROM pg_catalog.pg_enum v WHERE v.enumtypid = t.oid ORDER BY v.enumsortorder),
       l.not_null, l.has_default
FROM layer l
JOIN pg_catalog.pg_type t ON t.oid = l.type AND t.typtype <> 'd'
JOIN pg_catalog.pg_attribute a ON a.attrelid = l.relation AND a.attnum = l.num
LEFT JOIN pg_catalog.pg_depend e ON e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e'
ORDER BY l.relation, l.num
"""

_TRIGGERS_SQL: Final = """
SELECT c.oid::bigint, n.nspname, c.relname, t.tgname, t.tgenabled::text
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%(oids)s::oid[]) AND NOT t.tgisinternal
ORDER BY c.oid, t.tgname COLLATE "C"
"""

_INDEXES_SQL: Final = """
SELECT c.oid::bigint, n.nspname, c.relname, x.relname, pg_catalog.pg_get_indexdef(i.indexrelid),
       c.relkind = 'r' AND x.relkind = 'i' AND NOT x.relispartition AND i.indisvalid AND i.indisready AND i.indislive
         AND NOT i.indisclustered AND NOT i.indisreplident AND x.reltablespace = 0
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) <> -1)
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                           AND d.deptype IN ('e', 'x')),
       pg_catalog.obj_description(i.indexrelid, 'pg_class')
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY(%(oids)s::oid[])
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.oid, x.relname COLLATE "C"
"""

_FOREIGN_KEYS_SQL: Final = """
SELECT n.nspname, c.relname, c.oid::bigint, k.conname,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       pn.nspname, p.relname, p.oid::bigint,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place),
       pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
       NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O'),
       pg_catalog.pg_has_role(c.relowner, 'USAGE')
         AND (pg_catalog.has_table_privilege(p.oid, 'REFERENCES')
              OR (SELECT bool_and(pg_catalog.has_column_privilege(p.oid, u.num, 'REFERENCES'))
                  FROM unnest(k.confkey) u(num))),
       pg_catalog.obj_description(k.oid, 'pg_constraint')
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND (k.conrelid = ANY(%(oids)s::oid[]) OR k.confrelid = ANY(%(oids)s::oid[]))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"
"""

_SEQUENCES_SQL: Final = """
WITH use (sequence, relation, num, kind) AS (
  SELECT d.objid, d.refobjid, d.refobjsubid,
         CASE WHEN d.deptype = 'a' THEN 'owned' WHEN a.attidentity = 'a' THEN 'always' ELSE 'by default' END
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.deptype IN ('a', 'i') AND d.refobjid = ANY(%(oids)s::oid[])
  UNION
  SELECT d.refobjid, f.adrelid, f.adnum, 'default'
  FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
  WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND f.adrelid = ANY(%(oids)s::oid[]))
SELECT DISTINCT ON (s.oid, c.relname, a.attname)
       n.nspname, s.relname, c.relname, a.attname, u.kind, q.seqincrement, q.seqmax,
       pg_catalog.pg_has_role(s.relowner, 'USAGE')
FROM use u
JOIN pg_catalog.pg_class s ON s.oid = u.sequence AND s.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
JOIN pg_catalog.pg_class c ON c.oid = u.relation
JOIN pg_catalog.pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.num
ORDER BY s.oid, c.relname, a.attname, u.kind = 'default'
"""

_KEYS_SQL: Final = """
SELECT i.indrelid::bigint, a.attname
FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY u(num, place)
JOIN pg_catalog.pg_attribute a ON a.attnum = u.num
WHERE i.indrelid = ANY(%(oids)s::oid[]) AND i.indisprimary AND a.attrelid = i.indrelid AND u.place <= i.indnkeyatts
ORDER BY i.indrelid, u.place
"""

_SCHEMA_SQL: Final = """
SELECT pg_catalog.has_schema_privilege(oid, 'CREATE') FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s
"""

_NAMES_SQL: Final = """
SELECT name FROM (SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = %(schema)s
                  UNION SELECT typname::text FROM pg_catalog.pg_type WHERE typnamespace = %(schema)s) found (name)
ORDER BY name COLLATE "C"
"""


def read_holding(connection: psycopg.Connection, schema: str, without: Collection[str] = ()) -> Holding | None:
    """Read what a schema holds, its rows counted; None where there is no such schema.

    without: names of tables that are passed over.
    """
    found, relations, *answers = ask_together(
        connection,
        [
            (_SCHEMA_SQL, {"schema": schema}),
            (of_schema(_TABLES_SQL), {"schema": schema, "without": list(without)}),
            (of_schema(_TYPES_SQL), {"schema": schema}),
            (of_schema(_NAMES_SQL), {"schema": schema}),
            ask_footprint(schema, connection.info.server_version, without),
        ],
    )
    if not found:
        return None
    types, names, footprint = _group(answers[0]), answers[1], answers[2]
    inside = {"oids": sorted({oid for row in relations for oid in row[4]})}
    asked = (_TRIGGERS_SQL, _INDEXES_SQL, _FOREIGN_KEYS_SQL, _SEQUENCES_SQL, _KEYS_SQL)
    *answers, sequences, keys = ask_together(connection, [(sql, inside) for sql in asked])
    triggers, indexes, foreign_keys = _group(answers[0]), _group(answers[1]), answers[2]
    places = {row[0]: quote_qualified(schema, row[1]) for row in relations if row[5] and not row[6]}
    counted = _count_rows(connection, places, _group(keys))
    tables = []
    for oid, name, kind, is_partition, oids, owned, obstacle in relations:
        rows, first_keys = counted.get(oid, (0, ()))
        tables.append(
            HeldTable(
                name=name,
                oids=tuple(oids),
                kind=kind,
                is_partition=is_partition,
                owned=owned,
                rows=rows,
                obstacle=obstacle,
                types=tuple(
                    HeldType(
                        column=column,
                        name=written,
                        base=base,
                        sort=sort,
                        labels=tuple(labels),
                        not_null=not_null,
                        has_default=has_default,
                    )
                    for column, written, base, sort, labels, not_null, has_default in types.get(oid, ())
                ),
                triggers=tuple(
                    HeldTrigger(schema=where, table=table, name=trigger, state=state)
                    for part in oids
                    for where, table, trigger, state in triggers.get(part, ())
                ),
                indexes=tuple(
                    HeldIndex(
                        schema=where, table=table, name=index, definition_sql=definition, plain=plain, comment=comment
                    )
                    for part in oids
                    for where, table, index, definition, plain, comment in indexes.get(part, ())
                ),
                first_keys=first_keys,
            )
        )
    return Holding(
        schema=schema,
        may_create=found[0][0],
        names=tuple(str(name) for (name,) in names),
        tables=tuple(tables),
        foreign_keys=tuple(map(_foreign_key, foreign_keys)),
        sequences=_read_sequences(connection, sequences),
        footprint=tuple(str(words) for (words,) in footprint),
    )


def read_standing(connection: psycopg.Connection, schema: str, without: Collection[str] = ()) -> Standing:
    """Read how a schema stands: see `liteferry.holding`. without: names of tables that are passed over."""
    oids, lines = ask_together(
        connection,
        [
            (of_schema(_OIDS_SQL), {"schema": schema}),
            ask_footprint(schema, connection.info.server_version, without),
        ],
    )
    (sequences,) = ask_together(connection, [(_SEQUENCES_SQL, {"oids": sorted(oid for (oid,) in oids)})])
    return Standing(footprint=tuple(str(words) for (words,) in lines), sequences=_read_sequences(connection, sequences))


def count_again(connection: psycopg.Connection, holding: Holding, names: Collection[str]) -> Holding:
    """Look anew at the rows of these tables, and at all sequences, of a schema whose catalogue did not change."""
    tables = {table.oids[0]: table for table in holding.tables if table.name in names}
    (keys,) = ask_together(connection, [(_KEYS_SQL, {"oids": sorted(tables)})])
    places = {
        oid: quote_qualified(holding.schema, table.name)
        for oid, table in tables.items()
        if table.owned and not table.obstacle
    }
    counted = _count_rows(connection, places, _group(keys))
    renewed = {}
    for oid, table in tables.items():
        rows, first_keys = counted.get(oid, (0, ()))
        renewed[table.name] = replace(table, rows=rows, first_keys=first_keys)
    return replace(
        holding,
        tables=tuple(renewed.get(table.name, table) for table in holding.tables),
        sequences=_locate_sequences(connection, holding.sequences),
    )


def _group(rows: Iterable[Any]) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = {}
    for oid, *rest in rows:
        groups.setdefault(oid, []).append(tuple(rest))
    return groups


def _count_rows(
    connection: psycopg.Connection, places: Mapping[int, str], keys: Mapping[int, Sequence[Any]]
) -> dict[int, tuple[int, tuple[str, ...]]]:
    """Count tables' rows, by OID, and spell the first few keys of each; no keys where there is no primary key."""
    counted: dict[int, tuple[int, tuple[str, ...]]] = {}
    oids = list(places)
    for start in range(0, len(oids), _COUNTED_TOGETHER):
        part = oids[start : start + _COUNTED_TOGETHER]
        found = ask_together(connection, [(f"SELECT count(*) FROM {places[oid]}", {}) for oid in part])
        rows = {oid: int(answer[0][0]) for oid, answer in zip(part, found, strict=True)}
        named = {oid: [str(name) for (name,) in keys[oid]] for oid in part if rows[oid] and oid in keys}
        questions = [(_first_keys_sql(places[oid], names), dict[str, object]()) for oid, names in named.items()]
        answers = dict(zip(named, ask_together(connection, questions), strict=True))
        for oid in part:
            first = tuple(
                ", ".join(f"{name}={value}" for name, value in zip(named[oid], row, strict=True))
                for row in answers.get(oid, ())
            )
            counted[oid] = (rows[oid], first)
    return counted


def _first_keys_sql(place: str, names: Sequence[str]) -> str:
    selected = ", ".join(f"t.{quote_name(name)}::text" for name in names)
    order = ", ".join(f"t.{quote_name(name)}" for name in names)  # the bare name would be the text's
    return f"SELECT {selected} FROM {place} AS t ORDER BY {order} LIMIT {_KEYS_SHOWN}"


def _foreign_key(row: Any) -> HeldForeignKey:
    (schema, table, oid, name, columns, parent_schema, parent, parent_oid, parent_columns, *rest) = row
    definition, validated, enabled, owned, comment = rest
    return HeldForeignKey(
        schema=schema,
        table=table,
        table_oid=oid,
        name=name,
        columns=tuple(columns),
        parent_schema=parent_schema,
        parent_table=parent,
        parent_oid=parent_oid,
        parent_columns=tuple(parent_columns),
        definition_sql=definition,
        validated=validated,
        enabled=enabled,
        owned=bool(owned),
        comment=comment,
    )


def _read_sequences(connection: psycopg.Connection, rows: Iterable[Any]) -> tuple[HeldSequence, ...]:
    return _locate_sequences(
        connection,
        [
            HeldSequence(
                schema=schema,
                name=name,
                table=table,
                column=column,
                kind=kind,
                last_value=0,  # not looked at yet
                is_called=False,
                increment=increment,
                max_value=highest,
                owned=owned,
            )
            for schema, name, table, column, kind, increment, highest, owned in rows
            if owned  # others are not ours to set, nor perhaps to read
        ],
    )


def _locate_sequences(connection: psycopg.Connection, sequences: Sequence[HeldSequence]) -> tuple[HeldSequence, ...]:
    """The same sequences, where they stand now."""
    questions = [
        (f"SELECT last_value, is_called FROM {quote_qualified(found.schema, found.name)}", dict[str, object]())
        for found in sequences
    ]
    states = ask_together(connection, questions)
    return tuple(
        replace(found, last_value=state[0][0], is_called=state[0][1])
        for found, state in zip(sequences, states, strict=True)
    )
