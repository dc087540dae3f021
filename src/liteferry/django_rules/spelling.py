"""Two pieces of SQLite's schema, written differently, that mean the same.

Layer 1, pure. Django makes a SQLite table anew for nearly every change, and has spelt the same thing in several ways
over its versions; SQLite itself rewrites quotes and names when a table is renamed. What is compared here is what is
left when the spelling is taken away.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, TypeAlias

from liteferry.sqlite_ddl import DdlError, fold_case, lex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from liteferry.sqlite_ddl import Token

Meaning: TypeAlias = "tuple[object, ...]"
"""Something that is equal for two texts of the same meaning; of no other use."""

_WHOLE_NUMBERS: Final = frozenset({"integer", "bigint", "smallint", "int"})
_ORNAMENTS: Final = frozenset({"is", "not", "null", "and", "or", "(", ")", ",", ".", ";"})
"""What Django's versions add and leave out around the same condition: parentheses, and the NULLs that they guard."""

_OPERATORS: Final = {"==": "=", "!=": "<>"}
_NUMBER: Final = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?", re.IGNORECASE)


def simplify_type(declared: str) -> str:
    """A declared type in one spelling. Pure.

    All whole numbers are one: SQLite stores them alike, and which of them Django writes for a key has changed with its
    versions, so that a file with a history has ``integer`` where a new one has ``bigint``.
    """
    text = fold_case(" ".join(declared.split())).replace(" (", "(").replace("( ", "(").replace(", ", ",")
    return "integer" if text.removesuffix(" unsigned") in _WHOLE_NUMBERS else text


def read_sql(sql: str | None) -> Meaning:
    """The tokens of an expression or statement, with names and words in one spelling. Pure.

    Parentheses around the whole of it do not count.
    """
    if sql is None:
        return ()
    try:
        words = [_spell(token) for token in lex(sql)]
    except DdlError:  # not to be read: then it is compared as it is written, blanks aside
        return tuple(sql.split())
    while words and words[-1] == ";":
        words.pop()
    while _is_wrapped(words):
        words = words[1:-1]
    return tuple(words)


def read_condition(sql: str | None, table: str) -> Meaning:
    """A condition by what it says: its names, its values and its comparisons, in whatever order. Pure.

    Two texts with the same of these are taken for one condition: versions of Django write the same condition with
    other parentheses and guards against NULL, and with the table's name (or that of its copy) before the columns.
    """
    if sql is None:
        return ()
    try:
        tokens = lex(sql)
    except DdlError:
        return tuple(sql.split())
    owners = {fold_case(table), f"new__{fold_case(table)}"}
    names: set[str] = set()
    rest: Counter[str] = Counter()
    for at, token in enumerate(tokens):
        word = _spell(token)
        if token.kind == "string" and _NUMBER.fullmatch(token.value):
            word = _spell_number(token.value)  # Django writes decimals as texts, and columns of numbers take both
        follows = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if word in _ORNAMENTS or (follows == "." and word in owners):
            continue
        if token.kind == "quoted" or (token.kind == "word" and follows != "(" and word not in _KEYWORDS):
            names.add(word)
        else:
            rest[word] += 1
    return (frozenset(names), frozenset(rest.items()))


_CASES: Final = frozenset({"case", "when", "then", "else", "end"})
_KEYWORDS: Final = _CASES | {
    "as",
    "between",
    "cast",
    "collate",
    "escape",
    "false",
    "glob",
    "in",
    "like",
    "regexp",
    "true",
}


def is_field_check(sql: str) -> bool:
    """Whether a CHECK is the one that a positive whole number's field has by itself. Pure.

    Django writes it for SQLite since 2.1 only, and only when it makes the table anew: a file with a history has it for
    some fields and not for others.
    """
    words = [word for word in read_sql(sql) if word not in {"(", ")"}]
    return len(words) == 3 and words[1:] == [">=", "0"]


def list_names(sql: str) -> frozenset[str]:
    """Every name that a statement has, in lower case. Pure."""
    try:
        tokens = lex(sql)
    except DdlError:
        return frozenset(re.findall(r"\w+", sql.lower()))
    return frozenset(fold_case(token.value) for token in tokens if token.kind in {"word", "quoted", "string"})


def _spell(token: Token) -> str:
    match token.kind:
        case "word" | "quoted":
            return fold_case(token.value)
        case "number":
            return _spell_number(token.text)
        case "operator":
            return _OPERATORS.get(token.text, token.text)
        case _:
            return token.text


def _spell_number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        return text.lower()
    number = float(text)
    return str(int(number)) if number.is_integer() and number < 1 << 53 else text


def _is_wrapped(words: list[str]) -> bool:
    """Whether the first parenthesis closes at the very end."""
    if len(words) < 2 or words[0] != "(" or words[-1] != ")":
        return False
    return all(depth > 0 for depth in _depths(words[:-1]))


def _depths(words: Iterable[str]) -> Iterator[int]:
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        yield depth
