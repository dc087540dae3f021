"""Translations that are not to be used although there is one.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.errors import Untranslatable
from liteferry.findings import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liteferry.model import Options

NOTHING_REFUSED: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What the user asked to leave out by its exact place, and what gives other answers on the two engines.

    ``refused``: the reasons, by ``CODE:PLACE``.
    """

    options: Options
    refused: Mapping[str, str]

    def check(self, code: str, table: str | None, name: str) -> None:
        """Let a translation pass, or raise. Pure. Raises: Untranslatable.

        A pattern or a bare code says what shall become of what cannot be translated, and no more; the exact place is
        the way out where the proof finds that the two engines differ.
        """
        place = f"{table}.{name}" if table else name
        if reason := self.refused.get(f"{code}:{place}"):
            raise Untranslatable(reason)
        way = FINDINGS[code].way
        decided = any(
            decision.place == place and decision.code in {"", code} and decision.way == way
            for decision in self.options.decisions
        )
        if decided or f"{code}:{place}" in self.options.accept:
            raise Untranslatable("you asked for a plain column" if way == "plain" else "you asked to leave it out")
