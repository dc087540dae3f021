"""Every character that means something in a URI, in a shell or to SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import make_shop

if TYPE_CHECKING:
    from pathlib import Path


def make_source(path: Path) -> Path:
    directory = path.with_name("a dir? 100%41 #1 & more")
    directory.mkdir()
    return make_shop(directory / 'file:it\'s "%20" ?mode=memory#x;y\\z ä€.sqlite', rows=3)
