"""Leave secrets out of what a project's code says: its errors, its lines of source, what it prints.

Layer 2, pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HIDDEN: Final = "***"
_SHORTEST: Final = 4
"""A shorter secret is found by its name alone: hidden wherever it stands, it would make a text unreadable."""
_NAMES: Final = r"(?:password|passwd|secret|token|api_?key|private_?key)"
_SECRET_NAME: Final = re.compile(rf"{_NAMES}|^PGPASSWORD$", re.IGNORECASE)
_IN_URL: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)([^\s'\"]+)(?=@)", re.IGNORECASE)
_ASSIGNED: Final = re.compile(
    rf"""([\w-]*{_NAMES}[\w-]*['"]?(?:\s*[:=]\s*|\s+(?=')))"""
    r"""(?:'(?:[^'\\\n]|\\.)*(?:'|$)|"(?:[^"\\\n]|\\.)*(?:"|$)|(?<=[:=])[^\s'"()\[\],;]++(?![(\[]))""",
    re.IGNORECASE | re.MULTILINE,
)


def hide_secrets(value: Any, secrets: Iterable[str] = ()) -> Any:
    """The same text, or the same JSON, with every secret replaced. Pure.

    secrets: known ones, as they are. What a URL or an assignment to such a name shows is hidden, too.
    """
    forms = {form for known in secrets for form in (known, quote(known, safe=""), repr(known)[1:-1])}
    longest_first = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
    return _hide(value, longest_first)


def find_secrets(databases: Mapping[str, Mapping[str, object]], environment: Mapping[str, str]) -> set[str]:
    """The passwords of databases, and what variables say that are called like one or hold a URL with one. Pure."""
    found = {str(entry.get("PASSWORD") or "") for entry in databases.values()}
    for name, value in environment.items():
        if _SECRET_NAME.search(name):
            found.add(value)
        found |= {form for _, secret in _IN_URL.findall(value) for form in (secret, unquote(secret))}
    return found - {""}


def _hide(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return _ASSIGNED.sub(rf"\1{HIDDEN}", _IN_URL.sub(rf"\1{HIDDEN}", value))
    if isinstance(value, dict):
        return {key: _hide(item, secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_hide(item, secrets) for item in value]
    return value
