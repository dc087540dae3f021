"""The sample's rows: how many each table has, and the order in which their values are made.

Pure and deterministic: every table has its own generator, seeded with its name; nothing depends on the clock, the time
zone, the locale or the order in which the tables are asked for. Rows are made a few hundred at a time, column by
column, so that memory stays small at any scale.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from liteferry.sample import geography
from liteferry.sample.special import SPECIALS
from liteferry.sample.values import always, each, make_values, moment, seed_generator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from liteferry.sample.schema import Field, Model
    from liteferry.sample.values import Maker

_COUNTS: Final = {
    "common.Region": 4,
    "common.Province": 24,
    "common.User": 74,
    "common.User_groups": 74,
    "common.StaffProfile": 25,
    "common.StaffTeam": 5,
    "common.StaffTeamMembership": 25,
    "common.CalendarResource": 5,
    "common.UserCalendarPreferences": 20,
    "common.RecurringEventPattern": 3,
    "common.TrainingProgram": 8,
    "common.DocumentCategory": 6,
    "common.Document": 3,
    "common.SystemSetting": 8,
    "communities.EthnolinguisticGroup": 13,
    "mana.AssessmentCategory": 6,
    "mana.NeedsCategory": 10,
    "coordination.EngagementType": 7,
    "coordination.Event": 12,
    "monitoring.StrategicGoal": 5,
    "monitoring.OutcomeIndicator": 10,
    "monitoring.PlanningCycle": 2,
    "municipal_profiles.Indicator": 12,
    "auth.Group": 7,
    "sites.Site": 1,
    "sessions.Session": 23,
    "admin.LogEntry": 20,
    "migrations.Migration": 118,
    "django_celery_beat.IntervalSchedule": 2,
    "django_celery_beat.CrontabSchedule": 6,
    "django_celery_beat.PeriodicTask": 9,
    "django_celery_beat.PeriodicTasks": 1,
}

_GROWING_COUNTS: Final = {
    "common.Municipality": 282,
    "common.Barangay": 6598,
    "common.CalendarResourceBooking": 65,
    "common.ChatMessage": 70,
    "communities.Community": 6598,
    "communities.HistoricalCommunity": 6627,
    "communities.MunicipalityCoverage": 282,
    "coordination.Organization": 44,
    "coordination.OrganizationContact": 2,
    "monitoring.MonitoringEntry": 209,
    "municipal_profiles.MunicipalProfile": 282,
    "municipal_profiles.HistoricalMunicipalProfile": 6602,
    "auditlog.LogEntry": 9266,
    "axes.AccessLog": 42,
}

SEQUENCE_GAPS: Final = {
    "common.User": 2,
    "communities.Community": 3,
    "communities.Stakeholder": 3,
    "communities.CommunityEvent": 6,
    "mana.Need": 4,
    "mana.WorkshopAccessLog": 11,
    "monitoring.WorkflowStage": 12,
    "coordination.ActionItem": 5,
    "common.SystemSetting": 1,
    "auditlog.LogEntry": 17,
}
"""How far a table's sequence is ahead of its highest id, because the newest rows were deleted."""

_DELETED_EVERY: Final = {
    "common.User": 12,
    "auditlog.LogEntry": 400,
    "axes.AccessLog": 15,
    "common.DocumentCategory": 4,
}
_CHUNK: Final = 500


class Content:
    """Every row of the sample. scale: above 1 multiplies the rows of the growing tables.

    ``labels``: the models in order, which the framework's tables list. ``town_of``: each barangay's municipality.
    """

    def __init__(self, models: Sequence[Model], *, scale: float, segments: int) -> None:
        """Plan the land; makes no row yet. segments: see `geography.Map`."""
        self._models = {model.label: model for model in models}
        self.labels = [model.label for model in models if model.is_model]
        growth = max(1.0, scale)
        self.counts = {
            **_COUNTS,
            **{label: round(count * growth) for label, count in _GROWING_COUNTS.items()},
            "contenttypes.ContentType": len(self.labels),
            "auth.Permission": 4 * len(self.labels),
        }
        self.land = geography.plan_land(
            seed_generator("land"),
            provinces=self.counts["common.Province"],
            municipalities=self.counts["common.Municipality"],
            barangays=self.counts["common.Barangay"],
        )
        self.map = geography.Map(self.land, segments=segments)
        self.town_of = [town for town, size in enumerate(self.land.barangays) for _ in range(size)]

    def count(self, model: Model) -> int:
        """How many rows the table has."""
        return self.counts.get(model.label, 0)

    def rows(self, model: Model) -> Iterator[tuple[object, ...]]:
        """Give the table's rows, in the order of their numbers, values in the order of the columns."""
        if model.key_last:
            yield from self._history_rows(model)
            return
        rng = seed_generator(f"rows of {model.label}")
        special = SPECIALS[model.label](self, rng) if model.label in SPECIALS else {}
        makers = [special.get(field.name) or self._make_column(model, field, rng) for field in model.columns]
        total = self.count(model)
        for first in range(0, total, _CHUNK):
            numbers = range(first, min(first + _CHUNK, total))
            yield from zip(*(maker(numbers) for maker in makers), strict=True)

    def key(self, label: str, number: int) -> object:
        """The primary key of a model's row of that number."""
        kind = self._models[label].key.kind
        if kind == "uuid":
            digest = bytearray(blake2b(f"{label}/{number}".encode(), digest_size=16).digest())
            digest[6] = digest[6] & 0x0F | 0x40  # version 4, variant 1, as uuid4() makes them
            digest[8] = digest[8] & 0x3F | 0x80
            return digest.hex()
        if kind == "varchar":
            return blake2b(f"{label}/{number}".encode(), digest_size=16).hexdigest()
        return 1 + number + number // _DELETED_EVERY.get(label, 1 << 62)

    def keys(self, label: str) -> Maker:
        """A maker of a model's primary keys, one a row."""
        return each(lambda i: self.key(label, i))

    def content_type(self, label: str) -> object:
        """The primary key of a model's content type."""
        return self.key("contenttypes.ContentType", self.labels.index(label))

    def barangay_names(self) -> Iterator[str]:
        """The barangays' names, in order."""
        rng = seed_generator("names of barangays")
        for size in self.land.barangays:
            yield from geography.make_barangay_names(rng, size)

    def _make_column(self, model: Model, field: Field, rng: Random) -> Maker:
        if field is model.key:
            return self.keys(model.label)
        if field.parent is None:
            return make_values(field, rng)
        label = field.parent
        total = self.counts.get(label, 0)
        if field.unique and total:
            return self.keys(label)
        if label == model.label:  # an earlier row, or none
            return each(lambda i: self.key(label, int(rng.random() * i)) if i > 3 and rng.random() < 0.2 else None)
        if field.null and not total:
            return always(None)
        rarely = 0.2 if field.null else 0.0
        return each(lambda _: None if rng.random() < rarely else self.key(label, int(rng.random() * total)))

    def _history_rows(self, model: Model) -> Iterator[tuple[object, ...]]:
        """One version of every original row, then changed versions of as many as it takes."""
        original = self._models[model.label.replace(".Historical", ".")]
        total, originals = self.count(model), self.count(original)
        rng = seed_generator(f"rows of {model.label}")
        rounds = (self.rows(original) for _ in range(0, total, originals))
        for number, row in enumerate(islice(chain.from_iterable(rounds), total)):
            created = number < originals
            yield (
                *row,
                number + 1,
                moment(number * 60 + rng.random() * 50),
                None if created else "Updated from the barangays",
                "+" if created else "~",
                self.key("common.User", int(rng.random() * 27)),
            )
