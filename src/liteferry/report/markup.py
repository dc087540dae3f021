"""How texts stand in Markdown and in HTML: for themselves, whatever is in them.

Layer 1, pure. Names and messages come from databases that anybody may have made.
"""

from __future__ import annotations

import html
import re
from typing import Any

from liteferry.report.wording import escape_unprintable


def soften_name(name: str) -> str:
    """A name that a browser may break after an underscore, dot or slash, rather than anywhere; escaped."""
    from markupsafe import Markup

    return Markup(re.sub(r"([_./])(?=[^_./])", r"\1<wbr>", html.escape(escape_unprintable(name))))  # noqa: S704 - escaped here


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
    text = html.escape(escape_unprintable(text), quote=False).replace("|", "&#124;")
    text = re.sub(r"([\\`*\[\]~])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    return re.sub(r"^(\d+)([.)](?=\s|$))|^([-+#=])", r"\1\\\2\3", text)


def mark_code(text: str) -> str:
    """Set a text as code, in a form that also holds within a table's cell. Pure."""
    text = escape_unprintable(text)
    if not text:
        return Ready("")
    if not re.search(r"[`|]|^\s|\s$", text):
        return Ready(f"`{text}`")
    escaped = html.escape(text, quote=False)
    return Ready("<code>" + re.sub(r"[`|*_\[\]\\~]", lambda match: f"&#{ord(match[0])};", escaped) + "</code>")


def fence_sql(sql: str, language: str = "sql") -> str:
    """Set SQL or a command as a block of code, whatever backticks it holds. Pure."""
    sql = escape_unprintable(sql, lines=True).strip("\n")
    longest = max((len(run) for run in re.findall("`+", sql)), default=0)
    fence = "`" * max(3, longest + 1)
    return Ready(f"{fence}{language}\n{sql}\n{fence}")
