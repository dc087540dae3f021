"""How time and memory grow with a database: rows by powers of ten, a thousand columns, large rows, large values.

``python bench/growth.py`` (``make growth``) makes each database, moves it to a server of its own, with the proof, and
removes both before it makes the next; the largest needs some 12 GB of disk. Names given as arguments choose, and are
the only way to the two longest, of which that of documents needs some 30 GB. Those that are held against each other
are moved by turns, five times each: a machine that others use, too, may be half as fast a minute later.

What grows with the rows is told apart from what every run costs: ``s_per_million`` of the whole run, and ``further``,
the same for the rows by which a database is larger than the one before. Cases that are not measured keep their earlier
figures, with their day.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drawing import fill_block
from peers import compile_liteferry
from workloads import connect_new, write_wide

from liteferry import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "explanation" / "speed.md"
WIDE_ROWS: Final = 2_000_000  # of the workload at scale 1
FEW_ROWS: Final = 10_000  # below, what a million would take means nothing
MB: Final = 1_000_000
SHORT_BYTES: Final = 100 * MB
"""Of a smaller database, several moves are made: the first one after a server's start is the slowest."""
RUNS: Final = 5
POWERS: Final = ("rows-1e5", "rows-1e6", "rows-1e7")
BY_TURNS: Final = ("rows-100", *POWERS)
AIM: Final = 0.2
"""How far what a further row takes may be from the mean over these, as a share of it."""


def write_rows(count: int) -> Callable[[Path], None]:
    """The wide table with so many rows."""
    return lambda path: write_wide(path, count / WIDE_ROWS)


def write_columns(path: Path) -> None:
    """A table of a thousand columns of four types, 2,000 rows; half of the values NULL, or no page would hold a row."""
    types = ("INTEGER", "REAL", "TEXT", "REAL", "INTEGER", "INTEGER", "TEXT", "DATETIME")
    with closing(connect_new(path)) as connection:
        named = ", ".join(f"c{number} {types[number % 8]}" for number in range(1, 1000))
        connection.execute(f"CREATE TABLE broad (id INTEGER PRIMARY KEY, {named})")
        values = (7, None, "words", 2.5, None, 8, None, "2025-10-09 16:21:00")
        marks = ", ".join("?" * 1000)
        connection.executemany(
            f"INSERT INTO broad VALUES ({marks})",
            ((row, *(values[number % 8] for number in range(1, 1000))) for row in range(1, 2001)),
        )
        connection.commit()


def write_documents(count: int) -> Callable[[Path], None]:
    """So many rows with JSON of 10 kB."""

    def write(path: Path) -> None:
        chance = random.Random(4)
        documents = [
            json.dumps([{"id": chance.randrange(10**9), "at": chance.random(), "name": "x" * 40} for _ in range(100)])
            for _ in range(50)
        ]
        with closing(connect_new(path)) as connection:
            connection.execute("CREATE TABLE document (id INTEGER PRIMARY KEY, n INTEGER, data JSON)")
            rows = ((row, row * 7, documents[row % 50]) for row in range(1, count + 1))
            connection.executemany("INSERT INTO document VALUES (?, ?, ?)", rows)
            connection.commit()

    return write


def write_values(kind: str, megabytes: int) -> Callable[[Path], None]:
    """Two values of a kind, one of them so large."""

    def make(size: int) -> object:
        if kind == "blob":
            return os.urandom(size)
        if kind == "json":
            return json.dumps({"k": ["abcdefghij"] * (size // 14)})
        return ('naïve "text" \\ line\n' * (size // 21 + 1))[: size * 20 // 21]

    def write(path: Path) -> None:
        with closing(connect_new(path)) as connection:
            connection.execute(f"CREATE TABLE large (id INTEGER PRIMARY KEY, v {kind})")
            connection.executemany("INSERT INTO large (v) VALUES (?)", [[make(megabytes * MB)], [make(100)]])
            connection.commit()

    return write


CASES: Final[dict[str, Callable[[Path], None]]] = {
    "rows-100": write_rows(100),
    "rows-1e5": write_rows(10**5),
    "rows-1e6": write_rows(10**6),
    "rows-1e7": write_rows(10**7),
    "columns-1000": write_columns,
    "json-10kB": write_documents(200_000),
    **{f"{kind}-{size}MB": write_values(kind, size) for kind in ("text", "blob", "json") for size in (30, 100)},
}
LONG_CASES: Final[dict[str, Callable[[Path], None]]] = {
    "json-10kB-1e6": write_documents(10**6),
    "rows-2e7": write_rows(2 * 10**7),
}
"""Made only when they are named."""


@dataclass(slots=True, kw_only=True)
class Growth:
    """What one move took. ``measured``: the day; ``bytes``: of the source.

    ``peak_mb``: of all of liteferry's processes together.
    """

    name: str
    measured: str
    rows: int
    bytes: int
    elapsed_s: float
    peak_mb: float
    phases: dict[str, float] = field(default_factory=dict)
    s_per_million: float | None = None
    further: float | None = None


@contextmanager
def moving(source: Path, server: servers.Server, run_dir: Path, options: list[str]) -> Iterator[list[str]]:
    """The command that moves a source into a database which is there meanwhile."""
    url = servers.create_database(server, "growth")
    argv = [sys.executable, "-m", "liteferry", "migrate", str(source), url, "--yes", "--json", "--no-config"]
    yield [*argv, *options, "--run-dir", str(run_dir)]
    servers.drop_database(server, url)


def read_report(name: str, status: int, out: str, err: str) -> dict[str, Any]:
    """What a move says of itself. Raises: SystemExit, where it failed."""
    if status:
        raise SystemExit(f"{name}: status {status}: {err or out[-2000:]}")
    report: dict[str, Any] = json.loads(out)
    return report


def measure_cases(cases: dict[str, Callable[[Path], None]], scratch: Path, options: list[str]) -> list[Growth]:
    """Make the databases, move them by turns, and remove them again: the median of several moves, of one of a long one.

    The memory is that of one move more: looking at it a hundred times a second takes a small database a fifth longer.
    """
    from memory import measure_peak

    sources = {name: scratch / f"{name}.sqlite" for name in cases}
    reports: dict[str, list[dict[str, Any]]] = {name: [] for name in cases}
    peaks: dict[str, float] = {}
    server = servers.start_server(scratch / "home")
    try:
        for name, write in cases.items():
            write(sources[name])
        for number in range(RUNS):
            for name, source in sources.items():
                if number and len(cases) == 1 and source.stat().st_size >= SHORT_BYTES:
                    continue
                with moving(source, server, scratch / f"{name}-{number}", options) as argv:
                    moved = subprocess.run(argv, capture_output=True, text=True, check=False)
                reports[name].append(read_report(name, moved.returncode, moved.stdout, moved.stderr))
        for name, source in sources.items():
            with moving(source, server, scratch / f"{name}-watched", options) as argv:
                taken = measure_peak(argv)
            read_report(name, taken.status, taken.out, taken.err)
            peaks[name] = taken.peak_bytes / MB
        return [sum_up(name, reports[name], source.stat().st_size, peaks[name]) for name, source in sources.items()]
    finally:
        servers.stop_server(scratch / "home")
        for source in sources.values():
            source.unlink(missing_ok=True)


def sum_up(name: str, reports: list[dict[str, Any]], size_bytes: int, peak_mb: float) -> Growth:
    """The figures of the median move. Pure."""
    report = sorted(reports, key=lambda each: float(each["elapsed_s"]))[len(reports) // 2]
    rows = sum(table["rows_target"] for table in report["tables"])
    return Growth(
        name=name,
        measured=f"{datetime.now(UTC):%Y-%m-%d}",
        rows=rows,
        bytes=size_bytes,
        elapsed_s=report["elapsed_s"],
        peak_mb=peak_mb,
        phases={phase["name"]: phase["elapsed_s"] for phase in report["phases"]},
        s_per_million=report["elapsed_s"] / rows * 1e6 if rows >= FEW_ROWS else None,
    )


def find_growth(results: list[Growth]) -> None:
    """Say what the further rows of each of the databases by powers of ten took."""
    tens = [found for found in results if found.name.startswith("rows-")]
    for small, large in pairwise(tens):
        large.further = (large.elapsed_s - small.elapsed_s) / (large.rows - small.rows) * 1e6


def write_table(results: list[Growth]) -> str:
    """The figures as Markdown. Pure."""
    lines = [
        "| database | rows | size | whole run | per million rows | per million further rows | memory | measured |",
        "| --- | --: | --: | --: | --: | --: | --: | --- |",
    ]
    for found in results:
        whole, further = ("" if value is None else f"{value:.2f} s" for value in (found.s_per_million, found.further))
        lines.append(
            f"| {found.name} | {found.rows:,} | {found.bytes / MB:,.0f} MB | {found.elapsed_s:.2f} s |"
            f" {whole} | {further} | {found.peak_mb:,.0f} MB | {found.measured} |"
        )
    return "\n".join(lines) + "\n"


def write_spread(results: list[Growth]) -> str:
    """What the rows of each power of ten take, held against their mean. Pure."""
    further = {each.name: each.further for each in results if each.name in POWERS and each.further is not None}
    if len(further) < 2:
        return ""
    mean = statistics.mean(further.values())
    told = ", ".join(f"{name} {value / mean - 1:+.0%}" for name, value in further.items())
    reached = max(abs(value / mean - 1) for value in further.values()) <= AIM
    return (
        f"\nFurther rows against their mean of {mean:.2f} s per million: {told}."
        f" Aimed at: within {AIM:.0%}; reached: {'yes' if reached else '**no**'}.\n"
    )


def read_results(path: Path) -> dict[str, Growth]:
    """The figures of before, by name."""
    return {fact["name"]: Growth(**fact) for fact in json.loads(path.read_text())} if path.exists() else {}


def fill_page(page: str, results: list[Growth]) -> str:
    """The page with its table written anew. Pure."""
    return fill_block(page, "growth", (write_table(results) + write_spread(results)).rstrip())


def main() -> int:
    """Measure what is asked for, print the table, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", choices=[[], *CASES, *LONG_CASES], help="which; else all but the longest")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "growth.json")
    parser.add_argument("--option", action="append", default=[], help="a further option of `liteferry migrate`")
    parser.add_argument("--write-docs", action="store_true", help="write the table into the page, too")
    arguments = parser.parse_args()
    sys.path.append(str(ROOT / "tests"))  # memory.py measures for the tests, too
    compile_liteferry()
    every = CASES | LONG_CASES
    known = read_results(arguments.output)
    chosen = list(arguments.case or CASES)
    together = [name for name in chosen if name in BY_TURNS]
    for names in filter(None, [together, *([name] for name in chosen if name not in together)]):
        with tempfile.TemporaryDirectory(prefix="liteferry-growth-") as directory:
            scratch = Path(directory)
            scratch.chmod(0o711)  # the embedded server's account passes through
            found = measure_cases({name: every[name] for name in names}, scratch, arguments.option)
        known |= {each.name: each for each in found}
        results = [known[each] for each in every if each in known]
        find_growth(results)
        print("\n".join(write_table(found).splitlines()[2:]), flush=True)
        facts: list[dict[str, Any]] = [asdict(found) for found in results]
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(facts, indent=1) + "\n")
    print(write_table(results) + write_spread(results))
    if arguments.write_docs:
        PAGE.write_text(fill_page(PAGE.read_text(), results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
