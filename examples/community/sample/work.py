"""What the office does: organizations, assessments, policies, monitored entries, projects."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

from django.db.models import F

from common.models import StaffTeam
from coordination.models import (
    ActionItem,
    Communication,
    Engagement,
    EngagementParticipation,
    EngagementType,
    Organization,
    OrganizationContact,
    Partnership,
    PartnershipMilestone,
    Signatory,
)
from policy_tracking.models import (
    Evidence,
    Impact,
    PolicyArea,
    PolicyComment,
    PolicyDocument,
    PolicyRecommendation,
    StatusChange,
)
from project_central.models import Alert, Budget, BudgetLine, Milestone, Project, Risk, TimeEntry
from sample.names import make_person, make_place_name, make_sentence
from sample.people import make_uuid


def fill_organizations(rng, counts, clock, users, municipalities):
    """Write organizations and everything around them: the organizations."""
    organizations = [
        Organization(
            id=make_uuid(rng),
            name=f"{make_place_name(rng)} {rng.choice(['Office', 'Council', 'Cooperative', 'Compañía'])} {number}",
            acronym=f"Org{number}" if number % 3 else "",
            kind=rng.choice(Organization.Kind.values),
            municipality=rng.choice([None, *municipalities[:30]]),
            email=f"office{number}@org.example" if number % 2 else "",
            website=f"https://org{number}.example/" if number % 4 else "",
            tags=rng.sample(["peace", "health", "youth", "wasser & luft"], number % 4),
            founded_on=rng.choice([None, dt.date(1872, 2, 29), dt.date(1990, 1, 1)]),
            is_partner=number % 2 == 0,
            is_deleted=number == 3,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.organizations)
    ]
    Organization.objects.bulk_create(organizations)
    for organization in organizations[4::4]:
        organization.parent = organizations[0]
    Organization.objects.bulk_update(organizations, ["parent"])
    contacts = OrganizationContact.objects.bulk_create(
        OrganizationContact(
            organization=organizations[number],
            name=" ".join(make_person(rng)),
            email=rng.choice([None, "", "contact@org.example"]),
            is_primary=True,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.contacts)
    )
    _fill_engagements(rng, counts, clock, users, organizations, contacts)
    _fill_partnerships(rng, counts, clock, organizations, municipalities)
    letters = Communication.objects.bulk_create(
        Communication(
            organization=rng.choice(organizations),
            channel=rng.choice(Communication.Channel.values),
            is_incoming=number % 2 == 0,
            subject=make_sentence(rng, 5),
            body=make_sentence(rng, 60),
            raw_message=rng.choice([None, b"", b"From: a\r\n\r\n\xff\xfe\x00"]),
            logged_at=clock.at(number * 20),
        )
        for number in range(counts.medium)
    )
    for letter in letters[1::2]:
        letter.reply_to = letters[0]
    Communication.objects.bulk_update(letters, ["reply_to"])
    return organizations


def _fill_engagements(rng, counts, clock, users, organizations, contacts):
    """Write meetings."""
    types = list(EngagementType.objects.order_by("pk"))
    engagements = Engagement.objects.bulk_create(
        Engagement(
            id=make_uuid(rng),
            type=rng.choice(types),
            title=make_sentence(rng, 4),
            starts_at=clock.at(number * 90),
            took=rng.choice([None, dt.timedelta(hours=2, minutes=30)]),
            venue=make_place_name(rng),
            minutes=rng.choice([None, "", f"minutes/{number}.pdf"]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.small)
    )
    for earlier, later in zip(engagements[::4], engagements[1::4], strict=False):
        later.follows = earlier
    Engagement.objects.bulk_update(engagements, ["follows"])
    EngagementParticipation.objects.bulk_create(
        EngagementParticipation(
            engagement=engagement,
            organization=organization,
            speaker=rng.choice([None, *contacts]),
            attended=rng.choice([True, False, None]),
        )
        for engagement in engagements
        for organization in rng.sample(organizations, 3)
    )
    ActionItem.objects.bulk_create(
        ActionItem(
            engagement=engagement,
            text=make_sentence(rng),
            owner=rng.choice([None, *users]),
            due_on=clock.day(number * 100),
            done_at=rng.choice([None, clock.at(number * 100)]),
            _order=position,
        )
        for number, engagement in enumerate(engagements)
        for position in range(2)
    )


def _fill_partnerships(rng, counts, clock, organizations, municipalities):
    """Write agreements."""
    partnerships = Partnership.objects.bulk_create(
        Partnership(
            id=make_uuid(rng),
            title=make_sentence(rng, 6),
            reference=f"MOA-{number:03d}" if number % 3 else None,
            signed_on=clock.day(number * 60),
            ends_on=rng.choice([None, dt.date(9999, 12, 31)]),
            amount=rng.choice([None, Decimal("0.01"), Decimal(rng.randint(0, 10**12)).scaleb(-2)]),
            exchange_rate=rng.choice([None, Decimal("56.1234567891")]),
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.small // 2)
    )
    link = Partnership.municipalities.through
    link.objects.bulk_create(
        link(partnership=partnership, municipality=municipality)
        for partnership in partnerships
        for municipality in rng.sample(municipalities, 2)
    )
    Signatory.objects.bulk_create(
        Signatory(
            partnership=partnership,
            organization=organization,
            share_percent=Decimal("33.33"),
            signed_by=" ".join(make_person(rng)),
        )
        for partnership in partnerships
        for organization in rng.sample(organizations, 3)
    )
    PartnershipMilestone.objects.bulk_create(
        PartnershipMilestone(
            partnership=partnership,
            title=make_sentence(rng, 3),
            due_on=clock.day(number * 300),
            reached_on=rng.choice([None, clock.day(number * 300)]),
        )
        for number, partnership in enumerate(partnerships)
    )


def fill_policies(rng, counts, clock, users, assessments, needs, communities, organizations):
    """Write recommendations and what belongs to them: the recommendations."""
    areas = list(PolicyArea.objects.order_by("pk"))
    first_test = counts.recommendations - counts.test_recommendations
    recommendations = PolicyRecommendation.objects.bulk_create(
        PolicyRecommendation(
            id=make_uuid(rng),
            number=f"PR-2024-{number:03d}",
            title=("TEST " if number >= first_test else "") + make_sentence(rng, 6),
            area=rng.choice(areas),
            status="draft" if number % 4 == 0 else rng.choice(["submitted", "approved", "in_force"]),
            body="\n\n".join(make_sentence(rng, 40) for _ in range(4)),
            author=rng.choice(users[: counts.staff]),
            submitted_on=None if number % 4 == 0 else clock.day(number * 50),
            estimated_cost=rng.choice([None, Decimal("1234567.89")]),
            keywords=rng.sample(["land", "peace", "school"], number % 3),
            is_test=number >= first_test,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.recommendations)
    )
    for name, column, rows in (
        ("assessments", "assessment", assessments),
        ("needs", "need", needs),
        ("communities", "community", communities),
    ):
        link = getattr(PolicyRecommendation, name).through
        link.objects.bulk_create(
            link(**{"policyrecommendation": recommendation, column: row})
            for recommendation in recommendations
            for row in rng.sample(rows, 2)
        )
    for number, recommendation in enumerate(recommendations):
        _fill_recommendation(rng, clock, users, organizations, number, recommendation)
    return recommendations


def _fill_recommendation(rng, clock, users, organizations, number, recommendation):
    """Write what belongs to one recommendation."""
    Evidence.objects.bulk_create(
        [
            Evidence(
                recommendation=recommendation,
                source=rng.choice([None, *organizations]),
                title=make_sentence(rng, 5),
                url=rng.choice([None, "", "https://evidence.example/?q=%20"]),
                collected_on=clock.day(number),
                strength=Decimal(rng.randint(0, 999)).scaleb(-2),
                data=rng.choice([None, {"n": 30, "p": 0.05}, [1, 2.5, "x", None]]),
            )
        ]
    )
    Impact.objects.bulk_create(
        [
            Impact(
                recommendation=recommendation,
                indicator=make_sentence(rng, 3),
                baseline=Decimal(rng.randint(-(10**12), 10**12)).scaleb(-6),
                measured=rng.choice([None, Decimal("0.000001")]),
                measured_at=clock.at(number),
            )
        ]
    )
    PolicyDocument.objects.bulk_create(
        [
            PolicyDocument(
                recommendation=recommendation,
                title=make_sentence(rng, 3),
                file=f"policy/2024/{number}.pdf",
                checksum=rng.choice([None, rng.randbytes(20)]),
                pages=rng.choice([None, number]),
            )
        ]
    )
    comment = PolicyComment(
        recommendation=recommendation, author=rng.choice(users), text=make_sentence(rng), posted_at=clock.at(number)
    )
    PolicyComment.objects.bulk_create([comment])
    PolicyComment.objects.bulk_create(
        [
            PolicyComment(
                recommendation=recommendation, parent=comment, text="Oui — sí — نعم", posted_at=clock.at(number + 1)
            )
        ]
    )
    StatusChange.objects.bulk_create(
        [
            StatusChange(
                recommendation=recommendation,
                new_status=recommendation.status,
                changed_by=rng.choice([None, *users]),
                changed_at=clock.at(number),
                waited=rng.choice([None, dt.timedelta(days=400, microseconds=1)]),
            )
        ]
    )


def fill_projects(rng, counts, clock, users, entries):
    """Write projects, and budgets whose sums SQLite adds up in binary: the projects."""
    team = StaffTeam.objects.order_by("pk").first()
    projects = Project.objects.bulk_create(
        Project(
            title=make_sentence(rng, 3),
            slug=f"project-{number}",
            phase=rng.choice(Project.Phase.values),
            owner=rng.choice(users[: counts.staff]),
            team=rng.choice([None, team]),
            starts_on=clock.day(number * 30),
            labour_cost=Decimal(rng.randint(0, 10**8)).scaleb(-2),
            material_cost=Decimal("0.10"),
            is_deleted=number == 5,
            created_at=clock.at(number),
            updated_at=clock.at(number),
        )
        for number in range(counts.small // 2)
    )
    for project in projects[1::3]:
        project.parent = projects[0]
    Project.objects.bulk_update(projects, ["parent"])
    link = Project.entries.through
    link.objects.bulk_create(link(project=project, monitoringentry=rng.choice(entries)) for project in projects)
    milestones = Milestone.objects.bulk_create(
        Milestone(project=project, title=make_sentence(rng, 3), due_on=clock.day(number * 70))
        for number, project in enumerate(projects)
    )
    link = Milestone.depends_on.through
    link.objects.bulk_create(
        link(from_milestone=later, to_milestone=earlier) for earlier, later in pairwise(milestones)
    )
    Risk.objects.bulk_create(
        Risk(
            project=project,
            text=make_sentence(rng),
            probability=rng.random(),
            cost=rng.choice([None, Decimal("-5.25")]),
            checklist=[{"done": False}],
        )
        for project in projects
    )
    TimeEntry.objects.bulk_create(
        TimeEntry(
            project=rng.choice(projects),
            user=rng.choice(users),
            day=clock.day(number * 12),
            spent=dt.timedelta(minutes=rng.randint(1, 600)),
            started_at=rng.choice([None, clock.time(number)]),
        )
        for number in range(counts.medium)
    )
    _fill_budgets(clock, projects)
    alerts = Alert.objects.bulk_create(
        Alert(
            project=rng.choice(projects) if number % 2 else None,
            entry=None if number % 2 else rng.choice(entries),
            level=rng.choice(Alert.Level.values),
            text=make_sentence(rng, 6),
            details={"limit": 0.9},
            raised_at=clock.at(number * 40),
        )
        for number in range(counts.small)
    )
    link = Alert.seen_by.through
    link.objects.bulk_create(link(alert=alert, user=rng.choice(users)) for alert in alerts)
    return projects


def _fill_budgets(clock, projects):
    """Write budgets; SQLite then holds sums like 0.30000000000000004, as it does in every project that adds so."""
    budgets = Budget.objects.bulk_create(
        Budget(
            project=project,
            year=year,
            ceiling=Decimal("999999999999.99"),
            is_final=year < 2024,
            approved_at=clock.at(number),
        )
        for number, project in enumerate(projects)
        for year in (2023, 2024)
    )
    BudgetLine.objects.bulk_create(
        BudgetLine(
            budget=budget,
            code=f"{code:02d}",
            allotted=Decimal("0.70"),
            spent=Decimal(code).scaleb(-1),
            rate=Decimal("1.100000"),
            cents_left=Decimal("-0.01"),
        )
        for budget in budgets
        for code in range(1, 4)
    )
    BudgetLine.objects.update(spent=F("spent") + Decimal("0.2"), allotted=F("allotted") + Decimal("0.1"))
