"""Prints every row of every model as the ORM gives it: model, key and repr of each value, one JSON array."""

import json
import os
import sys
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "values_site.settings")
django.setup()

from django.apps import apps  # noqa: E402 - the applications must be loaded first


def level(value):
    """JSON by value: jsonb keeps neither the order of keys nor how a number was written (1E2 becomes 100)."""
    if isinstance(value, dict):
        return {key: level(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [level(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def spell(value):
    if isinstance(value, (dict, list)):
        value = level(value)
    if isinstance(value, memoryview):
        value = bytes(value)
    if isinstance(value, datetime):  # of a local time that was twice, only one that is read of PostgreSQL has a fold
        value = value.astimezone(UTC) if value.tzinfo is not None else value.replace(fold=0)
    if isinstance(value, float):
        return value.hex()
    return repr(value)


rows = []
for model in apps.get_models(include_auto_created=True):
    for row in model.objects.order_by("pk"):
        values = {field.name: spell(getattr(row, field.attname)) for field in model._meta.concrete_fields}
        rows.append([model._meta.label, spell(row.pk), values])
json.dump(rows, sys.stdout)
