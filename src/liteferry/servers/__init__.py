"""PostgreSQL servers: the embedded one, and who it is that answers at an address.

Layer 2. `embedded` starts and stops our own (`cluster`: its data and process; `installation`: its programs and the
account that runs them); `diagnose` explains why a connection failed (`ports`: what answers where, and whose it is).
"""

from liteferry.servers.embedded import (
    Server,
    create_database,
    database_url,
    default_home,
    drop_database,
    psql_argv,
    read_log,
    read_status,
    start_server,
    stop_server,
)

__all__ = [
    "Server",
    "create_database",
    "database_url",
    "default_home",
    "drop_database",
    "psql_argv",
    "read_log",
    "read_status",
    "start_server",
    "stop_server",
]
