"""What is stored in one column, counted batch by batch.

Layer 1, pure.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from math import copysign, inf
from struct import pack, unpack
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from liteferry.census.families import DESCRIBED, HOLDS, TAKES
from liteferry.census.forms import (
    FORMS,
    REASONS,
    count_digits,
    is_inexact,
    is_respelled,
    look_bool,
    look_cidr,
    look_inet,
    look_padding,
    look_uuid,
    read_local_us,
    tell_why_no_time,
    text_form_datetime,
    text_form_time,
)
from liteferry.census.json_forms import JsonReader
from liteferry.census.offences import NOTES, OFFENCES, SAMPLES
from liteferry.census.rows import Offender
from liteferry.census.shapes import SHAPES, ShapeCounter
from liteferry.census.values import InvalidText, count_bytes, describe_class
from liteferry.conversions import (
    EPOCH_WAYS,
    LAST_KEY,
    REPAIRS,
    Unconvertible,
    find_fold,
    find_quantiser,
    find_zone,
    make_moment_converter,
    make_quantiser,
    make_repair,
    make_zone_resolver,
)
from liteferry.model import Column, ColumnCensus, Form, Misfits, Offence, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from liteferry.census.rows import Batch, Sink
    from liteferry.census.tally import Tally
    from liteferry.model import StorageName
    from liteferry.typemap import DeclaredType

_Number = TypeVar("_Number", int, float)
_Kept: TypeAlias = "list[tuple[int, Sample]]"
"""Samples, each with its row's place among the table's, in that order."""
_JSON_DOUBLED: Final = "doubled"
"""Inside only: JSON of which jsonb keeps the value if the last of the members with the same key counts."""
_INFINITIES: Final = (inf, -inf)
_EXACT_DOUBLE: Final = 2**53
"""Every integer up to here is a double."""


class ColumnAccumulator:
    """Counts one column. ``add`` takes a batch's values and what names the row of an index."""

    def __init__(
        self,
        column: Column,
        declared: DeclaredType,
        sink: Sink | None,
        *,
        forbids_null: bool,
        conversions: Sequence[str] = (),
    ) -> None:
        """Start with no values."""
        self.column = column
        self.sink = sink
        self.conversions = tuple(conversions)
        self.declared = declared
        self.forbids_null = forbids_null
        self.classes: Counter[type] = Counter()
        self.min_integer: int | None = None
        self.max_integer: int | None = None
        self.longest_text = 0
        self.longest_bytes = 0
        self.size_bytes = 0
        self.min_real: float | None = None
        self.max_real: float | None = None
        self.negative_zeros = self.positive_infinities = self.negative_infinities = 0
        self.forms: Counter[str] = Counter()
        self.shapes = ShapeCounter()
        self.first: dict[str, tuple[int, str]] = {}  # of the first row with a shape: its place, its key
        self.fraction_digits = 0
        self.integer_digits = 0
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, _Kept] = {}
        self.groups: Counter[tuple[type, tuple[str, ...], bool]] = Counter()
        self._offenders: dict[int, list[str]] = {}  # of the batch: what each value's offences are
        self.expected: frozenset[type] = frozenset()  # without a declared type: the class of the first rows
        family = declared.family
        self.holds: frozenset[type] = HOLDS[family]
        if family == "text" and declared.pg_type:
            self.holds |= {int, float}  # whoever demands text says that numbers become their text
        if family == "uuid" and declared.pg_type:
            self.holds -= {bytes}  # in whose order they are, nobody can tell who demands UUIDs of them
        self.notes: dict[str, _Kept] = {}
        self.reasons: Counter[str] = Counter()
        self.converted = 0
        self._changed: set[int] = set()  # of the batch: the values that a conversion changes
        repairs = [way for way in self.conversions if way in REPAIRS]
        self._repair = make_repair(repairs) if repairs else None
        epoch = next((way for way in self.conversions if way in EPOCH_WAYS), "")
        self._to_moment = make_moment_converter(epoch, whole_days=family == "date") if epoch else None
        if epoch:
            self.holds |= {int, float}
        zone = find_zone(self.conversions)
        self._resolve = make_zone_resolver(zone, find_fold(self.conversions)) if zone else None
        quantiser = find_quantiser(self.conversions)
        self._quantise = make_quantiser(quantiser) if quantiser else None
        self._look_twice = make_zone_resolver(zone) if self._resolve and find_fold(self.conversions) else None
        self._json = JsonReader(takes_last=LAST_KEY in self.conversions)
        self.look: Callable[[str], str] | None = {
            "datetime": self._look_datetime,
            "date": self._look_datetime,
            "time": self._look_time,
            "interval": self._look_interval,
            "json": self._look_json,
            "uuid": look_uuid,
            "bool": look_bool,
            "inet": look_inet if declared.pg_type == "inet" else look_cidr,
            "text": self._look_label if declared.labels else look_padding if declared.pads else None,
        }.get(family)

    def add(self, values: Sequence[object], rows: Batch) -> None:
        """Count a batch's values of the column."""
        counted = Counter(map(type, values))
        self.classes.update(counted)
        family = self.declared.family
        if family == "none":
            self._expect_class(counted)
        for found in counted:
            if found is not type(None) and found not in self.holds and found is not InvalidText:
                self._offend("class", self._where(values, found), values, rows)
        if type(None) in counted and self.forbids_null:
            self._offend("null", self._where(values, type(None)), values, rows)
        if int in counted:
            self._add_integers(values, rows)
        if float in counted:
            self._add_reals(values, rows)
        if str in counted:
            self._add_texts(values, whole=len(counted) == 1, rows=rows)
        if bytes in counted:
            blobs = [v for v in values if type(v) is bytes]
            lengths = [*map(len, blobs)]
            self.longest_bytes = max(self.longest_bytes, *lengths)
            self.size_bytes += sum(lengths)
            if family == "uuid":
                wrong = [i for i, v in enumerate(values) if type(v) is bytes and len(v) != 16]
                self._offend("form", wrong, values, rows)
            self._place_shapes(self.shapes.add_blobs(blobs), values, rows)
        if InvalidText in counted:
            bad = [v for v in values if type(v) is InvalidText]
            self.longest_bytes = max(self.longest_bytes, *map(len, bad))
            self.size_bytes += sum(map(len, bad))
            self.shapes.add_others(len(bad))
            self._offend("invalid-utf8", self._where(values, InvalidText), values, rows)
            if self._repair is not None:
                self._add_repaired(values, InvalidText, rows)
        if self._to_moment is not None and (int in counted or float in counted):
            self._add_numbers(values, self._to_moment, rows)
        if self._offenders:
            self.groups.update(
                (type(values[index]), tuple(names), index in self._changed) for index, names in self._offenders.items()
            )
            self._offenders.clear()
        self.converted += len(self._changed)
        self._changed.clear()

    @property
    def is_undeclared(self) -> bool:
        """Whether the first values say which storage class the others ought to have."""
        return self.declared.family == "none"

    def expect_storage(self, counted: Mapping[str, int]) -> None:
        """Say how many of the first values have each storage class, where not the first batch shall tell."""
        self._expect_class(Counter({_CLASSES[name]: number for name, number in counted.items()}))

    def _expect_class(self, counted: Counter[type]) -> None:
        """Without a declared type: the class that most of the first rows have is the one that the others offend."""
        if self.expected:
            return
        numbers = frozenset({int, float}) if self.column.affinity == "NUMERIC" else frozenset[type]()
        kinds = [numbers or frozenset({int}), numbers or frozenset({float}), _TEXTS, frozenset({bytes})]
        most = max(kinds, key=lambda kind: sum(counted[found] for found in kind))
        if any(counted[found] for found in most):
            self.holds = self.expected = most

    def _add_integers(self, values: Sequence[object], rows: Batch) -> None:
        family = self.declared.family
        integers: Sequence[int] = [v for v in values if type(v) is int]
        low, high = min(integers), max(integers)
        self.min_integer = low if self.min_integer is None else min(low, self.min_integer)
        self.max_integer = high if self.max_integer is None else max(high, self.max_integer)
        self.size_bytes += 8 * len(integers)
        if family == "bool" and not (low >= 0 and high <= 1):
            self._offend("form", [i for i, v in enumerate(values) if type(v) is int and v not in {0, 1}], values, rows)
        if family == "decimal":
            self._look_decimals(values, int, rows)
        bound = 1 << (self.declared.integer_bits - 1)
        if self.declared.pg_type == "real":
            inexact = [i for i, v in enumerate(values) if type(v) is int and not _fits_float4(v)]
            self._offend("range", inexact, values, rows)
        elif family == "real" and max(-low, high) > _EXACT_DOUBLE:
            inexact = [i for i, v in enumerate(values) if type(v) is int and int(float(v)) != v]
            self._offend("range", inexact, values, rows)
        if family == "integer" and not (low >= -bound and high < bound):
            beyond = [i for i, v in enumerate(values) if type(v) is int and not -bound <= v < bound]
            self._offend("range", beyond, values, rows)

    def _add_reals(self, values: Sequence[object], rows: Batch) -> None:
        reals = [v for v in values if type(v) is float]
        self.size_bytes += 8 * len(reals)
        self._measure_reals(reals)
        family = self.declared.family
        if family != "real":
            infinite = [i for i, v in enumerate(values) if type(v) is float and v in {float("inf"), float("-inf")}]
            self._offend("nonfinite", infinite, values, rows)
        if family == "decimal":
            self._look_decimals(values, float, rows)
        if self.declared.pg_type == "real":
            inexact = [i for i, v in enumerate(values) if type(v) is float and not _fits_float4(v)]
            self._offend("range", inexact, values, rows)

    def _measure_reals(self, reals: list[float]) -> None:
        """Note the least and the largest finite real, and count what is not to be lost on the way."""
        low, high = min(reals), max(reals)
        if low <= 0 <= high and 0.0 in reals:
            self.negative_zeros += sum(not v and copysign(1, v) < 0 for v in reals)
        if low == -inf or high == inf:
            self.negative_infinities += reals.count(-inf)
            self.positive_infinities += reals.count(inf)
            finite = [v for v in reals if -inf < v < inf]
            if not finite:
                return
            low, high = min(finite), max(finite)
        self.min_real = low if self.min_real is None else min(low, self.min_real)
        self.max_real = high if self.max_real is None else max(high, self.max_real)

    def _place_shapes(self, fresh: Mapping[str, str | bytes], values: Sequence[object], rows: Batch) -> None:
        """Keep the keys of the first rows with the shapes."""
        for shape, found in fresh.items():
            if shape in self.first and self.first[shape][0] < rows.orders[0]:
                continue
            index = next(i for i, v in enumerate(values) if type(v) is type(found) and v == found)
            self.place_shape(shape, rows.orders[index], rows.describe(index))

    def place_shape(self, shape: str, order: int, key: str) -> None:
        """Keep the key of the row at this place among the table's, if it is the first with the shape."""
        if shape not in self.first or order < self.first[shape][0]:
            self.first[shape] = order, key

    def _add_texts(self, values: Sequence[object], *, whole: bool, rows: Batch) -> None:
        texts: Sequence[str] = values if whole else [v for v in values if type(v) is str]  # type: ignore[assignment]  # just selected by type
        longest = max(map(len, texts))
        self.longest_text = max(self.longest_text, longest)
        joined = "".join(texts)
        encoded_bytes = count_bytes(joined)
        self.size_bytes += encoded_bytes
        self.longest_bytes = max(self.longest_bytes, longest if joined.isascii() else max(map(count_bytes, texts)))
        if "\0" in joined:
            self._offend("nul", [i for i, v in enumerate(values) if type(v) is str and "\0" in v], values, rows)
        limit = self.declared.length
        if self._repair is not None:
            self._add_repaired(values, str, rows)
        elif self.declared.family == "text" and limit is not None and longest > limit:
            long = [i for i, v in enumerate(values) if type(v) is str and len(v) > limit]
            self._offend("too-long", long, values, rows)
        if self.declared.family == "decimal":
            self._look_decimals(values, str, rows)
        described = self.look is not None and self.declared.family in DESCRIBED
        if not described:
            self._place_shapes(self.shapes.add_texts(texts, joined, longest), values, rows)
        if self.look is not None:
            forms = [self.look(v) if type(v) is str else "" for v in values]
            if _JSON_DOUBLED in forms:
                forms = self._add_doubled(values, forms, rows)
            counted = Counter(forms)
            del counted[""]
            self.forms.update(counted)
            if described and "other" in counted:
                others = [v for v, form in zip(values, forms, strict=True) if form == "other"]
                self._add_others(others, values, rows)  # type: ignore[arg-type]  # only texts have a form
            if self.declared.family == "inet" and "inet" in counted:
                taken = [i for i, v in enumerate(values) if forms[i] == "inet" and is_respelled(v)]  # type: ignore[arg-type]  # a text
                self._note("respelled", taken, values, rows)
            wrong = set(counted) - TAKES[self.declared.family]
            if wrong:
                self._offend("form", [i for i, form in enumerate(forms) if form in wrong], values, rows)
                if self.declared.family in {"datetime", "date", "time"}:
                    odd = [v for v, form in zip(values, forms, strict=True) if form in wrong]
                    self.reasons.update(tell_why_no_time(v) for v in odd if type(v) is str)
            for form, offence in (("json-only", "json-only"), ("datetime-tz", "zone")):
                if form in counted:
                    self._offend(offence, [i for i, found in enumerate(forms) if found == form], values, rows)
            if self._resolve is not None:
                self._add_local_times(values, forms, wrong, rows)

    def _add_others(self, texts: Sequence[str], values: Sequence[object], rows: Batch) -> None:
        """Look at the texts that have none of the forms of the declared type."""
        fresh = self.shapes.add_texts(texts, "".join(texts), max(map(len, texts)))
        self._place_shapes(fresh, values, rows)

    def _add_local_times(self, values: Sequence[object], forms: Sequence[str], wrong: set[str], rows: Batch) -> None:
        """Look at the texts that the chosen time zone makes moments of: those without an offset."""
        unclear: dict[str, list[int]] = {}
        folded: list[int] = []
        for index, (value, form) in enumerate(zip(values, forms, strict=True)):
            if type(value) is not str or form in wrong or form == "datetime-tz":
                continue
            try:
                self._resolve(read_local_us(value))  # type: ignore[misc]  # only called where there is one
            except Unconvertible as error:
                unclear.setdefault(_tell_unclear(error), []).append(index)
                continue
            self._changed.add(index)
            if self._look_twice is not None:
                try:
                    self._look_twice(read_local_us(value))
                except Unconvertible:
                    folded.append(index)
        self._note("folded", folded, values, rows)
        for offence, indexes in unclear.items():
            self._offend(offence, indexes, values, rows)

    def _add_repaired(self, values: Sequence[object], found: type, rows: Batch) -> None:
        """Look at what the chosen repairs make of texts."""
        repair, limit, long = self._repair, self.declared.length, []
        for index, value in enumerate(values):
            if type(value) is not found:
                continue
            text = repair(value)  # type: ignore[misc, arg-type]  # only called where there is one, with texts
            if text is None:
                continue
            if text != value:
                self._changed.add(index)
            self.longest_text = max(self.longest_text, len(text))
            if self.declared.family == "text" and limit is not None and len(text) > limit:
                long.append(index)
        self._offend("too-long", long, values, rows)

    def _add_numbers(self, values: Sequence[object], convert: Callable[[int | float], int], rows: Batch) -> None:
        """Look at the numbers that the chosen epoch makes moments of."""
        beyond = []
        for index, value in enumerate(values):
            if type(value) is int or type(value) is float:
                try:
                    convert(value)
                except Unconvertible:
                    beyond.append(index)
                else:
                    self._changed.add(index)
        self._offend("epoch", beyond, values, rows)

    def _look_decimals(self, values: Sequence[object], found: type, rows: Batch) -> None:
        precision, scale = self.declared.precision, self.declared.scale or 0
        if found is float:
            self._note("inexact", [i for i, v in enumerate(values) if type(v) is float and is_inexact(v)], values, rows)
        if self._quantise is not None and found is not str:
            self._add_quantised(values, found, self._quantise, rows)
            return
        if precision is None and found is not str:
            return  # numeric without limits takes every finite number: there is nothing to count
        excess, wrong = [], []
        for index, value in enumerate(values):
            if type(value) is not found:
                continue
            digits = count_digits(value)  # type: ignore[arg-type]  # an int, float or str, by the line above
            if digits is None:
                if found is str:
                    wrong.append(index)
                continue
            whole, fraction = digits
            self.integer_digits = max(self.integer_digits, whole)
            self.fraction_digits = max(self.fraction_digits, fraction)
            if precision is not None and (fraction > scale or whole > precision - scale):
                excess.append(index)
        self._offend("excess", excess, values, rows)
        self._offend("form", wrong, values, rows)

    def _add_quantised(
        self, values: Sequence[object], found: type, quantise: Callable[[int | float], Decimal], rows: Batch
    ) -> None:
        """Look at the decimals that numbers become."""
        excess = []
        for index, value in enumerate(values):
            if type(value) is not found or value in _INFINITIES:
                continue
            try:
                changed = quantise(value) != Decimal(repr(value))  # type: ignore[arg-type]  # an int or float
            except Unconvertible:
                excess.append(index)
                whole, fraction = count_digits(value) or (0, 0)  # type: ignore[arg-type]  # the same
                self.integer_digits = max(self.integer_digits, whole)
                self.fraction_digits = max(self.fraction_digits, fraction)
            else:
                if changed:
                    self._changed.add(index)
        self._offend("excess", excess, values, rows)

    def _look_datetime(self, text: str) -> str:
        form, digits = text_form_datetime(text)
        if digits > self.fraction_digits:
            if digits > self.declared.fraction_digits:
                return "other"
            self.fraction_digits = digits
        return form

    def _look_time(self, text: str) -> str:
        form, digits = text_form_time(text)
        if digits > self.declared.fraction_digits:
            return "other"
        self.fraction_digits = max(self.fraction_digits, digits)
        return form

    def _look_interval(self, text: str) -> str:
        form = self._look_datetime(text)
        elapsed = form.startswith("datetime") and form != "datetime-tz" and text.startswith(("1970-", "1969-"))
        return "since-1970" if elapsed else "other"

    def _look_json(self, text: str) -> str:
        form = self._json.classify(text)
        return _JSON_DOUBLED if form != "other" and self._json.is_only_doubled else form

    def _add_doubled(self, values: Sequence[object], forms: Sequence[str], rows: Batch) -> list[str]:
        """Look at the JSON of which nothing but the same key twice hinders jsonb; returns all forms, with theirs."""
        found = [index for index, form in enumerate(forms) if form == _JSON_DOUBLED]
        if LAST_KEY in self.conversions:
            self._changed.update(found)
        else:
            self._note("doubled", found, values, rows)
        taken = "json-jsonb" if LAST_KEY in self.conversions else "json-only"
        return [taken if form == _JSON_DOUBLED else form for form in forms]

    def _look_label(self, text: str) -> str:
        return "label" if text in self.declared.labels else "other"

    @staticmethod
    def _where(values: Sequence[object], found: type) -> list[int]:
        return [index for index, value in enumerate(values) if type(value) is found]

    def _offend(self, offence: str, indexes: Iterable[int], values: Sequence[object], rows: Batch) -> None:
        found = indexes if isinstance(indexes, list) else list(indexes)
        if not found:
            return
        self.counts[offence] += len(found)
        for index in found:
            self._offenders.setdefault(index, []).append(offence)
        _keep_first(self.samples.setdefault(offence, []), found, values, rows)
        if self.sink is not None:
            self.sink(
                self.column.name,
                offence,
                (
                    Offender(
                        rows.identify(index),
                        rows.describe(index),
                        describe_class(values[index]),
                        values[index],
                        has_value=True,
                    )
                    for index in found
                ),
            )

    def _note(self, note: str, indexes: Sequence[int], values: Sequence[object], rows: Batch) -> None:
        """Count what hinders nothing."""
        self.counts[note] += len(indexes)
        _keep_first(self.notes.setdefault(note, []), indexes, values, rows)

    def add_tally(self, tally: Tally) -> None:
        """Add what was counted elsewhere, of values that are as the column ought to have them."""
        self.classes.update(
            {type(None): tally.nulls, int: tally.integers, float: tally.reals, str: tally.texts, bytes: tally.blobs}
        )
        self.min_integer = _choose(min, self.min_integer, tally.min_integer)
        self.max_integer = _choose(max, self.max_integer, tally.max_integer)
        self.min_real = _choose(min, self.min_real, tally.min_real)
        self.max_real = _choose(max, self.max_real, tally.max_real)
        self.negative_zeros += tally.negative_zeros
        self.positive_infinities += tally.positive_infinities
        self.negative_infinities += tally.negative_infinities
        self.longest_text = max(self.longest_text, tally.longest_text_chars)
        self.longest_bytes = max(self.longest_bytes, tally.longest_value_bytes)
        self.size_bytes += tally.size_bytes
        self.fraction_digits = max(self.fraction_digits, tally.max_fraction_digits)
        self.integer_digits = max(self.integer_digits, tally.max_integer_digits)
        self.forms.update(tally.forms)
        self.shapes.counts.update(tally.shapes)

    def finish(self) -> ColumnCensus:
        """Return what was counted."""
        shapes = self.shapes.counts
        return ColumnCensus(
            name=self.column.name,
            nulls=self.classes[type(None)],
            integers=self.classes[int],
            reals=self.classes[float],
            texts=self.classes[str] + self.classes[InvalidText],
            blobs=self.classes[bytes],
            min_integer=self.min_integer,
            max_integer=self.max_integer,
            min_real=None if self.min_real is None else self.min_real + 0.0,  # of the two zeros the usual one
            max_real=None if self.max_real is None else self.max_real + 0.0,
            negative_zeros=self.negative_zeros,
            positive_infinities=self.positive_infinities,
            negative_infinities=self.negative_infinities,
            longest_text_chars=self.longest_text,
            longest_value_bytes=self.longest_bytes,
            size_bytes=self.size_bytes,
            forms_of=self.declared.family if self.look is not None else "",
            forms=tuple(Form(name=name, count=self.forms[name]) for name in _list_found(FORMS, self.forms)),
            shapes=tuple(
                Form(name=name, count=shapes[name], first=self.first.get(name, (0, ""))[1])
                for name in _list_found(SHAPES, shapes)
            ),
            max_fraction_digits=self.fraction_digits,
            max_integer_digits=self.integer_digits,
            offences=tuple(
                Offence(name=name, count=self.counts[name], samples=_list_kept(self.samples[name]))
                for name in _list_found(OFFENCES, self.counts)
            ),
            misfits=tuple(
                Misfits(storage=_STORAGE[found], offences=names, converted=converted, count=count)
                for (found, names, converted), count in sorted(self.groups.items(), key=_order_group)
            ),
            notes=tuple(
                Offence(name=name, count=self.counts[name], samples=_list_kept(self.notes[name]))
                for name in _list_found(NOTES, self.counts)
            ),
            reasons=tuple(Form(name=name, count=self.reasons[name]) for name in _list_found(REASONS, self.reasons)),
            conversions=self.conversions,
            converted=self.converted,
        )


def _choose(
    choose: Callable[[_Number, _Number], _Number], one: _Number | None, other: _Number | None
) -> _Number | None:
    """The lesser or the greater of two numbers, either of which may be missing."""
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def _list_found(names: Iterable[str], counts: Mapping[str, int]) -> list[str]:
    """Those of the names, in their order, that were counted: of most columns hardly any, and there may be very many."""
    return [name for name in names if counts.get(name)] if counts else []


def _keep_first(kept: _Kept, indexes: Sequence[int], values: Sequence[object], rows: Batch) -> None:
    """Keep the places of the first rows, whatever the order in which batches come."""
    if not indexes or (len(kept) == SAMPLES and kept[-1][0] < rows.orders[indexes[0]]):
        return
    for index in indexes[:SAMPLES]:
        kept.append((rows.orders[index], Sample(key=rows.describe(index), why=describe_class(values[index]))))
    kept.sort(key=_order_of)
    del kept[SAMPLES:]


def _order_of(kept: tuple[int, Sample]) -> int:
    return kept[0]


def _list_kept(kept: _Kept) -> tuple[Sample, ...]:
    return tuple(sample for _, sample in kept)


def _order_group(group: tuple[tuple[type, tuple[str, ...], bool], int]) -> tuple[str, tuple[str, ...], bool]:
    (found, names, converted), _ = group
    return _STORAGE[found], names, converted


def _tell_unclear(error: Unconvertible) -> str:
    """The offence of a local time that is no moment."""
    words = str(error)
    return "local-twice" if "twice" in words else "local-beyond" if "calendar" in words else "local-none"


def _fits_float4(value: float) -> bool:
    """Whether a number is exactly one of single precision."""
    try:
        (found,) = unpack(">f", pack(">f", value))
    except OverflowError:
        return False
    return bool(found == value)


_TEXTS: Final[frozenset[type]] = frozenset({str, InvalidText})
_STORAGE: Final[MappingProxyType[type, StorageName]] = MappingProxyType(
    {type(None): "null", int: "integer", float: "real", str: "text", InvalidText: "text", bytes: "blob"}
)
_CLASSES: Final[MappingProxyType[str, type]] = MappingProxyType(
    {"null": type(None), "integer": int, "real": float, "text": str, "blob": bytes}
)
