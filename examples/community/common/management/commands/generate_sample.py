"""``manage.py generate_sample``: fill the database with made-up rows, clean or with dirt."""

import json
import time
from dataclasses import asdict

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from common.models import Barangay
from sample.dirt import KINDS, choose_kinds, plant_dirt
from sample.fill import fill_database


class Command(BaseCommand):
    """Fill a freshly migrated database."""

    help = "Fill a freshly migrated database with made-up rows: at scale 1 the size of a real office."

    def add_arguments(self, parser):
        """Say what can be chosen."""
        parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size, 0.02 is enough for tests")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same rows")
        parser.add_argument(
            "--dirt",
            nargs="*",
            metavar="NAME",
            help="afterwards plant dirt: these kinds, or all of them; on a database that is filled already, only this",
        )
        parser.add_argument("--list-dirt", action="store_true", help="print the kinds of dirt and stop")
        parser.add_argument("--json", action="store_true", help="print lists of dirt as JSON")

    def handle(self, *, scale, seed, dirt, list_dirt, **options):
        """Write the rows, and the dirt."""
        if list_dirt:
            self._print_kinds(as_json=options["json"])
            return
        kinds = self._choose(dirt)
        if not Barangay.objects.exists():
            self._fill(scale, seed)
        elif not kinds:
            raise CommandError("The database already holds places. Delete db.sqlite3, run migrate, and try again.")
        if kinds:
            self._print_planted(plant_dirt(connection, kinds), as_json=options["json"])

    def _choose(self, names):
        """The kinds of dirt that were asked for."""
        if names is None:
            return []
        if connection.vendor != "sqlite":
            raise CommandError("Dirt can only be planted in SQLite; unset DATABASE_URL.")
        try:
            return choose_kinds(names)
        except KeyError as error:
            raise CommandError(f"No such dirt: {error.args[0]}. See --list-dirt.") from error

    def _fill(self, scale, seed):
        """Write the rows and say how many there are."""
        started = time.perf_counter()
        fill_database(scale=scale, seed=seed)
        models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
        rows = sum(model._base_manager.count() for model in models if not model._meta.proxy)
        elapsed_s = time.perf_counter() - started
        self.stderr.write(f"{rows} rows in {elapsed_s:.1f} s. Log in as admin, password demo.")

    def _print_kinds(self, *, as_json):
        """Print every kind of dirt."""
        if as_json:
            self.stdout.write(json.dumps([asdict(kind) for kind in KINDS], indent=2))
            return
        for kind in KINDS:
            place = f"{kind.table}.{kind.column}" if kind.column else kind.table
            self.stdout.write(f"{kind.name:28}{place:55}{kind.what}{' (fits)' if kind.fits else ''}")

    def _print_planted(self, planted, *, as_json):
        """Print where the dirt went."""
        if as_json:
            self.stdout.write(json.dumps([asdict(one) for one in planted], indent=2))
            return
        for one in planted:
            place = f"{one.table}.{one.column}" if one.column else one.table
            self.stdout.write(f"{one.name:28}{place:55}{'' if one.key is None else one.key}")
