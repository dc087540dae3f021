"""The app's registration."""

from django.apps import AppConfig


class MunicipalProfilesConfig(AppConfig):
    """Statistics of each municipality, with their history."""

    name = "municipal_profiles"
    verbose_name = "Municipal profiles"
