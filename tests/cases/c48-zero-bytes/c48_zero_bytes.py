"""No byte at all."""

from __future__ import annotations

from bad_files import make_nothing as make_source

__all__ = ["make_source"]
