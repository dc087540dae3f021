"""Whole pages of noise, as an encrypted database has."""

from __future__ import annotations

from bad_files import make_encrypted as make_source

__all__ = ["make_source"]
