"""Short ways to make liteferry's data in tests."""

from __future__ import annotations

from liteferry.model import Affinity, Column, Table


def make_table(*columns: Column, **facts: object) -> Table:
    return Table(name="t", sql="", columns=columns, **facts)  # type: ignore[arg-type]  # a test's shorthand


def column(name: str = "c", declared: str = "", affinity: Affinity = "BLOB", **facts: object) -> Column:
    return Column(name=name, declared_type=declared, affinity=affinity, **facts)  # type: ignore[arg-type]  # the same
