"""The journal of a run: one SQLite file in the run directory that says what was done.

Layer 2. Anybody can read it with any SQLite tool; `undo` reads it to know what the run published. Times are seconds
since the run began. Nothing secret is in it: the connection parameters are kept without the password.

Tables: ``run(key, value)``; ``step(id, phase, elapsed_s, rows, size_bytes)``; ``published(kind, name, oid)``.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, Self

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from liteferry.model import Event, TargetCatalog

JOURNAL_NAME: Final = "journal.sqlite"

State = Literal["planned", "running", "publishing", "published", "failed", "blocked", "undone"]

_SCHEMA_SQL: Final = """
CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE step (id TEXT NOT NULL, phase TEXT NOT NULL, elapsed_s REAL NOT NULL, rows INTEGER NOT NULL,
                   size_bytes INTEGER NOT NULL);
CREATE TABLE published (kind TEXT NOT NULL, name TEXT NOT NULL, oid INTEGER NOT NULL);
"""


_STEPS_TOGETHER: Final = 2000
"""How many finished steps are written at once: while they go to the disk, whoever has one to tell waits."""


class Journal:
    """A run's journal. ``create`` makes it, ``open`` reads an old one; a context manager, usable from any thread.

    Every method raises MigrationError (disk-full, run-dir) when the file cannot be written or read.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, which must be there; see `create` and `open`."""
        self._path = path
        self._guard = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._steps: list[tuple[str, str, float, int, int]] = []
        self._values: dict[str, str] = {}
        self._published: list[tuple[str, str, int]] = []
        with self._use() as connection:
            connection.execute("PRAGMA synchronous = FULL")

    @classmethod
    def create(cls, run_dir: Path, **values: str) -> Journal:
        """Make a new journal, readable by its owner alone, its state ``planned``; on disk when this returns.

        values: what is known of the run. Raises: MigrationError (run-dir) when there is a journal.
        """
        path = run_dir / JOURNAL_NAME
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise MigrationError(
                f"the journal {path} cannot be made: {error.strerror or error}",
                code="run-dir",
                hint="give another --run-dir, or leave it out",
            ) from error
        journal = cls(path)
        with journal._write() as connection:
            for statement in _SCHEMA_SQL.strip().split(";\n"):
                connection.execute(statement)
            connection.executemany("INSERT INTO run VALUES (?, ?)", [*values.items(), ("state", "planned")])
        return journal

    @classmethod
    def open(cls, run_dir: Path) -> Journal:
        """Open a run's journal. Raises: MigrationError (run-dir) when the directory is not a run's."""
        path = run_dir / JOURNAL_NAME
        if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for a name that is too long
            raise MigrationError(
                f"{run_dir} is not the directory of a liteferry run: it has no {JOURNAL_NAME}",
                code="run-dir",
                hint="`liteferry migrate` names the run directory at its end; it lies beside the source by default",
            )
        return cls(path)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is waiting, and close."""
        try:
            self.flush()
        except MigrationError:
            if exc[0] is None:  # else something worse is being told
                raise
        finally:
            self._connection.close()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """Have the connection alone, its errors explained."""
        with self._guard:
            try:
                yield self._connection
            except sqlite3.Error as error:
                full = "full" in str(error)
                raise MigrationError(
                    f"the journal {self._path} cannot be {'written: its disk is full' if full else f'used: {error}'}",
                    code="disk-full" if full else "run-dir",
                    hint="make room there, or name a directory on another disk with --run-dir"
                    if full
                    else "is it where it was, whole, yours to write, and no other program's that keeps it locked?",
                ) from error

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Have the connection in a transaction; on disk at the end."""
        with self._use() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def set_state(self, state: State) -> None:
        """Write the run's state, and whatever waits; on disk when this returns."""
        with self._guard:
            self._values["state"] = state
            self.flush()

    def set_value(self, key: str, value: str) -> None:
        """Keep one fact of the run, to be written with the next state: every sync to disk makes the window longer."""
        with self._guard:
            self._values[key] = value

    def read_value(self, key: str) -> str:
        """Read one fact of the run, "" when there is none."""
        with self._use() as connection:
            if key in self._values:
                return self._values[key]
            row = connection.execute("SELECT value FROM run WHERE key = ?", (key,)).fetchone()
        return "" if row is None else str(row[0])

    def note_event(self, event: Event) -> None:
        """Keep a finished step, to be written with the next ones, or the next state."""
        if event.kind == "step-end":
            with self._guard:
                self._steps.append((event.step_id, event.phase, event.elapsed_s, event.rows, event.size_bytes))
                if len(self._steps) >= _STEPS_TOGETHER:
                    self.flush()

    def note_published(self, objects: Iterable[tuple[str, str, int]]) -> None:
        """Keep what is about to be published, to be written with the next state: kind (table, view), name, OID."""
        with self._guard:
            self._published += objects

    def flush(self) -> None:
        """Write what waits, in one transaction; on disk when this returns. What cannot be written is told once."""
        with self._guard:
            steps, values, published = self._steps, self._values, self._published
            if not steps and not values and not published:
                return
            self._steps, self._values, self._published = [], {}, []
            with self._write() as connection:
                connection.executemany("INSERT INTO step VALUES (?, ?, ?, ?, ?)", steps)
                connection.executemany("INSERT INTO published VALUES (?, ?, ?)", published)
                connection.executemany("INSERT OR REPLACE INTO run VALUES (?, ?)", values.items())

    def read_published(self) -> tuple[tuple[str, str, int], ...]:
        """What the run published: kind, name, OID."""
        self.flush()
        with self._use() as connection:
            return tuple(connection.execute("SELECT kind, name, oid FROM published ORDER BY rowid"))


def list_relations(catalog: TargetCatalog) -> tuple[tuple[str, str, int], ...]:
    """A catalogue's tables and views as `Journal.note_published` takes them. Pure."""
    return (
        *(("table", table.name, table.oid) for table in catalog.tables),
        *(("view", view.name, view.oid) for view in catalog.views),
    )
