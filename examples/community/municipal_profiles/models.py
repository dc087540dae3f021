"""Statistics of each municipality, how they changed, and where they come from."""

from django.conf import settings
from django.db import models

from common.models import HistoryRow, Municipality, TimeStamped


class MunicipalityProfile(TimeStamped):
    """The statistics of one municipality."""

    municipality = models.OneToOneField(Municipality, models.CASCADE, related_name="profile")
    reported = models.JSONField(default=dict, blank=True)
    aggregated = models.JSONField(default=dict, blank=True)
    history_note = models.TextField(blank=True)
    is_locked = models.BooleanField(default=False)
    literacy_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)

    class Meta:
        ordering = ["municipality"]

    def __str__(self):
        return str(self.municipality)


class MunicipalityProfileHistory(HistoryRow):
    """A profile as it was at some time."""

    profile = models.ForeignKey(MunicipalityProfile, models.CASCADE, related_name="history")
    reported = models.JSONField(default=dict)
    aggregated = models.JSONField(default=dict)
    literacy_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)

    class Meta(HistoryRow.Meta):
        verbose_name_plural = "municipality profile histories"

    def __str__(self):
        return f"{self.profile} on {self.history_date:%Y-%m-%d}"


class ProfileSource(models.Model):
    """A publication that figures were taken from."""

    title = models.CharField(max_length=255)
    url = models.URLField(blank=True)
    published_on = models.DateField(null=True, blank=True)
    is_official = models.BooleanField(db_default=True)
    profiles = models.ManyToManyField(MunicipalityProfile, blank=True, related_name="sources")

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title


class ProfileSnapshot(models.Model):
    """A profile, compressed, as it was sent to somebody."""

    profile = models.ForeignKey(MunicipalityProfile, models.CASCADE, related_name="snapshots")
    packed = models.BinaryField()
    size_bytes = models.PositiveIntegerField()
    sent_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    taken_at = models.DateTimeField()

    class Meta:
        ordering = ["-taken_at", "id"]

    def __str__(self):
        return f"{self.profile} at {self.taken_at}"
