"""The history of the schema."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from common.models import Language, Region, ResourceKind
from communities.models import EthnicGroup, Livelihood
from conftest import PROJECT, manage
from mana.models import AssessmentCategory
from monitoring.models import Sector

OWN_APPS = [config.label for config in apps.get_app_configs() if Path(config.path).parent == PROJECT]


def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_there_is_a_history():
    found = {label: len(list((PROJECT / label / "migrations").glob("0*.py"))) for label in OWN_APPS}
    assert len(found) == 8
    assert min(found.values()) >= 5
    assert 60 <= sum(found.values()) <= 70


def test_a_squashed_migration_is_recorded_with_what_it_replaces():
    applied = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "municipal_profiles"}
    assert {"0001_squashed_0003_history", "0001_initial", "0002_aggregated", "0003_history"} <= applied


@pytest.mark.parametrize(
    ("model", "count"),
    [
        (Region, 4),
        (ResourceKind, 4),
        (Language, 6),
        (EthnicGroup, 5),
        (Livelihood, 13),
        (AssessmentCategory, 4),
        (Sector, 6),
    ],
)
def test_migrations_bring_rows(model, count):
    assert model.objects.count() == count


def test_every_model_has_its_table():
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor, include_views=True))
    models = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
    assert {model._meta.db_table for model in models} <= tables
    assert len(models) > 110


def test_what_only_one_engine_has():
    with connection.cursor() as cursor:
        indexes = connection.introspection.get_constraints(cursor, "audit_log")
    assert ("audit_changes_gin" in indexes) == (connection.vendor == "postgresql")


def test_the_history_can_be_undone_and_done_again(sqlite_file):
    manage(sqlite_file, "migrate", "project_central", "zero", "--verbosity", "0")
    assert manage(sqlite_file, "showmigrations", "project_central").count("[ ]") == 6
    manage(sqlite_file, "migrate", "--verbosity", "0")
    assert "[ ]" not in manage(sqlite_file, "showmigrations")
