"""Programmes and projects of other offices, their money, and what came of them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.fields import MoneyField, TagsField
from common.models import Municipality, Region, TimeStamped
from communities.models import Community
from coordination.models import Organization
from mana.models import Need
from policy_tracking.models import PolicyRecommendation


class Sector(models.Model):
    """A part of public life. The rows come from a migration."""

    id = models.SmallAutoField(primary_key=True)
    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["code"]

    def __str__(self):
        return self.name


class MonitoringEntry(TimeStamped):
    """A programme, project or activity that is watched."""

    class Category(models.TextChoices):
        """Whose it is."""

        MINISTRY = "ministry", "a ministry's"
        OFFICE = "office", "our own"
        REQUEST = "request", "asked for by a community"

    class Status(models.TextChoices):
        """How far it is."""

        PLANNING = "planning", "planning"
        ONGOING = "ongoing", "ongoing"
        COMPLETED = "completed", "completed"
        ON_HOLD = "on_hold", "on hold"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=255)
    slug = models.SlugField(max_length=80, unique=True)
    category = models.CharField(max_length=10, choices=Category)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNING)
    sector = models.ForeignKey(Sector, models.SET_NULL, null=True, blank=True, related_name="entries")
    lead = models.ForeignKey(Organization, models.SET_NULL, null=True, blank=True, related_name="led_entries")
    partners = models.ManyToManyField(Organization, blank=True, related_name="entries")
    communities = models.ManyToManyField(Community, blank=True, related_name="entries")
    municipalities = models.ManyToManyField(Municipality, blank=True, related_name="entries")
    region = models.ForeignKey(Region, models.PROTECT, null=True, blank=True)
    recommendation = models.ForeignKey(PolicyRecommendation, models.SET_NULL, null=True, blank=True)
    needs = models.ManyToManyField(Need, through="NeedAddressed", blank=True, related_name="entries")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    budget = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    cost_per_person = models.DecimalField(max_digits=18, decimal_places=8, null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    is_public = models.BooleanField(null=True, blank=True)
    keywords = TagsField(default=list, blank=True)
    raw_import = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name_plural = "monitoring entries"
        ordering = ["-starts_on", "id"]
        indexes = [models.Index(fields=["status", "category"], include=["progress"], name="entry_status")]
        constraints = [
            models.CheckConstraint(condition=Q(progress__lte=100), name="entry_progress_percent"),
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0), name="entry_budget_not_negative"
            ),
        ]

    def __str__(self):
        return self.title


class NeedAddressed(models.Model):
    """How much of a need an entry covers."""

    entry = models.ForeignKey(MonitoringEntry, models.CASCADE)
    need = models.ForeignKey(Need, models.CASCADE)
    covered_percent = models.DecimalField(max_digits=5, decimal_places=2, default=100)

    class Meta:
        verbose_name_plural = "needs addressed"
        unique_together = [("entry", "need")]

    def __str__(self):
        return f"{self.need}: {self.covered_percent} %"


class FundingSource(models.Model):
    """Where money comes from."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=120)
    is_foreign = models.BooleanField(default=False)

    class Meta:
        ordering = ["code"]

    def __str__(self):
        return self.name


class FundingFlow(models.Model):
    """Money that moved."""

    class Kind(models.TextChoices):
        """Which way."""

        ALLOCATION = "A", "allocation"
        OBLIGATION = "O", "obligation"
        EXPENSE = "E", "expense"

    entry = models.ForeignKey(MonitoringEntry, models.CASCADE, related_name="funding_flows")
    source = models.ForeignKey(FundingSource, models.PROTECT, null=True, blank=True)
    kind = models.CharField(max_length=1, choices=Kind)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    cents = MoneyField(default=0)
    moved_on = models.DateField()
    booked_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=60, unique=True, null=True, blank=True)

    class Meta:
        ordering = ["moved_on", "id"]

    def __str__(self):
        return f"{self.get_kind_display()} of {self.amount}"


class ProgressUpdate(models.Model):
    """What somebody wrote about an entry."""

    entry = models.ForeignKey(MonitoringEntry, models.CASCADE, related_name="updates")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    text = models.TextField()
    progress = models.PositiveSmallIntegerField()
    attached = models.FileField(upload_to="progress/", null=True, blank=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["-written_at", "-id"]

    def __str__(self):
        return self.text[:60]


class WorkflowStage(models.Model):
    """A stage that an entry passed."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(MonitoringEntry, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=60)
    entered_at = models.DateTimeField()
    lasted = models.DurationField(null=True, blank=True)

    class Meta:
        order_with_respect_to = "entry"

    def __str__(self):
        return self.name


class OutcomeIndicator(models.Model):
    """Something that can be counted."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=30, blank=True)
    sectors = models.ManyToManyField(Sector, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self):
        return self.name


class IndicatorReading(models.Model):
    """A count, on a day."""

    entry = models.ForeignKey(MonitoringEntry, models.CASCADE, related_name="readings")
    indicator = models.ForeignKey(OutcomeIndicator, models.PROTECT)
    read_on = models.DateField()
    target = models.DecimalField(max_digits=15, decimal_places=5)
    actual = models.DecimalField(max_digits=15, decimal_places=5, null=True, blank=True)
    ratio = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["read_on", "id"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "indicator", "read_on"], name="indicator_once_a_day"),
            models.CheckConstraint(condition=~Q(target=F("actual")) | Q(ratio__isnull=False), name="indicator_ratio"),
        ]

    def __str__(self):
        return f"{self.indicator} on {self.read_on}"
