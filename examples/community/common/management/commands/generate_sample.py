"""``manage.py generate_sample``: fill the database with made-up rows."""

import time

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from common.models import Barangay
from sample import fill_database


class Command(BaseCommand):
    """Fill a freshly migrated database."""

    help = "Fill a freshly migrated database with made-up rows: at scale 1 the size of a real office."

    def add_arguments(self, parser):
        """Say what can be chosen."""
        parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size, 0.02 is enough for tests")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same rows")

    def handle(self, *, scale, seed, **options):
        """Write the rows."""
        if Barangay.objects.exists():
            raise CommandError("The database already holds places. Delete db.sqlite3, run migrate, and try again.")
        started = time.perf_counter()
        fill_database(scale=scale, seed=seed)
        models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
        rows = sum(model._base_manager.count() for model in models if not model._meta.proxy)
        self.stdout.write(f"{rows} rows in {time.perf_counter() - started:.1f} s. Log in as admin, password demo.")
