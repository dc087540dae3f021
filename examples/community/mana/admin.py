"""The app in the admin."""

from django.contrib import admin

from mana.models import Assessment, Need, Survey, WorkshopActivity

admin.site.register([WorkshopActivity, Survey])


@admin.register(Assessment)
class AssessmentAdmin(admin.ModelAdmin):
    """Assessment in the admin."""

    search_fields = ["title"]
    raw_id_fields = ["communities"]


@admin.register(Need)
class NeedAdmin(admin.ModelAdmin):
    """Need in the admin."""

    raw_id_fields = ["community"]
