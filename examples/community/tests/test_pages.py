"""The pages, the map's data and the calendar's feeds."""

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.urls import reverse

from common.models import Barangay, CalendarBooking, Municipality, User
from mana.models import WorkshopActivity


@pytest.mark.parametrize("page", ["home", "calendar", "map", "login"])
def test_pages_open(client, page):
    answer = client.get(reverse(page))
    assert answer.status_code == 200
    assert "Community management" in answer.content.decode() or page != "home"


@pytest.mark.parametrize(("found", "word"), [(None, "fetch_leaflet"), ("leaflet.js", "leaflet/leaflet.js")])
def test_the_map_says_when_its_library_is_missing(client, monkeypatch, found, word):
    monkeypatch.setattr(finders, "find", lambda _path: found)
    assert word in client.get(reverse("map")).content.decode()


@pytest.mark.parametrize("level", ["region", "province", "municipality", "barangay"])
def test_boundaries_are_geojson(client, level):
    answer = client.get(reverse("boundaries", args=[level]))
    assert answer["Content-Type"] == "application/geo+json"
    collection = answer.json()
    assert collection["type"] == "FeatureCollection"
    assert collection["features"]
    for feature in collection["features"]:
        rings = feature["geometry"]["coordinates"]
        ring = rings[0] if feature["geometry"]["type"] == "Polygon" else rings[0][0]
        assert ring[0] == ring[-1]
        west, south, east, north = feature["bbox"]
        assert all(west <= x <= east and south <= y <= north for x, y in ring)


def test_boundaries_inside_one_place(client):
    municipality = Municipality.objects.order_by("pk").first()
    answer = client.get(reverse("boundaries", args=["barangay"]), {"parent": municipality.pk}).json()
    wanted = Barangay.objects.filter(municipality=municipality, is_active=True, boundary_geojson__isnull=False)
    assert {feature["id"] for feature in answer["features"]} == set(wanted.values_list("pk", flat=True))


@pytest.mark.parametrize(("level", "parent", "status"), [("village", "", 404), ("barangay", "1 OR 1=1", 400)])
def test_boundaries_of_nonsense_are_refused(client, level, parent, status):
    assert client.get(reverse("boundaries", args=[level]), {"parent": parent}).status_code == status


def test_the_calendar_as_json(client):
    events = client.get(reverse("calendar-json")).json()["events"]
    bookings = CalendarBooking.objects.exclude(status="rejected").count()
    assert len(events) == bookings + WorkshopActivity.objects.count()
    assert [event["start"] for event in events] == sorted(event["start"] for event in events) or len(events) > 1
    assert all(event["start"] < event["end"] for event in events)


def test_the_calendar_as_ics(client):
    answer = client.get(reverse("calendar-ics"))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.decode().split("\r\n")
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    events = client.get(reverse("calendar-json")).json()["events"]
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(events)
    assert max(len(line.encode()) for line in lines) <= 75


def test_logging_in(client):
    assert client.get(reverse("me")).status_code == 302
    answer = client.post(reverse("login"), {"username": "admin", "password": "demo"}, follow=True)
    assert answer.context["user"].is_superuser
    assert client.get(reverse("me")).status_code == 200


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
def test_the_admin_lists_and_opens_every_model(client, model):
    client.force_login(User.objects.get(username="admin"))
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert client.get(reverse(f"{place}_changelist")).status_code == 200
    row = model._default_manager.order_by("pk").first()
    assert client.get(reverse(f"{place}_change", args=[row.pk])).status_code == 200
