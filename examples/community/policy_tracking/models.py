"""Policy recommendations, the evidence for them, and what became of them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.fields import MoneyField, TagsField
from common.models import TimeStamped
from communities.models import Community
from coordination.models import Organization
from mana.models import Assessment, Need


class PolicyArea(models.Model):
    """What a policy is about. The rows come from a migration."""

    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class PolicyRecommendation(TimeStamped):
    """What the office advises the government to do."""

    class Status(models.TextChoices):
        """How far it is."""

        DRAFT = "draft", "draft"
        SUBMITTED = "submitted", "submitted"
        APPROVED = "approved", "approved"
        IN_FORCE = "in_force", "in force"
        REJECTED = "rejected", "rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=30, unique=True)
    title = models.CharField(max_length=255)
    area = models.ForeignKey(PolicyArea, models.PROTECT, related_name="recommendations")
    status = models.CharField(max_length=10, choices=Status, db_default="draft")
    body = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="recommendations")
    assessments = models.ManyToManyField(Assessment, blank=True, related_name="recommendations")
    needs = models.ManyToManyField(Need, blank=True, related_name="recommendations")
    communities = models.ManyToManyField(Community, blank=True, related_name="recommendations")
    submitted_on = models.DateField(null=True, blank=True)
    estimated_cost = MoneyField(null=True, blank=True)
    keywords = TagsField(default=list, blank=True)
    is_test = models.BooleanField(default=False, help_text="Made while trying things out; may be pruned")

    class Meta:
        ordering = ["-submitted_on", "number"]
        permissions = [("submit_recommendation", "Can submit to the government")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(submitted_on__isnull=False), name="recommendation_submitted_has_date"
            )
        ]

    def __str__(self):
        return f"{self.number}: {self.title}"


class Evidence(models.Model):
    """What supports a recommendation."""

    recommendation = models.ForeignKey(PolicyRecommendation, models.CASCADE, related_name="evidence")
    source = models.ForeignKey(Organization, models.SET_NULL, null=True, blank=True)
    title = models.CharField(max_length=255)
    url = models.URLField(max_length=400, null=True, blank=True)
    collected_on = models.DateField(null=True, blank=True)
    strength = models.DecimalField(max_digits=3, decimal_places=2, default=0)
    data = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["-strength", "id"]
        verbose_name_plural = "evidence"

    def __str__(self):
        return self.title


class Impact(models.Model):
    """What a recommendation changed, in numbers."""

    recommendation = models.ForeignKey(PolicyRecommendation, models.CASCADE, related_name="impacts")
    indicator = models.CharField(max_length=120)
    baseline = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    measured = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["indicator", "id"]

    def __str__(self):
        return self.indicator


class PolicyDocument(models.Model):
    """A file that belongs to a recommendation."""

    recommendation = models.ForeignKey(PolicyRecommendation, models.CASCADE, related_name="documents")
    title = models.CharField(max_length=200)
    file = models.FileField(upload_to="policy/%Y/")
    checksum = models.BinaryField(null=True, blank=True)
    pages = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self):
        return self.title


class PolicyComment(models.Model):
    """A remark, or an answer to one."""

    recommendation = models.ForeignKey(PolicyRecommendation, models.CASCADE, related_name="comments")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="answers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    text = models.TextField()
    posted_at = models.DateTimeField()

    class Meta:
        ordering = ["posted_at", "id"]

    def __str__(self):
        return self.text[:60]


class StatusChange(models.Model):
    """A step of a recommendation."""

    recommendation = models.ForeignKey(PolicyRecommendation, models.CASCADE, related_name="status_changes")
    old_status = models.CharField(max_length=10, blank=True)
    new_status = models.CharField(max_length=10)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    changed_at = models.DateTimeField()
    waited = models.DurationField(null=True, blank=True)

    class Meta:
        ordering = ["changed_at", "id"]
        get_latest_by = "changed_at"

    def __str__(self):
        return f"{self.old_status} → {self.new_status}"
