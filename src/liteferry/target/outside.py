"""What stands in a database outside one schema, as lines of text: what making that schema must leave alone.

Layer 2. Used through `target` only. Broad rather than deep: names of everything that our role could make, the details
of the tables in the schema that stands beside it (`target.footprint`), and the settings that a role or database has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.names import quote_literal

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """An extension of the database. ``comment``: the one it has; ``words``: the one that creating it gives it."""

    name: str
    schema: str
    version: str
    comment: str
    words: str


_OUTSIDE_SQL: Final = """
WITH me (oid) AS (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
extension_owned AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'),
place AS (
  SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
  WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND n.nspname <> %(staging)s),
found (classid, oid, line) AS (
  SELECT 'pg_catalog.pg_class'::regclass, c.oid,
         CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
              WHEN 'f' THEN 'foreign table' WHEN 'i' THEN 'index' ELSE 'table' END
         || ' ' || c.oid::pg_catalog.regclass
  FROM pg_catalog.pg_class c JOIN place ON place.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i')
    AND (place.nspname = %(schema)s OR c.relowner = (SELECT oid FROM me))
  UNION ALL
  SELECT 'pg_catalog.pg_proc'::regclass, p.oid,
         pg_catalog.format('function %s, %s', p.oid::pg_catalog.regprocedure, pg_catalog.md5(p.prosrc))
  FROM pg_catalog.pg_proc p JOIN place ON place.oid = p.pronamespace
  WHERE place.nspname = %(schema)s OR p.proowner = (SELECT oid FROM me)
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, t.oid, 'type ' || t.oid::pg_catalog.regtype
  FROM pg_catalog.pg_type t JOIN place ON place.oid = t.typnamespace
  WHERE t.typrelid = 0 AND t.typtype IN ('e', 'd', 'r', 'b') AND t.typelem = 0
    AND (place.nspname = %(schema)s OR t.typowner = (SELECT oid FROM me))
  UNION ALL
  SELECT 'pg_catalog.pg_collation'::regclass, l.oid, 'collation ' || l.oid::pg_catalog.regcollation
  FROM pg_catalog.pg_collation l JOIN place ON place.oid = l.collnamespace
  UNION ALL
  SELECT 'pg_catalog.pg_ts_config'::regclass, t.oid, 'text search configuration ' || t.oid::pg_catalog.regconfig
  FROM pg_catalog.pg_ts_config t JOIN place ON place.oid = t.cfgnamespace
  UNION ALL
  SELECT 'pg_catalog.pg_namespace'::regclass, oid, 'schema ' || pg_catalog.quote_ident(nspname) FROM place
  WHERE nspname <> %(schema)s
  UNION ALL
  SELECT 'pg_catalog.pg_authid'::regclass, oid, pg_catalog.format('role %I', rolname) FROM pg_catalog.pg_roles
  UNION ALL
  SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, pg_catalog.format('event trigger %I', evtname)
  FROM pg_catalog.pg_event_trigger
  UNION ALL
  SELECT 'pg_catalog.pg_publication'::regclass, oid, pg_catalog.format('publication %I', pubname)
  FROM pg_catalog.pg_publication
  UNION ALL
  SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, pg_catalog.format('foreign server %I', srvname)
  FROM pg_catalog.pg_foreign_server
  UNION ALL
  SELECT 'pg_catalog.pg_language'::regclass, oid, pg_catalog.format('language %I', lanname)
  FROM pg_catalog.pg_language
  UNION ALL
  SELECT 'pg_catalog.pg_cast'::regclass, oid,
         pg_catalog.format('cast from %s to %s', castsource::pg_catalog.regtype, casttarget::pg_catalog.regtype)
  FROM pg_catalog.pg_cast
  WHERE oid >= 16384 AND NOT EXISTS (  -- a cast of a type in staging goes where the type goes
    SELECT FROM pg_catalog.pg_type t WHERE t.oid IN (castsource, casttarget)
      AND t.typnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = %(staging)s))
  UNION ALL
  SELECT 'pg_catalog.pg_default_acl'::regclass, oid,
         pg_catalog.format('default privileges of %s in %s for %s: %s', defaclrole::pg_catalog.regrole,
                           defaclnamespace::pg_catalog.regnamespace, defaclobjtype, defaclacl)
  FROM pg_catalog.pg_default_acl
  UNION ALL
  SELECT 'pg_catalog.pg_db_role_setting'::regclass, 0::oid,
         pg_catalog.format('setting %s of role %s in database %s', unnest(setconfig),
                           setrole::pg_catalog.regrole, setdatabase)
  FROM pg_catalog.pg_db_role_setting
  WHERE setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
    AND setrole IN (0, (SELECT oid FROM me)))
SELECT line FROM found
WHERE NOT EXISTS (SELECT FROM extension_owned e WHERE e.classid = found.classid AND e.objid = found.oid)
ORDER BY line COLLATE "C"
"""

_DEFAULT_RIGHTS_SQL: Final = """
SELECT pg_catalog.format('GRANT %%s ON %%s TO %%s%%s', a.privilege_type,
                         CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
                              ELSE 'TYPES' END,
                         CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                              ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
                         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace,
     LATERAL pg_catalog.aclexplode(d.defaclacl) a
WHERE n.nspname = %(schema)s AND d.defaclrole = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
  AND d.defaclobjtype <> 'n'
ORDER BY 1
"""

_EXTENSIONS_SQL: Final = """
SELECT e.extname, n.nspname, e.extversion, coalesce(pg_catalog.obj_description(e.oid, 'pg_extension'), ''),
       coalesce((SELECT a.comment FROM pg_catalog.pg_available_extensions a WHERE a.name = e.extname), '')
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
ORDER BY e.extname COLLATE "C"
"""


def outside_sql(schema: str, staging: str) -> str:
    """SQL that names what stands outside the schema ``staging``, a line a row. Pure.

    That is all of ``schema``, and of other schemas what is our role's. Extensions and what belongs to them are left out
    (`read_extensions`). The search_path has to be empty.
    """
    return _OUTSIDE_SQL.replace("%(schema)s", quote_literal(schema)).replace("%(staging)s", quote_literal(staging))


def read_extensions(connection: psycopg.Connection) -> tuple[Extension, ...]:
    """The extensions of the database, by name."""
    rows = connection.execute(_EXTENSIONS_SQL.encode())
    return tuple(
        Extension(name=str(name), schema=str(schema), version=str(version), comment=str(comment), words=str(words))
        for name, schema, version, comment, words in rows
    )


def read_fixed_extensions(connection: psycopg.Connection) -> tuple[str, ...]:
    """The extensions on the server's disk that choose their schema themselves."""
    rows = connection.execute(
        b"SELECT DISTINCT name::text FROM pg_catalog.pg_available_extension_versions"
        b" WHERE schema IS NOT NULL ORDER BY 1"
    )
    return tuple(str(name) for (name,) in rows)


def read_default_rights(connection: psycopg.Connection, schema: str) -> tuple[str, ...]:
    """What `ALTER DEFAULT PRIVILEGES … IN SCHEMA` grants on what our role makes there: ``GRANT …`` as it takes it."""
    rows = connection.execute(_DEFAULT_RIGHTS_SQL.encode(), {"schema": schema})
    return tuple(str(grant) for (grant,) in rows)


def list_tables_to_hold(connection: psycopg.Connection, schema: str) -> list[str]:
    """The tables of a schema that our role may read, quoted: others it could not drop either."""
    rows = connection.execute(
        b"SELECT c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c"
        b" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        b" WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')",
        (schema,),
    ).fetchall()
    return [str(place) for (place,) in rows]


def end_sessions(connection: psycopg.Connection, application_name: str) -> None:
    """End the sessions of that name: their client is gone, and the server may not have noticed yet."""
    connection.execute(
        b"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        b" WHERE application_name = %s AND usename = current_user AND pid <> pg_catalog.pg_backend_pid()",
        (application_name,),
    )
