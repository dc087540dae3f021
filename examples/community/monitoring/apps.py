"""The app's registration."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Programmes and projects of other offices that are monitored."""

    name = "monitoring"
    verbose_name = "Monitoring"
