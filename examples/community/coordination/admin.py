"""The app in the admin."""

from django.contrib import admin

from coordination.models import Engagement, Organization, OrganizationContact, Partnership

admin.site.register([OrganizationContact, Engagement])


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin):
    """Organization in the admin."""

    search_fields = ["name", "acronym"]
    raw_id_fields = ["municipality"]


@admin.register(Partnership)
class PartnershipAdmin(admin.ModelAdmin):
    """Partnership in the admin."""

    raw_id_fields = ["municipalities"]
