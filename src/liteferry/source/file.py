"""The live SQLite file as bytes: what kind of file it is, its locks, and the files beside it.

Layer 2. All of this runs in a child process only (`liteferry.child` says why). The file is only read.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.source.connection import BUSY_TIMEOUT_S, RECOVER_HINT, explain_lock, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER_BYTES: Final = 100
_MAGIC: Final = b"SQLite format 3\0"
_WAL_VERSION: Final = 2
_WAL_MAGIC: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_WAL_HEADER_BYTES: Final = 32
_WAL_FRAME_BYTES: Final = 24  # of a frame's header; a page follows
_SMALLEST_PAGE_BYTES: Final = 512
_SAMPLE_BYTES: Final = 1 << 16
_RANDOM_BITS: Final = 7.2  # of entropy a byte: 2 kB of random bytes have 7.9, databases below 6

# Source: https://sqlite.org/src/file/src/os.h and fileformat.html#the_lock_byte_page
_PENDING_BYTE: Final = 0x40000000
_SHARED_FIRST: Final = _PENDING_BYTE + 2
_SHARED_SIZE: Final = 510

_OTHER_FORMATS: Final = (
    (b"** This file contains an SQLite 2", "a database of SQLite 2", "`sqlite .dump` of that version can export it"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"PK\x03\x04", "a ZIP file", "unpack it first"),
    (b"\xfd7zXZ\0", "an xz file", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (b"BZh", "a bzip2 file", "unpack it first"),
    (b"PGDMP", "a dump of PostgreSQL", "it is on the other side already"),
    (b"PRAGMA foreign_keys=OFF;", "an SQL dump of SQLite", "make a database of it: `sqlite3 NEW_FILE < FILE`"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first bytes of a database file. claimed_bytes: how long it should at least be.

    Source: https://sqlite.org/fileformat.html, "The Database Header".
    """

    is_wal: bool
    size_bytes: int
    claimed_bytes: int


def read_header(path: str) -> Header:
    """Read the first bytes of the file.

    Raises: MigrationError when it is missing, unreadable, empty, cut off within the header, encrypted, or something
    else than a SQLite database.
    """
    name = show_path(path)
    _refuse_non_files(path)
    _refuse_odd_sidecars(path)
    try:
        with Path(path).open("rb") as file:
            head = file.read(_SAMPLE_BYTES)
            size_bytes = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise explain_os_error(error, path) from error
    if not head:
        raise MigrationError(
            f"{name} is empty: it has no bytes at all",
            code="source-empty",
            hint="SQLite makes such a file when a program opens a database at a wrong path; is it the right one?",
        )
    if not head.startswith(_MAGIC):
        raise _explain_other_format(name, head, size_bytes)
    if len(head) < HEADER_BYTES:
        raise _truncated(name, size_bytes, 0)
    return parse_header(head, size_bytes)


def parse_header(head: bytes, size_bytes: int) -> Header:
    """Read the header of a file of this size. Pure."""
    page_bytes = int.from_bytes(head[16:18], "big")
    page_bytes = 65_536 if page_bytes == 1 else max(page_bytes, _SMALLEST_PAGE_BYTES)
    pages = int.from_bytes(head[28:32], "big")
    if not pages or head[24:28] != head[92:96]:  # written by SQLite before 3.7, which did not keep the count
        pages = -(-size_bytes // page_bytes)
    return Header(is_wal=head[19] == _WAL_VERSION, size_bytes=size_bytes, claimed_bytes=pages * page_bytes)


def refuse_truncated(path: str, size_bytes: int, claimed_bytes: int) -> None:
    """Refuse a file that is shorter than it says, when a lock makes sure that both figures belong together.

    SQLite itself does not mind when a part of the last page is missing: it reads zeros there. Where there is a -wal,
    what is missing may be in it.
    Raises: MigrationError ``source-truncated``.
    """
    if size_bytes < claimed_bytes and not measure_wal(path):
        raise _truncated(show_path(path), size_bytes, claimed_bytes)


_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _find_kind(mode: int) -> str:
    """What a path leads to, in words; "" for a regular file. Pure."""
    return "" if stat.S_ISREG(mode) else next((kind for test, kind in _KINDS if test(mode)), "no file")


def _refuse_non_files(path: str) -> None:
    try:
        kind = _find_kind(Path(path).stat().st_mode)
    except OSError as error:
        raise explain_os_error(error, path) from error
    if kind:
        raise MigrationError(
            f"{show_path(path)} is {kind}, not a SQLite database",
            code="source-not-sqlite",
            hint="give the path of the database file itself",
        )


def _refuse_odd_sidecars(path: str) -> None:
    """Refuse what lies where SQLite keeps its -wal, -shm and -journal, and is no file: a pipe would be waited for."""
    for suffix in ("-wal", "-shm", "-journal"):
        beside = os.path.realpath(path) + suffix
        try:
            kind = _find_kind(Path(beside).stat().st_mode)
        except OSError:  # it is not there, or what SQLite itself will stumble over
            continue
        if kind:
            raise MigrationError(
                f"{show_path(path)} cannot be read: {show_path(beside)} beside it is {kind}, where SQLite keeps a file",
                code="source-unreadable",
                hint="move it away, if it is not SQLite's; or give liteferry a copy of the database",
            )


def explain_os_error(error: OSError, path: str) -> MigrationError:
    """Turn the operating system's refusal to open the source into an error that the user can act on."""
    name = show_path(path)
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        if Path(path).is_symlink():
            points_at = show_path(Path(path).readlink())
            return MigrationError(
                f"{name} is a symbolic link to {points_at}, where there is no file",
                code="source-missing",
                hint="is the disk mounted?",
            )
        there = next((parent for parent in Path(path).absolute().parents if parent.is_dir()), Path("/"))
        return MigrationError(
            f"there is no file {name}", code="source-missing", hint=f"the way there ends in {show_path(there)}"
        )
    return MigrationError(
        f"{name} may not be read: {error.strerror}",
        code="source-unreadable",
        hint="run liteferry as a user who may read it and enter the directories that lead to it",
    )


def _explain_other_format(name: str, head: bytes, size_bytes: int) -> MigrationError:
    for magic, what, hint in _OTHER_FORMATS:
        if head.startswith(magic):
            return MigrationError(f"{name} is {what}, not a SQLite database", code="source-not-sqlite", hint=hint)
    if size_bytes % _SMALLEST_PAGE_BYTES == 0 and _entropy_bits(head) > _RANDOM_BITS:
        return MigrationError(
            f"{name} looks like an encrypted database: its bytes are random, in whole pages",
            code="source-encrypted",
            hint="decrypt a copy with the application's own means; with SQLCipher: PRAGMA key = '…'; "
            "ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain');",
        )
    return MigrationError(
        f"{name} is not a SQLite database: it does not begin with “SQLite format 3”",
        code="source-not-sqlite",
        hint="is it the right file?",
    )


def _entropy_bits(data: bytes) -> float:
    """Shannon's entropy of a byte, 0 to 8. Pure."""
    return -sum(count / len(data) * log2(count / len(data)) for count in Counter(data).values())


def _truncated(name: str, size_bytes: int, claimed_bytes: int) -> MigrationError:
    claim = f"its header speaks of {claimed_bytes:,}" if claimed_bytes else "not even a whole header"
    return MigrationError(
        f"{name} is cut off: it has {size_bytes:,} bytes, and {claim}",
        code="source-truncated",
        hint="was it copied before it was complete, or did a disk fill up? " + RECOVER_HINT,
    )


def explain_corruption(error: MigrationError, path: str, header: Header) -> MigrationError:
    """Where the file is damaged because it is too short, the error that says so; else the same error. Pure."""
    if error.code == "source-corrupt" and header.size_bytes < header.claimed_bytes:
        return _truncated(show_path(path), header.size_bytes, header.claimed_bytes)
    return error


# ---------------------------------------------------------------------------------------------------------------------
# Its locks, and the files beside it


@contextmanager
def hold_shared_lock(descriptor: int, path: str) -> Iterator[None]:
    """Hold SQLite's own SHARED lock on the open file.

    Nobody can meanwhile change a database that has no WAL, nor remove the -wal and -shm files of one that has.

    Raises: MigrationError ``source-locked`` when another process does not let go.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        with suppress(BlockingIOError, PermissionError):  # what a lock held by another process is reported as
            # As SQLite does it: who waits to write holds the pending byte, and lets no new readers in.
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _PENDING_BYTE)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
            finally:
                fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _PENDING_BYTE)
            break
        if time.monotonic() > deadline:
            raise explain_lock(show_path(path))
        time.sleep(0.05)
    try:
        yield
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, _SHARED_SIZE, _SHARED_FIRST)


def list_sidecars(path: str) -> frozenset[str]:
    """Which of -wal and -shm lie beside the file (where symbolic links lead to, as SQLite sees it)."""
    real = os.path.realpath(path)
    return frozenset(suffix for suffix in ("-wal", "-shm") if Path(real + suffix).exists())


def measure_wal(path: str) -> int:
    """The size of the -wal file in bytes, 0 when there is none."""
    try:
        return Path(os.path.realpath(path) + "-wal").stat().st_size
    except OSError:
        return 0


def count_unread_frames(wal: Path, page_bytes: int, read_frames: int) -> int:
    """Count the pages of an idle -wal file that SQLite passes over, although they are no remains of an older WAL.

    read_frames: how many it reads, which end with the last whole transaction. What follows, with the salts of the
    header, is a transaction that was cut short, or one that was damaged since: SQLite does not tell the two apart.
    Source: https://sqlite.org/fileformat2.html#the_write_ahead_log.
    """
    size_bytes = wal.stat().st_size
    frame_bytes = _WAL_FRAME_BYTES + page_bytes
    with wal.open("rb") as file:
        header = file.read(_WAL_HEADER_BYTES)
        if header[:4] not in _WAL_MAGIC:
            return -(-size_bytes // frame_bytes)
        found = 0
        for position in range(_WAL_HEADER_BYTES + read_frames * frame_bytes, size_bytes, frame_bytes):
            file.seek(position)
            found += file.read(_WAL_FRAME_BYTES)[8:16] == header[16:24]
    return found


def remove_leftovers(path: str, before: frozenset[str]) -> None:
    """Remove the empty -wal and the -shm file that a read-only connection to a WAL database made and cannot remove.

    before: what `list_sidecars` found earlier; that is left alone. Done as the last connection does it, under SQLite's
    EXCLUSIVE lock, for which the file must be opened for writing; nothing is written. Where somebody else uses the
    database, or the file is read-only, the files stay.
    """
    new = list_sidecars(path) - before
    if not new:
        return
    real = os.path.realpath(path)
    try:
        descriptor = os.open(real, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with suppress(OSError):  # the lock is another's, or the directory no longer writable
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 2 + _SHARED_SIZE, _PENDING_BYTE)
            if "-wal" not in new or measure_wal(path) == 0:
                for suffix in new:
                    Path(real + suffix).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
