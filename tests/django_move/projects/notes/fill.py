"""Fill the database as people would have: through the ORM."""

import os
from datetime import UTC, datetime

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django  # noqa: E402 - the settings first

django.setup()

from django.contrib.auth.models import Permission, User  # noqa: E402 - the same
from django.contrib.contenttypes.models import ContentType  # noqa: E402 - the same
from django.contrib.sites.models import Site  # noqa: E402 - the same
from notes.models import Comment, Note, Tag  # noqa: E402 - the same

# the numbers of content types and permissions are others than those of a fresh database
ContentType.objects.filter(app_label="notes").delete()
for number in range(7):
    ContentType.objects.create(app_label="gone", model=f"gone{number}").delete()
from django.contrib.auth.management import create_permissions  # noqa: E402 - the same
from django.contrib.contenttypes.management import create_contenttypes  # noqa: E402 - the same
from django.apps import apps  # noqa: E402 - the same

ContentType.objects.clear_cache()
create_contenttypes(apps.get_app_config("notes"), verbosity=0)
create_permissions(apps.get_app_config("notes"), verbosity=0)
Site.objects.filter(pk=1).update(domain="notes.test", name="Notes")
Tag.objects.filter(word="first").update(word="erstens")
Tag.objects.filter(word="second").delete()
user = User.objects.create_user("ada", password="x")
user.user_permissions.add(Permission.objects.get(codename="add_note"))
notes = [
    Note.objects.create(
        writer=user, text=f"note {n} ä", written=datetime(2020, 1, n + 1, 12, 30, 0, 123456, UTC), facts={"n": n}
    )
    for n in range(20)
]
for note in notes[1:]:
    note.parent = notes[0]
    note.tags.add(Tag.objects.get(word="third"))
    note.save()
Comment.objects.create(about=notes[3], text="on a note")
Comment.objects.create(about=user, text="on a user")
Comment.objects.create(about=Tag.objects.get(word="erstens"), text="on a tag").delete()
