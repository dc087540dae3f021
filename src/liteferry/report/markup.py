"""How texts stand in Markdown and in HTML: for themselves, whatever is in them.

Layer 1, pure. Names and messages come from databases that anybody may have made.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from liteferry.report.wording import escape_unprintable

_BREAKS: Final = re.compile(r"(?<=[_./])(?=[^_./])")
_SPECIAL: Final = re.compile(r"([\\`*\[\]~])")
_OUTER_UNDERSCORE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINE_START: Final = re.compile(r"^(\d+)([.)](?=\s|$))|^([-+#=])")
_NOT_BETWEEN_BACKTICKS: Final = re.compile(r"[`|]|^\s|\s$")


def soften_name(name: str) -> str:
    """A name that a browser may break after an underscore, dot or slash, rather than anywhere; escaped."""
    from markupsafe import Markup

    return Markup(_BREAKS.sub("<wbr>", html.escape(escape_unprintable(name))))  # noqa: S704 - escaped here


def finalize_html(value: Any) -> Any:  # Any: whatever a template prints; Markup must pass as it is
    """What HTML shows of a value before it is escaped."""
    return escape_unprintable(value, lines=True) if type(value) is str else value


class Ready(str):
    """Markdown that is already escaped."""

    __slots__ = ()


def finalize_markdown(value: Any) -> Any:  # Any: whatever a template prints
    """What Markdown shows of a value: a text stands for itself."""
    return escape_markdown(value) if type(value) is str else value


def escape_markdown(text: str) -> str:
    """Let a text stand for itself anywhere in a line of Markdown, also in a table's cell. Pure.

    Underscores within words stay, as they mean nothing there. Source: CommonMark 0.31, "Backslash escapes".
    """
    if text.isalnum():
        return text  # most cells of a table of tables
    text = html.escape(escape_unprintable(text), quote=False).replace("|", "&#124;")
    text = _SPECIAL.sub(r"\\\1", text)
    text = _OUTER_UNDERSCORE.sub(r"\\_", text)
    return _LINE_START.sub(r"\1\\\2\3", text)


def mark_code(text: str) -> str:
    """Set a text as code, in a form that also holds within a table's cell. Pure."""
    text = escape_unprintable(text)
    if not text:
        return Ready("")
    if not _NOT_BETWEEN_BACKTICKS.search(text):
        return Ready(f"`{text}`")
    escaped = html.escape(text, quote=False)
    return Ready("<code>" + re.sub(r"[`|*_\[\]\\~]", lambda match: f"&#{ord(match[0])};", escaped) + "</code>")


def fence_sql(sql: str, language: str = "sql") -> str:
    """Set SQL or a command as a block of code, whatever backticks it holds. Pure."""
    sql = escape_unprintable(sql, lines=True).strip("\n")
    longest = max(map(len, re.findall("`+", sql))) if "`" in sql else 0
    fence = "`" * max(3, longest + 1)
    return Ready(f"{fence}{language}\n{sql}\n{fence}")
