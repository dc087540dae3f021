"""What generate_sample writes."""

import sqlite3

from django.apps import apps
from django.db import connection
from django.db.models import Q

from common.models import AuditLog, Barangay, CalendarBooking, ChatMessage, Municipality, Province, User
from communities.models import Community, CommunityHistory, MunicipalityCoverage
from conftest import SCALE, manage
from coordination.models import Organization, OrganizationContact
from mana.models import Assessment, WorkshopActivity
from monitoring.models import MonitoringEntry
from municipal_profiles.models import MunicipalityProfileHistory
from policy_tracking.models import PolicyRecommendation
from sample.counts import Counts, scale_counts


def test_the_full_size_is_that_of_a_real_office():
    full = scale_counts(1)
    assert full == Counts()
    assert (full.provinces, full.municipalities, full.barangays) == (24, 282, 6_598)
    assert (full.community_histories, full.profile_histories, full.audit_entries) == (6_627, 6_602, 9_266)


def test_every_count_is_kept(counts):
    written = {
        Province: counts.provinces,
        Municipality: counts.municipalities,
        Barangay: counts.barangays,
        User: counts.users,
        CommunityHistory: counts.community_histories,
        MunicipalityCoverage: counts.municipalities,
        MunicipalityProfileHistory: counts.profile_histories,
        AuditLog: counts.audit_entries,
        CalendarBooking: counts.bookings,
        ChatMessage: counts.messages,
        MonitoringEntry: counts.entries,
        Organization: counts.organizations,
        OrganizationContact: counts.contacts,
        Assessment: counts.assessments,
        PolicyRecommendation: counts.recommendations,
    }
    assert {model: model._base_manager.count() for model in written} == written
    assert Community.all_objects.count() == counts.barangays > Community.objects.count()
    assert User.objects.filter(is_superuser=True).count() == counts.superusers
    assert User.objects.filter(is_staff=True).count() == counts.staff


def test_no_table_is_empty():
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    assert [model._meta.label for model in models if not model._base_manager.exists()] == []


def test_no_reference_is_broken():
    connection.check_constraints()


def test_there_is_something_to_prune(counts):
    tests = Assessment.objects.filter(is_test=True)
    assert tests.count() == counts.test_assessments
    assert PolicyRecommendation.objects.filter(is_test=True).count() == counts.test_recommendations
    assert WorkshopActivity.objects.filter(Q(is_test=True) & Q(assessment__in=tests)).exists()


def test_the_same_seed_writes_the_same_rows(migrated_file, tmp_path):
    dumps = []
    for name, seed in (("one", "7"), ("two", "7"), ("three", "8")):
        path = tmp_path / name
        path.write_bytes(migrated_file.read_bytes())
        manage(path, "generate_sample", "--scale", str(SCALE), "--seed", seed)
        with sqlite3.connect(path) as file:
            dumps.append(list(file.iterdump()))
        file.close()
    assert dumps[0] == dumps[1]
    assert dumps[0] != dumps[2]


def test_a_filled_database_is_left_alone(sqlite_file):
    manage(sqlite_file, "generate_sample", "--scale", str(SCALE))
    assert "already holds places" in manage(sqlite_file, "generate_sample", "--scale", str(SCALE), ok=False)
