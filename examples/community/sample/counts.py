"""How many rows there are of what, at a scale."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Rows a model; at scale 1 those of a real office of a regional government."""

    regions: int = 4  # made by a migration
    superusers: int = 2
    provinces: int = 24
    municipalities: int = 282
    barangays: int = 6_598  # one community each
    community_histories: int = 6_627
    profile_histories: int = 6_602
    audit_entries: int = 9_266
    users: int = 74
    staff: int = 27  # the superusers are among them
    access_entries: int = 42
    resources: int = 5
    bookings: int = 65
    messages: int = 70
    entries: int = 209
    organizations: int = 44
    contacts: int = 2
    assessments: int = 24
    test_assessments: int = 4
    recommendations: int = 28
    test_recommendations: int = 4
    small: int = 40
    medium: int = 120
    large: int = 600
    detail: float = 1.0  # of boundaries; the one figure that is no number of rows


_AT_LEAST = {
    "provinces": 4,
    "municipalities": 6,
    "barangays": 20,
    "users": 8,
    "staff": 5,
    "resources": 5,
    "contacts": 2,
    "organizations": 6,
    "assessments": 6,
    "test_assessments": 2,
    "recommendations": 6,
    "test_recommendations": 2,
    "small": 8,
    "medium": 12,
    "large": 20,
}
_FIXED = ("regions", "superusers", "detail")


def scale_counts(scale):
    """The counts at ``scale`` (1 is the full size; nothing gets so small that a relation has no row to show). Pure."""
    full = Counts()
    if scale == 1:
        return full
    scaled = {}
    for name in Counts.__dataclass_fields__:
        count = getattr(full, name)
        if name not in _FIXED:
            count = max(round(count * scale), _AT_LEAST.get(name, 4))
        scaled[name] = count
    # a province, a municipality and a barangay for each that contains it
    scaled["municipalities"] = max(scaled["municipalities"], scaled["provinces"])
    scaled["barangays"] = max(scaled["barangays"], scaled["municipalities"])
    return Counts(**scaled | {"detail": min(scale, 1.0)})
