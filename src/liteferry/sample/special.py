"""What the tables with a story of their own hold; every other column is filled by its description (`values`).

Pure. Each function gets the `Content` and the table's generator, and gives makers for some of the table's fields.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from itertools import tee
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liteferry.sample import geography, words
from liteferry.sample.values import RUN_DAYS, always, day, each, listed, moment, pick, streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

    from liteferry.sample.content import Content
    from liteferry.sample.values import Maker

_STAFF: Final = 27  # the first so many users
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def _content_types(content: Content, _: Random) -> dict[str, Maker]:
    labels = [label.split(".") for label in content.labels]
    return {"app_label": listed([app for app, _ in labels]), "model": listed([name.lower() for _, name in labels])}


def _permissions(content: Content, _: Random) -> dict[str, Maker]:
    names = [label.split(".")[1] for label in content.labels]
    verbs = ("add", "change", "delete", "view")
    return {
        "content_type": each(lambda i: content.key("contenttypes.ContentType", i // 4)),
        "codename": each(lambda i: f"{verbs[i % 4]}_{names[i // 4].lower()}"),
        "name": each(lambda i: f"Can {verbs[i % 4]} {_spaced(names[i // 4])}"),
    }


def _spaced(name: str) -> str:
    return "".join(" " + letter.lower() if letter.isupper() else letter for letter in name).strip()


def _groups(_: Content, __: Random) -> dict[str, Maker]:
    return {"name": listed(words.GROUP_NAMES)}


def _migrations(content: Content, rng: Random) -> dict[str, Maker]:
    apps = sorted({label.split(".")[0] for label in content.labels})
    steps = ("initial", "alter_options", "add_indexes", "more_fields", "history", "constraints", "cleanup")
    return {
        "app": each(lambda i: apps[i % len(apps)]),
        "name": each(lambda i: f"{i // len(apps) + 1:04}_{steps[i // len(apps) % len(steps)]}"),
        "applied": each(lambda i: moment(i * 1.7 + rng.random())),
    }


def _sessions(_: Content, rng: Random) -> dict[str, Maker]:
    return {"session_data": each(lambda _: ".eJx" + "".join(pick(rng, _LETTERS) for _ in range(220)))}


def _sites(_: Content, __: Random) -> dict[str, Maker]:
    return {"domain": each(lambda i: f"host{i}.example.org"), "name": always("Sample")}


def _log_entries(content: Content, rng: Random) -> dict[str, Maker]:
    return {
        "object_id": each(lambda i: str(i + 1)),
        "content_type": always(content.content_type("common.SystemSetting")),
        "change_message": each(lambda _: pick(rng, ('[{"added": {}}]', '[{"changed": {"fields": ["Value"]}}]'))),
    }


def _periodic_tasks(_: Content, __: Random) -> dict[str, Maker]:
    return {
        "name": each(lambda i: words.TASKS[i].partition(".tasks.")[2].replace("_", " ")),
        "task": listed(words.TASKS),
        "args": always("[]"),
        "kwargs": always("{}"),
        "headers": always("{}"),
        "description": always(""),
        "priority": always(None),
        "expire_seconds": always(None),
        "interval": always(None),
    }


def _crontabs(_: Content, __: Random) -> dict[str, Maker]:
    return {
        "minute": each(lambda i: ("0", "15", "*/10")[i % 3]),
        "hour": each(lambda i: ("*", "2", "6,18")[i % 3]),
        "day_of_week": always("*"),
        "day_of_month": always("*"),
        "month_of_year": always("*"),
    }


def _users(content: Content, rng: Random) -> dict[str, Maker]:
    first = [pick(rng, words.FIRST_NAMES) for _ in range(74)]
    last = [pick(rng, words.LAST_NAMES) for _ in range(74)]
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return {
        # "!" and 40 letters: what Django stores for a password that nobody can use
        "password": each(lambda _: "!" + "".join(pick(rng, letters) for _ in range(40))),
        "last_login": each(lambda i: None if i % 3 == 2 else moment(86400 * rng.random() * RUN_DAYS)),
        "is_superuser": each(lambda i: int(i < 2)),
        "username": each(lambda i: f"{first[i][0]}{last[i]}{i + 1}".lower()),
        "first_name": listed(first),
        "last_name": listed(last),
        "email": each(lambda i: f"user{i + 1}@example.org"),
        "is_staff": each(lambda i: int(i < _STAFF)),
        "is_approved": always(1),
        "approved_by": each(lambda i: content.key("common.User", i % 2) if i > 1 else None),
    }


def _one_a_user(content: Content, _: Random) -> dict[str, Maker]:
    return {"user": content.keys("common.User")}


def _drawn(content: Content, level: int) -> dict[str, Maker]:
    """The three JSON columns of the areas of a level, drawn once."""
    drawn = (content.map.draw(cells, multi=level == 0) for cells in content.map.areas(level=level))
    copies = tee(drawn, 3)  # holds no more than one chunk of rows

    def maker(part: int) -> Maker:
        areas = streamed(copies[part])
        return lambda numbers: [area[part] for area in areas(numbers)]

    return {name: maker(part) for part, name in enumerate(("center_coordinates", "bounding_box", "boundary_geojson"))}


def _regions(content: Content, rng: Random) -> dict[str, Maker]:
    names = geography.make_names(rng, 4, set())
    return {
        "code": each(lambda i: f"R{i + 1:02}"),
        "name": each(lambda i: f"Region {('I', 'II', 'III', 'IV')[i]} ({names[i]} Peninsula)"),
        "is_active": always(1),
        **_drawn(content, 0),
    }


def _provinces(content: Content, rng: Random) -> dict[str, Maker]:
    region = [i for i, count in enumerate(content.land.provinces) for _ in range(count)]
    names = geography.make_names(rng, 2 * len(region), set())
    suffixes = ("", " del Norte", " del Sur", "", " Oriental", "")
    return {
        "code": each(lambda i: f"R{region[i] + 1:02}-P{i + 1:02}"),
        "name": each(lambda i: names[i] + suffixes[i % 6]),
        "capital": each(lambda i: names[len(region) + i] + " City"),
        "population_total": each(lambda _: 200_000 + int(rng.random() * 900_000)),
        "is_active": always(1),
        "region": each(lambda i: region[i] + 1),
        **_drawn(content, 1),
    }


def _municipalities(content: Content, rng: Random) -> dict[str, Maker]:
    province = [i for i, count in enumerate(content.land.municipalities) for _ in range(count)]
    return {
        "code": each(lambda i: f"P{province[i] + 1:02}-M{i + 1:05}"),
        "name": listed(geography.make_names(rng, len(province), set())),
        "population_total": each(lambda _: 15_000 + int(rng.random() * 120_000)),
        "province": each(lambda i: province[i] + 1),
        **_drawn(content, 2),
    }


def _barangays(content: Content, _: Random) -> dict[str, Maker]:
    return {
        "code": each(lambda i: f"M{content.town_of[i] + 1:05}-B{i + 1:07}"),
        "name": streamed(content.barangay_names()),
        "population_total": each(lambda i: 3 * _people(i)),
        "municipality": each(lambda i: content.town_of[i] + 1),
        **_drawn(content, 3),
    }


def _people(number: int) -> int:
    """How many people a community has."""
    spread = number * 2654435761 % 4294967296 / 4294967296
    return 35 + int(spread * spread * 3600)


def _communities(content: Content, rng: Random) -> dict[str, Maker]:
    lng, lat = tee(content.map.centre(cell) for (cell,) in content.map.areas(level=3))

    def degrees(middles: Iterator[tuple[float, float]], axis: int) -> Maker:
        at = streamed(middles)
        return lambda numbers: [round(middle[axis] + rng.random() / 500, 6) for middle in at(numbers)]

    def share(part: float) -> Maker:
        return each(lambda i: None if rng.random() < 0.1 else int(_people(i) * part * (0.8 + rng.random() * 0.4)))

    return {
        "community_id": each(lambda i: f"C-{i + 1:07}"),
        "name": streamed(f"{name} community" for name in content.barangay_names()),
        "source": always("census"),
        "households": share(0.2),
        "families": share(0.24),
        "population": each(_people),
        "population_density": each(lambda _: round(rng.random() * 900, 3)),
        "children_0_9": share(0.22),
        "youth_10_24": share(0.31),
        "adults_25_59": share(0.39),
        "seniors_60": share(0.08),
        "women_count": share(0.5),
        "persons_with_disability": share(0.014),
        "out_of_school_youth": share(0.05),
        "primary_livelihood": each(lambda _: pick(rng, words.LIVELIHOODS)),
        "latitude": degrees(lat, 1),
        "longitude": degrees(lng, 0),
        "established": each(lambda _: None if rng.random() < 0.6 else day(-int(rng.random() * 40_000))),
        "is_deleted": always(0),
        "notes": each(lambda i: pick(rng, words.SENTENCES) if i % 9 == 0 else ""),
        "created_at": each(lambda i: moment(i // 40)),  # a bulk import: without fractions of seconds
    }


def _groups_of_people(_: Content, rng: Random) -> dict[str, Maker]:
    return {"name": listed(geography.make_names(rng, 13, set()))}


def _coverages(content: Content, _: Random) -> dict[str, Maker]:
    sizes = content.land.barangays
    return {
        "municipality": content.keys("common.Municipality"),
        "total_communities": listed(sizes),
        "population": each(lambda i: sizes[i] * 410),
        "households": each(lambda i: sizes[i] * 82),
        "is_deleted": always(0),
        "deleted_by": always(None),
    }


def _profiles(_: Content, rng: Random) -> dict[str, Maker]:
    def metrics(_: int) -> str:
        people = int(rng.random() * 40_000)
        return json.dumps({"population": people, "households": people // 5, "share": round(rng.random(), 4)})

    return {"reported_metrics": always("{}"), "aggregated_metrics": each(metrics), "history_note": always("")}


def _settings(_: Content, __: Random) -> dict[str, Maker]:
    values = ('"Communities"', '"en"', "null", "9", '"office@example.org"', "25.5", '""', "true")
    return {"key": listed(words.SETTINGS), "value": listed(values)}


def _bookings(content: Content, rng: Random) -> dict[str, Maker]:
    def start(number: int) -> int:
        return number * 37 % RUN_DAYS * 86400 + number % 8 * 3600

    return {
        "start_datetime": each(lambda i: moment(start(i))),
        "end_datetime": each(lambda i: moment(start(i) + 3600 * (1 + int(rng.random() * 8)))),
        "object_id": each(lambda i: i + 1),
        "content_type": always(content.content_type("coordination.Event")),
    }


def _chat(_: Content, rng: Random) -> dict[str, Maker]:
    places = geography.make_names(rng, 30, set())
    return {
        "user_message": each(lambda _: pick(rng, words.QUESTIONS).format(name=pick(rng, places))),
        "assistant_response": each(lambda _: f"I found {int(rng.random() * 90)}.\n\n- for «{pick(rng, places)}»"),
        "intent": each(lambda _: pick(rng, ("count", "list", "locate"))),
        "entities": each(lambda _: json.dumps({"place": pick(rng, places), "note": "Niño"})),
        "response_time": each(lambda _: int(rng.random() * 3_000_000)),
        "session_id": each(lambda i: f"chat-{i // 5 + 1}"),
        "created_at": each(lambda i: moment(i * 7200 + rng.random() * 900)),
    }


def _documents(_: Content, rng: Random) -> dict[str, Maker]:
    return {
        "thumbnail": each(lambda _: b"\x89PNG\r\n\x1a\n\0" + bytes(int(rng.random() * 256) for _ in range(900))),
        "sha256": each(lambda i: blake2b(f"document {i}".encode(), digest_size=32).hexdigest()),
        "mime_type": always("image/png"),
        "file": each(lambda i: f"documents/2025/map-{i + 1}.png"),
        "object_id": always(None),
        "content_type": always(None),
    }


def _audit(content: Content, rng: Random) -> dict[str, Maker]:
    total = content.counts["communities.Community"]

    def changes(number: int) -> str:
        people = _people(number % total)
        before = people - int(rng.random() * 30)
        return json.dumps({"population": ["None" if number < total else str(before), str(people)]})

    return {
        "object_pk": each(lambda i: str(i % total + 1)),
        "object_id": each(lambda i: i % total + 1),
        "object_repr": each(lambda i: f"C-{i % total + 1:07}"),
        "action": each(lambda i: int(i >= total)),
        "changes_text": always(""),
        "changes": each(changes),
        "serialized_data": always(None),
        "remote_addr": each(lambda i: f"203.0.113.{1 + int(rng.random() * 250)}" if i >= total else None),
        "remote_port": always(None),
        "timestamp": each(lambda i: moment(i * 2400 + rng.random() * 2000)),
        "additional_data": always(None),
        "content_type": always(content.content_type("communities.Community")),
        "actor": each(lambda i: content.key("common.User", int(rng.random() * _STAFF)) if i >= total else None),
    }


def _access(_: Content, rng: Random) -> dict[str, Maker]:
    return {
        "user_agent": each(lambda _: pick(rng, words.BROWSERS)),
        "ip_address": each(lambda _: pick(rng, ("203.0.113.7", "203.0.113.44", "2001:db8::1f"))),
        "username": each(lambda i: f"user{i % 20 + 1}"),
        "http_accept": always("text/html,application/xhtml+xml"),
        "path_info": always("/login/"),
        "attempt_time": each(lambda i: moment(i * 90_000 + rng.random() * 9000)),
    }


def _organizations(_: Content, rng: Random) -> dict[str, Maker]:
    places = geography.make_names(rng, 11, set())

    def name(number: int) -> str:
        again = "" if number < 66 else f" {number // 66 + 1}"
        return f"{places[number % 11]} {words.OFFICES[number % 6]}{again}"

    return {
        "name": each(name),
        "acronym": each(lambda i: "".join(word[0] for word in name(i).split())),
        "website": each(lambda i: f"https://org{i + 1}.example.org/"),
        "established": each(lambda _: day(-int(rng.random() * 20_000))),
    }


def _contacts(content: Content, rng: Random) -> dict[str, Maker]:
    return {
        "first_name": each(lambda _: pick(rng, words.FIRST_NAMES)),
        "last_name": each(lambda _: pick(rng, words.LAST_NAMES)),
        "is_primary": always(1),
        "organization": content.keys("coordination.Organization"),
    }


def _planning_cycles(_: Content, __: Random) -> dict[str, Maker]:
    return {
        "name": each(lambda i: f"Annual plan {2025 + i}"),
        "start_date": each(lambda i: f"{2025 + i}-01-01"),
        "end_date": each(lambda i: f"{2025 + i}-12-31"),
    }


SPECIALS: Final[Mapping[str, Callable[[Content, Random], dict[str, Maker]]]] = MappingProxyType(
    {
        "contenttypes.ContentType": _content_types,
        "auth.Permission": _permissions,
        "auth.Group": _groups,
        "migrations.Migration": _migrations,
        "sessions.Session": _sessions,
        "sites.Site": _sites,
        "admin.LogEntry": _log_entries,
        "auditlog.LogEntry": _audit,
        "axes.AccessLog": _access,
        "django_celery_beat.CrontabSchedule": _crontabs,
        "django_celery_beat.PeriodicTask": _periodic_tasks,
        "common.User": _users,
        "common.User_groups": _one_a_user,
        "common.StaffProfile": _one_a_user,
        "common.StaffTeamMembership": _one_a_user,
        "common.UserCalendarPreferences": _one_a_user,
        "common.Region": _regions,
        "common.Province": _provinces,
        "common.Municipality": _municipalities,
        "common.Barangay": _barangays,
        "common.CalendarResourceBooking": _bookings,
        "common.ChatMessage": _chat,
        "common.Document": _documents,
        "common.SystemSetting": _settings,
        "communities.Community": _communities,
        "communities.EthnolinguisticGroup": _groups_of_people,
        "communities.MunicipalityCoverage": _coverages,
        "coordination.Organization": _organizations,
        "coordination.OrganizationContact": _contacts,
        "monitoring.PlanningCycle": _planning_cycles,
        "municipal_profiles.MunicipalProfile": _profiles,
    }
)
"""The makers of single tables, by the model's label."""
