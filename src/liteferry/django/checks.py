"""System checks: what `manage.py check` says of a move that has not begun."""

from __future__ import annotations

import importlib.util
from typing import Any

from django.core.checks import Warning as CheckWarning


def check_driver(**_: Any) -> list[CheckWarning]:  # Django's own signature
    """Whether the project has what it needs to run on PostgreSQL."""
    if importlib.util.find_spec("psycopg") is not None or importlib.util.find_spec("psycopg2") is not None:
        return []
    return [
        CheckWarning(
            "psycopg is not installed: this project cannot run on PostgreSQL yet.",
            hint="pip install 'psycopg[binary]'",
            id="liteferry.W001",
        )
    ]
