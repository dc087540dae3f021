"""Files that are not what their name says: makers, each for a path at which there is nothing yet."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from harness import make_shop

if TYPE_CHECKING:
    from pathlib import Path

PAGE_BYTES = 4096


def make_text(path: Path) -> None:
    path.write_text("id,name\n1,Ann\n" * 1000)


def make_nothing(path: Path) -> None:
    path.touch()


def make_encrypted(path: Path) -> None:
    path.write_bytes(random.Random(0).randbytes(PAGE_BYTES * 5))


def make_truncated(path: Path) -> None:
    make_shop(path, rows=2000)
    os.truncate(path, path.stat().st_size // 2 // PAGE_BYTES * PAGE_BYTES)


def make_corrupt(path: Path) -> None:
    make_shop(path, rows=2000)
    with path.open("r+b") as file:
        file.seek(PAGE_BYTES * 8)
        file.write(b"\xa5" * PAGE_BYTES)


def make_missing(_: Path) -> None:
    return


def make_directory(path: Path) -> None:
    path.mkdir()
