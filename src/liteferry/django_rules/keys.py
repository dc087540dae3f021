"""What has changed since a project's schema was made.

Layer 1, pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ORDER: Final = ("migration", "package", "Python", "setting", "module")
_WITH_VERSION: Final = frozenset({"package", "Python"})
"""Parts whose digests are versions, which say more than that they are others."""


def explain_change(old_parts: Sequence[tuple[str, str]], new_parts: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Say what is new, gone or changed between the parts of two digests, migrations first. Pure.

    The parts are `Project.digest_parts`: ``migration app.name``, ``package name``, ``Python``, ``setting NAME``,
    ``module name``.
    """
    old, new = dict(old_parts), dict(new_parts)
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    changed.sort(key=lambda name: (_rank(name), name))
    return tuple(_explain(name, old.get(name), new.get(name)) for name in changed)


def _rank(name: str) -> int:
    kind = name.partition(" ")[0]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _explain(name: str, before: str | None, now: str | None) -> str:
    has_version = name.partition(" ")[0] in _WITH_VERSION
    if before is None:
        return f"{name} {now} is new" if has_version else f"{name} is new"
    if now is None:
        return f"{name} is gone"
    return f"{name} {before} → {now}" if has_version else f"{name} was changed"
