"""The ways to move a database, each as a command of its own that is timed from its start to its end.

One function a way. Each takes a `Place`, which says what is moved and where things lie, and the address of a database
that is empty, or holds the workload's schema; each returns a `Turn`.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import psycopg
from floor import copy_floor

import liteferry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
SAID: Final = 300
STOPPED: Final = -1  # the status of a run that took too long
PGLOADER_SQL: Final = """
LOAD DATABASE FROM sqlite://{source} INTO {target}
WITH {how}, reset sequences, prefetch rows = 1000
EXCLUDING TABLE NAMES LIKE 'sqlite_sequence'
SET work_mem to '64MB', maintenance_work_mem to '256MB';
"""
PEER_PACKAGES: Final = (
    "duckdb",
    "duckdb-extensions",
    "duckdb-extension-sqlite-scanner",
    "duckdb-extension-postgres-scanner",
    "adbc-driver-sqlite",
    "adbc-driver-postgresql",
    "pyarrow",
)
LITEFERRY: Final = "liteferry"
UNPROVEN: Final = "liteferry --no-verify"
PGLOADER: Final = "pgloader"
DUCKDB: Final = "DuckDB"
ADBC: Final = "ADBC"
PSYCOPG: Final = "sqlite3 and psycopg"
FLOOR_ONE: Final = "floor, one connection"
FLOOR_TWO: Final = "floor, two connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is moved, and where things lie.

    ``ready``: a directory with the rows as binary COPY files, schema.sql and indexes.sql; ``peer_python``: the
    interpreter of the peers' environment; ``existing``: the rows go into a schema that is there.
    """

    source: Path
    scratch: Path
    ready: Path
    peer_python: Path
    existing: bool
    timeout_s: float

    @property
    def into(self) -> str:
        """The word that the programs take for it."""
        return "existing" if self.existing else "new"


@dataclass(slots=True, kw_only=True)
class Turn:
    """One run of one way. ``cpu_s`` and ``peak_mb``: of the command and its children, not of the server.

    ``status``: the exit status, STOPPED where it took too long; ``said``: its last words, when it failed; ``rows_s``:
    until the last row was there, without what comes before and after, where that can be told; ``phases``,
    ``window_s`` and how many of its ``compiled`` parts were used: from liteferry's report; ``round``: from 0.
    """

    elapsed_s: float
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    status: int = 0
    said: str = ""
    rows_s: float | None = None
    phases: dict[str, float] = field(default_factory=dict)
    window_s: float | None = None
    compiled: int | None = None
    round: int = 0
    load_average: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a command took, with its children. ``status``: its exit status; None where it was stopped."""

    elapsed_s: float
    cpu_s: float
    peak_mb: float
    status: int | None


def watch_command(
    argv: Sequence[str | Path],
    directory: Path,
    output: IO[bytes],
    errors: IO[bytes],
    *,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 1e9,
) -> Usage:
    """Run a command in a process group of its own, and end it when it takes too long."""
    told, write = os.pipe()
    begun = time.monotonic()
    with open(told, "rb") as reader:  # noqa: PTH123 - a descriptor, not a path
        try:
            process = subprocess.Popen(
                [sys.executable, "-S", "-E", PROGRAMS / "witness.py", str(write), *argv],
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                pass_fds=[write],
                start_new_session=True,
            )
        finally:
            os.close(write)
        with process:
            timer = threading.Timer(min(timeout_s, threading.TIMEOUT_MAX), os.killpg, [process.pid, signal.SIGKILL])
            timer.start()
            try:
                process.wait()
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            finally:
                timer.cancel()
        words = reader.read()
    if not words:
        return Usage(elapsed_s=time.monotonic() - begun, cpu_s=0.0, peak_mb=0.0, status=None)
    return Usage(**json.loads(words))


def run_command(argv: Sequence[str | Path], place: Place) -> tuple[Turn, str]:
    """Run a command in a process group of its own, and end it when it takes too long. Returns its output, too."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        usage = watch_command(argv, place.scratch, output, errors, timeout_s=place.timeout_s)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    turn = Turn(elapsed_s=usage.elapsed_s, cpu_s=usage.cpu_s, peak_mb=usage.peak_mb)
    turn.status = STOPPED if usage.status is None else usage.status
    if usage.status is None:
        turn.said = f"stopped after {place.timeout_s:.0f} s"
    elif turn.status:
        said = texts[1].strip() or texts[0].strip()
        turn.said = "\n".join(line for line in said.splitlines() if line.strip())[-SAID:]
    return turn, texts[0]


def run_program(argv: Sequence[str | Path], place: Place) -> tuple[Turn, dict[str, Any]]:
    """Run one of our programs, whose last line of output is JSON."""
    turn, output = run_command(argv, place)
    lines = output.splitlines()
    told: dict[str, Any] = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    turn.rows_s = told.get("rows_s")
    return turn, told


def move_by_liteferry(place: Place, url: str, *, proof: bool) -> Turn:
    """The whole run, with or without the proof; nothing is left of it but the target."""
    run_dir = place.scratch / "run"
    shutil.rmtree(run_dir, ignore_errors=True)
    argv: list[str | Path] = [sys.executable, "-m", "liteferry", "migrate", place.source, url, "--into", place.into]
    argv += ["--run-dir", run_dir, "--yes", "--quiet", "--json", "--no-config", *(() if proof else ("--no-verify",))]
    turn, output = run_command(argv, place)
    shutil.rmtree(run_dir, ignore_errors=True)
    report = json.loads(output) if output.startswith("{") else {}
    if "phases" in report:
        turn.phases = {phase["name"]: phase["elapsed_s"] for phase in report["phases"]}
        loaded = [part for phase in report["phases"] if phase["name"] == "load" for part in phase["parts"]]
        turn.rows_s = next((part["elapsed_s"] for part in loaded if part["name"] == "rows"), None)
        turn.window_s = report["window"]["elapsed_s"] if report["window"] else None
        turn.compiled = len(report["compiled"] or ())
        if report["verdict"] == ("proven" if proof else "not proven"):  # which is the exit status of a mismatch, too
            turn.status, turn.said = 0, ""
        elif report["failure"]:
            turn.said = report["failure"]["what"]
    return turn


def predict(place: Place, url: str) -> dict[str, Any]:
    """What `check` says how long the window will be, and what `rehearse` says after it tried. Empty: no forecast.

    Each with ``likely_s``, ``low_s``, ``high_s``. Nothing of it remains.
    """
    found: dict[str, Any] = {}
    run_dir = place.scratch / "rehearsal"
    for command, options in (("check", ()), ("rehearse", ("--run-dir", run_dir, "--yes", "--quiet"))):
        argv = [sys.executable, "-m", "liteferry", command, place.source, url, "--json", "--no-config", *options]
        turn, output = run_command([*argv, "--into", place.into], place)
        told = json.loads(output).get("forecast") if turn.status == 0 else None
        if not told:
            break
        found[command] = {name: told[name] for name in ("likely_s", "low_s", "high_s")}
    shutil.rmtree(run_dir, ignore_errors=True)
    return found


def move_by_pgloader(place: Place, url: str) -> Turn:
    """Its defaults, but for a smaller prefetch, without which its memory runs out on wide rows.

    Its exit status says little: what arrived has to be counted. Data only goes in with the triggers of foreign keys
    switched off, which needs a superuser.
    """
    with psycopg.connect(url) as connection:
        info = connection.info
        target = f"postgresql://{info.user}@unix:{info.host}:{info.port}/{info.dbname}"
    how = "data only, disable triggers" if place.existing else "include drop, create tables, create indexes"
    script, root = place.scratch / "pgloader.load", place.scratch / "pgloader"
    script.write_text(PGLOADER_SQL.format(source=place.source, target=target, how=how))
    argv: list[str | Path] = ["pgloader", "--dynamic-space-size", "4096", "--root-dir", root, script]
    turn, output = run_command(argv, place)
    turn.rows_s, failed = read_pgloader_summary(output)
    if failed and not turn.said:
        turn.said = f"exit status {turn.status}, though its summary counts {failed:,} errors"
    return turn


def read_pgloader_summary(text: str) -> tuple[float | None, int]:
    """Seconds of "COPY Threads Completion", and all errors, from the table that pgloader prints. Pure."""
    rows_s, failed = None, 0
    for line in text.splitlines():
        match = re.match(r"\s*(\S.*?)\s{2,}(\d+)\s+(\d+)\s+(?:\S+ \S+\s+)?(?:(\d+)m)?([\d.]+)s\b", line)
        if match:
            failed += int(match[2]) if match[1] != "Total import time" else 0
            if match[1] == "COPY Threads Completion":
                rows_s = 60 * int(match[4] or 0) + float(match[5])
    return rows_s, failed


def move_by_duckdb(place: Place, url: str) -> Turn:
    """`CREATE TABLE … AS SELECT` of each table, both databases attached: rows alone, no keys, no indexes."""
    with psycopg.connect(url) as connection:
        info = connection.info
        conninfo = f"host={info.host} port={info.port} dbname={info.dbname} user={info.user}"
    argv: list[str | Path] = [place.peer_python, PROGRAMS / "copy_by_duckdb.py", place.source, conninfo, place.into]
    return run_program(argv, place)[0]


def move_by_adbc(place: Place, url: str) -> Turn:
    """Batches of Arrow from one driver to the other: rows alone, no keys, no indexes."""
    return run_program([place.peer_python, PROGRAMS / "copy_by_adbc.py", place.source, url, place.into], place)[0]


def move_by_psycopg(place: Place, url: str) -> Turn:
    """A script of thirty lines, with a schema that somebody else has written."""
    argv: list[str | Path] = [
        sys.executable,
        PROGRAMS / "copy_by_psycopg.py",
        place.source,
        url,
        place.ready,
        place.into,
    ]
    return run_program(argv, place)[0]


def fill_by_server(place: Place, url: str, *, connections: int) -> Turn:
    """The floor: the server reads ready files, then makes keys and indexes. Nothing is read from SQLite."""
    begun = time.monotonic()
    try:
        rows_s = copy_floor(url, place.ready, connections=connections, existing=place.existing)
    except psycopg.Error as error:
        return Turn(elapsed_s=time.monotonic() - begun, status=1, said=str(error)[:SAID])
    return Turn(elapsed_s=time.monotonic() - begun, rows_s=rows_s)


WAYS: Final[dict[str, Callable[[Place, str], Turn]]] = {
    LITEFERRY: lambda place, url: move_by_liteferry(place, url, proof=True),
    UNPROVEN: lambda place, url: move_by_liteferry(place, url, proof=False),
    PGLOADER: move_by_pgloader,
    DUCKDB: move_by_duckdb,
    ADBC: move_by_adbc,
    PSYCOPG: move_by_psycopg,
    FLOOR_ONE: lambda place, url: fill_by_server(place, url, connections=1),
    FLOOR_TWO: lambda place, url: fill_by_server(place, url, connections=2),
}
PEERS: Final = {
    "pgloader": (PGLOADER,),
    "duckdb": (DUCKDB,),
    "adbc": (ADBC,),
    "psycopg": (PSYCOPG,),
    "floor": (FLOOR_ONE, FLOOR_TWO),
}
"""The words of the command line, and the ways that each means."""
PEER_IMPORTS: Final = {
    DUCKDB: "import duckdb, duckdb_extensions, duckdb_extension_sqlite_scanner, duckdb_extension_postgres_scanner",
    ADBC: "import adbc_driver_sqlite.dbapi, adbc_driver_postgresql.dbapi, pyarrow",
}


def find_peer_python(home: Path) -> Path:
    """The interpreter of the peers' virtual environment, whether it is there or not. Pure."""
    return home / "bin" / "python"


def compile_liteferry() -> None:
    """Have liteferry's modules as pip leaves them, and the peers', in byte code: without it each command takes longer.

    A tree that was cloned just now has none, and where PYTHONDONTWRITEBYTECODE is set no run leaves any.
    """
    compileall.compile_dir(Path(liteferry.__file__).parent, quiet=1)


def make_peer_environment(home: Path) -> None:
    """Make the virtual environment that the peers of PyPI run in, where it is not there."""
    python = find_peer_python(home)
    if not all(has_import(python, text) for text in PEER_IMPORTS.values()):
        print(f"installing the peers into {home}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=False)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if python.exists() and subprocess.run([*pip, *PEER_PACKAGES], check=False).returncode:
            for package in PEER_PACKAGES:  # what cannot be had must not keep the others away
                subprocess.run([*pip, package], check=False, stderr=subprocess.DEVNULL)


def install_pgloader() -> None:
    """Install Debian's package where that can be done: by root, on Debian or its kin, as `make setup` does."""
    if shutil.which("pgloader") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print("installing pgloader", file=sys.stderr)
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", "pgloader")):
        subprocess.run(["apt-get", *command], check=False, env=env, capture_output=True)


def has_import(python: Path, text: str) -> bool:
    """Whether an interpreter can import something."""
    try:
        return subprocess.run([python, "-c", text], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def find_missing(peer_python: Path) -> dict[str, str]:
    """The ways that cannot be gone here, each with the reason in a line."""
    missing = {
        way: f"{way} is left out: pip could not install it, or it cannot be imported"
        for way, text in PEER_IMPORTS.items()
        if not has_import(peer_python, text)
    }
    if not shutil.which("pgloader"):
        missing[PGLOADER] = "pgloader is left out: it is not installed (Debian: apt-get install pgloader)"
    return missing


def find_pgloader_version() -> str:
    """The version of Debian's package, which the program itself does not tell exactly; else what the program says."""
    argv = ["dpkg-query", "--show", "--showformat=${Version}", "pgloader"]
    if shutil.which("dpkg-query") and (
        said := subprocess.run(argv, check=False, capture_output=True, text=True).stdout
    ):
        return said
    told = subprocess.run(["pgloader", "--version"], check=False, capture_output=True, text=True).stdout
    return next(iter(told.split('"')[1:]), "")


def list_versions(peer_python: Path) -> dict[str, str]:
    """The versions of the peers that are here."""
    versions = {"psycopg": psycopg.__version__}
    if shutil.which("pgloader"):
        versions["pgloader"] = find_pgloader_version()
    text = f"""
import importlib.metadata as m, json
found = {{}}
for name in {PEER_PACKAGES!r}:
    try:
        found[name] = m.version(name)
    except m.PackageNotFoundError:
        pass
print(json.dumps(found))"""
    if peer_python.exists():
        said = subprocess.run([peer_python, "-c", text], check=False, capture_output=True, text=True).stdout
        versions |= json.loads(said or "{}")
    return versions
