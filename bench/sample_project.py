"""Measure a Django project's move, from its SQLite file to PostgreSQL: a part of ``make bench``, or alone.

The sample project examples/community, filled to the size of a real office at scale 1, goes over by liteferry, by
``dumpdata`` and ``loaddata``, and by pgloader into the schema that ``manage.py migrate`` made. All take turns on one
server, in one run; medians, their spread and ratios are printed as a table and written as JSON and Markdown. What
arrived is looked at after every run: by ``liteferry verify``, which reads source and target anew, and by SQL.

A figure means nothing by itself on a shared machine: read the ratios, and processor time beside elapsed time. Nothing
here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import psycopg
from peers import compile_liteferry, find_pgloader_version, watch_command
from psycopg import sql

import liteferry
from liteferry import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROJECT: Final = Path(__file__).resolve().parent.parent / "examples" / "community"
PGLOADER: Final = """
LOAD DATABASE FROM sqlite://{source} INTO {target}
WITH data only, truncate, disable triggers, reset sequences, prefetch rows = 1000
EXCLUDING TABLE NAMES LIKE 'sqlite_sequence'
SET work_mem to '64MB', maintenance_work_mem to '256MB';
"""
GUIDES: Final = ("--natural-foreign", "--natural-primary", "--exclude=contenttypes", "--exclude=auth.permission")
MOST_TAKEN_OUT: Final = 20
SAID: Final = 300
NOT_PROVEN: Final = 3
TAKE_OUT: Final = """
import json, sys
path, model, key = sys.argv[1:]
rows = json.load(open(path))
kept = [row for row in rows if not (row["model"] == model.lower() and str(row["pk"]) == key)]
assert len(kept) == len(rows) - 1, (model, key)
json.dump(kept, open(path, "w"))
"""
EMPTY: Final = """
from django.core.management.sql import sql_flush
from django.core.management.color import no_style
from django.db import connection
with connection.cursor() as cursor:
    for statement in sql_flush(no_style(), connection, allow_cascade=True):
        cursor.execute(statement)
"""
VIEW: Final = "--exclude=communities.MunicipalitySummary"  # a model over a view, into which nothing can be loaded
FIRST: Final = "liteferry, first run"
REHEARSED: Final = "liteferry, rehearsed"
UNPROVEN: Final = "liteferry, rehearsed, --no-verify"
BEHIND: Final = """
SELECT s.relname, t.relname, a.attname FROM pg_class s
JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND t.relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that ran. ``cpu_s`` and ``peak_mb``: of it and its children, not of the server."""

    elapsed_s: float
    cpu_s: float
    peak_mb: float
    status: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What a way left in PostgreSQL. ``differing``: rows that are missing, too many, or have another value."""

    rows: int
    source_rows: int
    tables_with_other_counts: int
    differing: int
    differing_tables: int
    sequences_behind: int
    sequences: int
    verdict: str


@dataclass(slots=True, kw_only=True)
class Turn:
    """One run of one way.

    ``parts``: seconds by name; ``failure``: what it said last, when it failed; ``taken_out``: rows of a fixture that
    could not be loaded; ``load``: the machine's load average when it began; ``arrived``: None where nobody looked.
    """

    parts: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    status: int = 0
    failure: str = ""
    taken_out: int = 0
    load: float = 0.0
    arrived: Arrived | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds of all parts that are the way's own."""
        return sum(seconds for name, seconds in self.parts.items() if not name.startswith("of it: "))

    def add(self, name: str, ran: Ran) -> bool:
        """Count a command in. Returns whether it succeeded."""
        self.parts[name] = ran.elapsed_s
        self.cpu_s += ran.cpu_s
        self.peak_mb = max(self.peak_mb, ran.peak_mb)
        if ran.status:
            self.status, self.failure = ran.status, ran.said[-SAID:]
        return ran.status == 0


def run_timed(argv: Sequence[str | Path], directory: Path, url: str = "") -> Ran:
    """Run a command; DATABASE_URL, by which the sample chooses its database, is as given or not there."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    if url:
        env["DATABASE_URL"] = url
    with tempfile.TemporaryFile() as output:
        usage = watch_command(argv, directory, output, output, env=env)
        output.seek(0)
        said = [line.strip() for line in output.read().decode(errors="replace").splitlines() if line.strip()]
    return Ran(
        elapsed_s=usage.elapsed_s,
        cpu_s=usage.cpu_s,
        peak_mb=usage.peak_mb,
        status=1 if usage.status is None else usage.status,
        said="\n".join(said[-20:]),
    )


class Bench:
    """The sample, filled, and the server that it goes to."""

    def __init__(self, scratch: Path, scale: float, server_url: str) -> None:
        """Copy the project, migrate and fill it, and keep a database as ``manage.py migrate`` makes it."""
        self.scratch, self.server_url = scratch, server_url
        self.project = scratch / "community"
        ignored = shutil.ignore_patterns("__pycache__", "*.sqlite3", ".env")
        shutil.copytree(PROJECT, self.project, ignore=ignored)
        self.source = self.project / "db.sqlite3"
        self._expect(self.manage("migrate", "-v0"))
        self._expect(self.manage("generate_sample", "--scale", str(scale)))
        self.looking = True
        self._template = ""

    def manage(self, *arguments: str, url: str = "") -> Ran:
        """Run the project's manage.py."""
        return run_timed([sys.executable, "manage.py", *arguments], self.project, url)

    def _expect(self, ran: Ran) -> None:
        if ran.status:
            raise SystemExit(f"the sample cannot be made: {ran.said}")

    def make_database(self, name: str, template: str = "template0") -> str:
        """Make a database anew. Returns its address."""
        made, like = sql.Identifier(name), sql.Identifier(template)
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(made))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'").format(made, like))
        parts = urlsplit(self.server_url)
        return parts._replace(path=f"/{name}").geturl()

    def move(self, *options: str, cold: bool) -> Turn:
        """`liteferry migrate --django`, as a command; cold: nothing is kept from a rehearsal."""
        url, turn = self.make_database("bench_move"), Turn()
        run = self.scratch / "run"
        shutil.rmtree(run, ignore_errors=True)
        if cold:
            shutil.rmtree(Path(os.environ["LITEFERRY_HOME"]) / "django", ignore_errors=True)
        argv = [sys.executable, "-m", "liteferry", "migrate", "--django", str(self.project), url, "--run-dir", str(run)]
        ran = run_timed([*argv, "--quiet", "--yes", "--no-config", *options], self.scratch)
        if ran.status == NOT_PROVEN and "--no-verify" in options:
            ran = replace(ran, status=0)
        if turn.add("migrate --django", ran):
            report = json.loads((run / "report.json").read_bytes())
            for phase in report["phases"]:
                name = f"of it: {phase['name']}"
                turn.parts[name] = turn.parts.get(name, 0.0) + phase["elapsed_s"]
        return self._look(url, turn)

    def migrate_afresh(self) -> Turn:
        """`manage.py migrate` on PostgreSQL, which the other ways need first: they get copies of its database."""
        turn = Turn()
        url = self.make_database("bench_migrated")
        turn.add("manage.py migrate", self.manage("migrate", "-v0", url=url))
        self._template = "bench_migrated"
        return turn

    def load_fixture(self, *options: str, empty: bool) -> Turn:
        """`dumpdata` and `loaddata`.

        empty: with what a patient user does: every table that migrations filled is emptied in between, and a row that
        loaddata cannot load is taken out of the fixture, until it loads. Only the attempt that succeeds is timed.
        """
        url, turn = self.make_database("bench_fixture", self._template), Turn()
        fixture = self.scratch / "fixture.json"
        fixture.unlink(missing_ok=True)
        done = turn.add("dumpdata", self.manage("dumpdata", *options, "-o", str(fixture)))
        if done and empty:
            done = turn.add("empty the tables", self.manage("shell", "-c", EMPTY, url=url))
        ran = self.manage("loaddata", str(fixture), url=url) if done else None
        while empty and ran and ran.status and turn.taken_out < MOST_TAKEN_OUT:
            row = re.search(r"Could not load (\S+)\(pk=(.*?)\): ", ran.said)
            if row is None:
                break
            subprocess.run([sys.executable, "-c", TAKE_OUT, fixture, *row.groups()], check=True)  # in its own memory
            turn.taken_out += 1
            ran = self.manage("loaddata", str(fixture), url=url)
        if ran:
            turn.add("loaddata", ran)
        return self._look(url, turn)

    def load_by_pgloader(self) -> Turn:
        """pgloader, data only; its exit status says little, so what arrived is counted."""
        url, turn = self.make_database("bench_pgloader", self._template), Turn()
        script = self.scratch / "pgloader.load"
        script.write_text(PGLOADER.format(source=self.source, target=say_to_pgloader(url)))
        argv = ["pgloader", "--dynamic-space-size", "4096", "--root-dir", str(self.scratch / "pgloader"), str(script)]
        turn.add("pgloader", run_timed(argv, self.scratch))
        return self._look(url, turn)

    def _look(self, url: str, turn: Turn) -> Turn:
        if self.looking:
            turn.arrived = self.look_at(url, values=turn.status == 0)
        return turn

    def look_at(self, url: str, *, values: bool) -> Arrived:
        """Compare what arrived with the source: rows and sequences by SQL, values by liteferry, which reads both anew.

        Where the way failed, its rows are counted, and no more.
        """
        with psycopg.connect(url) as connection, sqlite3.connect(f"file:{self.source}?mode=ro", uri=True) as source:
            listed = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            counts = {name: count_rows(connection, name) for (name,) in listed}
            quoted = {name: '"' + name.replace('"', '""') + '"' for name in counts}
            there = {name: source.execute(f"SELECT count(*) FROM {quoted[name]}").fetchone()[0] for name in counts}
            known = connection.execute(BEHIND).fetchall()
            behind = sum(is_behind(connection, *names) for names in known)
        found: dict[str, Any] = self._verify(url) if values else {"verdict": ""}
        seen = [made for made in found.get("mismatches", []) if made["kind"] != "sequence"]  # counted on their own
        not_said = found.get("mismatch_count", 0) - len(found.get("mismatches", []))
        own = [made for made in seen if made["table"] != "django_migrations"]  # says when migrations ran here
        return Arrived(
            rows=sum(counts.values()),
            source_rows=sum(there.values()),
            tables_with_other_counts=sum(counts[name] != there[name] for name in counts),
            differing=len(own) + not_said,
            differing_tables=len({made["table"] for made in own}),
            sequences_behind=behind,
            sequences=len(known),
            verdict=found.get("verdict", "could not be verified"),
        )

    def _verify(self, url: str) -> dict[str, Any]:
        """What `liteferry verify` says; nothing, where it could not look."""
        argv = [
            sys.executable,
            "-m",
            "liteferry",
            "verify",
            "--django",
            str(self.project),
            url,
            "--json",
            "--no-config",
        ]
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        said = subprocess.run(
            argv, cwd=self.scratch, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        try:
            found: dict[str, Any] = json.loads(said.stdout)
        except ValueError:
            return {}
        return found


def count_rows(connection: psycopg.Connection[Any], table: str) -> int:
    """Count the rows of a table."""
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0


def is_behind(connection: psycopg.Connection[Any], sequence: str, table: str, column: str) -> bool:
    """Whether the next insert takes a key that is there already."""
    asked = sql.SQL("SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END <= (SELECT max({}) FROM {}) FROM {}")
    row = connection.execute(asked.format(*map(sql.Identifier, (column, table, sequence)))).fetchone()
    return row is not None and row[0] is True


def say_to_pgloader(url: str) -> str:
    """The address as pgloader takes it: with a Unix socket in the host's place."""
    parts = urlsplit(url)
    said = parse_qs(parts.query)
    if "host" not in said:
        return url
    return f"postgresql://{parts.username}@unix:{said['host'][0]}:{said.get('port', ['5432'])[0]}{parts.path}"


def measure(bench: Bench, rounds: int) -> Iterator[dict[str, list[Turn]]]:
    """Run every way in turns; gives what is known after each round. What arrives is looked at in the first one."""
    ways: dict[str, Callable[[], Turn]] = {
        FIRST: lambda: bench.move(cold=True),
        REHEARSED: lambda: bench.move(cold=False),
        UNPROVEN: lambda: bench.move("--no-verify", cold=False),
        "manage.py migrate": bench.migrate_afresh,
        "dumpdata, loaddata as guides say": lambda: bench.load_fixture(*GUIDES, empty=False),
        "dumpdata --all, tables emptied, loaddata": lambda: bench.load_fixture("--all", VIEW, empty=True),
    }
    if shutil.which("pgloader"):
        ways["pgloader, data only"] = bench.load_by_pgloader
    turns: dict[str, list[Turn]] = {way: [] for way in ways}
    for number in range(rounds):
        for way, run in ways.items():
            bench.looking = number == 0 and way not in {FIRST, REHEARSED}  # they have proven it themselves
            load = os.getloadavg()[0]
            turn = run()
            turn.load = load
            turns[way].append(turn)
            print(f"round {number + 1}: {way}: {turn.elapsed_s:.1f} s, {turn.failure or 'done'}", file=sys.stderr)
        yield turns


def summarise(turns: dict[str, list[Turn]]) -> dict[str, dict[str, Any]]:
    """Medians, spread and ratios. Pure.

    A way that needs ``manage.py migrate`` first has its time, of the same round, in ``whole_s``.
    """
    migrate = [turn.elapsed_s for turn in turns["manage.py migrate"]]
    migrate_cpu = statistics.median(turn.cpu_s for turn in turns["manage.py migrate"])
    found: dict[str, dict[str, Any]] = {}
    for way, runs in turns.items():
        own = [turn.elapsed_s for turn in runs]
        needs = not way.startswith(("liteferry", "manage.py"))
        whole = [mine + first for mine, first in zip(own, migrate, strict=True)] if needs else own
        cpu = statistics.median(turn.cpu_s for turn in runs)
        found[way] = {
            "own_s": statistics.median(own),
            "whole_s": statistics.median(whole),
            "least_s": min(whole),
            "most_s": max(whole),
            "cpu_s": cpu + migrate_cpu if needs else cpu,
            "peak_mb": max(turn.peak_mb for turn in runs),
            "parts_s": {part: statistics.median(turn.parts.get(part, 0.0) for turn in runs) for part in runs[-1].parts},
            "turns": [{**asdict(turn), "elapsed_s": turn.elapsed_s} for turn in runs],
        }
    for figures in found.values():
        figures["ratio_to_first_run"] = figures["whole_s"] / found[FIRST]["whole_s"]
        figures["ratio_to_rehearsed"] = figures["own_s"] / found[REHEARSED]["own_s"]
    return found


def render(facts: dict[str, Any]) -> str:
    """The figures as Markdown tables. Pure."""
    lines = [
        "| way | whole move, s (range) | without `manage.py migrate`, s | to first run | processor, s | memory, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    ways: dict[str, dict[str, Any]] = facts["ways"]
    for way, figures in ways.items():
        own = "" if way.startswith(("liteferry", "manage.py")) else f"{figures['own_s']:.1f}"
        lines.append(
            f"| {way} | {figures['whole_s']:.1f} ({figures['least_s']:.1f} to {figures['most_s']:.1f}) | {own} |"
            f" {figures['ratio_to_first_run']:.2f} | {figures['cpu_s']:.1f} | {figures['peak_mb']:,.0f} |"
        )
    lines += [
        "",
        "| way | exit status | rows that arrived | tables with other counts | values that differ | next key taken |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for way, figures in ways.items():
        last = figures["turns"][0]
        arrived = last["arrived"]
        if arrived is None:
            continue
        taken_out = f" ({last['taken_out']} taken out of the fixture)" if last["taken_out"] else ""
        differing = f"{arrived['differing']:,} in {arrived['differing_tables']} tables" if arrived["verdict"] else ""
        lines.append(
            f"| {way} | {last['status']} | {arrived['rows']:,} of {arrived['source_rows']:,}{taken_out} |"
            f" {arrived['tables_with_other_counts']} | {differing} |"
            f" {arrived['sequences_behind']} of {arrived['sequences']} sequences |"
        )
    lines += ["", "| part | " + " | ".join(ways) + " |", "|---|" + "---:|" * len(ways)]
    for part in dict.fromkeys(part for figures in ways.values() for part in figures["parts_s"]):
        cells = [figures["parts_s"].get(part) for figures in ways.values()]
        lines.append(f"| {part} | " + " | ".join("" if cell is None else f"{cell:.2f}" for cell in cells) + " |")
    failures = {way: figures["turns"][0]["failure"] for way, figures in ways.items()}
    lines += [f"\n{way}: {said.splitlines()[-1]}" for way, said in failures.items() if said]
    return "\n".join(lines) + "\n"


def tell(facts: dict[str, Any], output: Path | None, table: Path | None) -> None:
    """Print what is known, and write it where it is wanted."""
    shown = render(facts)
    size = facts["source_bytes"] / 1e6
    print(f"\nscale {facts['scale']:g}, {size:,.1f} MB, PostgreSQL {facts['postgresql']}\n\n{shown}", flush=True)
    if table:
        table.write_text(shown)
    if output:
        output.write_text(json.dumps(facts, indent=2) + "\n")


def main() -> int:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the sample; 1 is 49,600 rows (default: 1)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default: 3)")
    parser.add_argument("--server", help="a server of yours, by a superuser's URL (default: the embedded one)")
    parser.add_argument("--output", type=Path, help="write the figures as JSON there")
    parser.add_argument("--table", type=Path, help="write the tables as Markdown there")
    arguments = parser.parse_args()
    compile_liteferry()
    with tempfile.TemporaryDirectory(prefix="liteferry-bench-") as directory:
        scratch = Path(directory)
        scratch.chmod(0o711)  # the embedded server's account passes through
        os.environ["LITEFERRY_HOME"] = str(scratch / "home")  # what earlier runs kept must not help the first one
        embedded = servers.start_server()
        try:
            url = arguments.server or embedded.url
            with psycopg.connect(url) as connection:
                version = connection.info.parameter_status("server_version")
            bench = Bench(scratch, arguments.scale, url)
            facts = {
                "liteferry": liteferry.__version__,
                "python": platform.python_version(),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores",
                "postgresql": version,
                "pgloader": find_pgloader_version() if shutil.which("pgloader") else "",
                "scale": arguments.scale,
                "source_bytes": bench.source.stat().st_size,
            }
            for turns in measure(bench, arguments.rounds):
                tell({**facts, "ways": summarise(turns)}, arguments.output, arguments.table)
        finally:
            servers.stop_server()
    if not shutil.which("pgloader"):
        print("pgloader is not installed: left out", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
