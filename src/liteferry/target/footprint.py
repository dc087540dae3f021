"""Every detail of a schema as lines of text: what must be the same before and after rows were brought in.

Layer 2. Used through `target` only. Broader than `target.catalog`, which knows what a plan of ours can make: owners,
rights, comments, tablespaces, storage options, the state of every trigger (the server's own for foreign keys, too),
statistics, and whatever tables of other schemas are tied to these by foreign keys. Object identifiers and
relfilenodes are left out, and so are the names of the server's own triggers, which hold such identifiers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from liteferry.target.catalog import of_schema

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

_SINCE: Final = {"a.attcompression": 140000, "k.conenforced::text": 180000}
"""Columns that older servers do not have, by the version that brought them: NULL stands for them there."""

_FOOTPRINT_SQL: Final = """
WITH RECURSIVE own (oid) AS (
  SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace = %(schema)s AND c.relkind NOT IN ('i', 'I', 't')
    AND c.relname <> ALL (%(without)s::text[])
  UNION SELECT i.inhrelid FROM own JOIN pg_catalog.pg_inherits i ON i.inhparent = own.oid),
tied (oid) AS (
  SELECT oid FROM own
  UNION SELECT k.conrelid FROM pg_catalog.pg_constraint k JOIN own ON own.oid = k.confrelid WHERE k.contype = 'f'
  UNION SELECT k.confrelid FROM pg_catalog.pg_constraint k JOIN own ON own.oid = k.conrelid WHERE k.contype = 'f'),
relation AS (
  SELECT c.*, c.oid::pg_catalog.regclass::text AS place FROM pg_catalog.pg_class c JOIN tied USING (oid)),
comment (oid, num, words) AS (
  SELECT objoid, objsubid, description FROM pg_catalog.pg_description
  WHERE classoid = 'pg_catalog.pg_class'::pg_catalog.regclass),
line (words) AS (
  SELECT pg_catalog.format('relation %%s: kind %%s, owner %%s, rights %%s, tablespace %%s, options %%s,'
                           ' persistence %%s, replica identity %%s, row security %%s %%s, access method %%s,'
                           ' bound %%s, comment %%s',
                           r.place, r.relkind, r.relowner::pg_catalog.regrole, r.relacl, r.reltablespace, r.reloptions,
                           r.relpersistence, r.relreplident, r.relrowsecurity, r.relforcerowsecurity, r.relam,
                           pg_catalog.pg_get_expr(r.relpartbound, r.oid), s.words)
  FROM relation r LEFT JOIN comment s ON s.oid = r.oid AND s.num = 0
  UNION ALL
  SELECT pg_catalog.format('column %%s.%%I: number %%s, type %%s, not null %%s, default %%s, identity %%s,'
                           ' generated %%s, collation %%s, storage %%s %%s, statistics %%s, options %%s, rights %%s,'
                           ' inherited %%s %%s, comment %%s',
                           r.place, a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
                           pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
                           a.attcollation::pg_catalog.regcollation, a.attstorage,
                           a.attcompression, a.attstattarget, a.attoptions, a.attacl, a.attislocal, a.attinhcount,
                           s.words)
  FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN comment s ON s.oid = r.oid AND s.num = a.attnum
  UNION ALL
  SELECT pg_catalog.format('constraint %%I on %%s: %%s, %%s, valid %%s, enforced %%s, deferrable %%s %%s, local %%s,'
                           ' inherited %%s, no inherit %%s, comment %%s',
                           k.conname, r.place, k.contype, pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
                           k.conenforced::text, k.condeferrable, k.condeferred, k.conislocal,
                           k.coninhcount, k.connoinherit, s.description)
  FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
  LEFT JOIN pg_catalog.pg_description s
         ON s.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND s.objoid = k.oid AND s.objsubid = 0
  UNION ALL
  SELECT pg_catalog.format('index %%s on %%s: %%s, owner %%s, tablespace %%s, options %%s, unique %%s, primary %%s,'
                           ' valid %%s %%s %%s, clustered %%s, replica identity %%s, statistics %%s, attached to %%s,'
                           ' extensions %%s, comment %%s',
                           x.oid::pg_catalog.regclass, r.place, pg_catalog.pg_get_indexdef(x.oid),
                           x.relowner::pg_catalog.regrole, x.reltablespace, x.reloptions, i.indisunique,
                           i.indisprimary, i.indisvalid, i.indisready, i.indislive, i.indisclustered, i.indisreplident,
                           ARRAY(SELECT a.attstattarget FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid
                                 ORDER BY a.attnum),
                           ARRAY(SELECT h.inhparent::pg_catalog.regclass FROM pg_catalog.pg_inherits h
                                 WHERE h.inhrelid = x.oid ORDER BY 1),
                           ARRAY(SELECT d.refobjid FROM pg_catalog.pg_depend d
                                 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = x.oid
                                   AND d.deptype IN ('e', 'x') ORDER BY 1),
                           s.words)
  FROM relation r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  LEFT JOIN comment s ON s.oid = x.oid AND s.num = 0
  UNION ALL
  SELECT pg_catalog.format('trigger %%I on %%s: %%s, state %%s, comment %%s', t.tgname, r.place,
                           pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled,
                           pg_catalog.obj_description(t.oid, 'pg_trigger'))
  FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
  UNION ALL
  SELECT pg_catalog.format('trigger of constraint %%I on %%s: %%s on %%s, type %%s, state %%s, deferrable %%s %%s',
                           k.conname, k.conrelid::pg_catalog.regclass, t.tgfoid::pg_catalog.regproc, r.place, t.tgtype,
                           t.tgenabled, t.tgdeferrable, t.tginitdeferred)
  FROM relation r JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND t.tgisinternal
  LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint
  UNION ALL
  SELECT pg_catalog.format('rule %%I on %%s: %%s, state %%s', u.rulename, r.place, pg_catalog.pg_get_ruledef(u.oid),
                           u.ev_enabled)
  FROM relation r JOIN pg_catalog.pg_rewrite u ON u.ev_class = r.oid
  UNION ALL
  SELECT pg_catalog.format('policy %%I on %%s: %%s %%s %%s %%s %%s', p.polname, r.place, p.polpermissive, p.polcmd,
                           p.polroles::pg_catalog.regrole[], pg_catalog.pg_get_expr(p.polqual, p.polrelid),
                           pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
  UNION ALL
  SELECT pg_catalog.format('statistics %%s, target %%s', pg_catalog.pg_get_statisticsobjdef(s.oid), s.stxstattarget)
  FROM relation r JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = r.oid
  UNION ALL
  SELECT pg_catalog.format('sequence %%s: %%s from %%s by %%s, %%s to %%s, cache %%s, cycles %%s, of %%s', r.place,
                           q.seqtypid::pg_catalog.regtype, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
                           q.seqcycle,
                           ARRAY(SELECT pg_catalog.format('%%s %%s %%s', d.deptype, d.refobjid::pg_catalog.regclass,
                                                          d.refobjsubid)
                                 FROM pg_catalog.pg_depend d
                                 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid
                                   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass ORDER BY 1))
  FROM relation r JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
  UNION ALL
  SELECT pg_catalog.format('publication %%I of %%s', b.pubname, r.place)
  FROM relation r JOIN pg_catalog.pg_publication_rel e ON e.prrelid = r.oid
  JOIN pg_catalog.pg_publication b ON b.oid = e.prpubid)
SELECT words FROM line ORDER BY words COLLATE "C"
"""


def ask_footprint(schema: str, version_num: int, without: Collection[str] = ()) -> tuple[str, dict[str, Any]]:
    """The question for a schema's footprint, and its arguments. Pure. without: names of relations to pass over."""
    sql = _FOOTPRINT_SQL
    for column, since in _SINCE.items():
        if version_num < since:
            sql = sql.replace(column, "NULL")
    return of_schema(sql), {"schema": schema, "without": list(without)}


def read_footprint(connection: psycopg.Connection, schema: str) -> tuple[str, ...]:
    """Describe a schema's relations, and those that foreign keys tie to them, line by line in a fixed order."""
    sql, arguments = ask_footprint(schema, connection.info.server_version)
    rows = connection.execute(sql.encode(), arguments).fetchall()
    return tuple(str(words) for (words,) in rows)
