"""The app's registration."""

from django.apps import AppConfig


class ProjectCentralConfig(AppConfig):
    """The office's own projects, budgets and alerts."""

    name = "project_central"
    verbose_name = "Project central"
