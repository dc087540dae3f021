"""Find texts that SQLite's NOCASE holds apart and that a wider idea of case may not.

Layer 2. NOCASE folds A to Z and nothing else. PostgreSQL's ways to ignore case fold every letter; ICU's takes composed
and decomposed letters for one, and does not see control characters. The folding here is wider than all of them for the
scripts that are in use (cuneiform digits are not): what it finds may be held apart after all. What it should miss, the
proof finds (`liteferry.proof.duplicates`).
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from liteferry.census import SAMPLES
from liteferry.model import Sample, Table, Twins
from liteferry.source.orphans import describe_row
from liteferry.source.select import name_column, name_rowid, quote_sqlite_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_FUNCTION: Final = "liteferry_fold_widely"
_KATAKANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
"""ICU takes them for the hiragana of the same sound, where it has no rules."""
_SELECTORS: Final = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_MARKS: Final = frozenset(
    mark
    for code in (*range(0xC0, 0x250), *range(0x386, 0x4FA), *range(0x1E00, 0x2000), *range(0x304C, 0x30FF))
    for mark in unicodedata.normalize("NFD", chr(code))[1:]
)
"""The accents that letters are written with: no server takes one of them for another."""
_RARE_MARK: Final = "\u0300\u0300"


def find_twins(connection: sqlite3.Connection, table: Table, encoding: str) -> Iterator[Twins]:
    """Look at each column with COLLATE NOCASE that holds more than printable ASCII. Raises: sqlite3.Error.

    encoding: the database's, as ``PRAGMA encoding`` has it.
    """
    source = f"main.{quote_sqlite_name(table.name)} AS t NOT INDEXED"
    for column in table.columns:
        if column.collation != "NOCASE":
            continue
        name = name_column(column.name, "t")
        (beyond,) = connection.execute(
            f"SELECT count(*) FROM {source} WHERE typeof({name}) = 'text' AND {name} GLOB '*[^ -~]*'"
        ).fetchone()
        if not beyond:
            continue
        connection.create_function(
            _FUNCTION, 1, lambda raw: None if raw is None else fold_widely(raw.decode(encoding, "replace"))
        )
        folded = f"{_FUNCTION}(CAST({name} AS BLOB))"
        groups = connection.execute(
            f"SELECT {folded}, count(*) FROM {source} WHERE typeof({name}) = 'text'"
            f" GROUP BY 1 HAVING count(DISTINCT {name} COLLATE NOCASE) > 1"
        ).fetchall()
        samples: list[Sample] = []
        items = [*(name_column(key, "t") for key in table.primary_key), name_rowid(table, "t") or "NULL"]
        for fold, _ in groups[:SAMPLES]:
            rows = connection.execute(
                f"SELECT {', '.join(items)} FROM {source} WHERE {folded} = ? LIMIT {SAMPLES}", (fold,)
            )
            for *key_values, rowid in rows.fetchall()[: SAMPLES - len(samples)]:
                why = "another row has a text that differs by more than the case of A to Z, and looks alike"
                samples.append(Sample(key=describe_row(table, key_values, rowid), why=why))
        count = sum(number for _, number in groups)
        yield Twins(table=table.name, column=column.name, beyond_ascii=beyond, count=count, samples=tuple(samples))


def fold_widely(text: str) -> str:
    """Fold case, compatibility forms, kana, digits and rare marks, and leave out what is not seen. Pure."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()).translate(_KATAKANA)
    folded = folded.replace("i\u0307", "i")  # what lower() makes of a capital I with a dot
    return folded if folded.isascii() and folded.isprintable() else "".join(map(_fold_rare, folded))


@cache
def _fold_rare(character: str) -> str:
    if character in "\t\n\v\f\r" or character in _MARKS:
        return character
    category = unicodedata.category(character)
    if category in {"Cc", "Cf"} or ord(character) in _SELECTORS:
        return ""
    if category.startswith("M"):
        return _RARE_MARK
    value = unicodedata.numeric(character, -1.0) if category.startswith("N") else -1.0
    return str(int(value)) if value >= 0 and value.is_integer() else character
