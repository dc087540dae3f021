"""The source: a consistent snapshot of the SQLite file, and what can be read from it.

Layer 2. `open_snapshot` gives a `Snapshot`, from which the catalogue, the census and the rows are read. This process
never opens the live file while it copies it (`liteferry.child` says why): with mode ``copy`` everything is read from
the copy, by as many connections as there are readers. With mode ``none`` one read transaction on the file itself
stands for the snapshot, and all readers share its connection; then this process must itself be a child.

Memory: rows come in batches of bounded bytes, however large a single row is.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from liteferry.child import run_in_child
from liteferry.errors import MigrationError
from liteferry.model import Event, SourceInfo, ignore
from liteferry.source.connection import connect_read_only, show_path
from liteferry.source.copying import (
    SNAPSHOT_NAME,
    CleanRequest,
    SnapshotRequest,
    begin_reading,
    check_source,
    describe_source,
    remove_snapshot,
)
from liteferry.source.counting import CensusTaker
from liteferry.source.file import explain_corruption, list_sidecars
from liteferry.source.readers import BATCH_BYTES, CopyPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BATCH_BYTES", "CopyPlace", "Snapshot", "open_snapshot"]


@contextmanager
def open_snapshot(
    path: str | Path,
    *,
    directory: Path,
    mode: Literal["copy", "none"] = "copy",
    observe: Callable[[Event], None] = ignore,
    keep: bool = False,
    prepare: Callable[[Path], int] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Snapshot]:
    """Give the source as it is at one moment, checked for damage.

    directory: where the copy goes, as ``source.sqlite`` with mode 0600; it is made, with mode 0700, where it does not
    exist. keep: leave the copy there in the end. mode ``none`` makes no copy: writers of a database that is not in WAL
    mode have to wait until the end, and the WAL of one that is grows until then. prepare: is given the copy before
    anything is read from it, may take rows out of it, and returns how many it took out or changed; what it raises goes
    on, and the copy is removed. meanwhile: is called while the copy is made; not where none is.

    Raises: MigrationError with one of the codes ``source-…``, ``disk-…``, ``run-dir``, ``child-failed``; usage, when
    there is something to prepare, and no copy.
    """
    if mode == "none":
        if prepare is not None:
            raise MigrationError(
                "rows can be pruned in a copy alone, and --snapshot none makes none",
                code="usage",
                hint="leave out --snapshot none, or [django.prune]",
            )
        opened = _open_in_place(path, observe)
    else:
        opened = _open_copy(path, directory, observe, keep=keep, prepare=prepare, meanwhile=meanwhile)
    with opened as snapshot:
        try:
            yield snapshot
        finally:
            snapshot.close()


@contextmanager
def _open_copy(
    path: str | Path,
    directory: Path,
    observe: Callable[[Event], None],
    *,
    keep: bool,
    prepare: Callable[[Path], int] | None,
    meanwhile: Callable[[], None] | None,
) -> Iterator[Snapshot]:
    copy = directory / SNAPSHOT_NAME
    if copy.exists():
        raise MigrationError(
            f"there is a snapshot already: {show_path(copy)}", code="run-dir", hint="give another --run-dir"
        )
    request = SnapshotRequest(path=str(path), directory=str(directory))
    info: SourceInfo | None = None
    try:
        taken: SourceInfo = run_in_child("take_snapshot", request, observe=observe, harmless=True, meanwhile=meanwhile)
        if prepare is not None:
            taken = replace(taken, pruned_rows=prepare(copy))
        info = taken
        yield Snapshot(info, file=copy)
    finally:
        if info is None or not keep:
            remove_snapshot(directory)


@contextmanager
def _open_in_place(path: str | Path, observe: Callable[[Event], None]) -> Iterator[Snapshot]:
    header, before = run_in_child("inspect_source", str(path), harmless=True)
    with ExitStack() as stack:
        stack.callback(_clean, str(path), before)
        try:
            connection = stack.enter_context(closing(connect_read_only(path)))
            with connection.explain_errors():
                begin_reading(connection, str(path))
            check_source(connection, observe)
        except MigrationError as error:
            explained = explain_corruption(error, str(path), header)
            if explained is error:
                raise
            raise explained from error
        info = describe_source(connection, str(path))
        read_at = _stamp(path)
        yield Snapshot(info, shared=connection)
        # A lock keeps writers out where there is no WAL; but not on every network file system.
        if info.journal_mode != "wal" and _stamp(path) != read_at:
            raise MigrationError(
                f"{info.path} was written while it was read, although it was locked",
                code="source-changed",
                hint="stop the application meanwhile, or use --snapshot copy",
            )


def _clean(path: str, before: frozenset[str]) -> None:
    if list_sidecars(path) - before:
        run_in_child("clean_source", CleanRequest(path=path, before=before), harmless=True)


def _stamp(path: str | Path) -> tuple[int, int]:
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


class Snapshot(CensusTaker):
    """The source at one moment. Usable from several threads at once.

    ``info``: what the report says of it. ``file``: the copy; None in mode none. ``offenders``: where the census puts
    every offender, and what says which rows are set apart; None for nowhere, and none are.
    """
