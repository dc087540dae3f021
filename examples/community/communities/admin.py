"""The app in the admin."""

from django.contrib import admin

from communities.models import (
    Community,
    EthnicGroup,
    Hazard,
    HealthCentre,
    Leader,
    Livelihood,
    MunicipalityCoverage,
    School,
)

admin.site.register([EthnicGroup, Livelihood])


@admin.register(Community)
class CommunityAdmin(admin.ModelAdmin):
    """Community in the admin."""

    search_fields = ["name", "code"]
    raw_id_fields = ["barangay"]


@admin.register(MunicipalityCoverage)
class MunicipalityCoverageAdmin(admin.ModelAdmin):
    """MunicipalityCoverage in the admin."""

    raw_id_fields = ["municipality"]


@admin.register(Leader)
class LeaderAdmin(admin.ModelAdmin):
    """Leader in the admin."""

    search_fields = ["full_name"]
    raw_id_fields = ["community"]


@admin.register(School)
class SchoolAdmin(admin.ModelAdmin):
    """School in the admin."""

    raw_id_fields = ["community"]


@admin.register(HealthCentre)
class HealthCentreAdmin(admin.ModelAdmin):
    """HealthCentre in the admin."""

    raw_id_fields = ["community"]


@admin.register(Hazard)
class HazardAdmin(admin.ModelAdmin):
    """Hazard in the admin."""

    raw_id_fields = ["community"]
