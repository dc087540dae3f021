"""The plan of a table's CHECK constraints.

Layer 1, pure. Used by `planner` only.
"""

from __future__ import annotations

from liteferry.errors import Untranslatable
from liteferry.expressions import translate_check
from liteferry.findings import make_finding
from liteferry.model import PlannedObject, Step
from liteferry.planner.questions import name_check
from liteferry.planner.sql import add_check_sql
from liteferry.planner.table_plan import Judge, TablePlan, claim_constraint, note_translation


def plan_checks(plan: TablePlan, staging: str, judge: Judge) -> None:
    """Plan the CHECK constraints, translated, unless their type says it or rows break them."""
    table, target = plan.table, plan.map.target
    for position, check in enumerate(table.checks, start=1):
        place = f"CHECK {check.name}" if check.name else f"CHECK ({check.sql})"
        broken, way = judge("check-broken", name_check(table, position - 1), what=place, sql=check.sql)
        if broken is not None and way == "quarantine":  # whether or not it is carried over
            plan.findings.append(broken)
        try:
            translated = translate_check(check.sql, plan.types)
            plan.refusals.check("check-untranslatable", table.name, check.name or f"check {position}")
        except Untranslatable as error:
            plan.findings.append(
                make_finding(
                    "check-untranslatable",
                    f"{place} is not carried over: {error.reason}",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        if translated.implied_by_type:
            plan.findings.append(
                make_finding(
                    "check-implied",
                    f"{place} is enforced by the column's type",
                    table=table.name,
                    name=check.name or f"check {position}",
                    sql=check.sql,
                )
            )
            continue
        if broken is not None and way != "quarantine":
            plan.findings.append(broken)
            if way == "leave-out":
                continue
        is_valid = broken is None or way != "not-valid"
        default = f"{target}_{check.column}_check" if check.column else f"{target}_check"
        name = claim_constraint(plan, "check", check.name, default)
        plan.steps.append(
            Step(
                id=f"post-data/check/{target}.{name}",
                phase="post-data",
                table=target,
                sql=(add_check_sql(staging, target, name, translated.sql) + ("" if is_valid else " NOT VALID"),),
                group=target,
            )
        )
        plan.objects.append(
            PlannedObject(kind="check", name=name, table=target, validated=is_valid, source_sql=check.sql)
        )
        note_translation(plan, "check", (check.name or f"check {position}", name), check.sql, translated)
