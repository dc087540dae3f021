"""Organizations, meetings with them, and agreements."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from common.fields import MoneyField, TagsField
from common.models import Municipality, SoftDeleted, TimeStamped


class Organization(SoftDeleted, TimeStamped):
    """An office, a company or an association that the office works with."""

    class Kind(models.TextChoices):
        """What it is."""

        AGENCY = "agency", "government agency"
        LOCAL = "local", "local government"
        NGO = "ngo", "non-governmental organization"
        SCHOOL = "school", "university or school"
        COMPANY = "company", "company"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, unique=True)
    acronym = models.CharField(max_length=20, blank=True)
    acronym_key = models.GeneratedField(
        expression=Lower("acronym"), output_field=models.CharField(max_length=20), db_persist=True
    )
    kind = models.CharField(max_length=10, choices=Kind)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="branches")
    municipality = models.ForeignKey(Municipality, models.SET_NULL, null=True, blank=True)
    email = models.EmailField(blank=True)
    website = models.URLField(max_length=300, blank=True)
    tags = TagsField(default=list, blank=True)
    founded_on = models.DateField(null=True, blank=True)
    is_partner = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("acronym"), condition=~Q(acronym=""), name="organization_unique_acronym"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="organization_not_its_own_parent"),
        ]

    def __str__(self):
        return self.acronym or self.name


class OrganizationContact(TimeStamped):
    """A person at an organization."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=150)
    email = models.EmailField(null=True, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        ordering = ["organization", "-is_primary", "name"]

    def __str__(self):
        return self.name


class EngagementType(models.Model):
    """A kind of meeting. The rows come from a migration."""

    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=80)
    needs_minutes = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return self.name


class Engagement(TimeStamped):
    """A meeting, with those who were there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    type = models.ForeignKey(EngagementType, models.RESTRICT)
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    took = models.DurationField(null=True, blank=True)
    venue = models.CharField(max_length=200, blank=True)
    follows = models.OneToOneField("self", models.SET_NULL, null=True, blank=True, related_name="followed_by")
    organizations = models.ManyToManyField(Organization, through="EngagementParticipation", related_name="engagements")
    minutes = models.FileField(upload_to="minutes/", null=True, blank=True)

    class Meta:
        ordering = ["-starts_at"]
        indexes = [models.Index(fields=["-starts_at"], name="engagement_recent")]

    def __str__(self):
        return self.title


class EngagementParticipation(models.Model):
    """An organization at a meeting, and who spoke for it."""

    engagement = models.ForeignKey(Engagement, models.CASCADE)
    organization = models.ForeignKey(Organization, models.CASCADE)
    speaker = models.ForeignKey(OrganizationContact, models.SET_NULL, null=True, blank=True)
    attended = models.BooleanField(null=True)

    class Meta:
        unique_together = [("engagement", "organization")]

    def __str__(self):
        return f"{self.organization} at {self.engagement}"


class ActionItem(models.Model):
    """What was promised at a meeting."""

    engagement = models.ForeignKey(Engagement, models.CASCADE, related_name="action_items")
    text = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        order_with_respect_to = "engagement"

    def __str__(self):
        return self.text[:60]


class Partnership(SoftDeleted, TimeStamped):
    """An agreement between organizations."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=255)
    reference = models.CharField(max_length=40, unique=True, null=True, blank=True)
    signatories = models.ManyToManyField(Organization, through="Signatory", related_name="partnerships")
    municipalities = models.ManyToManyField(Municipality, blank=True)
    signed_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    amount = MoneyField(null=True, blank=True)
    exchange_rate = models.DecimalField(max_digits=15, decimal_places=10, null=True, blank=True)
    document = models.FileField(upload_to="partnerships/", blank=True)

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title


class Signatory(models.Model):
    """An organization's part in an agreement."""

    partnership = models.ForeignKey(Partnership, models.CASCADE)
    organization = models.ForeignKey(Organization, models.PROTECT)
    share_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    signed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name_plural = "signatories"
        unique_together = [("partnership", "organization")]

    def __str__(self):
        return f"{self.organization} in {self.partnership}"


class PartnershipMilestone(models.Model):
    """A step that an agreement names."""

    partnership = models.ForeignKey(Partnership, models.CASCADE, related_name="milestones")
    title = models.CharField(max_length=200)
    due_on = models.DateField()
    reached_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["due_on", "id"]

    def __str__(self):
        return self.title


class Communication(models.Model):
    """A letter, a call or a message, to or from an organization."""

    class Channel(models.IntegerChoices):
        """How it came; kept as a number."""

        LETTER = 1, "letter"
        CALL = 2, "call"
        EMAIL = 3, "e-mail"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="communications")
    channel = models.PositiveSmallIntegerField(choices=Channel, default=Channel.LETTER)
    is_incoming = models.BooleanField()
    subject = models.CharField(max_length=255)
    body = models.TextField(blank=True)
    raw_message = models.BinaryField(null=True)
    logged_at = models.DateTimeField(db_default=Now())
    reply_to = models.ForeignKey("self", models.DO_NOTHING, null=True, blank=True, related_name="replies")

    class Meta:
        ordering = ["-logged_at", "-id"]

    def __str__(self):
        return self.subject
