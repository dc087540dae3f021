"""The app in the admin."""

from django.contrib import admin

from policy_tracking.models import Evidence, PolicyRecommendation

admin.site.register([Evidence])


@admin.register(PolicyRecommendation)
class PolicyRecommendationAdmin(admin.ModelAdmin):
    """PolicyRecommendation in the admin."""

    search_fields = ["number", "title"]
    raw_id_fields = ["communities", "needs"]
