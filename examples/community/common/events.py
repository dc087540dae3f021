"""What stands in the calendar: bookings, and the activities of workshops."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from common.models import CalendarBooking
from mana.models import WorkshopActivity


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing in the calendar; its times know their zone."""

    uid: str
    title: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    place: str


def list_events():
    """Every event, the earliest first."""
    bookings = CalendarBooking.objects.exclude(status=CalendarBooking.Status.REJECTED).select_related("resource")
    activities = WorkshopActivity.objects.select_related("assessment")
    events = [_describe_booking(booking) for booking in bookings]
    events += [_describe_activity(activity) for activity in activities]
    return sorted(events, key=lambda event: (event.starts_at, event.uid))


def _describe_booking(booking):
    """A booking as an event."""
    return Event(
        uid=f"booking-{booking.reference}@community.example",
        title=str(booking),
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        place=booking.resource.name,
    )


def _describe_activity(activity):
    """A workshop's activity as an event: its day and time are local."""
    starts_at = timezone.make_aware(dt.datetime.combine(activity.on, activity.starts))
    return Event(
        uid=f"activity-{activity.pk}@community.example",
        title=activity.title,
        starts_at=starts_at,
        ends_at=starts_at + activity.duration,
        place=activity.assessment.title,
    )
