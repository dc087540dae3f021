"""The pages of the site."""

from django.urls import path

from common import views

urlpatterns = [
    path("", views.show_home, name="home"),
    path("me/", views.show_me, name="me"),
    path("map/", views.show_map, name="map"),
    path("map/<slug:level>.geojson", views.send_boundaries, name="boundaries"),
    path("calendar/", views.show_calendar, name="calendar"),
    path("calendar/feed.json", views.send_calendar_json, name="calendar-json"),
    path("calendar/feed.ics", views.send_calendar_ics, name="calendar-ics"),
]
