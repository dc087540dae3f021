"""Names in PostgreSQL: quoting, the 63-byte limit, collisions.

Layer 0, pure.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT_BYTES: Final = 63
"""NAMEDATALEN - 1. Source: PostgreSQL docs, "Identifiers and Key Words"."""
STAGING_COMMENT: Final = "liteferry staging"
"""How a staging schema of ours begins its comment; anything else is not ours to drop."""
LEFT_ALONE: Final = "autovacuum_enabled=oFF"
"""A table's option in staging, spelled as nobody else does it: where a migration or a hook switches autovacuum off,
that is to be published. It is no trait of a table that the proof would have to explain."""


def quote_name(name: str) -> str:
    """Quote one identifier, always. Pure.

    Raises: ValueError for an empty name or one with NUL, which no PostgreSQL identifier can hold.
    """
    if not name or "\0" in name:
        message = f"not a PostgreSQL identifier: {name!r}"
        raise ValueError(message)
    return '"' + name.replace('"', '""') + '"'


def quote_qualified(schema: str, name: str) -> str:
    """Quote ``schema.name``. Pure."""
    return f"{quote_name(schema)}.{quote_name(name)}"


def quote_literal(text: str) -> str:
    """Quote a text as an SQL literal, whatever standard_conforming_strings says. Pure.

    Raises: ValueError for NUL, which no PostgreSQL literal can hold.
    """
    if "\0" in text:
        message = "a PostgreSQL literal cannot hold NUL"
        raise ValueError(message)
    quoted = text.replace("'", "''")
    if "\\" in quoted:
        return "E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


NameStyle: TypeAlias = Literal["preserve", "lower", "snake"]

_ASCII_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def restyle_name(name: str, style: NameStyle) -> str:
    """Write a name in a style; "" where nothing of it is left. Pure, and the same when done twice.

    ``preserve``: as it is. ``lower``: A to Z in lower case and nothing else, which is what PostgreSQL makes of an
    unquoted name in a UTF-8 database. ``snake``: words in lower case with one underscore between them. A word ends
    before a capital that follows a small letter or a digit (userID: user_id), before the last of several capitals when
    a small letter follows (HTTPServer: http_server), and at whatever is no letter, digit or mark (Order Details:
    order_details). An underscore at the beginning stays; one is put before a digit there; those at the end go.

    Source: PostgreSQL's downcase_identifier(): in an encoding of several bytes it folds ASCII alone.
    """
    if style == "lower":
        return name.translate(_ASCII_LOWER)
    if style == "preserve":
        return name
    joined = "_".join(_part_words(name).split(" ")).lower()
    joined = re.sub("_+", "_", joined).strip("_")
    return f"_{joined}" if joined and (name.startswith("_") or not joined[0].isalpha()) else joined


def _part_words(name: str) -> str:
    """The name with a space wherever a word ends. Pure."""
    parted = []
    for place, character in enumerate(name):
        before, after = name[place - 1 : place], name[place + 1 : place + 2]
        if character.isupper() and (before.islower() or before.isdigit() or (before.isupper() and after.islower())):
            parted.append(" ")
        parted.append(character if character.isalnum() or unicodedata.category(character)[0] == "M" else " ")
    return "".join(parted)


def fit_name(name: str, *, seed: str = "") -> str:
    """Shorten a name to 63 bytes with a hash of the whole as its end; short names stay as they are. Pure.

    The same name and seed always give the same result, and two long names that differ anywhere give different ones.
    Never cuts within a character.
    """
    encoded = name.encode()
    if len(encoded) <= LIMIT_BYTES and not seed:
        return name
    suffix = "_" + hashlib.sha256((name + "\0" + seed).encode()).hexdigest()[:8]
    return encoded[: LIMIT_BYTES - len(suffix)].decode(errors="ignore") + suffix


def staging_name(schema: str) -> str:
    """Name the staging schema for a target schema. Pure."""
    return fit_name(f"liteferry_staging_{schema}")


class NameSpace:
    """Gives out names that are legal and unique within one name space (PostgreSQL's relations of one schema, say).

    First come, first served: ask for the tables' names before the indexes'.
    """

    def __init__(self, given: Iterable[str] = ()) -> None:
        """Start empty. given: names that the source gave; a name that is made up here evades them."""
        self._taken: set[str] = set()
        self._given = frozenset(given)

    def claim(self, wanted: str, *, seed: str = "", given: bool = False) -> str:
        """Take the wanted name, or one like it with a hash suffix where it is too long or taken.

        seed: tells apart two objects that want the same name (a table's name for its index); keeps the result stable
        between runs, whatever the order of the others. given: the source gave the name, so that it may be one of those.
        """
        name = fit_name(wanted)
        attempt = 0
        while name in self._taken or (not given and name in self._given):
            name = fit_name(wanted, seed=f"{seed or wanted}/{attempt}")
            attempt += 1
        self._taken.add(name)
        return name
