from django.conf import settings
from django.db import models


class Tag(models.Model):
    label = models.CharField(max_length=40, unique=True)


class CalendarResource(models.Model):
    title = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    seats = models.PositiveIntegerField(default=1)
    opens = models.TimeField(null=True)
    details = models.JSONField(default=dict)
    cost_per_use = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    tags = models.ManyToManyField(Tag)
    active = models.BooleanField(default=True)


class Booking(models.Model):
    resource = models.ForeignKey(CalendarResource, on_delete=models.CASCADE)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    remark = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="booking_price_not_negative"),
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="booking_ends_after_start"),
            models.UniqueConstraint(fields=["resource", "starts"], name="booking_once"),
            models.UniqueConstraint(fields=["resource"], condition=models.Q(remark="fixed"), name="booking_one_fixed"),
        ]
        indexes = [models.Index(fields=["starts", "ends"], name="booking_span")]
