"""A stamp of the catalogues: as long as it is the same, nobody has changed what any of them says.

Layer 2. Used through `target` only. Whatever is said of a schema (`catalog`, `holding`, `footprint`) is made from rows
of the system catalogues, and PostgreSQL never changes a row: it writes another, at another place (ctid), by another
transaction (xmin). So the places and transactions of all rows tell whether any was written or taken away, for a
twentieth of what it costs to have the definitions rendered anew. What VACUUM and ANALYZE note in a row in place, the
numbers of rows and pages, is in nothing that is read.

Source: PostgreSQL docs, "System Columns"; src/backend/access/heap/README.tuplock, "Locking to write inplace-updated
tables".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psycopg

CATALOGUES: Final = (
    "pg_am",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_extension",
    "pg_index",
    "pg_inherits",
    "pg_language",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_opfamily",
    "pg_partitioned_table",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_publication_rel",
    "pg_range",
    "pg_rewrite",
    "pg_sequence",
    "pg_statistic_ext",
    "pg_tablespace",
    "pg_trigger",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_type",
)
"""Whatever the readings of a schema look at, and what the server looks at to render a definition."""

_ROWS_SQL: Final = """
SELECT '{0}', count(*), sum(pg_catalog.hashtextextended((ctid::text || ' ' || xmin::text) COLLATE "C", 0)::numeric)
FROM pg_catalog.{0}
"""
# the roles themselves may not be read, which holds passwords; but who they are, and what they may
_ROLES_SQL: Final = """
SELECT 'pg_roles', count(*), sum(pg_catalog.hashtextextended(
         ROW(oid, rolname, rolsuper, rolinherit, rolbypassrls)::text COLLATE "C", 0)::numeric)
FROM pg_catalog.pg_roles
"""
_STAMP_SQL: Final = " UNION ALL ".join([_ROLES_SQL, *map(_ROWS_SQL.format, CATALOGUES)])


def read_stamp(connection: psycopg.Connection) -> str:
    """Read the stamp of this moment, all catalogues at once: to be compared with another, of the same database."""
    rows = connection.execute(_STAMP_SQL.encode()).fetchall()
    return " ".join(f"{name}:{count}:{total}" for name, count, total in sorted(rows))
