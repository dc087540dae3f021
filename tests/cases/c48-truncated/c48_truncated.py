"""The second half is missing."""

from __future__ import annotations

from bad_files import make_truncated as make_source

__all__ = ["make_source"]
