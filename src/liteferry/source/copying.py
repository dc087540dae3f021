"""Take a snapshot of the live SQLite file: look at it, copy it, check the copy.

Layer 2. `inspect_source`, `take_snapshot` and `clean_source` touch the live file, and therefore run in a child process
only (`liteferry.child` says why). The file is opened for reading, never written, and nothing new stays beside
it.

A copy is made in one of two ways:

- by SQLite's online backup API, which goes along with other processes that use the file, and takes in the rows of its
  -wal file. With a WAL one read transaction spans the copy, and stops nobody. Without, pages are read in steps so that
  writers get their turn; only where they write so often that the copy would never end are they made to wait for it.
- byte by byte, with its -wal file, where the database is in WAL mode and has no -shm file, which means that nobody uses
  it. SQLite would have to make that file and leave it there, or could not (on read-only media). SQLite's own shared
  lock is held meanwhile; a process that began to use the file would have made a -shm file that cannot go away under
  that lock, so that none afterwards proves that the bytes belong together.

Source: https://sqlite.org/backup.html, wal.html, walformat.html, fileformat.html.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.model import Event, SourceInfo
from liteferry.pace import Pace
from liteferry.source.connection import (
    BUSY_TIMEOUT_S,
    SourceConnection,
    connect_read_only,
    distrust_schema,
    explain_lock,
    explain_sqlite_error,
    read_something,
    show_path,
)
from liteferry.source.file import (
    HEADER_BYTES,
    Header,
    count_unread_frames,
    explain_corruption,
    explain_os_error,
    hold_shared_lock,
    list_sidecars,
    measure_wal,
    parse_header,
    read_header,
    refuse_truncated,
    remove_leftovers,
)
from liteferry.source.integrity import check_integrity

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.model import EventKind

SNAPSHOT_NAME: Final = "source.sqlite"
_PARTIAL_NAME: Final = SNAPSHOT_NAME + ".partial"
_WITH_SIDE_FILES: Final = ("", "-journal", "-wal", "-shm")
_COPY_STEP: Final = "snapshot/copy"
_CHECK_STEP: Final = "snapshot/check"

_STEP_BYTES: Final = 1 << 22
_RESTARTS: Final = 3  # of the copy because of a writer, before writers are made to wait


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """What `take_snapshot` shall do: copy the file at ``path`` into ``directory``, as `SNAPSHOT_NAME`."""

    path: str
    directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanRequest:
    """What `clean_source` shall do: see `remove_leftovers`."""

    path: str
    before: frozenset[str]


def inspect_source(path: str, _observe: Callable[[Event], None]) -> tuple[Header, frozenset[str]]:
    """Read the file's first bytes, and list the files beside it. Raises: MigrationError, as `read_header`."""
    return read_header(path), list_sidecars(path)


def clean_source(request: CleanRequest, _observe: Callable[[Event], None]) -> None:
    """Remove what a read-only connection left beside the file."""
    remove_leftovers(request.path, request.before)


# ---------------------------------------------------------------------------------------------------------------------
# Copying it


def take_snapshot(request: SnapshotRequest, observe: Callable[[Event], None]) -> SourceInfo:
    """Copy the live file into the directory, check the copy, and put it in place under its name, mode 0600, synced.

    The copy is no WAL database, so that reading it makes no further files. When anything fails, no part of it is left.

    Raises: MigrationError.
    """
    directory = Path(request.directory)
    name = show_path(request.path)
    final, partial = directory / SNAPSHOT_NAME, directory / _PARTIAL_NAME
    header = read_header(request.path)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_partial(directory)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise MigrationError(
            f"the snapshot cannot be written into {show_path(directory)}: {error.strerror}",
            code="run-dir",
            hint="choose another directory with --run-dir",
        ) from error
    try:
        try:
            journal_mode, unread = _copy(request.path, partial, header, observe)
            info = replace(_check_copy(partial, request.path, journal_mode, observe), wal_pages_unread=unread)
        except MigrationError as error:
            explained = explain_corruption(error, request.path, header)
            if explained is error:
                raise
            raise explained from error
        except OSError as error:
            raise _explain_write_error(error, directory, name) from error
        partial.rename(final)
        _sync(directory)
    except BaseException:
        remove_partial(directory)
        raise
    return info


def remove_partial(directory: Path) -> None:
    """Remove what an interrupted `take_snapshot` left in the directory."""
    _remove(directory, [_PARTIAL_NAME + suffix for suffix in _WITH_SIDE_FILES])


def remove_snapshot(directory: Path) -> None:
    """Remove the snapshot, whole or in part, if there is any."""
    remove_partial(directory)
    _remove(directory, [SNAPSHOT_NAME + suffix for suffix in _WITH_SIDE_FILES])  # pruning may have been interrupted


def _remove(directory: Path, names: list[str]) -> None:
    for name in names:
        with suppress(OSError):  # it is not there; or the disk takes nothing any more, which is being told
            (directory / name).unlink()


def _copy(path: str, partial: Path, header: Header, observe: Callable[[Event], None]) -> tuple[str, int]:
    """Copy by whichever way fits; returns the source's journal mode, and the pages of its WAL that are not read."""
    progress = _Progress(_COPY_STEP, observe)
    progress.start()
    if not (header.is_wal and _copy_idle_wal(path, partial, progress)):
        before = list_sidecars(path)
        try:
            _copy_online(path, partial, progress)
        finally:
            remove_leftovers(path, before)
    connection = sqlite3.connect(partial, isolation_level=None)
    with closing(connection):
        try:
            distrust_schema(connection)
            connection.execute("PRAGMA synchronous = OFF")  # synced once, at the end
            unread = _note_unread_frames(connection, partial, progress)
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.Error as error:
            raise _explain_copy_error(error, show_path(path), partial) from error
        if mode != "delete":
            raise MigrationError(f"the snapshot stayed in journal mode {mode}", code="source-corrupt")
    progress.end(partial.stat().st_size)
    return "wal" if header.is_wal else "delete", unread


def _note_unread_frames(connection: sqlite3.Connection, partial: Path, progress: _Progress) -> int:
    """Say so where the copied -wal file holds more than SQLite takes from it: how many pages.

    Moves what it takes into the copy.
    """
    wal = partial.with_name(partial.name + "-wal")
    if not measure_wal(str(partial)):
        return 0
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    _, read_frames, _ = connection.execute("PRAGMA wal_checkpoint").fetchone()
    unread = count_unread_frames(wal, page_bytes, max(read_frames, 0)) if wal.exists() else 0
    if unread:
        progress.note(
            f"the source's -wal file ends in {unread:,} page{'s' * (unread != 1)} that SQLite does not read: a "
            "transaction that was never committed, or one that was cut off or damaged since; its rows are not moved"
        )
    return unread


def begin_reading(connection: SourceConnection, path: str) -> None:
    """Begin a read transaction: from here on the connection sees the database as it is now.

    Raises: sqlite3.Error; MigrationError ``source-truncated``.
    """
    connection.execute("BEGIN")
    read_something(connection)
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    refuse_truncated(path, Path(path).stat().st_size, page_bytes * pages)  # stat opens nothing


def _copy_online(path: str, partial: Path, progress: _Progress) -> None:
    """Copy with the online backup API."""
    with closing(connect_read_only(path)) as source, source.explain_errors():
        begin_reading(source, path)
        (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
        (pages,) = source.execute("PRAGMA page_count").fetchone()
        _refuse_small_disk(partial.parent, page_bytes * pages + measure_wal(path))
        if source.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            source.execute("COMMIT")  # let writers in between the steps
        try:
            _back_up(source, partial, page_bytes, progress)
        except _KeepsChangingError:
            progress.note("the source is written to again and again: its writers now wait until it is copied")
            os.truncate(partial, 0)  # half a copy is no database
            begin_reading(source, path)
            _back_up(source, partial, page_bytes, progress)


class _KeepsChangingError(Exception):
    """A writer has made the copy begin again too often."""


def _back_up(source: SourceConnection, partial: Path, page_bytes: int, progress: _Progress) -> None:
    """Copy all pages, in steps.

    Another process's write makes SQLite begin again, unless a transaction keeps the source as it is.
    Raises: _KeepsChangingError when that happened too often; MigrationError.
    """
    watch = _BackupWatch(source.path, page_bytes, progress, restarts=0 if source.in_transaction else _RESTARTS)
    target = sqlite3.connect(partial, isolation_level=None)
    with closing(target):
        target.execute("PRAGMA journal_mode = OFF")  # what is half done is thrown away whole
        target.execute("PRAGMA synchronous = OFF")  # synced once, at the end
        try:
            source.backup(target, pages=max(1, _STEP_BYTES // page_bytes), progress=watch.see, sleep=0.05)
        except sqlite3.Error as error:
            raise _explain_copy_error(error, source.path, partial) from error


class _BackupWatch:
    """Reports the progress of a backup, and ends it when the source stays locked or changes again and again.

    restarts: how often it may begin again; 0 for ever, when a transaction keeps the source as it is.
    """

    def __init__(self, name: str, page_bytes: int, progress: _Progress, *, restarts: int) -> None:
        self._name = name
        self._page_bytes = page_bytes
        self._progress = progress
        self._restarts_left = restarts or -1
        self._remaining: int | None = None
        self._moved_at = time.monotonic()

    def see(self, status: int, remaining: int, total: int) -> None:
        """Be told of a step: sqlite3's callback."""
        if status & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            if time.monotonic() - self._moved_at > BUSY_TIMEOUT_S:
                raise explain_lock(self._name)
            return
        self._moved_at = time.monotonic()
        if self._remaining is not None and remaining >= self._remaining:
            self._restarts_left -= 1
            if self._restarts_left == 0:
                raise _KeepsChangingError
        self._remaining = remaining
        self._progress.move((total - remaining) * self._page_bytes, total * self._page_bytes)


def _copy_idle_wal(path: str, partial: Path, progress: _Progress) -> bool:
    """Copy a WAL database that nobody uses, byte by byte. False when somebody does: then nothing usable was copied."""
    real = os.path.realpath(path)
    shm = Path(real + "-shm")
    if shm.exists():
        return False
    try:
        source = Path(real).open("rb")  # noqa: SIM115 - closed below, with its lock
    except OSError as error:
        raise explain_os_error(error, path) from error
    with source, hold_shared_lock(source.fileno(), path):
        if shm.exists():
            return False
        wal = Path(real + "-wal")
        wal_bytes = measure_wal(path)
        file_bytes = os.fstat(source.fileno()).st_size
        refuse_truncated(
            path, file_bytes, parse_header(os.pread(source.fileno(), HEADER_BYTES, 0), file_bytes).claimed_bytes
        )
        _refuse_small_disk(partial.parent, file_bytes + 2 * wal_bytes)  # its pages may all be new ones
        total = file_bytes + wal_bytes
        with partial.open("r+b") as target:
            _copy_bytes(source.fileno(), target.fileno(), 0, total, progress)
        if wal_bytes:
            partial_wal = partial.with_name(partial.name + "-wal")
            descriptor = os.open(partial_wal, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with wal.open("rb") as source_wal, os.fdopen(descriptor, "wb") as target:
                _copy_bytes(source_wal.fileno(), target.fileno(), file_bytes, total, progress)
        if not shm.exists():
            return True
    remove_partial(partial.parent)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return False


def _copy_bytes(source: int, target: int, done: int, total: int, progress: _Progress) -> None:
    """Copy a file from its descriptor's position to its end."""
    while count := _copy_piece(source, target):
        done += count
        progress.move(done, total)


def _copy_piece(source: int, target: int) -> int:
    """Copy the next bytes, within the kernel where it can do that; returns how many, 0 at the end."""
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):  # between two file systems, or on one that has no such call: then by hand
            count = os.copy_file_range(source, target, _STEP_BYTES)
            if count:
                return count
    chunk = os.read(source, _STEP_BYTES)  # nothing, or what some virtual files hold beyond their size
    view = memoryview(chunk)
    while view:
        view = view[os.write(target, view) :]
    return len(chunk)


def _refuse_small_disk(directory: Path, database_bytes: int) -> None:
    needed = database_bytes * 21 // 20
    free = shutil.disk_usage(directory).free
    if free < needed:
        from liteferry.report.wording import (
            format_size,
        )  # and all of the reports with it: not for a copy that goes well

        raise MigrationError(
            f"the snapshot needs {format_size(needed)}, and {show_path(directory)} has {format_size(free)} free",
            code="disk-space",
            hint="choose a directory on another disk with --run-dir, or do without a copy: --snapshot none",
        )


_WRITING: Final = frozenset({sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE})


def _explain_copy_error(error: sqlite3.Error, name: str, partial: Path) -> MigrationError:
    """SQLite's error while it wrote the copy: about the copy where it is about writing; else about the source."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_FULL:
        return _disk_full(partial.parent)
    if code in _WRITING:  # the source is never written: a quota, a limit on the size of files, a disk that fails
        return MigrationError(
            f"{name} could not be copied into {show_path(partial.parent)}: the operating system reported {error}",
            code="run-dir",
            hint="look at the quota there, and at `ulimit -f`; or choose another directory with --run-dir",
        )
    return explain_sqlite_error(error, name)


def _explain_write_error(error: OSError, directory: Path, name: str) -> MigrationError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return _disk_full(directory)
    return MigrationError(
        f"{name} could not be copied into {show_path(directory)}: {error.strerror}",
        code="run-dir",
        hint="choose another directory with --run-dir",
    )


def _disk_full(directory: Path) -> MigrationError:
    return MigrationError(
        f"the disk of {show_path(directory)} filled up while the snapshot was written; the part was removed",
        code="disk-full",
        hint="choose a directory on another disk with --run-dir, or do without a copy: --snapshot none",
    )


def _sync(path: Path) -> None:
    """Have the file's bytes, or the directory's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------------------------------------------------------------
# Checking it


def _check_copy(partial: Path, path: str, journal_mode: str, observe: Callable[[Event], None]) -> SourceInfo:
    """Run the integrity check; meanwhile hash the bytes, and have them written to the disk."""
    with ThreadPoolExecutor(2) as executor, closing(connect_read_only(partial, shown=path)) as connection:
        synced = executor.submit(_sync, partial)
        digest = executor.submit(_hash_file, partial)
        check_source(connection, observe, copy=partial)
        synced.result()
        return describe_source(connection, path, journal_mode=journal_mode, sha256=digest.result())


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe_source(connection: SourceConnection, path: str, *, journal_mode: str = "", sha256: str = "") -> SourceInfo:
    """Gather what a report says of the source. Without a hash there is no copy."""
    with connection.explain_errors():
        values = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "page_size", "encoding", "journal_mode")
        }
    return SourceInfo(
        path=show_path(path),
        size_bytes=values["page_count"] * values["page_size"],
        sha256=sha256,
        sqlite_version=sqlite3.sqlite_version,
        encoding=values["encoding"],
        journal_mode=journal_mode or values["journal_mode"],
        snapshot="copy" if sha256 else "none",
    )


def check_source(connection: SourceConnection, observe: Callable[[Event], None], *, copy: Path | None = None) -> None:
    """Run the integrity check, telling a watcher. copy: as in `check_integrity`.

    Raises: MigrationError ``source-corrupt``.
    """
    progress = _Progress(_CHECK_STEP, observe)
    progress.start()
    check_integrity(connection, progress.note, copy=copy)
    progress.end(0)


class _Progress:
    """Tells a watcher how far a step is, ten times a second at most."""

    def __init__(self, step_id: str, observe: Callable[[Event], None]) -> None:
        self._step_id = step_id
        self._observe = observe
        self._pace = Pace()

    def start(self) -> None:
        self._observe(Event(kind="step-start", phase="snapshot", step_id=self._step_id))

    def move(self, done_bytes: int, total_bytes: int) -> None:
        if self._pace.is_due():
            self._tell("step-progress", done_bytes, total_bytes)

    def note(self, message: str) -> None:
        self._observe(Event(kind="note", phase="snapshot", step_id=self._step_id, message=message))

    def end(self, size_bytes: int) -> None:
        self._tell("step-end", size_bytes, size_bytes)

    def _tell(self, kind: EventKind, size_bytes: int, total_bytes: int) -> None:
        self._observe(
            Event(
                kind=kind,
                phase="snapshot",
                step_id=self._step_id,
                size_bytes=size_bytes,
                total_bytes=total_bytes,
                elapsed_s=self._pace.elapsed_s,
            )
        )
