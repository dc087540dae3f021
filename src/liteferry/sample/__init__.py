"""Make the source of `liteferry demo`: the database of a community-management system, as Django has it on SQLite.

`write_sample` is the only thing here for others; `schema`, `models`, `geography`, `words` and `content` are pure. This
module writes with sqlite3, but only ever a new file of its own, never the user's.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import Event, ignore
from liteferry.sample.content import SEQUENCE_GAPS, Content
from liteferry.sample.models import MODELS, VIEWS
from liteferry.sample.schema import create_index_sql, create_table_sql, parse_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from liteferry.sample.schema import Model

_FULL_SEGMENTS: Final = 96  # straight pieces of one side of a barangay at scale 1: makes a file of 110 MB
_PHASE: Final = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleInfo:
    """What was written. ``indexes`` counts those of keys and UNIQUE too; ``sequences``: the tables that number rows."""

    path: str
    scale: float
    size_bytes: int
    rows: int
    tables: int
    columns: int
    indexes: int
    foreign_keys: int
    sequences: int
    views: int
    elapsed_s: float


def write_sample(path: Path, *, scale: float = 1.0, observe: Callable[[Event], None] = ignore) -> SampleInfo:
    """Write the sample database to a new file, and say what is in it.

    scale: 1 is the original's size (38,217 rows, 110 MB). Below, every row is still there and the borders on the map
    are drawn more coarsely; above, the rows of the data that grows are multiplied. The same scale gives the same bytes
    with the same SQLite version. observe: hears of every table with rows.

    Raises: MigrationError when a file is already there (sample-exists), the file cannot be written (sample-failed), or
    the scale is not above 0 (usage). Nothing is left behind then.
    """
    if not 0 < scale < float("inf"):
        raise MigrationError(
            f"The scale of a sample must be a number above 0, not {scale}.",
            code="usage",
            hint="1 is the original's size, 0.1 is quick.",
            exit_status=ExitStatus.USAGE,
        )
    started = time.perf_counter()
    partial = path.with_name(path.name + ".partial")
    _refuse_existing(path)
    models = parse_models(MODELS)
    content = Content(models, scale=scale, segments=max(1, round(min(scale, 1.0) * _FULL_SEGMENTS)))
    try:
        partial.unlink(missing_ok=True)  # of a run that was killed
        with closing(sqlite3.connect(partial, isolation_level=None)) as db:
            rows = _fill(db, models, content, observe)
            indexes = db.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'index'").fetchone()[0]
        _refuse_existing(path)  # somebody else may have been quicker
        partial.replace(path)
    except (sqlite3.OperationalError, OSError) as error:
        raise MigrationError(
            f"The sample cannot be written to {path}: {getattr(error, 'strerror', None) or error}.",
            code="sample-failed",
            hint="Give a path in a directory that exists and that you may write to, with 115 MB of room at scale 1.",
        ) from error
    finally:
        with suppress(OSError):  # where it could not be made, it cannot be removed
            partial.unlink(missing_ok=True)
    return SampleInfo(
        path=str(path),
        scale=scale,
        size_bytes=path.stat().st_size,
        rows=rows,
        tables=len(models),
        columns=sum(len(model.columns) for model in models),
        indexes=indexes,
        foreign_keys=sum(field.parent is not None and field.constrained for m in models for field in m.columns),
        sequences=sum(model.autoincrement for model in models),
        views=len(VIEWS),
        elapsed_s=time.perf_counter() - started,
    )


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise MigrationError(
            f"{path} is already there, and a sample never overwrites a file.",
            code="sample-exists",
            hint="Give another name, or remove the file first.",
        )


def _fill(db: sqlite3.Connection, models: tuple[Model, ...], content: Content, observe: Callable[[Event], None]) -> int:
    """Write everything in one transaction. Gives the number of rows."""
    for pragma in ("page_size = 4096", "encoding = 'UTF-8'", "journal_mode = OFF", "synchronous = OFF"):
        db.execute(f"PRAGMA {pragma}")
    by_label = {model.label: model for model in models}
    observe(Event(kind="phase-start", phase=_PHASE, total_rows=sum(map(content.count, models))))
    started = time.perf_counter()
    db.execute("BEGIN")
    for model in models:
        db.execute(create_table_sql(model, by_label))
    rows = 0
    for model in models:
        total = content.count(model)
        if total:
            marks = ", ".join("?" * len(model.columns))
            watched = _watch(content.rows(model), model.table, total, observe)
            db.executemany(f'INSERT INTO "{model.table}" VALUES ({marks})', watched)
            rows += total
        ahead = SEQUENCE_GAPS.get(model.label, 0)
        if ahead:
            key = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (model.table,)).fetchone()
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (model.table,))
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (model.table, ahead + (key or (0,))[0]))
    for model in models:
        for statement in create_index_sql(model):
            db.execute(statement)
    for statement in VIEWS:
        db.execute(statement)
    db.execute("COMMIT")
    observe(Event(kind="phase-end", phase=_PHASE, rows=rows, elapsed_s=time.perf_counter() - started))
    return rows


def _watch(
    rows: Iterator[tuple[object, ...]], table: str, total: int, observe: Callable[[Event], None]
) -> Iterator[tuple[object, ...]]:
    """Pass the rows on, telling the observer at the start, after every 500 and at the end."""
    step_id = f"{_PHASE}/{table}"
    started = time.perf_counter()
    observe(Event(kind="step-start", phase=_PHASE, step_id=step_id, table=table, total_rows=total))
    done = 0
    for row in rows:
        yield row
        done += 1
        if done % 500 == 0:
            observe(
                Event(kind="step-progress", phase=_PHASE, step_id=step_id, table=table, rows=done, total_rows=total)
            )
    observe(
        Event(
            kind="step-end",
            phase=_PHASE,
            step_id=step_id,
            table=table,
            rows=done,
            total_rows=total,
            elapsed_s=time.perf_counter() - started,
        )
    )
