"""The application, with receivers that write rows."""

import os

from django.apps import AppConfig


class LibraryConfig(AppConfig):
    """Connects what must not be heard while rows are pruned."""

    name = "library"

    def ready(self) -> None:
        """Connect the receivers."""
        if os.environ.get("PRUNE_QUIET"):
            return
        from django.db.backends.signals import connection_created
        from django.db.models import signals

        from library import receivers

        for signal in (signals.pre_delete, signals.post_delete, signals.post_save):
            signal.connect(receivers.note)
        signals.post_init.connect(receivers.look)
        connection_created.connect(receivers.use_wal)
