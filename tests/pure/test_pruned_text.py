"""What is shown of the rows that do not travel."""

from __future__ import annotations

from liteferry.project import Pruned
from liteferry.report import render_pruned_text


def make(model: str, deleted: int = 0, *, updated: int = 0, added: int = 0, orphaned: int = 0) -> Pruned:
    table = model.lower().replace(".", "_")
    return Pruned(model=model, table=table, deleted=deleted, updated=updated, added=added, orphaned=orphaned)


def by(row: Pruned, *models: str, unmatched: tuple[str, ...] = ()) -> Pruned:
    return Pruned(
        model=row.model,
        table=row.table,
        deleted=row.deleted,
        updated=row.updated,
        added=row.added,
        orphaned=row.orphaned,
        by=models,
        unmatched=unmatched,
    )


def test_everything_is_told() -> None:
    rows = (
        by(make("shop.Customer", 1112, added=1), "shop.Customer", unmatched=("code = 'x'",)),
        by(make("shop.Basket", 318), "shop.Customer", "shop.Basket"),
        by(make("shop.Voucher", updated=31), "shop.Customer"),
        make("shop.Comment", orphaned=12),
        Pruned(model="", table="shelf", deleted=2),
    )
    assert render_pruned_text(rows, 90).splitlines() == [
        "1,432 rows of 3 tables do not travel, and 31 rows that stay refer to something else.",
        "",
        "  model          deleted  changed  because of",
        "  shop.Customer    1,112        0  its own rule",
        "  shop.Basket        318        0  its own rule and shop.Customer",
        "  shop.Voucher         0       31  shop.Customer",
        "  shelf                2        0  ON DELETE of the database",
        "",
        "shop.Customer: no row matches the rule (code = 'x')",
        "shop.Customer: 1 row added by an on_delete handler of the project",
        "shop.Comment: 12 rows refer to rows that are gone, as a generic foreign key or one without",
        "  a constraint allows; nothing else happens to them",
    ]


def test_a_column_of_zeros_is_left_out() -> None:
    assert render_pruned_text((by(make("a.B", 1), "a.B"),)).splitlines() == [
        "1 row of 1 table does not travel.",
        "",
        "  model  deleted  because of",
        "  a.B          1  its own rule",
    ]


def test_nothing_goes() -> None:
    rows = (by(make("a.B"), "a.B", unmatched=("all rows",)),)
    assert render_pruned_text(rows, 60).splitlines() == [
        "No row is pruned: none matches the rules.",
        "",
        "a.B: no row matches the rule (all rows)",
    ]
