"""The models: fields of our own, constraints, managers, what the database computes."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from common.models import (
    AccessLog,
    AuditLog,
    Barangay,
    CalendarBooking,
    Holiday,
    SiteSetting,
    StaffTask,
    StaffTeam,
    StaffTeamMembership,
    StaffUser,
    User,
)
from communities.models import Community, Facility, MunicipalitySummary, PopulationCount, School
from coordination.models import Organization, Partnership
from mana.models import Assessment
from monitoring.models import MonitoringEntry
from project_central.models import BudgetLine, Project


def test_money_is_kept_in_cents():
    partnership = Partnership.objects.create(title="A", amount=Decimal("12.34"))
    assert Partnership.objects.get(pk=partnership.pk).amount == Decimal("12.34")
    with connection.cursor() as cursor:
        cursor.execute("SELECT amount FROM coordination_partnership WHERE title = 'A'")
        assert cursor.fetchone() == (1234,)
    partnerships = Partnership.objects.filter(title="A")
    assert partnerships.aggregate(total=Sum("amount"))["total"] == Decimal("12.34")
    assert partnerships.filter(amount__gt=Decimal("12.33"), amount__lte="12.34").exists()


@pytest.mark.parametrize("tags", [[], ["one"], ["one", "two", "ñ"]])
def test_tags_are_kept_as_text(tags):
    organization = Organization.objects.create(name="Tagged", kind="ngo", tags=tags)
    assert Organization.objects.get(pk=organization.pk).tags == tags


def test_names_of_teams_sort_by_their_bytes():
    names = list(StaffTeam.objects.order_by("name").values_list("name", flat=True))
    assert names == sorted(names, key=str.encode) == ["Field Team", "office team", "Équipe rapide"]


def test_sums_in_sqlite_are_binary_and_django_reads_them_as_decimals():
    line = BudgetLine.objects.filter(code="01").first()
    assert line.spent == Decimal("0.30")
    with connection.cursor() as cursor:
        cursor.execute("SELECT spent FROM project_central_budgetline WHERE id = %s", [line.pk])
        (stored,) = cursor.fetchone()
    assert stored == (Decimal("0.30") if connection.vendor == "postgresql" else 0.30000000000000004)


def test_computed_columns():
    project = Project.objects.first()
    assert project.total_cost == project.labour_cost + project.material_cost
    count = PopulationCount.objects.first()
    assert count.total == count.women + count.men
    assert Organization.objects.exclude(acronym="").first().acronym_key.startswith("org")
    community = Community.objects.exclude(households=None).first()
    assert community.average_household == community.estimated_population / community.households


def test_hidden_rows_stay_in_the_database():
    community = Community.objects.first()
    community.hide()
    assert not Community.objects.filter(pk=community.pk).exists()
    assert Community.all_objects.get(pk=community.pk).deleted_at is not None


def test_saving_remembers_when():
    task = StaffTask.objects.first()
    before = task.updated_at
    task.priority = 9
    task.save(update_fields=["priority"])
    assert StaffTask.objects.get(pk=task.pk).updated_at > before


def test_a_school_is_a_facility_and_staff_are_users():
    school = School.objects.first()
    assert Facility.objects.get(pk=school.pk).name == school.name
    assert StaffUser.objects.count() == User.objects.filter(is_staff=True).count()


def test_the_view_counts_living_communities():
    assert sum(MunicipalitySummary.objects.values_list("communities", flat=True)) == Community.objects.count()


def test_generic_keys_lead_to_rows_of_any_model():
    targets = [booking.event for booking in CalendarBooking.objects.exclude(object_id=None)]
    assert targets
    assert None not in targets
    assert {type(entry.target) for entry in AuditLog.objects.all()} > {Community, MonitoringEntry}


def test_times_at_the_edges_come_back():
    times = [time for time in Holiday.objects.order_by("day").values_list("announced_at", flat=True) if time]
    assert times[0] == dt.datetime(1, 1, 2, 0, 0, 0, 1, tzinfo=dt.UTC)
    assert times[-1] == dt.datetime(9999, 12, 30, 12, 0, tzinfo=dt.UTC)


def test_json_null_is_not_null():
    assert SiteSetting.objects.get(key="nothing").value is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(value AS text) FROM \"site settings\" WHERE key = 'nothing'")
        assert cursor.fetchone() == ("null",)


def test_the_database_sets_defaults():
    entry = AccessLog.objects.create(ip_address="::1", path="/", status_code=200, took=dt.timedelta(microseconds=5))
    entry.refresh_from_db()
    assert abs(entry.happened_at - timezone.now()) < dt.timedelta(minutes=1)


def violate_range():
    Community.objects.update(poverty_percent=101)


def violate_order_of_times():
    CalendarBooking.objects.update(ends_at=F("starts_at"))


def violate_condition():
    assessment = Assessment.objects.first()
    Assessment.objects.filter(pk=assessment.pk).update(ends_on=assessment.starts_on - dt.timedelta(days=1))


def violate_unique_together():
    barangay = Barangay.objects.first()
    Barangay.objects.create(municipality=barangay.municipality, name=barangay.name, code="X")


def violate_conditional_unique():
    membership = StaffTeamMembership.objects.filter(left_on=None).first()
    StaffTeamMembership.objects.create(team=membership.team, user=membership.user, joined_on="2024-01-01")


def violate_unique_expression():
    StaffTeam.objects.create(name="FIELD TEAM", slug="other")


def violate_positive():
    Barangay.objects.update(population=-1)


def violate_unique_uuid():
    CalendarBooking.objects.update(reference=uuid.UUID(int=1))


@pytest.mark.parametrize(
    "violate",
    [
        violate_range,
        violate_order_of_times,
        violate_condition,
        violate_unique_together,
        violate_conditional_unique,
        violate_unique_expression,
        violate_positive,
        violate_unique_uuid,
    ],
)
def test_constraints_are_enforced(violate):
    with pytest.raises(IntegrityError), transaction.atomic():
        violate()
