"""A text file."""

from __future__ import annotations

from bad_files import make_text as make_source

__all__ = ["make_source"]
