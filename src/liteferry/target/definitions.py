"""A schema's definitions as text: bodies of functions, types, rules, triggers, and what else is no table's column.

Layer 2. Used through `target` only. Together with `catalog` and `footprint` they say all that there is to a schema.

Definitions refer to tables, types and functions by their identifiers, so that moving these changes nothing. A
function's body, a comment or a text that is read as a name later is text, and stays: by looking for a schema's name in
what the server renders after it was moved away from, such texts are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psycopg

_DEFINITIONS_SQL: Final = """
WITH relation AS (SELECT c.* FROM pg_catalog.pg_class c WHERE c.relnamespace = %(schema)s::pg_catalog.regnamespace),
words (what, words) AS (
  SELECT 'function ' || p.oid::pg_catalog.regprocedure,
         pg_catalog.concat_ws(' ', p.prosrc, p.proconfig::text, pg_catalog.pg_get_function_arguments(p.oid),
                              CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END,
                              pg_catalog.obj_description(p.oid, 'pg_proc'))
  FROM pg_catalog.pg_proc p WHERE p.pronamespace = %(schema)s::pg_catalog.regnamespace
  UNION ALL
  SELECT pg_catalog.format('the value of column %%s.%%I', d.adrelid::pg_catalog.regclass, a.attname),
         pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  FROM relation c JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  UNION ALL
  SELECT 'constraint ' || k.conname, pg_catalog.pg_get_constraintdef(k.oid)
  FROM pg_catalog.pg_constraint k WHERE k.connamespace = %(schema)s::pg_catalog.regnamespace
  UNION ALL
  SELECT 'index ' || i.indexrelid::pg_catalog.regclass, pg_catalog.pg_get_indexdef(i.indexrelid)
  FROM relation c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  UNION ALL
  SELECT 'trigger ' || t.tgname, pg_catalog.pg_get_triggerdef(t.oid)
  FROM relation c JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT CASE c.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'a rule of ' END
         || c.oid::pg_catalog.regclass, pg_catalog.pg_get_ruledef(r.oid)
  FROM relation c JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
  UNION ALL
  SELECT 'policy ' || p.polname, pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                                                      pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relation c JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
  UNION ALL
  SELECT 'the comment on ' || c.oid::pg_catalog.regclass, d.description
  FROM relation c
  JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION ALL
  SELECT 'text search dictionary ' || t.dictname, t.dictinitoption
  FROM pg_catalog.pg_ts_dict t WHERE t.dictnamespace = %(schema)s::pg_catalog.regnamespace
  UNION ALL
  SELECT 'text search configuration ' || t.cfgname,
         pg_catalog.format('%%s %%s: %%s', m.maptokentype, m.mapseqno, m.mapdict::pg_catalog.regdictionary)
  FROM pg_catalog.pg_ts_config t JOIN pg_catalog.pg_ts_config_map m ON m.mapcfg = t.oid
  WHERE t.cfgnamespace = %(schema)s::pg_catalog.regnamespace
  UNION ALL
  SELECT 'type ' || t.oid::pg_catalog.regtype,
         pg_catalog.concat_ws(' ', t.typtype, pg_catalog.format_type(NULLIF(t.typbasetype, 0), t.typtypmod),
                              t.typnotnull, t.typdefault,
                              ARRAY(SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
                                    ORDER BY e.enumsortorder)::text,
                              pg_catalog.obj_description(t.oid, 'pg_type'))
  FROM pg_catalog.pg_type t
  WHERE t.typnamespace = %(schema)s::pg_catalog.regnamespace AND t.typtype IN ('e', 'd', 'r') AND t.typelem = 0
  UNION ALL
  SELECT 'statistics ' || s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid)
  FROM pg_catalog.pg_statistic_ext s WHERE s.stxnamespace = %(schema)s::pg_catalog.regnamespace
  UNION ALL
  SELECT 'the options of ' || c.oid::pg_catalog.regclass, c.reloptions::text FROM relation c)
SELECT what, words FROM words WHERE words IS NOT NULL ORDER BY what COLLATE "C", words COLLATE "C"
"""


def read_definitions(connection: psycopg.Connection, schema: str) -> tuple[tuple[str, str], ...]:
    """Read what the objects of a schema are and say, as the server renders it under an empty search_path.

    schema: quoted, where it has to be.
    """
    rows = connection.execute(_DEFINITIONS_SQL.encode(), {"schema": schema})
    return tuple((str(what), str(words)) for what, words in rows)
