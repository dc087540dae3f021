"""One page is overwritten."""

from __future__ import annotations

from bad_files import make_corrupt as make_source

__all__ = ["make_source"]
