"""Adds a row to each table whose keys the database gives, and prints the keys."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "values_site.settings")
django.setup()

from store.models import Letter, Moment, Price

made = [Letter.objects.create(name="new", slug="new"), Moment.objects.create(), Price.objects.create()]
json.dump({row._meta.db_table: row.pk for row in made}, sys.stdout)
