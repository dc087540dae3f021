"""What PostgreSQL's catalogues say about one schema.

Layer 2. Used through `target` only. Definitions are the server's own texts (pg_get_constraintdef and its like) under
an empty search_path, so that every name in them is qualified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from liteferry.model import (
    SchemaObject,
    TargetCatalog,
    TargetColumn,
    TargetConstraint,
    TargetIndex,
    TargetSequence,
    TargetTable,
    TargetView,
)
from liteferry.names import LEFT_ALONE, STAGING_COMMENT, quote_qualified
from liteferry.target.together import QUESTIONS_TOGETHER, ask_together

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

_SEQUENCES_TOGETHER: Final = 40
"""How many one query looks at: a sequence is a relation of its own."""
_ACTIONS: Final = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

_EXISTS_SQL: Final = "SELECT true FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s"

_TABLES_SQL: Final = """
SELECT c.oid::bigint, c.relname, c.relkind::text
FROM pg_catalog.pg_class c
WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname COLLATE "C"
"""

_COLUMNS_SQL: Final = """
SELECT a.attrelid::bigint, a.attname,
       CASE WHEN t.typname = 'citext' THEN 'citext' ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END,
       a.attnotnull,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation
            THEN pg_catalog.quote_ident(ln.nspname) || '.' || pg_catalog.quote_ident(l.collname) ELSE '' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace
WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_CONSTRAINTS_SQL: Final = """
SELECT k.conrelid::bigint, k.conname, k.contype::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
       pg_catalog.pg_get_constraintdef(k.oid), k.convalidated, k.condeferrable, k.condeferred, n.nspname,
       p.relname,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place),
       k.confupdtype::text, k.confdeltype::text
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
WHERE k.connamespace = %(schema)s AND k.conrelid <> 0 AND k.contype IN ('p', 'u', 'c', 'f', 'x')
ORDER BY k.conrelid, k.conname COLLATE "C"
"""

_INDEXES_SQL: Final = """
SELECT i.indrelid::bigint, c.relname,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(num, place)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num AND u.num <> 0
             WHERE u.place <= i.indnkeyatts ORDER BY u.place),
       ARRAY(SELECT (o.bits & 1) = 1 FROM unnest(i.indoption::int2[]) WITH ORDINALITY o(bits, place) ORDER BY o.place),
       i.indisunique, i.indpred IS NOT NULL, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %(schema)s
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname COLLATE "C"
"""

_SEQUENCES_SQL: Final = """
SELECT d.refobjid::bigint, a.attname, n.nspname, c.relname, s.seqincrement, s.seqmax,
       pg_catalog.format('AS %%s INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s',
                         pg_catalog.format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
                         CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  AND d.deptype IN ('a', 'i') AND t.relnamespace = %(schema)s
ORDER BY d.refobjid, c.relname COLLATE "C"
"""

_TRAITS_SQL: Final = """
WITH relation AS (
  SELECT c.* FROM pg_catalog.pg_class c WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v')),
state (letter, words) AS (VALUES ('D', ', disabled'), ('R', ', enabled on replicas only'), ('A', ', enabled always')),
trait (oid, words) AS (
  SELECT c.oid, 'unlogged' FROM relation c WHERE c.relpersistence = 'u'
  UNION ALL SELECT c.oid, 'row level security' FROM relation c WHERE c.relrowsecurity
  UNION ALL SELECT c.oid, 'row level security, forced on the owner too' FROM relation c WHERE c.relforcerowsecurity
  UNION ALL SELECT c.oid, 'partitioned by ' || pg_catalog.pg_get_partkeydef(c.oid) FROM relation c
            WHERE c.relkind = 'p'
  UNION ALL SELECT c.oid, 'of type ' || c.reloftype::pg_catalog.regtype FROM relation c WHERE c.reloftype <> 0
  UNION ALL SELECT c.oid, 'access method ' || m.amname FROM relation c
            JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname <> 'heap'
  UNION ALL SELECT c.oid, 'option ' || o FROM relation c, unnest(c.reloptions) o
            WHERE o <> %(left_alone)s -- ours, in a staging schema; its publication takes it away
               OR pg_catalog.obj_description(c.relnamespace, 'pg_namespace') IS DISTINCT FROM %(staging)s
  UNION ALL SELECT c.oid, 'replica identity ' || CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing'
                          ELSE 'by an index' END
            FROM relation c WHERE c.relkind <> 'v' AND c.relreplident <> 'd'
  UNION ALL SELECT c.oid, 'inherits from ' || i.inhparent::pg_catalog.regclass
            FROM relation c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
  UNION ALL SELECT c.oid, 'inherited by ' || i.inhrelid::pg_catalog.regclass
            FROM relation c JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
  UNION ALL SELECT c.oid, 'trigger ' || t.tgname || ': ' || pg_catalog.pg_get_triggerdef(t.oid)
                          || coalesce(s.words, '')
            FROM relation c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
            LEFT JOIN state s ON s.letter = t.tgenabled
  UNION ALL SELECT DISTINCT c.oid, 'trigger of constraint ' || coalesce(k.conname, '?') || s.words
            FROM relation c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND t.tgisinternal
            JOIN state s ON s.letter = t.tgenabled
            LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
  UNION ALL SELECT c.oid, 'rule ' || r.rulename || ': ' || pg_catalog.pg_get_ruledef(r.oid) || coalesce(s.words, '')
            FROM relation c JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'
            LEFT JOIN state s ON s.letter = r.ev_enabled
  UNION ALL SELECT c.oid, 'policy ' || p.polname || pg_catalog.concat(
                          ': ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
                          ' for ', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
                                   WHEN 'd' THEN 'delete' ELSE 'all' END,
                          ' to ', ARRAY(SELECT coalesce(r.rolname, 'public') FROM unnest(p.polroles) u(role)
                                        LEFT JOIN pg_catalog.pg_roles r ON r.oid = u.role ORDER BY 1),
                          ' using ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                          ' with check ' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
            FROM relation c JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
  UNION ALL SELECT c.oid, 'constraint ' || k.conname || ': ' || pg_catalog.pg_get_constraintdef(k.oid)
            FROM relation c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n'
            WHERE NOT k.convalidated)
SELECT oid::bigint, words FROM trait ORDER BY oid, words COLLATE "C"
"""

_VIEWS_SQL: Final = """
SELECT c.oid::bigint, pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c
WHERE c.relnamespace = %(schema)s AND c.relkind = 'v'
"""

_OTHERS_SQL: Final = """
WITH extension_owned AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
relation AS (
  SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
              ELSE 'composite type' END || ' ' || c.relname AS what, 'pg_catalog.pg_class'::regclass AS classid, c.oid
  FROM pg_catalog.pg_class c
  WHERE c.relnamespace = %(schema)s AND c.relkind IN ('m', 'S', 'f', 'c')
    AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))),
type AS (
  SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END || ' ' || t.typname,
         'pg_catalog.pg_type'::regclass, t.oid
  FROM pg_catalog.pg_type t
  WHERE t.typnamespace = %(schema)s AND t.typrelid = 0 AND t.typtype IN ('e', 'd', 'r', 'b')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)),
routine AS (
  SELECT 'function ' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
         'pg_catalog.pg_proc'::regclass, p.oid
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = %(schema)s),
coll AS (
  SELECT 'collation ' || l.collname || ': ' || CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc'
                         ELSE 'builtin' END
         || CASE WHEN l.collisdeterministic THEN '' ELSE ', nondeterministic' END
         || coalesce(', locale ' || coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale',
                                             l.collcollate), '')
         || coalesce(', rules ' || (to_jsonb(l) ->> 'collicurules'), ''),
         'pg_catalog.pg_collation'::regclass, l.oid
  FROM pg_catalog.pg_collation l WHERE l.collnamespace = %(schema)s)
SELECT what FROM (SELECT * FROM relation UNION ALL SELECT * FROM type UNION ALL SELECT * FROM routine
                  UNION ALL SELECT * FROM coll) found
WHERE NOT EXISTS (SELECT FROM extension_owned e WHERE e.classid = found.classid AND e.objid = found.oid)
ORDER BY what COLLATE "C"
"""


_OBJECTS_SQL: Final = """
WITH extension_owned AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
found (kind, classid, oid, name) AS (
  SELECT 'ROUTINE', 'pg_catalog.pg_proc'::regclass, p.oid, p.oid::pg_catalog.regprocedure::text
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = %(schema)s
  UNION ALL
  SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
              WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
         'pg_catalog.pg_class'::regclass, c.oid, c.oid::pg_catalog.regclass::text
  FROM pg_catalog.pg_class c
  WHERE c.relnamespace = %(schema)s AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
             WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, 'pg_catalog.pg_type'::regclass, t.oid,
         t.oid::pg_catalog.regtype::text
  FROM pg_catalog.pg_type t
  WHERE t.typnamespace = %(schema)s AND t.typrelid = 0 AND t.typtype IN ('e', 'd', 'r', 'b')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
  UNION ALL
  SELECT 'COLLATION', 'pg_catalog.pg_collation'::regclass, l.oid, l.oid::pg_catalog.regcollation::text
  FROM pg_catalog.pg_collation l WHERE l.collnamespace = %(schema)s
  UNION ALL
  SELECT 'STATISTICS', 'pg_catalog.pg_statistic_ext'::regclass, s.oid,
         pg_catalog.format('%%I.%%I', n.nspname, s.stxname)
  FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
  WHERE s.stxnamespace = %(schema)s
  UNION ALL
  SELECT 'TEXT SEARCH ' || t.kind, t.classid, t.oid, pg_catalog.format('%%I.%%I', n.nspname, t.name)
  FROM (SELECT 'CONFIGURATION', 'pg_catalog.pg_ts_config'::regclass, oid, cfgname, cfgnamespace
                  FROM pg_catalog.pg_ts_config
        UNION ALL SELECT 'DICTIONARY', 'pg_catalog.pg_ts_dict'::regclass, oid, dictname, dictnamespace
                  FROM pg_catalog.pg_ts_dict
        UNION ALL SELECT 'PARSER', 'pg_catalog.pg_ts_parser'::regclass, oid, prsname, prsnamespace
                  FROM pg_catalog.pg_ts_parser
        UNION ALL SELECT 'TEMPLATE', 'pg_catalog.pg_ts_template'::regclass, oid, tmplname, tmplnamespace
                  FROM pg_catalog.pg_ts_template) t (kind, classid, oid, name, schema)
  JOIN pg_catalog.pg_namespace n ON n.oid = t.schema
  WHERE t.schema = %(schema)s
  UNION ALL
  SELECT 'OPERATOR', 'pg_catalog.pg_operator'::regclass, o.oid,
         pg_catalog.format('%%I.%%s (%%s, %%s)', n.nspname, o.oprname,
                           CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END,
                           CASE WHEN o.oprright = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprright, NULL) END)
  FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
  WHERE o.oprnamespace = %(schema)s
  UNION ALL
  SELECT 'OPERATOR ' || o.kind, o.classid, o.oid, pg_catalog.format('%%I.%%I USING %%I', n.nspname, o.name, m.amname)
  FROM (SELECT 'CLASS', 'pg_catalog.pg_opclass'::regclass, oid, opcname, opcnamespace, opcmethod
                  FROM pg_catalog.pg_opclass
        UNION ALL SELECT 'FAMILY', 'pg_catalog.pg_opfamily'::regclass, oid, opfname, opfnamespace, opfmethod
                  FROM pg_catalog.pg_opfamily) o (kind, classid, oid, name, schema, method)
  JOIN pg_catalog.pg_namespace n ON n.oid = o.schema JOIN pg_catalog.pg_am m ON m.oid = o.method
  WHERE o.schema = %(schema)s
  UNION ALL
  SELECT 'CONVERSION', 'pg_catalog.pg_conversion'::regclass, c.oid, pg_catalog.format('%%I.%%I', n.nspname, c.conname)
  FROM pg_catalog.pg_conversion c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
  WHERE c.connamespace = %(schema)s
  UNION ALL
  SELECT 'EXTENSION', 'pg_catalog.pg_extension'::regclass, x.oid, pg_catalog.quote_ident(x.extname)
  FROM pg_catalog.pg_extension x WHERE x.extnamespace = %(schema)s)
SELECT kind, oid::bigint, name FROM found
WHERE NOT EXISTS (SELECT FROM extension_owned e WHERE e.classid = found.classid AND e.objid = found.oid)
ORDER BY oid, kind
"""


def read_objects(connection: psycopg.Connection, schema: str) -> tuple[SchemaObject, ...]:
    """Read what stands in a schema by itself, each with the word and the quoted name that ALTER and DROP take.

    The search_path is empty, so that every name is qualified. In the order in which they were made.
    """
    rows = connection.execute(of_schema(_OBJECTS_SQL).encode(), {"schema": schema})
    return tuple(SchemaObject(kind=str(kind), oid=int(oid), name=str(name)) for kind, oid, name in rows)


def of_schema(sql: str) -> str:
    """SQL that takes a schema's OID, taking its name instead: nobody has to ask for the OID before. Pure."""
    return sql.replace("%(schema)s", "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = %(schema)s)")


def read_catalog(connection: psycopg.Connection, schema: str) -> TargetCatalog:
    """Read one schema's objects; a catalogue that does not exist where there is no such schema."""
    asked = (
        _TABLES_SQL, _COLUMNS_SQL, _CONSTRAINTS_SQL, _INDEXES_SQL, _SEQUENCES_SQL, _TRAITS_SQL, _VIEWS_SQL, _OTHERS_SQL,
    )  # fmt: skip
    argument = {"schema": schema, "staging": STAGING_COMMENT, "left_alone": LEFT_ALONE}
    found, *answers = ask_together(
        connection, [(_EXISTS_SQL, argument), *((of_schema(sql), argument) for sql in asked)]
    )
    if not found:
        return TargetCatalog(schema=schema, exists=False)
    relations, others = answers[0], answers[-1]
    grouped = [_group(rows) for rows in answers[1:-1]]
    columns = {
        oid: tuple(
            TargetColumn(
                name=str(name),
                pg_type=str(pg_type),
                not_null=bool(not_null),
                default_sql=None if default is None else str(default),
                identity=str(identity).strip(),  # type: ignore[arg-type]  # "", "a" or "d" by the catalogue
                generated=str(generated).strip(),  # type: ignore[arg-type]  # "", "s" or "v" by the catalogue
                collation=str(collation or ""),
            )
            for name, pg_type, not_null, default, identity, generated, collation in rows
        )
        for oid, rows in grouped[0].items()
    }
    constraints = {oid: tuple(map(_constraint, rows)) for oid, rows in grouped[1].items()}
    indexes = {oid: tuple(map(_index, rows)) for oid, rows in grouped[2].items()}
    sequences = _read_sequences(connection, grouped[3])
    traits = {oid: tuple(str(row[0]) for row in rows) for oid, rows in grouped[4].items()}
    views = {oid: str(rows[0][0]) for oid, rows in grouped[5].items()}
    return TargetCatalog(
        schema=schema,
        exists=True,
        version_num=connection.info.server_version,
        tables=tuple(
            TargetTable(
                name=name,
                oid=oid,
                columns=columns.get(oid, ()),
                constraints=constraints.get(oid, ()),
                indexes=indexes.get(oid, ()),
                sequences=sequences.get(oid, ()),
                traits=traits.get(oid, ()),
            )
            for oid, name, kind in relations
            if kind != "v"
        ),
        views=tuple(
            TargetView(
                name=name,
                oid=oid,
                definition_sql=views.get(oid, ""),
                columns=columns.get(oid, ()),
                traits=traits.get(oid, ()),
            )
            for oid, name, kind in relations
            if kind == "v"
        ),
        others=tuple(str(row[0]) for row in others),
    )


def _group(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[object, ...]]]:
    groups: dict[int, list[tuple[object, ...]]] = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row[1:])
    return groups


def _constraint(row: tuple[object, ...]) -> TargetConstraint:
    name, kind, columns, definition, validated, deferrable, deferred, *rest = row
    parent_schema, parent, parent_columns, update, delete = rest
    return TargetConstraint(
        name=str(name),
        kind=str(kind),  # type: ignore[arg-type]  # p, u, c, f or x: the query selects no other
        columns=tuple(columns),  # type: ignore[arg-type]  # an array of names
        definition_sql=str(definition),
        validated=bool(validated),
        deferrable=bool(deferrable),
        deferred=bool(deferred),
        parent_schema=None if parent_schema is None else str(parent_schema),
        parent_table=None if parent is None else str(parent),
        parent_columns=tuple(parent_columns),  # type: ignore[arg-type]  # an array of names
        on_update=_ACTIONS.get(str(update), "NO ACTION"),
        on_delete=_ACTIONS.get(str(delete), "NO ACTION"),
    )


def _index(row: tuple[object, ...]) -> TargetIndex:
    name, columns, descending, unique, partial, valid, definition = row
    return TargetIndex(
        name=str(name),
        columns=tuple(columns),  # type: ignore[arg-type]  # an array of names and NULLs
        descending=tuple(descending),  # type: ignore[arg-type]  # an array of booleans
        unique=bool(unique),
        partial=bool(partial),
        valid=bool(valid),
        definition_sql=str(definition),
    )


def _read_sequences(
    connection: psycopg.Connection, owned: dict[int, list[tuple[object, ...]]]
) -> dict[int, tuple[TargetSequence, ...]]:
    flat = [(oid, row) for oid, rows in owned.items() for row in rows]
    questions = []
    for start in range(0, len(flat), _SEQUENCES_TOGETHER):
        union = " UNION ALL ".join(
            f"SELECT {index}, last_value, is_called FROM {quote_qualified(str(row[1]), str(row[2]))}"
            for index, (_, row) in enumerate(flat[start : start + _SEQUENCES_TOGETHER])
        )
        questions.append((f"SELECT * FROM ({union}) s ORDER BY 1", dict[str, object]()))
    at_once = QUESTIONS_TOGETHER // _SEQUENCES_TOGETHER
    states = [row for rows in ask_together(connection, questions, at_once=at_once) for row in rows]
    found: dict[int, list[TargetSequence]] = {}
    for (oid, (column, _, name, increment, highest, words)), (_, last, called) in zip(flat, states, strict=True):
        following: int | None = int(last) + (int(increment) if called else 0)  # type: ignore[call-overload]  # bigints
        if following is not None and following > int(highest):  # type: ignore[call-overload]  # a bigint
            following = None
        found.setdefault(oid, []).append(
            TargetSequence(name=str(name), column=str(column), next_value=following, definition_sql=str(words))
        )
    return {oid: tuple(sequences) for oid, sequences in found.items()}
