"""A directory of tests/cases: what it says a case is, and the world around the command that it asks for.

``source.sql`` makes the SQLite file. Where SQL does not reach, a scenario does: a Python file with the directory's name
(``c45_many_rows.py`` in ``c45-many-rows``), which may define

- ``make_source(path)``: make the file in place of ``source.sql``, at this path or at another that it returns;
- ``prepare(world)``: a context manager around every command; it gives the `World` back, changed as it needs;
- ``use(url)``: called at the very end, in the database as the last run left it;
- ``PEAK_MB``: the most memory that the process of a whole run, or a child of it, may have had.
"""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import execute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    import pytest

    from conftest import Database, PostgresServer

HERE = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where a case is played: its source, its database and how the command is told of it.

    target: as on the command line. is_written: the source changes meanwhile, byte for byte, so that nothing is said of
    it. own: a directory for whatever the scenario needs, away from the source.
    """

    source: Path
    target: str
    server: PostgresServer
    database: Database
    own: Path
    environment: Mapping[str, str]
    is_written: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case, as its directory says."""

    name: str
    directory: Path
    options: tuple[str, ...]
    error: Mapping[str, Any] | None  # what it ends with before there is a plan: code, status, says
    scenario: ModuleType | None

    @property
    def schema(self) -> str:
        return self.options[self.options.index("--schema") + 1] if "--schema" in self.options else "public"

    @property
    def is_into_existing(self) -> bool:
        return "--into" in self.options

    @property
    def peak_mb(self) -> int:
        """The most memory that a run may take; 0 where nobody looks."""
        return int(getattr(self.scenario, "PEAK_MB", 0))

    def build_source(self, directory: Path) -> Path:
        """Make the SQLite file, in a directory of its own. ``source.sql`` may hold any bytes that SQLite takes."""
        directory.mkdir()
        path = directory / f"{self.name}.sqlite"
        if self.scenario is not None and hasattr(self.scenario, "make_source"):
            return self.scenario.make_source(path) or path
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript((self.directory / "source.sql").read_text())
        return path

    def use(self, url: str) -> None:
        """Do what the case does with what has arrived."""
        if self.scenario is not None and hasattr(self.scenario, "use"):
            self.scenario.use(url)

    @contextmanager
    def set_up(self, place: Path, server: PostgresServer, database: Database) -> Iterator[World]:
        """Make the source and the target, and the world around them."""
        source = self.build_source(place / "source")
        if (self.directory / "target.sql").exists():
            execute(database.url, (self.directory / "target.sql").read_text())
        own = place / "own"
        own.mkdir()
        world = World(source=source, target=database.url, server=server, database=database, own=own, environment={})
        if self.scenario is not None and hasattr(self.scenario, "prepare"):
            with self.scenario.prepare(world) as prepared:
                yield prepared
        else:
            yield world


def list_cases() -> list[str]:
    """The names of all cases."""
    return sorted({path.parent.name for pattern in ("*/source.sql", "*/*.py") for path in HERE.glob(pattern)})


def read_case(name: str) -> Case:
    directory = HERE / name
    options = json.loads(_read(directory / "options.json") or "[]")
    error = _read(directory / "error.json")
    return Case(
        name=name,
        directory=directory,
        options=tuple(option.replace("{case}", str(directory)) for option in options),
        error=json.loads(error) if error else None,
        scenario=_load(directory / f"{name.replace('-', '_')}.py"),
    )


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _load(path: Path) -> ModuleType | None:
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the world's environment variables, for every command that follows."""
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)


def change(world: World, **facts: Any) -> World:  # the fields of a World
    """The same world, but for these fields."""
    return replace(world, **facts)
