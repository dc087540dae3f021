"""Measure liteferry beside other ways, on this machine, in one run: ``make bench`` or ``python bench/run.py --help``.

The ways take turns, several rounds; medians and ratios are printed as a table and written as JSON. A figure means
nothing by itself on a shared machine: read the ratios. Nothing here is a test.

* ``liteferry``: the whole run, every value proven; ``liteferry --no-verify``: without the proof
* ``pgloader``: its defaults but for a smaller prefetch (Debian package; left out, and said so, when it is not there)
* ``floor``: the server alone: `COPY FROM` of a ready binary file on one connection, primary key and indexes
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from workloads import write_many, write_wide

import liteferry
from liteferry import Options, migrate, servers
from liteferry.servers.installation import find_binaries

if TYPE_CHECKING:
    from collections.abc import Callable

PGLOADER = """
LOAD DATABASE FROM sqlite://{source} INTO {target}
WITH include drop, create tables, create indexes, reset sequences, prefetch rows = 1000
SET work_mem to '64MB', maintenance_work_mem to '256MB';
"""


def time_liteferry(source: Path, url: str, *, verify: bool) -> float:
    """Seconds of one whole run, of which nothing is left but the target."""
    with tempfile.TemporaryDirectory() as directory:
        begun = time.monotonic()
        report = migrate(source, url, Options(run_dir=f"{directory}/run", verify=verify))
        elapsed = time.monotonic() - begun
    expected = "proven" if verify else "not proven"
    if report.verdict != expected:
        raise SystemExit(f"liteferry: {report.verdict}: {report.failure} {report.findings}")
    return elapsed


def time_pgloader(source: Path, url: str) -> float:
    """Seconds of one pgloader run; its exit status says nothing, so its rows are counted."""
    with psycopg.connect(url) as connection:
        info = connection.info
        target = f"postgresql://{info.user}@unix:{info.host}:{info.port}/{info.dbname}"
    with tempfile.NamedTemporaryFile("w", suffix=".load") as script:
        script.write(PGLOADER.format(source=source, target=target))
        script.flush()
        begun = time.monotonic()
        subprocess.run(["pgloader", "--dynamic-space-size", "4096", script.name], check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begun


def time_floor(url: str, floor: Path) -> float:
    """Seconds of the server alone: COPY of a ready file, then the keys and indexes."""
    with psycopg.connect(url) as connection:
        connection.execute((floor / "schema.sql").read_bytes())
        connection.commit()
        begun = time.monotonic()
        for file in sorted(floor.glob("*.copy")):
            copy_sql = f'COPY "{file.stem}" FROM STDIN (FORMAT binary)'.encode()
            with file.open("rb") as data, connection.cursor().copy(copy_sql) as copy:
                while block := data.read(1 << 20):
                    copy.write(block)
        connection.execute((floor / "indexes.sql").read_bytes())
        connection.commit()
        return time.monotonic() - begun


def make_floor(url: str, directory: Path) -> None:
    """Keep what a proven run made as files: the rows as binary COPY, the schema and the indexes as SQL."""
    dump = [str(find_binaries().bin_dir / "pg_dump"), "--no-owner", "--schema-only", url]
    for section, name in (("pre-data", "schema.sql"), ("post-data", "indexes.sql")):
        made = subprocess.run([*dump, f"--section={section}"], check=True, capture_output=True, text=True).stdout
        lines = [line for line in made.splitlines() if not line.startswith("\\")]
        (directory / name).write_text(
            "\n".join(lines).replace("SELECT pg_catalog.set_config('search_path', '', false);", "")
        )
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables.fetchall():
            copy_sql = f'COPY "{table}" TO STDOUT (FORMAT binary)'.encode()
            with (directory / f"{table}.copy").open("wb") as file, connection.cursor().copy(copy_sql) as copy:
                for block in copy:
                    file.write(block)


def measure(name: str, source: Path, rounds: int, scratch: Path) -> dict[str, object]:
    """Time every way in turns. Returns medians, all times, and ratios to liteferry's whole proven run."""
    server = servers.start_server()

    def in_fresh_database(run: Callable[[str], float]) -> float:
        url = servers.create_database(server, "bench")
        try:
            return run(url)
        finally:
            servers.drop_database(server, url)

    floor = scratch / f"{name}-floor"
    floor.mkdir()

    def fill_floor(url: str) -> float:
        elapsed = time_liteferry(source, url, verify=True)
        make_floor(url, floor)
        return elapsed

    in_fresh_database(fill_floor)
    ways: dict[str, Callable[[str], float]] = {
        "liteferry": lambda url: time_liteferry(source, url, verify=True),
        "liteferry --no-verify": lambda url: time_liteferry(source, url, verify=False),
        "floor": lambda url: time_floor(url, floor),
    }
    if shutil.which("pgloader"):
        ways["pgloader"] = lambda url: time_pgloader(source, url)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            times[way].append(in_fresh_database(run))
    medians = {way: statistics.median(values) for way, values in times.items()}
    return {
        "workload": name,
        "source_bytes": source.stat().st_size,
        "median_s": medians,
        "all_s": times,
        "ratio_to_liteferry": {way: median / medians["liteferry"] for way, median in medians.items()},
    }


def main() -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000, help="rows of the wide table (default: 300,000)")
    parser.add_argument("--tables", type=int, default=161, help="tables of the application's shape (default: 161)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default: 3)")
    parser.add_argument("--output", type=Path, help="write the figures as JSON there")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="liteferry-bench-") as directory:
        scratch = Path(directory)
        for name, write, size in (("wide", write_wide, arguments.rows), ("many", write_many, arguments.tables)):
            source = scratch / f"{name}.sqlite3"
            write(source, size)
            results.append(measure(f"{name} {size:,}", source, arguments.rounds, scratch))
    found = {
        "liteferry": liteferry.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "results": results,
    }
    for result in results:
        print(f"\n{result['workload']}, {int(result['source_bytes']) / 1e6:,.1f} MB")  # type: ignore[call-overload]  # an int
        for way, median in result["median_s"].items():  # type: ignore[attr-defined]  # a dict
            ratio = result["ratio_to_liteferry"][way]  # type: ignore[index]  # a dict
            print(f"  {way:24} {median:8.2f} s  {ratio:6.2f} x")
    if not shutil.which("pgloader"):
        print("\npgloader is not installed: left out", file=sys.stderr)
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
