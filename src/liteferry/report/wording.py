"""How liteferry writes figures, names and commands for people: one way, in every format.

Layer 1, pure. Thousands are separated by commas, sizes are decimal (1 MB = 10^6 bytes), durations are rounded to what
a person can use. Names come from databases that anybody may have made, so that `escape_unprintable` and `quote_word`
keep control characters out of terminals, pages and commands.
"""

from __future__ import annotations

import re
import shlex
import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from liteferry.model import HookChange, Mismatch, ServerInfo

_BEYOND: Final = "\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
_UNPRINTABLE: Final = re.compile(f"[\x00-\x1f{_BEYOND}]")
"""Controls, invisible and direction-changing characters, and halves of surrogate pairs, which UTF-8 cannot hold."""
_UNPRINTABLE_IN_LINES: Final = re.compile(f"[\x00-\x08\x0b-\x1f{_BEYOND}]")
"""The same without line ends and tabs."""

# ---------------------------------------------------------------------------------------------------------------------
# Figures


def format_count(number: int) -> str:
    """Write a number with thousands separators: ``1,234,567``. Pure."""
    return f"{number:,}"


def format_plural(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 table``, ``161 tables``. Pure."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_list(items: Sequence[str], *, word: str = "and") -> str:
    """Write items as a phrase: ``a``, ``a and b``, ``a, b and c``. Pure."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def end_sentence(text: str) -> str:
    """Put a full stop where a text has no end. Pure."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def format_duration(seconds: float) -> str:
    """Write a duration in s: ``0.4 ms``, ``42 ms``, ``1.2 s``, ``3 min 04 s``, ``2 h 03 min``. Pure."""
    if seconds <= 0:
        return "0 s"
    if seconds < 0.00095:
        return f"{seconds * 1000:.1f} ms" if seconds >= 0.00005 else "< 0.1 ms"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {rest:02} min"


def format_size(size_bytes: int) -> str:
    """Write a size: ``1 byte``, ``512 bytes``, ``4.1 kB``, ``110.7 MB``; decimal units. Pure."""
    if size_bytes < 1000:
        return format_plural(size_bytes, "byte")
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size:,.1f} TB"


def format_share(part: float, whole: float) -> str:
    """Write a share in percent: ``12 %``, ``0.4 %``; empty where there is no whole. Pure."""
    if whole <= 0:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return "< 0.1 %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def format_row_rate(rows: int, seconds: float) -> str:
    """Write a rate: ``10,223 rows/s``; empty where no time or no row was counted. Pure."""
    return f"{rows / seconds:,.0f} rows/s" if rows and seconds > 0 else ""


def format_byte_rate(size_bytes: int, seconds: float) -> str:
    """Write a rate: ``52.1 MB/s``; empty where no time or no byte was counted. Pure."""
    return f"{format_size(round(size_bytes / seconds))}/s" if size_bytes and seconds > 0 else ""


# ---------------------------------------------------------------------------------------------------------------------
# Names and commands


def escape_unprintable(text: str, *, lines: bool = False) -> str:
    r"""Replace what must not reach a terminal or a page by its escape (``\x1b``, ``\u202e``). Pure.

    lines: keep line ends and tabs, for SQL that is shown as it is written.
    """
    return (_UNPRINTABLE_IN_LINES if lines else _UNPRINTABLE).sub(_escape_match, text)


def _escape_match(match: re.Match[str]) -> str:
    character = match[0]
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    code = ord(character)
    return named or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def quote_word(word: str) -> str:
    """Quote one word for a shell: as POSIX does it, or with unprintable characters as bash and zsh do, ``$'…'``. Pure.

    Halves of surrogate pairs that stand for undecodable bytes of a file name become those bytes.
    """
    if _UNPRINTABLE.search(word):
        inner = word.replace("\\", "\\\\").replace("'", "\\'")
        return f"$'{_UNPRINTABLE.sub(lambda match: _escape_for_shell(ord(match[0])), inner)}'"
    return shlex.quote(word)


def _escape_for_shell(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape, PEP 383
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def write_command(*words: str) -> str:
    """Write a command line that can be copied into a shell. Pure."""
    return " ".join(quote_word(word) for word in words)


def write_address(server: ServerInfo) -> str:
    """Write where a server is, for libpq: a URL, or for a socket directory a connection string. No password. Pure.

    Source: PostgreSQL docs, "Connection Strings".
    """
    if not server.host or server.host.startswith(("/", "@")):
        parts = {"host": server.host, "port": str(server.port), "dbname": server.database, "user": server.user}
        return " ".join(f"{name}={_quote_conninfo(value)}" for name, value in parts.items() if value)
    host = f"[{server.host}]" if ":" in server.host else server.host
    user = f"{quote(server.user, safe='', errors='surrogatepass')}@" if server.user else ""
    return f"postgresql://{user}{host}:{server.port}/{quote(server.database, safe='', errors='surrogatepass')}"


def _quote_conninfo(value: str) -> str:
    if re.search(r"[\s'\\]", value):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return value


# ---------------------------------------------------------------------------------------------------------------------
# Text for a terminal


def wrap_text(text: str, *, width: int, indent: int = 0, hang: int = 0) -> str:
    """Fold a paragraph to the width, indented; further lines by ``hang`` more. Long words stay whole. Pure."""
    return textwrap.fill(
        escape_unprintable(text),
        width=max(width, indent + hang + 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


def indent_sql(sql: str, *, indent: int) -> str:
    """Indent SQL text line by line, unfolded. Pure."""
    return textwrap.indent(escape_unprintable(sql, lines=True).strip("\n"), " " * indent)


def measure_width(text: str) -> int:
    """How many columns a terminal gives to the text: two for wide characters, none for combining ones. Pure."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def align_rows(
    rows: Sequence[Sequence[str]], *, indent: int = 2, right: Sequence[int] = (), header: Sequence[str] = ()
) -> str:
    """Write rows as aligned columns, two spaces apart. Pure.

    right: the numbers of the columns that are aligned at the right. header: the columns' names, a line above.
    """
    lines = [list(map(escape_unprintable, row)) for row in ([header] if header else []) + list(rows)]
    if not lines:
        return ""
    widths = [max(measure_width(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        (
            " " * indent
            + "  ".join(
                " " * (width - measure_width(cell)) + cell
                if column in right
                else cell + " " * (width - measure_width(cell))
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
        ).rstrip()
        for line in lines
    )


def name_change(change: HookChange) -> str:
    """Name what a hook made or changed: ``index foo on bar``. Pure."""
    kind = "" if change.kind == "other" else change.kind.replace("_", " ") + " "
    return f"{kind}{change.name}" + (f" on {change.table}" if change.table and change.kind != "table" else "")


def name_place(mismatch: Mismatch) -> str:
    """Name where a difference is: ``orders.total, id=17`` or ``index orders_total_idx``. Pure."""
    if mismatch.kind == "object":
        kind = (mismatch.object_kind or "object").replace("_", " ")
        name = mismatch.object_name or ""
        place = f"{kind} {name}".strip()
        return f"{place} of {mismatch.table}" if mismatch.table and mismatch.table != name else place
    column = ".".join(part for part in (mismatch.table, mismatch.column) if part)
    return ", ".join(part for part in (column, mismatch.key) if part)
