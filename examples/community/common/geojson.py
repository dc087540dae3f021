"""Boundaries of places as a GeoJSON FeatureCollection (RFC 7946)."""

from common.models import Barangay, Municipality, Province, Region

# the level: its model, and the field that leads to the level above
LEVELS = {
    "region": (Region, None),
    "province": (Province, "region"),
    "municipality": (Municipality, "province"),
    "barangay": (Barangay, "municipality"),
}


def collect_boundaries(level, parent=None):
    """The boundaries of ``level``, or of those of its places that lie in the place ``parent``: a dict."""
    model, parent_field = LEVELS[level]
    places = model.objects.filter(boundary_geojson__isnull=False, is_active=True).order_by("pk")
    if parent is not None and parent_field:
        places = places.filter(**{f"{parent_field}_id": parent})
    features = [
        {
            "type": "Feature",
            "id": place.pk,
            "geometry": place.boundary_geojson,
            "bbox": place.bounding_box,
            "properties": {"name": place.name, "code": place.code, "population": place.population},
        }
        for place in places.iterator(chunk_size=50)
    ]
    return {"type": "FeatureCollection", "features": features}
