"""Regions to barangays, with their boundaries."""

from decimal import Decimal

from common.models import Barangay, Municipality, Province, Region
from sample.names import make_distinct_places, make_place_name
from sample.shapes import describe_box, split_box

WORLD = (120.0, 5.0, 126.0, 11.0)
POINTS = {  # of a boundary, at full size
    Region: 20_000,
    Province: 8_000,
    Municipality: 2_200,
    Barangay: 560,
}
LEAST_POINTS = 64
BATCH = 50  # rows a statement: they are long


def fill_places(rng, counts, clock):
    """Write every place: (municipalities, barangays) as saved."""
    boxes = {}
    regions = list(Region.objects.order_by("code"))
    for number, (region, box) in enumerate(zip(regions, split_box(WORLD, len(regions)), strict=True)):
        _describe(region, rng, box, number, counts.detail)
        region.created_at = region.updated_at = clock.at(0)
        boxes[region.pk] = box
    Region.objects.bulk_update(
        regions,
        [
            "population",
            "land_area_km2",
            "boundary_geojson",
            "center_coordinates",
            "bounding_box",
            "created_at",
            "updated_at",
        ],
    )
    provinces = _fill_level(rng, Province, "region", regions, boxes, counts.provinces, clock, counts.detail)
    municipalities = _fill_level(
        rng, Municipality, "province", provinces, boxes, counts.municipalities, clock, counts.detail
    )
    barangays = _fill_level(
        rng, Barangay, "municipality", municipalities, boxes, counts.barangays, clock, counts.detail
    )
    return municipalities, barangays


def _fill_level(rng, model, parent_field, parents, boxes, count, clock, detail):
    """Write ``count`` places, spread evenly over ``parents``; ``boxes`` then has theirs instead of their parents'."""
    made, batch, made_boxes = [], [], []
    for index, parent in enumerate(parents):
        share = count // len(parents) + (index < count % len(parents))
        names = make_distinct_places(rng, share)
        for box, name in zip(split_box(boxes[parent.pk], share), names, strict=True):
            number = len(made_boxes) + 1
            place = model(
                **{parent_field: parent},
                code=f"{model.__name__[0]}{number:05d}",
                name=name,
                created_at=clock.at(number),
                updated_at=clock.at(number),
                is_active=rng.random() > 0.01,
            )
            _describe(place, rng, box, number, detail)
            _set_details(place, rng, number)
            made_boxes.append(box)
            batch.append(place)
            if len(batch) == BATCH:
                made += _write_batch(model, batch)
                batch = []
    made += _write_batch(model, batch)
    boxes.clear()
    boxes.update(zip((place.pk for place in made), made_boxes, strict=True))
    return made


def _write_batch(model, batch):
    """Write some places and let go of their boundaries, which are nearly all of the database: the places."""
    model.objects.bulk_create(batch)
    for place in batch:
        place.boundary_geojson = None
    return batch


def _describe(place, rng, box, number, detail):
    """Set what every place has."""
    points = max(round(POINTS[type(place)] * detail), LEAST_POINTS)
    for name, value in describe_box(box, points, number).items():
        setattr(place, name, value)
    place.population = rng.randint(200, 90_000)
    place.land_area_km2 = Decimal(rng.randint(5_000, 90_000_000)).scaleb(-4)


def _set_details(place, rng, number):
    """Set what only one kind of place has."""
    match place:
        case Province():
            place.capital = make_place_name(rng)
        case Municipality():
            place.kind = rng.choice(Municipality.Kind.values)
            place.income_class = rng.choice([1, 2, 3, 4, 5, None])
            place.postal_code = f"{9000 + number:05d}"  # with a leading zero
        case Barangay():
            place.is_urban = rng.random() < 0.2
            place.is_coastal = rng.choice([True, False, None])
            place.elevation_m = rng.choice([None, -2, 0, rng.randint(1, 2400)])
            if number % 500 == 0:
                place.boundary_geojson = None  # not surveyed yet
