"""The app's registration."""

from django.apps import AppConfig


class CoordinationConfig(AppConfig):
    """Organizations, meetings and partnerships."""

    name = "coordination"
    verbose_name = "Coordination"
