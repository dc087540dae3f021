"""Boundaries: closed rings around a centre, as GeoJSON geometries (RFC 7946: longitude first, last point = first)."""

import math
from functools import cache

DIGITS = 6  # about 0.1 m
VARIANTS = 12


@cache
def _unit_ring(points, variant):
    """A wobbly ring of radius about 1 around 0: a tuple of (x, y)."""
    ring = []
    for step in range(points):
        angle = 2 * math.pi * step / points
        radius = 0.82 + 0.10 * math.sin((3 + variant % 4) * angle + variant) + 0.05 * math.cos(11 * angle + 2 * variant)
        radius += 0.015 * math.sin(47 * angle + variant)
        ring.append((radius * math.cos(angle), radius * math.sin(angle)))
    return tuple(ring)


def make_ring(box, points, variant):
    """A closed ring of ``points`` + 1 positions that fills ``box``."""
    west, south, east, north = box
    x, y = (west + east) / 2, (south + north) / 2
    half_width, half_height = (east - west) / 2, (north - south) / 2
    ring = [
        [round(x + dx * half_width, DIGITS), round(y + dy * half_height, DIGITS)]
        for dx, dy in _unit_ring(points, variant % VARIANTS)
    ]
    ring.append(ring[0])
    return ring


def make_boundary(box, points, variant):
    """A Polygon; a MultiPolygon with a small island for every ninth variant."""
    if variant % 9:
        return {"type": "Polygon", "coordinates": [make_ring(box, points, variant)]}
    west, south, east, north = box
    island = (west, south, west + (east - west) / 8, south + (north - south) / 8)
    return {
        "type": "MultiPolygon",
        "coordinates": [[make_ring(box, points, variant)], [make_ring(island, max(points // 8, 8), variant + 1)]],
    }


def split_box(box, count):
    """``count`` boxes in a grid inside ``box``."""
    west, south, east, north = box
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    width, height = (east - west) / columns, (north - south) / rows
    return [
        (
            west + index % columns * width,
            south + index // columns * height,
            west + (index % columns + 1) * width,
            south + (index // columns + 1) * height,
        )
        for index in range(count)
    ]


def describe_box(box, points, variant):
    """The three JSON columns of a place."""
    west, south, east, north = (round(value, DIGITS) for value in box)
    return {
        "boundary_geojson": make_boundary(box, points, variant),
        "center_coordinates": [round((west + east) / 2, DIGITS), round((south + north) / 2, DIGITS)],
        "bounding_box": [west, south, east, north],
    }
