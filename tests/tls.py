"""A test server with a certificate."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from conftest import find_postgres_binaries, start_test_server
from harness import execute, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import PostgresServer


@contextmanager
def run_tls_server() -> Iterator[tuple[PostgresServer, Path]]:
    """Run a server that offers encryption, as ``localhost``, and give the certificate that proves who it is."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl(1) here")
    for version, bin_dir in sorted(find_postgres_binaries().items()):
        server = start_test_server(version, bin_dir)
        try:
            if _offer_tls(server):
                yield server, server.data_dir / "server.crt"
                return
        finally:
            server.stop()
    pytest.skip("no PostgreSQL found that was built with TLS")


def _offer_tls(server: PostgresServer) -> bool:
    key, certificate = server.data_dir / "server.key", server.data_dir / "server.crt"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    name = ["-addext", "subjectAltName=DNS:localhost"]
    done = server.account.run([*make, *name, "-keyout", key, "-out", certificate])
    assert done.returncode == 0, done.stderr
    url = server.url("postgres")
    try:
        execute(url, "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    except psycopg.errors.InvalidParameterValue:
        return False

    def is_on() -> bool:
        with psycopg.connect(url) as connection:
            return connection.execute("SHOW ssl").fetchone() == ("on",)

    wait_until(is_on, "ssl = on")
    return True
