"""Measure liteferry beside the other ways, on this machine, in one run: ``make bench`` or this file with ``--help``.

The ways take turns within rounds, each into a fresh database of one server that is started for it; medians are printed
with the least and the most, and ratios round by round. What arrived is counted after each way's first run. The figures
are written as JSON after every workload, so that an interrupted run is not lost. Nothing here is a test, and a figure
means nothing by itself on a shared machine: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import drawing
import psycopg
from figures import summarise
from floor import make_ready
from losses import count_losses
from peers import (
    FLOOR_ONE,
    FLOOR_TWO,
    LITEFERRY,
    PEER_IMPORTS,
    PEERS,
    PGLOADER,
    SAID,
    UNPROVEN,
    WAYS,
    Place,
    Turn,
    compile_liteferry,
    find_missing,
    find_peer_python,
    install_pgloader,
    list_versions,
    make_peer_environment,
    predict,
)
from workloads import WORKLOADS, Workload

import liteferry
from liteferry import servers

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache" / "bench"
COMMITTED: Final = ROOT / "bench" / "results" / "comparison.json"
CHART: Final = ROOT / "docs" / "assets" / "speed.svg"
PAGES: Final = ("docs/explanation/speed.md", "docs/explanation/comparison-with-other-tools.md", "README.md")
SCHEMA: Final = "liteferry-bench/1"
LONG_S: Final = 25.0  # a way that takes so long is measured once
DJANGO: Final = "django"
SETTINGS: Final = (
    "shared_buffers",
    "maintenance_work_mem",
    "max_wal_size",
    "wal_level",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "max_parallel_maintenance_workers",
)


def read_cpu() -> str:
    """The processor's name, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe_machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": read_cpu(),
        "cores": os.cpu_count(),
        "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def read_commit() -> str:
    """The commit that was measured, with a + where files differ from it; "" outside a repository."""
    argv = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(argv, check=False, capture_output=True, text=True).stdout.strip()


def describe_source(path: Path) -> dict[str, int]:
    """How large a workload came out."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source:
        tables = [
            name
            for (name,) in source.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith("sqlite_")
        ]
        rows = sum(source.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables)
    return {"bytes": path.stat().st_size, "tables": len(tables), "rows": rows}


class Measurement:
    """One workload on one server: its file, the files of the floor, and the databases that the ways fill."""

    def __init__(self, workload: Workload, scale: float, server: servers.Server, place: Place) -> None:
        """Write the file, and let a first run, which is not timed, make what the floor needs."""
        self.workload, self.server = workload, server
        self.emptied = place.scratch.parent / "emptied"
        self.place = replace(place, existing=workload.target_sql is not None)
        self.place.ready.mkdir(parents=True)
        workload.write(self.place.source, scale)
        self.template = "template0"
        if workload.target_sql is not None:
            self.template = "bench_template"
            self._make(self.template, "template0")
            with psycopg.connect(servers.database_url(server, self.template)) as connection:
                connection.execute(workload.target_sql(scale).encode())
        url = self._make("bench", self.template)
        turn = WAYS[UNPROVEN](self.place, url)
        if turn.status:
            raise SystemExit(f"liteferry cannot move the workload {workload.name}: {turn.said}")
        make_ready(url, self.place.ready)

    def _make(self, name: str, template: str) -> str:
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            self._drop(connection, name)
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\''.encode())
            connection.execute("CHECKPOINT")  # what was written before must not burden this way
        return servers.database_url(self.server, name)

    def _drop(self, connection: psycopg.Connection[Any], name: str) -> None:
        """Drop a database, but keep the names of its files, emptied, until the server's directory goes.

        An ext4 without a journal, as virtual machines have it, looks at every file deleted in the last minutes before
        it makes a new one: after some turns with 1,100 relations each, the next way's load took 2.4 s in place of 1.2.
        """
        asked = "SELECT oid::text, current_setting('data_directory') FROM pg_database WHERE datname = %s"
        found = connection.execute(asked, (name,)).fetchone()
        if found is None:
            return
        oid, data = found
        kept = self.emptied / oid
        kept.mkdir(parents=True)
        for path in (Path(data) / "base" / oid).iterdir():
            with suppress(FileNotFoundError):  # of a table that was dropped: a checkpoint takes them away at last
                (kept / path.name).hardlink_to(path)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        for path in kept.iterdir():
            os.truncate(path, 0)

    def close(self) -> None:
        """Drop the databases."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            for name in ("bench", "bench_template"):
                self._drop(connection, name)

    def run(self, way: str, number: int) -> tuple[Turn, dict[str, Any] | None]:
        """Let a way have its turn. Returns also what it lost, in the first round."""
        url = self._make("bench", self.template)
        load_average = os.getloadavg()[0]
        turn = WAYS[way](self.place, url)
        turn.round, turn.load_average = number, load_average
        lost = None
        if number == 0 and not way.startswith("floor"):
            try:
                lost = asdict(count_losses(self.place.source, url))
            except psycopg.Error as error:  # a target so strange that it cannot even be counted; the others go on
                turn.said = f"what arrived cannot be counted: {error}"[:SAID]
        return turn, lost

    def predict(self) -> dict[str, Any]:
        """What liteferry says beforehand of the time that it will take."""
        return predict(self.place, self._make("bench", self.template))

    def run_all(self, ways: Sequence[str], rounds: int) -> dict[str, Any]:
        """All ways in turns; each round begins with another one. Returns their figures by name."""
        found: dict[str, Any] = {way: {"turns": [], "lost": None} for way in ways}
        for number in range(rounds if self.workload.measured else 1):
            first = number % len(ways)
            for way in (*ways[first:], *ways[:first]):
                turns = found[way]["turns"]
                if turns and (turns[0]["status"] or turns[0]["elapsed_s"] > LONG_S):
                    continue
                turn, lost = self.run(way, number)
                turns.append(asdict(turn))
                found[way]["lost"] = lost or found[way]["lost"]
                said = f", {' '.join(turn.said.split())}" if turn.said else ""
                print(f"{self.workload.name}, round {number + 1}: {way}: {turn.elapsed_s:.2f} s{said}", file=sys.stderr)
        summarise(found)
        return found


def measure_django(scale: float, rounds: int) -> dict[str, Any]:
    """Move the sample project of Django, by its own script. Returns its figures."""
    with tempfile.TemporaryDirectory() as directory:
        output, table = Path(directory) / "figures.json", Path(directory) / "table.md"
        argv = [sys.executable, str(ROOT / "bench" / "sample_project.py"), "--scale", str(scale)]
        argv += ["--rounds", str(rounds), "--output", str(output), "--table", str(table)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        facts: dict[str, Any] = json.loads(output.read_text())
        for way in facts["ways"].values():
            del way["turns"]
        return {**facts, "table": table.read_text(), "measured_at": say_now(), "commit": read_commit()}


def say_now() -> str:
    """The moment, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", action="append", choices=[*WORKLOADS, DJANGO], help="only this; can be repeated")
    parser.add_argument(
        "--peer", action="append", choices=list(PEERS), help="only this beside liteferry; can be repeated"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds (default: 3); a way of over 25 s has one")
    parser.add_argument("--scale", type=float, default=1.0, help="of the workloads' sizes (default: 1; quick: 0.02)")
    parser.add_argument("--django-scale", type=float, default=0.1, help="of the sample project (default: 0.1)")
    parser.add_argument(
        "--timeout", type=float, default=120.0, help="seconds after which a run is stopped (default: 120)"
    )
    parser.add_argument("--output", type=Path, default=CACHE / "comparison.json", help="the figures, as JSON")
    parser.add_argument("--keep", action="store_true", help="keep what the output file says of other workloads")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the peers' environment lies")
    parser.add_argument(
        "--write-docs", action="store_true", help="write the figures into the pages, and the JSON beside the code"
    )
    parser.add_argument("--from", dest="known", type=Path, help="measure nothing; take the figures of this file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the comparison and print it."""
    arguments = parse_arguments(argv)
    found = json.loads(arguments.known.read_text()) if arguments.known else measure(arguments)
    results = json.loads(write_json(found))  # rounded as it is kept: the pages are the same, written now or later
    print(show(results))
    if arguments.write_docs:
        write_docs(results, ROOT)
    return 0


def show(results: dict[str, Any]) -> str:
    """All tables."""
    parts = [write(results) for write in drawing.BLOCKS.values()]
    return "\n\n".join(parts)


def write_docs(results: dict[str, Any], root: Path) -> None:
    """Write the figures into the pages, the chart, and the JSON that a test holds them against."""
    (root / COMMITTED.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
    (root / COMMITTED.relative_to(ROOT)).write_text(write_json(results))
    (root / CHART.relative_to(ROOT)).write_text(drawing.draw_chart(results))
    for name in PAGES:
        page = root / name
        page.write_text(drawing.fill_blocks(page.read_text(), results))


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure what is asked for; the output file is written after each workload."""
    chosen = arguments.workload or [*WORKLOADS, DJANGO]
    wanted = [way for peer in arguments.peer or PEERS for way in PEERS[peer]]
    ways = [way for way in WAYS if way in {LITEFERRY, UNPROVEN, *wanted}]
    peer_python = find_peer_python(arguments.cache / "peers")
    if any(way in PEER_IMPORTS for way in ways):
        make_peer_environment(arguments.cache / "peers")
    if PGLOADER in ways:
        install_pgloader()
    compile_liteferry()
    missing = {way: said for way, said in find_missing(peer_python).items() if way in ways}
    for said in missing.values():
        print(said, file=sys.stderr)
    ways = [way for way in ways if way not in missing]
    results: dict[str, Any] = {
        "schema": SCHEMA,
        "machine": describe_machine(),
        "options": {"scale": arguments.scale, "rounds": arguments.rounds, "timeout_s": arguments.timeout},
        "left_out": missing,
        "workloads": {},
    }
    if arguments.keep and arguments.output.exists():
        kept = json.loads(arguments.output.read_text())
        if kept["machine"]["cpu"] != results["machine"]["cpu"] or kept["options"]["scale"] != arguments.scale:
            raise SystemExit(f"{arguments.output} was measured on another machine, or at another scale")
        results["workloads"] = kept["workloads"]
        results |= {DJANGO: kept[DJANGO]} if DJANGO in kept else {}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="liteferry-bench-") as directory:
        scratch = Path(directory)
        scratch.chmod(0o711)  # the embedded server's account passes through
        server = servers.start_server(scratch / "home")
        try:
            results |= describe_server(server, peer_python)
            for name in chosen:
                if name != DJANGO:
                    results["workloads"][name] = measure_workload(name, ways, server, scratch, peer_python, arguments)
                    write_results(results, arguments.output)
        finally:
            servers.stop_server(scratch / "home")
    if DJANGO in chosen:
        results[DJANGO] = measure_django(arguments.django_scale, 1)
        write_results(results, arguments.output)
    return results


def write_json(results: dict[str, Any]) -> str:
    """The figures as JSON, rounded to a tenth of a millisecond, a way or fact a line. Pure."""

    def trim(value: Any) -> Any:
        if isinstance(value, float):
            return round(value, 4)
        if isinstance(value, dict):
            return {key: trim(item) for key, item in value.items()}
        return [trim(item) for item in value] if isinstance(value, list | tuple) else value

    text = json.dumps(trim(results), indent=1)
    return re.sub(r"\n( {5,}| {4}(?=[]}]))", lambda match: " " * (len(match[1]) > 4), text) + "\n"


def write_results(results: dict[str, Any], path: Path) -> None:
    """Write the figures so that no moment sees half of them."""
    part = path.with_suffix(".part")
    part.write_text(write_json(results))
    part.replace(path)


def describe_server(server: servers.Server, peer_python: Path) -> dict[str, Any]:
    """Versions, and the settings that matter."""
    with psycopg.connect(server.url) as connection:
        settings = {}
        for name in SETTINGS:
            row = connection.execute(f"SHOW {name}".encode()).fetchone()
            settings[name] = row[0] if row else ""
    return {
        "versions": {
            "liteferry": liteferry.__version__,
            "postgresql": server.version,
            "sqlite": sqlite3.sqlite_version,
            "python": platform.python_version(),
            "peers": list_versions(peer_python),
        },
        "server_settings": settings,
    }


def measure_workload(
    name: str,
    ways: Sequence[str],
    server: servers.Server,
    scratch: Path,
    peer_python: Path,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    """Measure one workload, of whose files nothing is left. Returns its figures."""
    home = scratch / name
    home.mkdir()
    home.chmod(0o711)
    place = Place(
        source=home / f"{name}.sqlite3",
        scratch=home,
        ready=home / "ready",
        peer_python=peer_python,
        existing=False,
        timeout_s=arguments.timeout,
    )
    measurement = Measurement(WORKLOADS[name], arguments.scale, server, place)
    try:
        own = [way for way in ways if way not in ((FLOOR_TWO,) if measurement.place.existing else ())]
        own = own if WORKLOADS[name].measured else [way for way in own if way not in {FLOOR_ONE, FLOOR_TWO}]
        return {
            "title": WORKLOADS[name].title,
            "size": describe_source(place.source),
            "ways": measurement.run_all(own, arguments.rounds),
            "prediction": measurement.predict(),
            "measured_at": say_now(),
            "commit": read_commit(),
        }
    finally:
        measurement.close()
        shutil.rmtree(home)


if __name__ == "__main__":
    sys.exit(main())
