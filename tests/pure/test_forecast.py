"""The forecast of a window: tables of cases, and what must hold whatever the figures are."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liteferry.forecast import (
    Machine,
    Past,
    add_work,
    judge_machine,
    measure_window,
    name_part,
    predict_from_past,
    predict_from_rates,
    weigh_plan,
)
from liteferry.forecast.predicting import list_phases
from liteferry.forecast.rates import RATES, REFERENCE_SERVER, SPREAD, Rate
from liteferry.model import (
    PLAN_SCHEMA,
    ColumnMap,
    Into,
    PhasePart,
    PhaseTime,
    Plan,
    PlannedObject,
    ServerSpeed,
    TableMap,
    TargetCatalog,
    TargetConstraint,
    TargetIndex,
    TargetTable,
    Work,
)

if TYPE_CHECKING:
    from liteferry.model import Forecast

INTO: tuple[Into, ...] = ("new", "existing", "django")
WORK = Work(
    source_bytes=140_000_000, tables=20, objects=90, steps=140, rows=300_000, values=3_000_000, size_bytes=90_000_000,
    document_bytes=20_000_000, entries=900_000, references=200_000,
)  # fmt: skip
PARTS = {
    "snapshot": 0.6, "census": 1.2, "plan": 0.1, "load": 2.0, "indexes": 0.6, "analyze": 0.1, "constraints": 0.2,
    "proof": 1.7, "publish": 0.05, "between": 0.05,
}  # fmt: skip
PAST = Past(run_id="r", started_at="2026-01-01T00:00:00+00:00", parts=PARTS, work=WORK, speed=REFERENCE_SERVER)


def assert_sane(forecast: Forecast) -> None:
    assert forecast.likely_s == pytest.approx(sum(phase.likely_s for phase in forecast.phases))
    assert forecast.low_s == pytest.approx(sum(phase.low_s for phase in forecast.phases))
    assert forecast.high_s == pytest.approx(sum(phase.high_s for phase in forecast.phases))
    assert all(0 <= phase.low_s <= phase.likely_s < phase.high_s for phase in forecast.phases)


# ---------------------------------------------------------------------------------------------------------------------
# What was measured


def phase(name: str, started_s: float, elapsed_s: float, **parts: float) -> PhaseTime:
    made = tuple(PhasePart(name=part, elapsed_s=busy_s, busy_s=busy_s, steps=1) for part, busy_s in parts.items())
    return PhaseTime(name=name, started_s=started_s, elapsed_s=elapsed_s, parts=made)


ORDINARY = [
    phase("snapshot", 1, 2), phase("census", 3, 1), phase("load", 4, 4, rows=6, tables=0, indexes=1, checks=1),
    phase("proof", 9, 2), phase("publish", 11, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        (ORDINARY, {"snapshot": 2, "census": 1, "load": 3, "indexes": 1, "proof": 2, "publish": 1, "between": 1}),
        ([phase("snapshot", 0, 1), phase("publish", 1, 1)], {"snapshot": 1, "publish": 1}),
        # two phases at once: each gets half of the time that they share
        (
            [phase("snapshot", 0, 1), phase("load", 1, 4), phase("proof", 3, 4), phase("publish", 7, 1)],
            {"snapshot": 1, "load": 3, "proof": 3, "publish": 1},
        ),
        # a phase that was gone through twice, and one that was over before the snapshot
        (
            [phase("schema", 0, 1), phase("snapshot", 1, 1), phase("census", 2, 1), phase("census", 3, 2),
             phase("publish", 5, 1)],
            {"snapshot": 1, "census": 3, "publish": 1},
        ),
        # what came after the publication is not in the window
        ([phase("snapshot", 0, 1), phase("publish", 1, 1), phase("evidence", 2, 5)], {"snapshot": 1, "publish": 1}),
        # a phase without time
        ([phase("snapshot", 0, 1), phase("load", 1, 0), phase("publish", 1, 1)], {"snapshot": 1, "publish": 1}),
    ],
)  # fmt: skip
def test_the_window_is_shared_out(phases: list[PhaseTime], expected: dict[str, float]) -> None:
    window = measure_window(phases)
    assert window is not None
    assert {part.name: part.elapsed_s for part in window.parts} == pytest.approx(expected)
    assert window.elapsed_s == pytest.approx(sum(expected.values()))


def test_without_a_publication_there_is_no_window_but_a_rehearsals() -> None:
    unpublished = ORDINARY[:-1]
    assert measure_window(unpublished) is None
    assert measure_window([]) is None
    assert measure_window(ORDINARY[1:]) is None
    rehearsed = measure_window(unpublished, is_rehearsal=True)
    assert rehearsed is not None
    assert rehearsed.started_s + rehearsed.elapsed_s == 11


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(RATES)), st.floats(0, 100), st.floats(0, 100)), max_size=12
    )
)  # fmt: skip
def test_parts_add_up_however_phases_lie(found: list[tuple[str, float, float]]) -> None:
    phases = [phase("snapshot", 1, 2), *(phase(name, start, took) for name, start, took in found)]
    window = measure_window([*phases, phase("publish", 50, 1)])
    assert window is not None
    assert sum(part.elapsed_s for part in window.parts) == pytest.approx(window.elapsed_s)
    assert all(part.elapsed_s > 0 for part in window.parts if part.name not in {"snapshot", "publish"})


@pytest.mark.parametrize(
    ("step_id", "name"),
    [
        ("data/table/customer", "rows"),
        ("pre-data/table/customer", "tables"),
        ("post-data/primary-key/customer_pkey", "indexes"),
        ("post-data/unique/customer_name", "indexes"),
        ("post-data/index/customer_name_idx", "indexes"),
        ("post-data/analyze/customer", "analyze"),
        ("post-data/foreign-key/a.b", "foreign keys"),
        ("post-data/view/v", "views"),
        ("snapshot/copy", "copy"),
        ("verify/customer", "rows"),
        ("schema/migration/app.0001", "migrations"),
        ("census/customer", ""),
        ("publish", ""),
        ("", ""),
    ],
)
def test_steps_are_parts_of_their_phase(step_id: str, name: str) -> None:
    assert name_part(step_id) == name


def test_phases_know_what_they_went_through() -> None:
    found = add_work(ORDINARY, source_bytes=7, work=WORK, loaded=(5, 50), proven=5)
    assert {p.name: (p.rows, p.size_bytes) for p in found} == {
        "snapshot": (0, 7), "census": (WORK.rows, WORK.size_bytes), "load": (5, 50), "proof": (5, WORK.size_bytes),
        "publish": (0, 0),
    }  # fmt: skip
    assert add_work(ORDINARY[:1], source_bytes=7, work=None, loaded=(0, 0), proven=0)[0].size_bytes == 7


# ---------------------------------------------------------------------------------------------------------------------
# How much there is to do

COLUMN = ColumnMap(source="a", target="a", pg_type="bigint", kind="int8", rule="integer")
PLAN = Plan(
    schema=PLAN_SCHEMA, liteferry_version="0", source="s", target_schema="public", staging_schema="x",
    creates_schema=False, steps=(),
    tables=(
        TableMap(source="a", target="a", columns=(COLUMN,) * 3, rows=100, size_bytes=1000, document_bytes=600),
        TableMap(source="b", target="b", columns=(COLUMN,), rows=10, size_bytes=50, document_bytes=20),
    ),
    objects=(
        PlannedObject(kind="table", name="a"),
        PlannedObject(kind="primary_key", name="a_pkey", table="a"),
        PlannedObject(kind="index", name="a_i", table="a"),
        PlannedObject(kind="unique", name="b_u", table="b"),
        PlannedObject(kind="foreign_key", name="b_f", table="b"),
    ),
)  # fmt: skip


def test_a_plan_is_weighed() -> None:
    assert weigh_plan(PLAN, source_bytes=4096) == Work(
        source_bytes=4096, tables=2, objects=4, steps=0, rows=110, values=310, size_bytes=1050,
        document_bytes=620, entries=210, references=10,
    )  # fmt: skip


def test_of_an_applications_schema_its_own_objects_are_weighed() -> None:
    held = TargetCatalog(
        schema="public", exists=True,
        tables=(
            TargetTable(
                name="a", oid=1, columns=(),
                constraints=(
                    TargetConstraint(name="p", kind="p", columns=("a",), definition_sql=""),
                    TargetConstraint(name="f", kind="f", columns=("a",), definition_sql=""),
                ),
                indexes=(
                    TargetIndex(
                        name="i", columns=("a",), descending=(False,), unique=False, partial=False, valid=True,
                        definition_sql="",
                    ),
                ),
            ),
            TargetTable(name="not in the plan", oid=2, columns=()),
        ),
    )  # fmt: skip
    found = weigh_plan(PLAN, source_bytes=0, held=held)
    assert (found.objects, found.entries, found.references) == (3, 200, 100)


# ---------------------------------------------------------------------------------------------------------------------
# What is expected


@pytest.mark.parametrize("into", INTO)
def test_the_same_again_takes_as_long(into: Into) -> None:
    parts = dict.fromkeys(list_phases(into), 1.5)
    forecast = predict_from_past(replace(PAST, parts=parts), WORK, Machine(), into=into)
    assert_sane(forecast)
    assert {phase.name: phase.likely_s for phase in forecast.phases} == pytest.approx(parts)
    low, high = SPREAD["rehearsal"]
    assert forecast.low_s == pytest.approx(forecast.likely_s * low)
    assert forecast.high_s > forecast.likely_s * high
    assert forecast.rehearsal == "r"


def test_twice_as_much_takes_up_to_twice_as_long() -> None:
    doubled = Work(**{item.name: 2 * getattr(WORK, item.name) for item in fields(Work)})
    once, twice = (predict_from_past(PAST, work, Machine()) for work in (WORK, doubled))
    for before, after in zip(once.phases, twice.phases, strict=True):
        assert before.likely_s < after.likely_s <= 2 * before.likely_s + 1e-9, before.name
    assert twice.likely_s > 1.8 * once.likely_s


def test_what_a_rehearsal_left_out_is_taken_from_the_rates() -> None:
    parts = {name: took for name, took in PARTS.items() if name not in {"publish", "proof", "analyze"}}
    forecast = predict_from_past(replace(PAST, parts=parts), WORK, Machine())
    assert_sane(forecast)
    assert {phase.name for phase in forecast.phases} == {*parts, "publish", "proof"}
    assert "proof" not in {
        phase.name for phase in predict_from_past(PAST, WORK, Machine(), verify=False).phases
    }  # fmt: skip


def test_phases_of_ones_own_stay_as_they_were() -> None:
    forecast = predict_from_past(replace(PAST, parts=PARTS | {"hooks": 3.0}), WORK, Machine())
    assert next(phase.likely_s for phase in forecast.phases if phase.name == "hooks") == 3.0


def test_phases_may_be_gone_through_more_often() -> None:
    once, twice = (predict_from_past(PAST, WORK, Machine(), times={"census": n}) for n in (1.0, 2.0))
    assert twice.likely_s - once.likely_s == pytest.approx(PARTS["census"])


FAR = replace(REFERENCE_SERVER, round_trip_s=0.05)
SLOW = replace(REFERENCE_SERVER, work_s=3 * REFERENCE_SERVER.work_s)
THIN = replace(REFERENCE_SERVER, transfer_bytes_s=1e6)


@pytest.mark.parametrize("speed", [FAR, SLOW, THIN])
def test_a_server_that_is_farther_slower_or_thinner_takes_longer(speed: ServerSpeed) -> None:
    near, far = (judge_machine(WORK, census_s=1.0, speed=found) for found in (REFERENCE_SERVER, speed))
    elsewhere = replace(PAST, is_same_server=False)
    pairs = (
        [predict_from_past(elsewhere, WORK, machine) for machine in (near, far)],
        [predict_from_rates(WORK, machine) for machine in (near, far)],
    )
    for before, after in pairs:
        assert_sane(after)
        assert after.likely_s > before.likely_s * 1.2
        took = {phase.name: phase.likely_s for phase in before.phases}
        assert all(phase.likely_s >= took[phase.name] for phase in after.phases)
        unmoved = [phase.name for phase in after.phases if phase.likely_s == took[phase.name]]
        assert {"snapshot", "census"} <= set(unmoved)
    # the same server's noise is not reckoned with
    assert predict_from_past(PAST, WORK, far) == predict_from_past(PAST, WORK, near)


def test_all_values_have_to_pass_the_network_twice() -> None:
    forecast = predict_from_rates(WORK, judge_machine(WORK, census_s=None, speed=THIN))
    took = {phase.name: phase.likely_s for phase in forecast.phases}
    assert took["load"] >= WORK.size_bytes / THIN.transfer_bytes_s
    assert took["proof"] >= WORK.size_bytes / THIN.transfer_bytes_s


def test_bounds_are_wider_the_less_is_known() -> None:
    def width(forecast: Forecast) -> float:
        return (forecast.high_s - forecast.low_s) / forecast.likely_s

    known = predict_from_past(PAST, WORK, Machine())
    elsewhere = predict_from_past(replace(PAST, is_same_server=False), WORK, Machine())
    guessed = predict_from_rates(WORK, Machine())
    assert width(known) < width(elsewhere) < width(guessed)


def test_a_slow_machine_is_judged_by_its_census() -> None:
    usual_s = next(p.likely_s for p in predict_from_rates(WORK, Machine()).phases if p.name == "census")
    assert judge_machine(WORK, census_s=usual_s).client == pytest.approx(1.0)
    assert 1.5 < judge_machine(WORK, census_s=2 * usual_s).client <= 2.0
    assert judge_machine(WORK, census_s=1000 * usual_s).client == 10
    assert judge_machine(WORK, census_s=None).client == 1.0
    little = Work(tables=1, rows=3, values=6)
    assert judge_machine(little, census_s=0.05).client < 1.2, "a census of three rows says nothing"


def test_what_was_measured_just_now_is_taken_as_it_is() -> None:
    forecast = predict_from_rates(WORK, Machine(), measured={"census": 4.0, "snapshot": 2.0, "drift": 9.0})
    took = {phase.name: phase.likely_s for phase in forecast.phases}
    assert (took["census"], took["snapshot"]) == (4.0, 2.0)
    assert "drift" not in took, "of a project alone"


def test_fewer_jobs_take_longer_and_one_transaction_has_one() -> None:
    one, two, many = (predict_from_rates(WORK, Machine(jobs=jobs)) for jobs in (1, 2, 64))
    assert one.likely_s > two.likely_s == many.likely_s
    assert predict_from_rates(WORK, Machine(jobs=1), into="existing") == predict_from_rates(
        WORK, Machine(jobs=4), into="existing"
    )
    assert predict_from_past(replace(PAST, jobs=2), WORK, Machine(jobs=1)).likely_s > sum(PARTS.values())


counts = st.integers(0, 10**9)
works = st.builds(Work, **{item.name: counts for item in fields(Work)})
machines = st.builds(
    Machine,
    client=st.floats(0.2, 10),
    server=st.floats(0.2, 10),
    jobs=st.integers(1, 64),
    speed=st.builds(
        ServerSpeed,
        round_trip_s=st.floats(0, 1),
        work_s=st.floats(1e-5, 10),
        transfer_bytes_s=st.floats(1e4, 1e10),
    ),
)


@given(works, st.sampled_from([item.name for item in fields(Work)]), counts, machines, st.sampled_from(INTO))
def test_more_to_do_never_takes_less_time(work: Work, name: str, more: int, machine: Machine, into: Into) -> None:
    grown = replace(work, **{name: getattr(work, name) + more})
    for past in (PAST, replace(PAST, is_same_server=False)):
        before, after = (predict_from_past(past, found, machine, into=into) for found in (work, grown))
        assert_sane(after)
        assert after.likely_s >= before.likely_s * (1 - 1e-12)
    before, after = (predict_from_rates(found, machine, into=into) for found in (work, grown))
    assert_sane(after)
    for earlier, later in zip(before.phases, after.phases, strict=True):
        assert later.likely_s >= earlier.likely_s
        assert later.low_s >= earlier.low_s
        assert later.high_s >= earlier.high_s


def test_no_rate_is_negative_and_shares_are_shares() -> None:
    for name, rate in RATES.items():
        figures = {item.name: getattr(rate, item.name) for item in fields(Rate) if item.name != "sends"}
        assert min(figures.values()) >= 0, name
        assert max(figures["server_share"], figures["parallel_share"]) <= 1, name
    assert all(low < 1 < high for low, high in SPREAD.values())


@pytest.mark.parametrize(("into", "has", "lacks"), [
    ("new", {"load", "indexes", "proof"}, {"schema", "evidence"}),
    ("existing", {"load", "proof"}, {"indexes", "schema", "evidence"}),
    ("django", {"load", "schema", "evidence"}, {"indexes"}),
])  # fmt: skip
def test_each_way_has_its_phases(into: Into, has: set[str], lacks: set[str]) -> None:
    names = set(list_phases(into))
    assert has <= names
    assert not lacks & names
    assert not {"proof", "evidence"} & set(list_phases(into, verify=False))
