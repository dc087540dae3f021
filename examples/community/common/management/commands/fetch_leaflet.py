"""``manage.py fetch_leaflet``: fetch the map library from npm; it is no part of this repository."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

WANTED = "package/dist/"


class Command(BaseCommand):
    """Fetch Leaflet with ``npm pack`` and put its files beside the app's own static files."""

    help = "Fetch Leaflet from npm for the map page."

    def add_arguments(self, parser):
        """Say what can be chosen."""
        parser.add_argument("--release", default="1.9.4", help="the release of Leaflet")

    def handle(self, *, release, **options):  # noqa: ARG002 - the signature is Django's
        """Fetch and unpack."""
        npm = shutil.which("npm")
        if npm is None:
            raise CommandError("npm is not installed; it fetches Leaflet.")
        target = Path(apps.get_app_config("common").path) / "static" / "common" / "leaflet"
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(  # noqa: S603 - npm as found on PATH, with a release that was typed here
                [npm, "pack", "--silent", f"leaflet@{release}"],
                cwd=directory,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise CommandError(f"npm could not fetch leaflet@{release}: {done.stderr.strip()}")
            self._unpack(Path(directory) / done.stdout.strip(), target)
        self.stdout.write(f"Leaflet {release} is in {target}")

    def _unpack(self, archive, target):
        """Write the files of the distribution, and nothing else, below ``target``."""
        with tarfile.open(archive) as package:
            for member in package:
                if member.isfile() and member.name.startswith(WANTED):
                    path = target / member.name.removeprefix(WANTED)
                    if not path.resolve().is_relative_to(target.resolve()):
                        raise CommandError(f"{archive.name} holds a file outside itself: {member.name}")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(package.extractfile(member).read())
