"""See to it that the application's own code stands still while its models are used."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator, List

from django.apps import apps
from django.db import connections
from django.db.models import Model
from django.dispatch import Signal

from .dangling import quote

_METHODS = ("__init__", "__eq__", "__hash__", "refresh_from_db")


def silence_application() -> None:
    """Take the receivers from Django's signals, and from the models what they do when a row becomes an object.

    This process does nothing else: nothing is put back.
    """
    import django.db.backends.signals
    import django.db.models.signals

    for module in (django.db.models.signals, django.db.backends.signals):
        for signal in vars(module).values():
            if isinstance(signal, Signal):
                signal.receivers = []
                signal.sender_receivers_cache.clear()
    for model in apps.get_models(include_auto_created=True, include_swapped=True):
        for name in _METHODS:
            setattr(model, name, getattr(Model, name))
        model.from_db = classmethod(Model.from_db.__func__)
    _make_no_content_types()


def _make_no_content_types() -> None:
    """Let Django find no content type where it would make one: the copy gets no row that was not there."""
    if not apps.is_installed("django.contrib.contenttypes"):
        return
    from django.contrib.contenttypes.models import ContentType, ContentTypeManager

    def get_or_create(self: Any, **names: Any) -> Any:  # noqa: ARG001 - a method's signature
        return ContentType(id=-1, **names), False

    ContentTypeManager.get_or_create = get_or_create


def open_copy(path: str, alias: str, aliases: List[str]) -> Any:
    """Connect to our copy, and have this thread reach it by these aliases; other threads go on without it."""
    from django.db.backends.sqlite3.base import DatabaseWrapper

    entry = connections.configure_settings(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "ATOMIC_REQUESTS": False}}
    )["default"]
    connection = DatabaseWrapper(entry, alias)
    for name in {alias, *aliases}:
        connections[name] = connection
    return connection


@contextmanager
def without_triggers(connection: Any) -> Iterator[None]:
    """Take the file's triggers away, within a transaction, and make them again as they were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute("DROP TRIGGER main.%s" % quote(name))
    yield
    with connection.cursor() as cursor:
        for _, sql in triggers:
            cursor.execute(sql)
