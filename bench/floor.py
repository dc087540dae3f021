"""The floor: what the server alone needs for rows that are there as binary COPY files, and for the same DDL."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg

from liteferry.servers.installation import find_binaries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PARTS = 2  # a large table is kept in so many files, one a connection
FEW = 20  # tables from which on several are one transaction
LARGE = 100_000  # rows from which on that is worth it
LARGE_BYTES = 32 << 20  # or so much on disk


def make_ready(url: str, directory: Path) -> None:
    """Keep what a run made as files: the rows as binary COPY, schema and indexes as SQL that can be run again.

    The files can be read by the server's account, which reads them itself.
    """
    dump = [str(find_binaries().bin_dir / "pg_dump"), "--no-owner", "--schema-only", url]
    for section, name in (("pre-data", "schema.sql"), ("post-data", "indexes.sql")):
        made = subprocess.run([*dump, f"--section={section}"], check=True, capture_output=True, text=True).stdout
        kept = [line for line in made.splitlines() if not line.startswith(("\\", "--", "SET ", "SELECT pg_catalog."))]
        (directory / name).write_text("\n".join(kept))
    directory.chmod(0o711)
    with psycopg.connect(url) as connection:
        connection.execute("SET synchronize_seqscans = off")  # both parts are counted from the same first row
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid"
        ).fetchall()
        for number, (table,) in enumerate(tables):
            quoted = '"' + table.replace('"', '""') + '"'
            ((rows, on_disk),) = connection.execute(
                f"SELECT count(*), pg_table_size(%s::regclass) FROM {quoted}".encode(), [quoted]
            ).fetchall()
            parts = PARTS if rows >= LARGE or (rows >= PARTS and on_disk >= LARGE_BYTES) else 1
            bounds = [rows * part // parts for part in range(parts + 1)]
            for part in range(parts):
                chosen = f"SELECT * FROM {quoted}"
                if parts > 1:
                    chosen += f" OFFSET {bounds[part]} LIMIT {bounds[part + 1] - bounds[part]}"
                file = directory / f"{number:06}.{part}.copy"
                copy_sql = f"COPY ({chosen}) TO STDOUT (FORMAT binary)".encode()
                with file.open("wb") as data, connection.cursor().copy(copy_sql) as copy:
                    for block in copy:
                        data.write(block)
                file.chmod(0o644)
                (directory / f"{number:06}.{part}.table").write_text(quoted)


def copy_floor(url: str, directory: Path, *, connections: int, existing: bool) -> float:
    """Load the files, and make keys and indexes; foreign keys at the end. Returns the seconds until the rows are there.

    existing: the schema is there, and everything is one transaction, with foreign keys checked at its end.
    """
    files = sorted(directory.glob("*.copy"), key=lambda file: file.name if existing else -file.stat().st_size)
    copies = [f"COPY {file.with_suffix('.table').read_text()} FROM '{file}' (FORMAT binary)" for file in files]
    begun = time.monotonic()
    if existing:
        with psycopg.connect(url) as connection:
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
            for sql in copies:
                connection.execute(sql.encode())
        return time.monotonic() - begun
    with psycopg.connect(url) as connection:
        connection.execute((directory / "schema.sql").read_bytes())
    text = (directory / "indexes.sql").read_text()
    statements = [sql.strip() for sql in re.split(r";\n", text) if sql.strip()]
    run_beside(url, batch([[sql] for sql in copies]), connections)
    rows_s = time.monotonic() - begun
    by_table: dict[str, list[str]] = {}
    for sql in statements:
        if "FOREIGN KEY" not in sql:
            found = re.search(r"\b(?:ALTER TABLE ONLY|ON) (\S+)", sql)
            by_table.setdefault(found[1] if found else sql, []).append(sql)
    units = list(by_table.values())
    if len(units) < FEW:
        units = [[sql] for unit in units for sql in unit]  # a large table's indexes beside each other
    run_beside(url, batch(units), connections)
    run_beside(url, [[sql for sql in statements if "FOREIGN KEY" in sql]], 1)
    return rows_s


def batch(units: Sequence[list[str]]) -> list[list[str]]:
    """Put units together, so that thousands of tables are not as many transactions; the largest come first. Pure.

    Neighbours get into different batches, for the few large ones must not all be one connection's work.
    A unit is what locks one table: two transactions that each hold one and wait for the other's would never end.
    """
    if len(units) < FEW:
        return list(units)
    many = -(-len(units) // FEW)
    return [[sql for unit in units[number::many] for sql in unit] for number in range(many)]


def run_beside(url: str, batches: Sequence[list[str]], connections: int) -> None:
    """Run batches of statements, each a transaction, as many at a time as there are connections."""
    waiting: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for statements in batches:
        waiting.put(statements)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("SET synchronous_commit = off")  # as every loader may: what fails is begun again
                run_waiting(connection, waiting)
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def run_waiting(connection: psycopg.Connection[Any], waiting: queue.SimpleQueue[list[str]]) -> None:
    """Run what waits until nothing does."""
    while True:
        try:
            statements = waiting.get_nowait()
        except queue.Empty:
            return
        with connection.transaction():
            if statements:
                connection.execute(";\n".join(statements).encode())
