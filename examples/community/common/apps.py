"""The app's registration."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Places, people, the calendar and the logs that every other app uses."""

    name = "common"
    verbose_name = "Common"

    def ready(self):
        """Connect the signals that write the audit log."""
        from common import signals

        signals.connect()
