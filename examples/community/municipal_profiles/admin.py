"""The app in the admin."""

from django.contrib import admin

from municipal_profiles.models import MunicipalityProfile, ProfileSource


@admin.register(MunicipalityProfile)
class MunicipalityProfileAdmin(admin.ModelAdmin):
    """MunicipalityProfile in the admin."""

    raw_id_fields = ["municipality"]


@admin.register(ProfileSource)
class ProfileSourceAdmin(admin.ModelAdmin):
    """ProfileSource in the admin."""

    raw_id_fields = ["profiles"]
