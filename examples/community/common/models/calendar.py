"""What can be booked, and who has booked it when."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q

from common.models.base import TimeStamped


class ResourceKind(models.Model):
    """A kind of thing that can be booked. The rows come from a migration."""

    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(max_length=30, unique=True)
    name = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class CalendarResource(TimeStamped):
    """A room, a vehicle, a projector."""

    kind = models.ForeignKey(ResourceKind, models.PROTECT, related_name="resources")
    name = models.CharField(max_length=200)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    cost_per_use = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    opens_at = models.TimeField(null=True, blank=True)
    closes_at = models.TimeField(null=True, blank=True)
    is_available = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class CalendarBooking(TimeStamped):
    """A resource taken for some time, perhaps for an event that any app may define."""

    class Status(models.TextChoices):
        """Whether somebody agreed."""

        PENDING = "pending", "pending"
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"

    resource = models.ForeignKey(CalendarResource, models.CASCADE, related_name="bookings")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="bookings")
    attendees = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="invitations")
    content_type = models.ForeignKey(ContentType, models.SET_NULL, null=True, blank=True)
    object_id = models.CharField(max_length=64, null=True, blank=True)
    event = GenericForeignKey("content_type", "object_id")
    purpose = models.CharField(max_length=200, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    reminder_before = models.DurationField(null=True, blank=True)
    reference = models.UUIDField(unique=True)

    class Meta:
        ordering = ["starts_at", "id"]
        permissions = [("approve_booking", "Can approve bookings")]
        indexes = [models.Index(fields=["resource", "starts_at"], name="booking_resource_start")]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="booking_ends_after_start")]

    def __str__(self):
        return self.purpose or str(self.reference)


class Holiday(models.Model):
    """A day on which nothing can be booked, and other days that people remember, however long ago."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=120)
    is_yearly = models.BooleanField(default=False)
    announced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["day"]

    def __str__(self):
        return f"{self.day}: {self.name}"
