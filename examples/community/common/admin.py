"""The app in the admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from common.models import (
    Barangay,
    CalendarBooking,
    CalendarResource,
    Municipality,
    Province,
    Region,
    StaffProfile,
    StaffTask,
    StaffTeam,
    User,
)

admin.site.register([CalendarResource, StaffProfile, StaffTask, StaffTeam])


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Users, with what this project adds."""

    fieldsets = (
        *UserAdmin.fieldsets,
        ("Community", {"fields": ["kind", "position", "phone", "home_municipality", "is_approved", "photo"]}),
    )
    raw_id_fields = ["home_municipality"]


@admin.register(Region, Province, Municipality, Barangay)
class PlaceAdmin(admin.ModelAdmin):
    """Places, without their long boundaries."""

    list_display = ["name", "code", "population", "is_active"]
    search_fields = ["name", "code"]
    exclude = ["boundary_geojson"]

    def get_queryset(self, request):
        """Leave the boundaries in the database."""
        return super().get_queryset(request).defer("boundary_geojson")


@admin.register(CalendarBooking)
class CalendarBookingAdmin(admin.ModelAdmin):
    """Bookings."""

    list_display = ["purpose", "resource", "starts_at", "status"]
    list_filter = ["status"]
    date_hierarchy = "starts_at"
