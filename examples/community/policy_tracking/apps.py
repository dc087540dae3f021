"""The app's registration."""

from django.apps import AppConfig


class PolicyTrackingConfig(AppConfig):
    """Policy recommendations and what became of them."""

    name = "policy_tracking"
    verbose_name = "Policy tracking"
