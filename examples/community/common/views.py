"""The pages: an overview, one's own tasks, the map and the calendar."""

from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from common.events import list_events
from common.geojson import LEVELS, collect_boundaries
from common.icalendar import write_calendar
from common.models import AuditLog, Barangay, Municipality, Province, Region
from communities.models import Community, MunicipalitySummary

LEAFLET = "common/leaflet/leaflet.js"


def show_home(request):
    """Say how much there is, and what happened last."""
    counts = [
        (model._meta.verbose_name_plural, model.objects.count())
        for model in (Region, Province, Municipality, Barangay, Community)
    ]
    largest = MunicipalitySummary.objects.select_related("municipality").defer("municipality__boundary_geojson")
    context = {
        "counts": counts,
        "recent": AuditLog.objects.select_related("actor", "content_type")[:10],
        "largest": largest.order_by("-people", "municipality_id")[:10],
    }
    return render(request, "common/home.html", context)


@login_required
def show_me(request):
    """Show one's tasks and bookings."""
    context = {"tasks": request.user.tasks.all(), "bookings": request.user.bookings.select_related("resource")}
    return render(request, "common/me.html", context)


def show_map(request):
    """Show the map, or how to get what it needs."""
    return render(request, "common/map.html", {"levels": LEVELS, "has_leaflet": finders.find(LEAFLET) is not None})


def send_boundaries(request, level):
    """Send the boundaries of one level as GeoJSON: all, or with ``?parent=`` those inside one place."""
    if level not in LEVELS:
        raise Http404(f"There is no level {level}.")
    parent = request.GET.get("parent", "")
    if parent and not parent.isdecimal():
        return JsonResponse({"error": "parent is the number of a place"}, status=400)
    return JsonResponse(collect_boundaries(level, int(parent) if parent else None), content_type="application/geo+json")


def show_calendar(request):
    """Show what comes."""
    return render(request, "common/calendar.html", {"events": list_events()})


def send_calendar_json(request):  # noqa: ARG001 - every view takes the request
    """Send the events as JSON."""
    events = [
        {
            "id": event.uid,
            "title": event.title,
            "start": event.starts_at.isoformat(),
            "end": event.ends_at.isoformat(),
            "place": event.place,
        }
        for event in list_events()
    ]
    return JsonResponse({"events": events})


def send_calendar_ics(request):  # noqa: ARG001 - every view takes the request
    """Send the events as a calendar that other programs can subscribe to."""
    text = write_calendar(list_events(), stamp=timezone.now())
    return HttpResponse(text, content_type="text/calendar; charset=utf-8")
