"""The app's registration."""

from django.apps import AppConfig


class ManaConfig(AppConfig):
    """Mapping and needs assessment: assessments, needs, workshops, surveys."""

    name = "mana"
    verbose_name = "Mapping and needs assessment"
