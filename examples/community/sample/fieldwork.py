"""Assessments with their needs, workshops and surveys; monitored entries with their money."""

import datetime as dt
from decimal import Decimal

from common.models import Province, Region
from mana.models import (
    Assessment,
    AssessmentCategory,
    AssessmentMember,
    MappingLayer,
    Need,
    NeedCategory,
    NeedVote,
    Survey,
    SurveyAnswer,
    SurveyQuestion,
    SurveyResponse,
    WorkshopActivity,
    WorkshopOutput,
    WorkshopParticipant,
)
from monitoring.models import (
    FundingFlow,
    FundingSource,
    IndicatorReading,
    MonitoringEntry,
    NeedAddressed,
    OutcomeIndicator,
    ProgressUpdate,
    Sector,
    WorkflowStage,
)
from sample.names import make_person, make_sentence
from sample.people import make_address, make_uuid
from sample.shapes import make_boundary


def fill_assessments(rng, counts, clock, users, communities):
    """Write assessments and what belongs to them: (assessments, needs, workshop activities)."""
    categories = list(AssessmentCategory.objects.order_by("pk"))
    provinces = list(Province.objects.defer("boundary_geojson").order_by("pk"))
    staff = users[: counts.staff]
    first_test = counts.assessments - counts.test_assessments
    assessments = Assessment.objects.bulk_create(
        Assessment(
            id=make_uuid(rng),
            title=("TEST " if number >= first_test else "") + make_sentence(rng, 4),
            category=rng.choice(categories),
            province=rng.choice([None, *provinces]),
            lead=rng.choice(staff),
            status=rng.choice(Assessment.Status.values),
            starts_on=clock.day(number * 200),
            ends_on=rng.choice([None, clock.day(number * 200 + 90)]) if number % 30 else None,
            budget=rng.choice([None, Decimal("250000.10")]),
            spent=Decimal(rng.randint(0, 10**9)).scaleb(-2),
            field_time=rng.choice([None, dt.timedelta(days=12, hours=5, microseconds=999999)]),
            is_test=number >= first_test,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.assessments)
    )
    link = Assessment.communities.through
    link.objects.bulk_create(
        link(assessment=assessment, community=community)
        for assessment in assessments
        for community in rng.sample(communities, 4)
    )
    AssessmentMember.objects.bulk_create(
        AssessmentMember(assessment=assessment, user=user, role=rng.choice(["", "Interviewer"]), days=Decimal("2.5"))
        for assessment in assessments
        for user in rng.sample(staff, 3)
    )
    needs = _fill_needs(rng, counts, clock, users, communities, assessments)
    activities = _fill_workshops(rng, counts, clock, users, assessments)
    _fill_surveys(rng, counts, clock, users, assessments, communities)
    MappingLayer.objects.bulk_create(
        MappingLayer(
            assessment=rng.choice([None, *assessments]),
            name=f"Layer {number}",
            features={
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "geometry": make_boundary((121.0, 6.0, 121.5, 6.5), 24, number),
                        "properties": {"name": "Réserve", "since": 1998},
                    }
                ],
            },
            opacity=number / 7,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(5)
    )
    return assessments, needs, activities


def _fill_needs(rng, counts, clock, users, communities, assessments):
    """Write needs and votes."""
    top = NeedCategory.objects.bulk_create(NeedCategory(name=name, colour="#3366aa") for name in ("Basic", "Social"))
    categories = NeedCategory.objects.bulk_create(
        NeedCategory(name=name, parent=top[number % 2], colour="#aa6633")
        for number, name in enumerate(("Water", "Education", "Roads", "Health"))
    )
    needs = Need.objects.bulk_create(
        Need(
            assessment=rng.choice([None, *assessments]),
            community=rng.choice(communities),
            category=rng.choice(categories),
            title=make_sentence(rng, 4),
            priority_score=rng.choice([None, rng.random() * 10, 1 / 3]),
            people_affected=rng.choice([0, rng.randint(1, 5000), 2_147_483_647]),
            estimated_cost=rng.choice([None, Decimal("0.00"), Decimal("98765.43")]),
            evidence=rng.choice([None, {"photos": 3}, "seen", 12, True]),
            tags=rng.sample(["urgent", "winter", "kids"], number % 3),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.medium)
    )
    link = Need.related.through
    link.objects.bulk_create(
        link(from_need=one, to_need=other) for one, other in zip(needs[::5], needs[1::5], strict=False)
    )
    NeedVote.objects.bulk_create(
        NeedVote(
            need=need,
            voter=voter,
            weight=rng.choice([-1, 1, 3]),
            cast_at=clock.at(number * 6),
            ip_address=make_address(rng, number),
        )
        for number, need in enumerate(needs)
        for voter in rng.sample(users, 2)
    )
    return needs


def _fill_workshops(rng, counts, clock, users, assessments):
    """Write workshop activities."""
    activities = WorkshopActivity.objects.bulk_create(
        WorkshopActivity(
            assessment=assessments[number % len(assessments)],
            title=make_sentence(rng, 4),
            method=rng.choice(WorkshopActivity.Method.values),
            day=1 + number % 5,
            on=clock.day(number * 33),
            starts=dt.time(8 + number % 9, 30),
            duration=dt.timedelta(hours=1.5, microseconds=number),
            is_test=assessments[number % len(assessments)].is_test,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.small)
    )
    link = WorkshopActivity.facilitators.through
    link.objects.bulk_create(link(workshopactivity=activity, user=rng.choice(users)) for activity in activities)
    WorkshopParticipant.objects.bulk_create(
        WorkshopParticipant(
            activity=rng.choice(activities),
            user=rng.choice([None, *users]),
            name=" ".join(make_person(rng)),
            age=rng.choice([None, rng.randint(15, 90)]),
            consent=rng.choice([True, False, None]),
        )
        for _ in range(counts.medium)
    )
    WorkshopOutput.objects.bulk_create(
        WorkshopOutput(
            activity=rng.choice(activities),
            kind=rng.choice(["text", "drawing"]),
            text=make_sentence(rng, 50),
            drawing=rng.choice([None, b"", rng.randbytes(64)]),
            recording=rng.choice(["", "workshops/a.ogg"]),
        )
        for _ in range(counts.small)
    )
    return activities


def _fill_surveys(rng, counts, clock, users, assessments, communities):
    """Write surveys with their questions and answers of every JSON type."""
    surveys = Survey.objects.bulk_create(
        Survey(
            assessment=rng.choice([None, *assessments]),
            title=f"Survey {number}",
            is_anonymous=number % 2 == 0,
            opens_at=clock.at(number),
            closes_at=rng.choice([None, clock.at(number + 500)]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(6)
    )
    questions = SurveyQuestion.objects.bulk_create(
        SurveyQuestion(
            survey=survey,
            text=make_sentence(rng),
            choices=rng.choice([None, ["yes", "no"], [1, 2, 3]]),
            is_required=position == 0,
            _order=position,
        )
        for survey in surveys
        for position in range(6)
    )
    responses = SurveyResponse.objects.bulk_create(
        SurveyResponse(
            id=make_uuid(rng),
            survey=rng.choice(surveys),
            respondent=rng.choice([None, *users]),
            municipality_id=rng.choice([None, rng.choice(communities).barangay.municipality_id]),
            submitted_at=clock.at(number * 13),
            score=rng.choice([None, Decimal(rng.randint(0, 9_999_999)).scaleb(-4)]),
        )
        for number in range(counts.medium)
    )
    answers = ["yes", 3, 2.5, True, None, ["a", "b"], {"other": "ñ"}, "", 0]
    SurveyAnswer.objects.bulk_create(
        SurveyAnswer(response=response, question=question, value=rng.choice(answers))
        for response in responses
        for question in questions
        if question.survey_id == response.survey_id
    )


def fill_entries(rng, counts, clock, users, organizations, communities, municipalities, needs, recommendations):
    """Write monitored entries and what belongs to them: the entries."""
    sectors = list(Sector.objects.order_by("pk"))
    regions = list(Region.objects.defer("boundary_geojson").order_by("pk"))
    entries = MonitoringEntry.objects.bulk_create(
        MonitoringEntry(
            id=make_uuid(rng),
            title=make_sentence(rng, 6),
            slug=f"entry-{number}",
            category=rng.choice(MonitoringEntry.Category.values),
            status=rng.choice(MonitoringEntry.Status.values),
            sector=rng.choice([None, *sectors]),
            lead=rng.choice([None, *organizations]),
            region=rng.choice([None, *regions]),
            recommendation=rng.choice([None, *recommendations]),
            starts_on=clock.day(number * 20),
            ends_on=rng.choice([None, clock.day(number * 20 + 400)]),
            budget=rng.choice([None, Decimal("0.10"), Decimal("999999999999.99"), Decimal(rng.randint(0, 10**9))]),
            cost_per_person=rng.choice([None, Decimal("12.34567891")]),
            progress=rng.randint(0, 100),
            is_public=rng.choice([True, False, None]),
            keywords=rng.sample(["road", "school", "water"], number % 3),
            raw_import=rng.choice([None, {"row": number, "sheet": "2023"}]),
            created_by=rng.choice([None, *users]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.entries)
    )
    for name, column, rows in (
        ("partners", "organization", organizations),
        ("communities", "community", communities),
        ("municipalities", "municipality", municipalities),
    ):
        link = getattr(MonitoringEntry, name).through
        link.objects.bulk_create(
            link(**{"monitoringentry": entry, column: row}) for entry in entries for row in rng.sample(rows, 2)
        )
    NeedAddressed.objects.bulk_create(
        NeedAddressed(entry=entry, need=rng.choice(needs), covered_percent=Decimal(rng.randint(0, 10000)).scaleb(-2))
        for entry in entries[::2]
    )
    _fill_money(rng, clock, users, entries)
    indicators = OutcomeIndicator.objects.bulk_create(
        OutcomeIndicator(code=f"I-{number}", name=make_sentence(rng, 4), unit=rng.choice(["", "people", "km²"]))
        for number in range(8)
    )
    link = OutcomeIndicator.sectors.through
    link.objects.bulk_create(link(outcomeindicator=indicator, sector=rng.choice(sectors)) for indicator in indicators)
    IndicatorReading.objects.bulk_create(
        IndicatorReading(
            entry=entry,
            indicator=indicators[number % len(indicators)],
            read_on=clock.day(number * 30),
            target=Decimal(rng.randint(1, 10**12)).scaleb(-5),
            actual=rng.choice([None, Decimal("0.00001")]),
            ratio=rng.choice([0.1 + 0.7, rng.random()]),
        )
        for number, entry in enumerate(entries)
    )
    return entries


def _fill_money(rng, clock, users, entries):
    """Write funds, updates and stages."""
    sources = FundingSource.objects.bulk_create(
        FundingSource(code=code, name=f"Fund {code}", is_foreign=code.startswith("F"))
        for code in ("GF-101", "GF-102", "F-JICA", "01")
    )
    FundingFlow.objects.bulk_create(
        FundingFlow(
            entry=entry,
            source=rng.choice([None, *sources]),
            kind=rng.choice(FundingFlow.Kind.values),
            amount=Decimal(rng.randint(-(10**10), 10**13)).scaleb(-2),
            cents=Decimal(rng.randint(0, 10**15)).scaleb(-2),
            moved_on=clock.day(number * 15),
            booked_at=rng.choice([None, clock.at(number * 15)]),
            reference=f"OR {number}" if number % 3 else None,
        )
        for number, entry in enumerate([*entries, *entries])
    )
    ProgressUpdate.objects.bulk_create(
        ProgressUpdate(
            entry=entry,
            author=rng.choice([None, *users]),
            text=make_sentence(rng, 25),
            progress=rng.randint(0, 100),
            attached=rng.choice([None, "", "progress/a.zip"]),
            written_at=clock.at(number * 3),
        )
        for number, entry in enumerate(entries)
    )
    WorkflowStage.objects.bulk_create(
        WorkflowStage(
            entry=entry,
            name=name,
            entered_at=clock.at(number + position * 100),
            lasted=rng.choice([None, dt.timedelta(days=position, seconds=1)]),
            _order=position,
        )
        for number, entry in enumerate(entries)
        for position, name in enumerate(("Proposed", "Funded", "Started"))
    )
