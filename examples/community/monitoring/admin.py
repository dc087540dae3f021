"""The app in the admin."""

from django.contrib import admin

from monitoring.models import FundingFlow, MonitoringEntry, OutcomeIndicator

admin.site.register([FundingFlow, OutcomeIndicator])


@admin.register(MonitoringEntry)
class MonitoringEntryAdmin(admin.ModelAdmin):
    """MonitoringEntry in the admin."""

    search_fields = ["title"]
    raw_id_fields = ["communities", "municipalities"]
