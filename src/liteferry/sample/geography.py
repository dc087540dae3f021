"""A made-up country for the sample: how its areas nest, what they are called, and where their borders run.

Pure and deterministic: only additions, multiplications and integer hashes, so that every machine gets the same text.

The land is a lattice of cells, one a barangay. The cells are taken in the order of a Hilbert curve, so that any run of
consecutive ones is one connected piece without holes: a municipality is such a run, a province a run of municipalities,
a region a run of provinces; cells between the regions stay sea. Neighbours share one border line, point by point, so
no two areas of a level overlap. The lattice is bent by a smooth field and its corners stray by a tenth of a cell; a
border line strays from the straight line between its corners by less than a quarter of the distance to the nearer one.
So two lines that meet in a corner always leave room between them, and no ring crosses itself (a test looks).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    Cell = tuple[int, int]

_WEST, _SOUTH, _EAST, _NORTH = 121.0, 5.2, 126.6, 9.4  # degrees
_STRAY: Final = 0.1  # of a cell, per axis
_SLOPE: Final = 0.25
_BEND: Final = 2.6  # cells, per axis
_BEND_OVER: Final = 20  # cells from one bend to the next
_PROFILES: Final = 61
_CACHED_EDGES: Final = 4096  # about 25 MB at full detail; along the curve most borders are needed again soon

_STARTS: Final = "Ba Bu Da Di Ga Ka Ki La Li Lu Ma Mi Na Pa Pi Sa Si Su Ta Ti Tu Wa Ya Bang Din Gan Lam Mang Pan Tam"
_MIDDLES: Final = "ba da di ga ka la li lu ma mi na ngo pa ra ri sa ta ti wa ya bu lo gi nda mpo"
_ENDS: Final = "an ay ao in it on os ugan yan lan ngan tan wan nao gao bon long san tig dig mog ran"
_PREFIXES: Final = ("", "", "", "", "", "", "", "New ", "Upper ", "Lower ", "Poblacion ", "Santa ", "San ", "Datu ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """How the areas nest. Each level is a tuple of counts of what the level above holds, in order.

    ``first_cells``: the number along the curve of each region's first cell. ``order``: the lattice has 2^order rows.
    """

    order: int
    squares: int  # 1 or 2 squares of the curve side by side
    first_cells: tuple[int, ...]
    provinces: tuple[int, ...]  # per region
    municipalities: tuple[int, ...]  # per province
    barangays: tuple[int, ...]  # per municipality


def plan_land(rng: Random, *, provinces: int, municipalities: int, barangays: int) -> Land:
    """Share out the land among four regions. Pure apart from the generator."""
    per_region = _share(rng, provinces, 4)
    per_province = _share(rng, municipalities, provinces)
    per_municipality = _share(rng, barangays, municipalities)
    order = squares = 1
    while squares * 4**order < barangays * 1.05 + 3:
        squares, order = (2, order) if squares == 1 else (1, order + 1)
    gap = (squares * 4**order - barangays) // 3
    first_cells, cell, province, municipality = [], 0, 0, 0
    for count in per_region:
        first_cells.append(cell)
        towns = sum(per_province[province : province + count])
        cell += sum(per_municipality[municipality : municipality + towns]) + gap
        province, municipality = province + count, municipality + towns
    return Land(
        order=order,
        squares=squares,
        first_cells=tuple(first_cells),
        provinces=per_region,
        municipalities=per_province,
        barangays=per_municipality,
    )


def _share(rng: Random, total: int, parts: int) -> tuple[int, ...]:
    """Split a total into so many uneven parts, each at least 1."""
    weights = [0.4 + rng.random() for _ in range(parts)]
    unit = (total - parts) / sum(weights)
    bounds, reached = [0], 0.0
    for weight in weights[:-1]:
        reached += weight * unit
        bounds.append(floor(reached))
    bounds.append(total - parts)
    return tuple(1 + high - low for low, high in pairwise(bounds))


def make_names(rng: Random, count: int, taken: set[str], *, prefixes: Sequence[str] = ("",)) -> list[str]:
    """Make that many place names that are not taken yet, and take them."""
    starts, middles, ends = _STARTS.split(), _MIDDLES.split(), _ENDS.split()
    names: list[str] = []
    while len(names) < count:
        name = prefixes[int(rng.random() * len(prefixes))] + starts[int(rng.random() * len(starts))]
        for _ in range(int(rng.random() * 2.2)):
            name += middles[int(rng.random() * len(middles))]
        name += ends[int(rng.random() * len(ends))]
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names


def make_barangay_names(rng: Random, count: int) -> list[str]:
    """Make the names of one municipality's barangays, which are unique within it."""
    return make_names(rng, count, set(), prefixes=_PREFIXES)


class Map:
    """Draws the areas. ``segments``: how many straight pieces a border line between two corners has."""

    def __init__(self, land: Land, *, segments: int) -> None:
        """Prepare the border lines' shapes; draws nothing yet."""
        self._land = land
        self._side = 2**land.order
        self._width = (_EAST - _WEST) / (self._side * land.squares)
        self._height = (_NORTH - _SOUTH) / self._side
        self._profiles = [_make_profile(number, segments) for number in range(_PROFILES)]
        self._edges: OrderedDict[tuple[int, int, bool], _Edge] = OrderedDict()
        self._corner = lru_cache(_CACHED_EDGES)(_place_corner)

    def areas(self, *, level: int) -> Iterator[tuple[Cell, ...]]:
        """Give every area's cells, in order. level: 0 regions, 1 provinces, 2 municipalities, 3 barangays."""
        land, province, municipality = self._land, 0, 0
        for first, count in zip(land.first_cells, land.provinces, strict=True):
            cell = first
            region: list[Cell] = []
            for towns in land.municipalities[province : province + count]:
                inside: list[Cell] = []
                for size in land.barangays[municipality : municipality + towns]:
                    cells = tuple(self._cell(number) for number in range(cell, cell + size))
                    cell += size
                    if level == 3:
                        for one in cells:
                            yield (one,)
                    elif level == 2:
                        yield cells
                    inside += cells
                municipality += towns
                if level == 1:
                    yield tuple(inside)
                region += inside
            province += count
            if level == 0:
                yield tuple(region)

    def draw(self, cells: tuple[Cell, ...], *, multi: bool = False) -> tuple[str, str, str]:
        """Draw one area: its centre, its bounding box and its outline, each as the JSON text that Django would store.

        The outline is a Polygon, or a MultiPolygon of one; closed, counter-clockwise (RFC 7946).
        """
        borders = _outline(cells)
        edges = [self._edge(border[:3]) for border in borders]
        texts = [edge.backward if border[3] else edge.forward for edge, border in zip(edges, borders, strict=True)]
        first = texts[0][: texts[0].index("]") + 1]
        ring = ", ".join((*texts, first))
        outline = (
            f'{{"type": "MultiPolygon", "coordinates": [[[{ring}]]]}}'
            if multi
            else f'{{"type": "Polygon", "coordinates": [[{ring}]]}}'
        )
        west = floor(min(edge.west for edge in edges) * 1e5) / 1e5
        south = floor(min(edge.south for edge in edges) * 1e5) / 1e5
        east = floor(max(edge.east for edge in edges) * 1e5 + 1) / 1e5
        north = floor(max(edge.north for edge in edges) * 1e5 + 1) / 1e5
        centre = f'{{"lat": {round((south + north) / 2, 5)!r}, "lng": {round((west + east) / 2, 5)!r}}}'
        return centre, f"[{west!r}, {south!r}, {east!r}, {north!r}]", outline

    def centre(self, cell: Cell) -> tuple[float, float]:
        """The longitude and latitude of the middle of a cell's corners, in degrees: well inside its outline."""
        x, y = cell
        corners = [self._corner(*at) for at in ((x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1))]
        return (
            _WEST + sum(corner[0] for corner in corners) / 4 * self._width,
            _SOUTH + sum(corner[1] for corner in corners) / 4 * self._height,
        )

    def _cell(self, number: int) -> Cell:
        """The cell at that place along the curve."""
        square, number = divmod(number, self._side**2)
        x = y = 0
        size = 1
        while size < self._side:
            right = 1 & (number // 2)
            upper = 1 & (number ^ right)
            if not upper:
                if right:
                    x, y = size - 1 - x, size - 1 - y
                x, y = y, x
            x += size * right
            y += size * upper
            number //= 4
            size *= 2
        return x + square * self._side, y

    def _edge(self, place: tuple[int, int, bool]) -> _Edge:
        edge = self._edges.get(place)
        if edge is None:
            edge = self._edges[place] = self._draw_edge(*place)
            if len(self._edges) > _CACHED_EDGES:
                self._edges.popitem(last=False)
        return edge

    def _draw_edge(self, x: int, y: int, upright: bool) -> _Edge:  # noqa: FBT001 - part of the key of an edge
        x0, y0 = self._corner(x, y)
        x1, y1 = self._corner(x, y + 1) if upright else self._corner(x + 1, y)
        along_x, along_y = x1 - x0, y1 - y0
        spread = _hash(x, y, 2 if upright else 1)
        side = 1 if spread & 1 else -1
        aside_x, aside_y = -along_y * side, along_x * side
        width, height = self._width, self._height
        profile = self._profiles[(spread >> 1) % _PROFILES]
        lng = [_WEST + (x0 + t * along_x + o * aside_x) * width for t, o in profile]
        lat = [_SOUTH + (y0 + t * along_y + o * aside_y) * height for t, o in profile]
        # A seventh digit that is never 0, so that the text is what json.dumps would write of the same number.
        points = [f"[{a:.6f}3, {b:.6f}7]" for a, b in zip(lng, lat, strict=True)]
        return _Edge(
            forward=", ".join(points[:-1]),
            backward=", ".join(points[:0:-1]),
            west=min(lng) - 1e-6,
            south=min(lat) - 1e-6,
            east=max(lng) + 2e-6,
            north=max(lat) + 2e-6,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """The border between two corners of the lattice: its points as text, each way without the last; its extent."""

    forward: str
    backward: str
    west: float
    south: float
    east: float
    north: float


def _place_corner(x: int, y: int) -> tuple[float, float]:
    """Where a corner of the lattice is on the map, in cells."""
    stray_x, stray_y = _strays(x, y, 0)
    left, right = x // _BEND_OVER, x % _BEND_OVER / _BEND_OVER
    below, above = y // _BEND_OVER, y % _BEND_OVER / _BEND_OVER
    right *= right * (3 - 2 * right)  # no kink where one bend meets the next
    above *= above * (3 - 2 * above)
    bend_x = bend_y = 0.0
    for i, j, weight in (
        (0, 0, (1 - right) * (1 - above)),
        (1, 0, right * (1 - above)),
        (0, 1, (1 - right) * above),
        (1, 1, right * above),
    ):
        far_x, far_y = _strays(left + i, below + j, 3)
        bend_x += weight * far_x
        bend_y += weight * far_y
    return x + stray_x * _STRAY + bend_x * _BEND, y + stray_y * _STRAY + bend_y * _BEND


def _strays(x: int, y: int, salt: int) -> tuple[float, float]:
    """Two numbers from -1 to 1 for a place."""
    spread = _hash(x, y, salt)
    return (spread & 0xFFFF) / 0x8000 - 1, (spread >> 16) / 0x8000 - 1


def _outline(cells: tuple[Cell, ...]) -> list[tuple[int, int, bool, bool]]:
    """The borders around a connected set of cells without holes, counter-clockwise.

    A border is (x, y, upright, backward): from the corner (x, y) to the right, or upwards.
    """
    inside = set(cells)
    leaving: dict[Cell, tuple[Cell, tuple[int, int, bool, bool]]] = {}
    for x, y in cells:
        if (x, y - 1) not in inside:
            leaving[x, y] = (x + 1, y), (x, y, False, False)
        if (x + 1, y) not in inside:
            leaving[x + 1, y] = (x + 1, y + 1), (x + 1, y, True, False)
        if (x, y + 1) not in inside:
            leaving[x + 1, y + 1] = (x, y + 1), (x, y + 1, False, True)
        if (x - 1, y) not in inside:
            leaving[x, y + 1] = (x, y), (x, y, True, True)
    start = corner = min(leaving)
    borders = []
    while True:
        corner, border = leaving[corner]
        borders.append(border)
        if corner == start:
            return borders


def _make_profile(number: int, segments: int) -> list[tuple[float, float]]:
    """One shape of a border line: how far along (0 to 1) and how far aside each point is, in lengths of the line.

    Sums of ever finer zigzags with hashed heights, held within `_SLOPE` of the distance to the nearer end.
    """
    points = [(0.0, 0.0)]
    for step in range(1, segments):
        t = step / segments
        aside, height, pieces = 0.0, 0.55, 2
        while pieces <= 4 * segments and height > 0.01:
            place = t * pieces
            left = floor(place)
            low = _hash(number, left, pieces) % 2001 / 1000 - 1
            high = _hash(number, left + 1, pieces) % 2001 / 1000 - 1
            aside += height * (low + (high - low) * (place - left))
            height *= 0.6
            pieces *= 2
        limit = _SLOPE * min(t, 1 - t)
        points.append((t, max(-0.95, min(0.95, aside)) * limit))
    points.append((1.0, 0.0))
    return points


def _hash(a: int, b: int, c: int) -> int:
    """32 well-mixed bits of three small integers."""
    mixed = (a * 0x9E3779B1 ^ b * 0x85EBCA77 ^ c * 0xC2B2AE3D) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 12) * 0x297A2D39 & 0xFFFFFFFF
    return mixed ^ mixed >> 15
