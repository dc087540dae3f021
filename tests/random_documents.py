"""Random JSON: of any size, with keys in any order, and as many ways to spell it as JSON has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import random


@dataclass(frozen=True)
class Number:
    """A number as it is spelled."""

    digits: str


Tree: TypeAlias = "bool | str | Number | list[Tree] | tuple[tuple[str, Tree], ...] | None"
"""A document, of which an object is its members in their order."""

_CHARACTERS: Final = 'ab"\\/\n\t\x01\x7fé\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0001f600'
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_ODD: Final = (
    "1e400", "NaN", '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', "01", "tru", '"\\x"', "9" * 1200, "", "{,}", "[1,]"
)  # fmt: skip
_DEPTHS: Final = (20, 99, 100, 101, 127, 128, 129, 300)
_WHITE: Final = ("", "", "", " ", "\n\t", "\r ")


def make_tree(chance: random.Random, depth: int = 0) -> Tree:
    """A document without a key that comes twice."""
    match chance.choice(("word", "number", "text", "text", "list", "object", "object")):
        case "word":
            return chance.choice((None, True, False))
        case "number":
            return Number(_make_digits(chance))
        case "list" if depth < 5:
            return [make_tree(chance, depth + 1) for _ in range(chance.choice((0, 1, 2, 5)))]
        case "object" if depth < 5:
            return make_members(chance, chance.choice((0, 1, 2, 5, 11, 13, 30)) if depth < 2 else 2, depth)
        case _:
            return _make_text(chance)


def make_members(chance: random.Random, count: int, depth: int = 5) -> tuple[tuple[str, Tree], ...]:
    """An object of about so many members, in an order of any kind."""
    keys = [_make_text(chance) + (str(number) if count > 8 else "") for number in range(count)]
    order = chance.choice(("any", "any", "sorted", "reversed", "by length"))
    if order != "any":
        keys.sort(key=(lambda key: (len(key.encode()), key)) if order == "by length" else None)
    if order == "reversed":
        keys.reverse()
    return tuple((key, make_tree(chance, depth + 1)) for key in dict.fromkeys(keys))


def make_document(chance: random.Random) -> str:
    """JSON that jsonb takes, mostly; sometimes with a fault, and sometimes large."""
    match chance.randrange(40):
        case 0:
            return "[" * (depth := chance.choice(_DEPTHS)) + "]" * depth
        case 1:
            return '{"a":' * (depth := chance.choice(_DEPTHS)) + "1" + "}" * depth
        case 2:
            tree: Tree = make_members(chance, chance.choice((250, 257, 2040, 2100, 5000)))
        case 3:
            tree = [make_tree(chance, 1) for _ in range(chance.randrange(400))]
        case _:
            tree = make_tree(chance)
    text = spell(tree, chance)
    match chance.randrange(16):
        case 0:  # a key comes twice, or a value is none
            return f'{{"a":{text},{spell("a", chance)}:{chance.choice(_ODD)}}}'
        case 1:
            at = chance.randrange(len(text) + 1)
            return text[:at] + chance.choice(("", '"', "\\", "}", "]", ",", "{", "\\u", "0", "\x00", "é"))
        case 2:
            at = chance.randrange(len(text))
            return text[:at] + chance.choice('"\\}],{[:0e.-u ') + text[at + 1 :]
        case _:
            return text


def spell(tree: Tree, chance: random.Random) -> str:
    """A way to write a document."""
    parts: list[str] = []
    escaped = chance.choice((0, 0.02, 0.5))
    gap = chance.choice((("",), (" ",), _WHITE))

    def write(node: Tree) -> None:
        parts.append(chance.choice(gap))
        match node:
            case None | True | False:
                parts.append({None: "null", True: "true", False: "false"}[node])
            case Number():
                parts.append(node.digits)
            case str():
                parts.append(_spell_text(node, chance, escaped))
            case list():
                parts.append("[")
                for number, item in enumerate(node):
                    parts.append("," if number else "")
                    write(item)
                parts.append("]")
            case tuple():
                parts.append("{")
                for number, (key, value) in enumerate(node):
                    parts.append(("," if number else "") + chance.choice(gap) + _spell_text(key, chance, escaped))
                    parts.append(chance.choice(gap) + ":")
                    write(value)
                parts.append("}")
        parts.append(chance.choice(gap))

    write(tree)
    return "".join(parts)


def _spell_text(text: str, chance: random.Random, escaped: float) -> str:
    spelled = ['"']
    for character in text:
        must = character in '"\\' or character < " "
        if not must and chance.random() >= escaped:
            spelled.append(character)
        elif character in _ESCAPES and chance.random() < 0.5:
            spelled.append(_ESCAPES[character])
        else:
            units = character.encode("utf-16-be")
            digits = "%04x" if chance.random() < 0.5 else "%04X"
            spelled += ["\\u" + digits % int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join([*spelled, '"'])


def _make_text(chance: random.Random) -> str:
    return "".join(chance.choices(_CHARACTERS, k=chance.choice((0, 1, 1, 2, 5, 40))))


def _make_digits(chance: random.Random) -> str:
    whole = chance.choice(("0", "7", "-0", "-12", str(chance.getrandbits(70)), "9" * 30))
    if chance.random() < 0.0005:  # not in every large document, since a part gives up there
        whole = "9" * chance.choice((998, 1001))
    fraction = chance.choice(("", "", ".0", ".50", ".007", f".{chance.getrandbits(40)}"))
    exponent = chance.choice(("", "", "", "e3", "E-2", "e+0", "e-07", "E40"))
    return whole + fraction + exponent
