"""The app in the admin."""

from django.contrib import admin

from project_central.models import Alert, Budget, BudgetLine, Project

admin.site.register([Budget, BudgetLine, Alert])


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Project in the admin."""

    search_fields = ["title"]
