"""The app's registration."""

from django.apps import AppConfig


class CommunitiesConfig(AppConfig):
    """Communities and what is known of each of them."""

    name = "communities"
    verbose_name = "Communities"
