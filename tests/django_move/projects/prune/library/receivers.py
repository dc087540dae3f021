"""What hears the signals: each writes to the database, or would break what reads from it."""

from typing import Any


def note(sender: Any, **_: Any) -> None:
    """Write down that something happened."""
    from library.models import Audit

    if sender is not Audit:
        Audit.objects.create(what=sender.__name__)


def look(sender: Any, **_: Any) -> None:
    """Count the objects that are made."""
    from library.models import Audit

    if sender.__name__ == "Author":
        Audit.objects.create(what="an author was looked at")


def use_wal(connection: Any, **_: Any) -> None:
    """Change the file's journal mode, as applications do."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
