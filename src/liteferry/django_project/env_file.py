"""Files of environment variables (``.env``): one assignment is replaced or added, and can be taken back.

Layer 2. Every other byte stays as it was: comments, quotes, ``export``, line ends, a missing last one, duplicates, a
byte order mark. A backup lies beside the file, readable by its owner alone; its name tells the digest of what liteferry
wrote, so that a later edit is noticed. Values may be secrets: no error and no name of a file has one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK: Final = ".liteferry-"
_ABSENT: Final = "-new"
"""Ends the name of the backup of a file that was not there."""
_BACKUP: Final = re.compile(r"(\d{8}T\d{12}Z)-([0-9a-f]{16})(-new)?")
_SIZE_MAX: Final = 1 << 20
_GIT_TIMEOUT_S: Final = 10.0

_BOM: Final = b"\xef\xbb\xbf"
# What python-dotenv, django-environ, decouple, docker and shells take for an assignment. A value in quotes may have
# several lines, but only where its closing quote ends one: the readers that go line by line agree about all others.
# Blanks at the end of the line are the value's to some of them, and go with it.
_ASSIGNMENT: Final = re.compile(
    rb"""
    (?P<before>[ \t]*(?P<export>export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*)
    (?P<value>
        (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' ) (?: (?=[ \t]*\#) | [ \t]*(?=\r|\n|\Z) )
      | [^\r\n]*?(?=[ \t]+\#|\r|\n|\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_@%+=:,./~?\[\]-]*")
"""Values that no reader, a shell included, takes for anything else without quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvFile:
    """A file of variables. ``path``: as it was given; ``real``: where symbolic links lead. ``notes``: what to know.

    ``lines``: where the variable is assigned, counted from 1; ``commented``: a comment stands behind the value in the
    last of them. ``backups``: oldest first.
    """

    path: Path
    real: Path
    exists: bool
    lines: tuple[int, ...] = ()
    commented: bool = False
    backups: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """``removed``: the file had been made by liteferry and is gone. ``kept``: where the edited file is now."""

    path: Path
    backup: Path
    removed: bool
    kept: Path | None = None


def inspect_env(path: Path, name: str) -> EnvFile:
    """Look at a file of variables that may not be there yet. Raises: MigrationError (env-file)."""
    real, old = _read(path)
    data = old or b""
    assignments = _find_assignments(data, name)
    lines = tuple(1 + data.count(b"\n", 0, found.start()) for found in assignments)
    commented = bool(assignments) and re.match(rb"[ \t]+#", data[assignments[-1].end() :]) is not None
    notes = []
    if real != Path(os.path.abspath(path)):  # noqa: PTH100 - absolute() keeps what is to be compared: `..`
        notes.append(f"{path} is a link or lies behind one: the file itself is {real}")
    if len(lines) > 1:
        notes.append(
            f"{real} assigns {name} {len(lines)} times, in lines {', '.join(map(str, lines))}: the last one is replaced"
        )
    return EnvFile(
        path=path,
        real=real,
        exists=old is not None,
        lines=lines,
        commented=commented,
        backups=tuple(backup for backup, _, _ in _list_backups(real)),
        notes=(*notes, *_ask_git(real)),
    )


def write_env(path: Path, name: str, value: str) -> Path:
    """Assign a variable in a file, and return the backup's path. The last assignment is replaced, or one is added.

    The file keeps its mode and owner; a new one is its owner's alone. A symbolic link stays, its file is written.

    Raises: MigrationError (env-file, usage).
    """
    if not _NAME.fullmatch(name):
        raise MigrationError(f"{name} cannot be a variable's name", code="usage", hint="letters, digits and _")
    real, old = _read(path)
    new = replace_assignment(old or b"", name, value)
    with _reporting(real, "written"):
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        digest = hashlib.sha256(new).hexdigest()[:16]
        backup = real.with_name(f"{real.name}{_MARK}{stamp}-{digest}{_ABSENT if old is None else ''}")
        _write_new(backup, old or b"", 0o600)
        try:
            _replace(real, old, new)
        except BaseException:
            backup.unlink(missing_ok=True)
            raise
    return backup


def restore_env(path: Path, *, force: bool = False) -> Restored:
    """Bring the file back as it was before the last `write_env`, byte for byte; its backup goes.

    force: also when it was edited since; the edited file is kept beside it.

    Raises: MigrationError: env-file when there is no backup; env-edited.
    """
    real, current = _read(path)
    backups = _list_backups(real)
    if not backups:
        raise MigrationError(
            f"there is no backup of {real} to bring back",
            code="env-file",
            hint=f"liteferry puts it beside the file: {real.name}{_MARK}…",
        )
    backup, digest, was_absent = backups[-1]
    edited = current is None or hashlib.sha256(current).hexdigest()[:16] != digest
    if edited and not force:
        raise MigrationError(
            f"{real} {'is gone' if current is None else 'was edited'} since liteferry wrote it",
            code="env-edited",
            hint=f"the file as it was before is {backup}: take from it what you need, or bring it back with --force,"
            " which keeps the edited file beside it",
        )
    kept = None
    with _reporting(real, "brought back"):
        old = backup.read_bytes()
        if edited and current is not None:
            kept = real.with_name(f"{real.name}.edited-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
            _write_new(kept, current, 0o600)
        if was_absent:
            real.unlink(missing_ok=True)
        else:
            _replace(real, current, old)
        backup.unlink()
        _sync_directory(real.parent)
    return Restored(path=real, backup=backup, removed=was_absent, kept=kept)


def replace_assignment(data: bytes, name: str, value: str) -> bytes:
    """A file's bytes with the last assignment of a variable replaced, or with one more. Pure.

    The quotes that the old value had are kept; else there are some only where a shell would need them.

    Raises: MigrationError (env-file) for a value that no quotes can hold in every reader.
    """
    found = _find_assignments(data, name)
    if found:
        last = found[-1]
        old = last["value"].rstrip(b" \t")
        spelt = _spell(value, old[:1].decode() if old[:1] in {b'"', b"'"} and old[-1:] == old[:1] else "")
        rest = data[last.end() :]
        if old.startswith(b"#"):  # an empty value and its comment
            rest = b" " + old + rest
        return data[: last.start("value")] + spelt + rest
    end = b"\r\n" if b"\r\n" in data else b"\n"
    others = _find_assignments(data, None)
    export = b"export " if others and all(other["export"] for other in others) else b""
    glue = b"" if not data or data == _BOM or data.endswith((b"\n", b"\r")) else end
    return data + glue + export + name.encode() + b"=" + _spell(value, "") + end


def _find_assignments(data: bytes, name: str | None) -> list[re.Match[bytes]]:
    """The assignments of a variable, or of all, in their order. Pure."""
    position = len(_BOM) if data.startswith(_BOM) else 0
    found = []
    while position < len(data):
        match = _ASSIGNMENT.match(data, position)
        if match is not None:
            if name is None or match["name"] == name.encode():
                found.append(match)
            position = match.end()
        line = _LINE.match(data, position)
        position = max(line.end() if line else len(data), position + 1)
    return found


def _spell(value: str, quote: str) -> bytes:
    if not value.isprintable():
        raise MigrationError(
            "the value has characters that a file of variables cannot hold",
            code="env-file",
            hint="line ends and control characters have no place there",
        )
    if not quote and _BARE.fullmatch(value):
        return value.encode()
    for candidate in (quote, '"', "'"):
        special = '"\\$`' if candidate == '"' else "'\\"
        if candidate and not set(value) & set(special):
            return f"{candidate}{value}{candidate}".encode()
    raise MigrationError(
        "the value has quotes, dollars or backslashes that readers of such files take differently",
        code="env-file",
        hint="percent-encode them, as in a URL",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _read(path: Path) -> tuple[Path, bytes | None]:
    """The real path and the file's bytes; None when it is not there. Raises: MigrationError (env-file)."""
    with _reporting(path, "read"):
        real = Path(os.path.realpath(path))
        try:
            facts = real.stat()
        except FileNotFoundError:
            if not real.parent.is_dir():
                raise _refuse(real, f"its directory {real.parent} does not exist") from None
            return real, None
        if not stat.S_ISREG(facts.st_mode):
            raise _refuse(real, "it is a directory" if stat.S_ISDIR(facts.st_mode) else "it is no ordinary file")
        if facts.st_size > _SIZE_MAX:
            raise _refuse(real, "it is too large for a file of variables")
        data = real.read_bytes()
    if b"\0" in data:
        raise _refuse(real, "it is not in UTF-8: it has NUL bytes, as UTF-16 has")
    return real, data


def _refuse(path: Path, why: str) -> MigrationError:
    return MigrationError(
        f"{path} cannot be the file of variables: {why}",
        code="env-file",
        hint="name the file that the project reads its variables from, or set the variable by hand",
    )


@contextlib.contextmanager
def _reporting(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MigrationError(
            f"{error.filename or path} cannot be {what}: {error.strerror or error}",
            code="env-file",
            hint="the file and its directory must be yours to write; nothing was changed",
        ) from error


def _list_backups(real: Path) -> list[tuple[Path, str, bool]]:
    """The backups of a file, oldest first: path, digest of what was written, whether there was no file."""
    start = real.name + _MARK
    found = []
    with _reporting(real.parent, "read"):
        for path in real.parent.iterdir():
            match = _BACKUP.fullmatch(path.name[len(start) :]) if path.name.startswith(start) else None
            if match:
                found.append((path, match[2], match[3] is not None))
    return sorted(found)


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _replace(real: Path, old: bytes | None, new: bytes) -> None:
    """Put a new file in the old one's place at once, with its mode, owner and attributes.

    Raises: OSError; MigrationError (env-file) where that cannot be had, or the file changed meanwhile.
    """
    temporary = real.with_name(f"{real.name}.writing-{secrets.token_hex(6)}")
    _write_new(temporary, new, 0o600)
    try:
        if old is not None:
            _take_after(real, temporary)
        if (real.read_bytes() if real.exists() else None) != old:
            raise _refuse(real, "somebody else wrote it just now")
        temporary.replace(real)
        _sync_directory(real.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _take_after(real: Path, new: Path) -> None:
    facts = real.stat()
    if not facts.st_mode & 0o222:
        raise _refuse(real, "it is read-only")
    if facts.st_nlink > 1:
        raise _refuse(real, "it has several names (hard links), and would change under one of them alone")
    made = new.stat()
    if (facts.st_uid, facts.st_gid) != (made.st_uid, made.st_gid):
        try:
            os.chown(new, facts.st_uid, facts.st_gid)
        except PermissionError:
            raise _refuse(real, "it belongs to another user or group, and would become yours") from None
    new.chmod(stat.S_IMODE(facts.st_mode))
    for attribute in os.listxattr(real):  # access lists, labels
        with contextlib.suppress(OSError):  # some are the system's own, and come by themselves
            os.setxattr(new, attribute, os.getxattr(real, attribute))


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _ask_git(real: Path) -> tuple[str, ...]:
    """What git would make of the file and its backup; nothing where there is no git, or no repository."""
    if _run_git(real.parent, "rev-parse", "--is-inside-work-tree") != 0:
        return ()
    if _run_git(real.parent, "ls-files", "--error-unmatch", "--", real.name) == 0:
        return (f"git tracks {real}: what is written there, a password too, would be committed",)
    backup = f"{real.name}{_MARK}20000101T000000000000Z-0000000000000000"
    if _run_git(real.parent, "check-ignore", "--quiet", "--", real.name) == 1:
        return (f"git does not ignore {real}: add it to .gitignore, with {real.name}.*, before something is committed",)
    if _run_git(real.parent, "check-ignore", "--quiet", "--", backup) == 1:
        return (f"git does not ignore the backup {real.name}{_MARK}…: add {real.name}.* to .gitignore",)
    return ()


def _run_git(directory: Path, *arguments: str) -> int | None:
    try:
        return subprocess.run(  # noqa: S603 - fixed words and a file's name
            ["git", "-C", str(directory), *arguments],  # noqa: S607 - the user's own git
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            timeout=_GIT_TIMEOUT_S,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None
