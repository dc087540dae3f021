"""The application's configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class LiteferryConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """liteferry as an installed application."""

    name = "liteferry.django"
    label = "liteferry"
    verbose_name = "liteferry"

    def ready(self) -> None:
        """Have the system checks run."""
        from liteferry.django.checks import check_driver

        register(check_driver)
