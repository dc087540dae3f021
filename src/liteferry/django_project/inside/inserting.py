"""A row inserted on trial, as the application would insert one, and rolled back.

No instance is made, ``save`` is not called, no signal is sent: `InsertQuery` is given the values as they are.
"""

from __future__ import annotations

import datetime as dt
import decimal
import secrets
import types
import uuid
from typing import Any, Callable

from .comparing import find_code, find_constraint

_ATTEMPTS = 3
_UNIQUE, _CHECK, _FOREIGN_KEY, _EXCLUSION = "23505", "23514", "23503", "23P01"
_DATA = "22"
"""SQLSTATE's class of values that a type does not have."""


class DiffersError(Exception):
    """What the trial found is not as it must be."""


class NotTriedError(Exception):
    """No row could be made up."""


def try_insert(model: Any, alias: str, row: dict[str, Any] | None, *, shared: bool = False) -> str:
    """Insert a copy of a row, or a made-up one when there is none, under a new primary key; roll it back.

    Gives what came of it. A foreign key of the made-up row, or a primary key that is one, may dangle: Django's are
    deferred to the commit, which never comes. What `nextval` took from the sequence is given back, as no rollback does,
    unless it is ``shared``: where an application may take from it at any moment, a gap does no harm, and a number that
    was given twice would.

    Raises: DiffersError, NotTriedError, and the database's errors.
    """
    from django.db import connections, models, transaction

    connection = connections[alias]
    key = model._meta.pk
    serial = isinstance(key, models.AutoField) and key in model._meta.local_concrete_fields
    sequence = _Sequence(connection, model) if serial and not shared else None
    attempts = 0
    try:
        with transaction.atomic(using=alias):
            most = _find_end(model, alias, key.attname) if serial else None
            outcome = ""
            while not outcome:
                attempts += 1
                maker = _Row(model, alias)
                try:
                    values = maker.copy(row) if row else maker.make_up(bare=attempts > 1)
                    with transaction.atomic(using=alias):
                        new = _insert(model, alias, values)
                    outcome = _judge_key(new, most) if serial else "took a row"
                except Exception as error:  # noqa: BLE001 - the database's, or one of a field's own code
                    outcome = _explain(error, connection, model, made_up=row is None)
                    if attempts < _ATTEMPTS and find_code(error) in {_UNIQUE, _CHECK}:
                        outcome = ""
            transaction.set_rollback(True, using=alias)
    finally:
        if sequence:
            sequence.set_back(attempts)
    return outcome + (", rolled back" if outcome.startswith("took") else "")


def _insert(model: Any, alias: str, values: dict[str, Any]) -> Any:
    """Insert values by attribute name; give the new primary key."""
    from django.db.models import sql

    fields = [field for field in model._meta.local_concrete_fields if field.attname in values]
    query = sql.InsertQuery(model)
    query.insert_values(fields, [types.SimpleNamespace(**values)], raw=True)
    returning = list(getattr(model._meta, "pk_fields", None) or [model._meta.pk])
    rows = query.get_compiler(using=alias).execute_sql(returning)
    return rows[0][0]


def _judge_key(new: Any, most: Any) -> str:
    if most is not None and new <= most:
        raise DiffersError(f"the sequence gave primary key {new}, although {most} is there already")
    return f"took primary key {new}"


def _explain(error: Exception, connection: Any, model: Any, *, made_up: bool) -> str:
    """Say what a refused row means: a constraint that did its duty is no fault. Raises: what is one."""
    code, name = find_code(error), find_constraint(error)
    kind = {_UNIQUE: "unique constraint", _CHECK: "check", _EXCLUSION: "exclusion constraint"}.get(code)
    if code == _UNIQUE and _is_primary_key(connection, model, name):
        raise DiffersError(
            f"the row's primary key is there already, says constraint {name}: the sequence is behind"
        ) from error
    row = "a made-up row" if made_up else "a copy of a row"
    if kind:
        return f"{kind} {name} refuses {row}, as it should"
    if code == _FOREIGN_KEY:
        return f"foreign key {name} refuses {row} at once, for it is not deferred"
    if isinstance(error, (DiffersError, NotTriedError)) or (code and code[:2] != _DATA):
        raise error
    # a field's own code, or its type, does not have the value that was made for it: the copied ones are in the table
    raise NotTriedError(f"no value that suits could be made: {type(error).__name__}") from error


def _is_primary_key(connection: Any, model: Any, name: str) -> bool:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return bool(found.get(name, {}).get("primary_key"))


def _find_end(model: Any, alias: str, attname: str, *, lowest: bool = False) -> Any:
    """The highest value of a column, or the lowest; None without any."""
    from django.db.models import Max, Min, QuerySet

    end = Min(attname) if lowest else Max(attname)
    return QuerySet(model=model, using=alias).aggregate(liteferry_end=end)["liteferry_end"]


class _Sequence:
    """The sequence behind a model's primary key, as it was before."""

    def __init__(self, connection: Any, model: Any) -> None:
        self._connection = connection
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, model._meta.pk.column])
            self._name = cursor.fetchone()[0]
        self._before = self._read()

    def _read(self) -> Any:
        if not self._name:
            return None
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT last_value, is_called FROM {self._name}")  # the server quoted it
            return cursor.fetchone()

    def set_back(self, taken: int) -> None:
        """Give back what we took, ``taken`` numbers at most."""
        after = self._read()
        if after is None or after == self._before or abs(after[0] - self._before[0]) > taken:
            return
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT setval(%s, %s, %s)", [self._name, *self._before])


class _Row:
    """Makes the values of a new row, by attribute name; those that the database fills are left out."""

    def __init__(self, model: Any, alias: str) -> None:
        from django.db import connections

        self._model, self._alias = model, alias
        self._connection = connections[alias]
        self._keys = list(getattr(model._meta, "pk_fields", None) or [model._meta.pk])
        self._fields = [
            field
            for field in model._meta.local_concrete_fields
            if not getattr(field, "generated", False) and not self._is_serial(field)
        ]

    def copy(self, row: dict[str, Any]) -> dict[str, Any]:
        """A copy of a row, with other values where they must be unique."""
        values = {
            # where a field reads None although it may not store NULL (JSON's null), None would be stored as NULL
            field.attname: self._make_value(field)
            if row[field.attname] is None and not field.null
            else row[field.attname]
            for field in self._fields
        }
        for field in self._choose_varied(values):
            values[field.attname] = self._vary(field, values[field.attname])
        for field in self._fields:
            if (
                values[field.attname] is None
                and not field.null
                and _find_last(field).get_internal_type() == "JSONField"
            ):
                values[field.attname] = _make_json_null()
        return values

    def make_up(self, *, bare: bool) -> dict[str, Any]:
        """A row of made-up values. bare: NULL wherever it may be."""
        return {field.attname: None if bare and field.null else self._make_value(field) for field in self._fields}

    @staticmethod
    def _is_serial(field: Any) -> bool:
        from django.db import models

        return isinstance(field, models.AutoField)

    def _choose_varied(self, values: dict[str, Any]) -> list[Any]:
        """The fields that get other values: one at least of whatever must be unique together."""
        by_name = {field.name: field for field in self._fields}
        own_keys = [key for key in self._keys if key in self._fields]
        sets = [[key.name for key in own_keys]] if len(own_keys) == len(self._keys) else []
        sets += [[field.name] for field in self._fields if field.unique]
        sets += [list(names) for names in self._model._meta.unique_together]
        sets += [list(_list_names(constraint)) for constraint in self._model._meta.constraints]
        varied: dict[str, Any] = {}
        for names in sets:
            fields = [by_name[name] for name in names if name in by_name and values[by_name[name].attname] is not None]
            if fields and not any(field.name in varied for field in fields):
                best = min(fields, key=lambda field: self._rank(field, values[field.attname]))
                varied[best.name] = best
        return list(varied.values())

    @staticmethod
    def _rank(field: Any, value: Any) -> tuple[bool, bool, int]:
        """What is varied first: no choices, no foreign keys, and what leaves most room."""
        room = (str, uuid.UUID, int, dt.date, decimal.Decimal)
        order = next((number for number, kind in enumerate(room) if isinstance(value, kind)), len(room))
        return bool(field.flatchoices) or isinstance(value, bool), bool(field.is_relation), order

    def _vary(self, field: Any, value: Any) -> Any:
        token = secrets.token_hex(16)
        last = _find_last(field)
        if last.get_internal_type() == "GenericIPAddressField":
            return "2001:db8::" + token[:4] if ":" in value else f"192.0.2.{secrets.randbelow(254) + 1}"
        if isinstance(value, str):
            return token[: getattr(last, "max_length", None) or len(token)]
        if isinstance(value, uuid.UUID):
            return uuid.uuid4()
        if isinstance(value, (bytes, bytearray, memoryview)):
            return secrets.token_bytes(16)
        if isinstance(value, dict):
            return {**value, "liteferry": token}
        if type(value) is int:
            return self._find_free_number(field, last)
        step = _STEPS.get(type(value))
        return value if step is None else _find_end(self._model, self._alias, field.attname) + step

    def _find_free_number(self, field: Any, last: Any) -> int:
        """A number beyond those that are there, above or, where the type ends, below."""
        kind = last.get_internal_type()
        lowest, highest = self._connection.ops.integer_field_range(kind) if "Integer" in kind else (None, None)
        above = int(_find_end(self._model, self._alias, field.attname)) + 1
        if highest is None or above <= highest:
            return above
        below = int(_find_end(self._model, self._alias, field.attname, lowest=True)) - 1
        if lowest is not None and below >= lowest:
            return below
        raise NotTriedError(f"{field.name} has both its lowest and its highest number already")

    def _make_value(self, field: Any) -> Any:
        from django.db.models import NOT_PROVIDED, QuerySet

        last = _find_last(field)
        if field.is_relation:
            keys = QuerySet(model=field.related_model, using=self._alias)
            found = list(keys.order_by().values_list(field.target_field.attname, flat=True)[:1])
            if found:
                return found[0]
        if field.flatchoices:
            return next((value for value, _ in field.flatchoices if value not in (None, "")), "")
        if field.default is not NOT_PROVIDED and not callable(field.default) and field.default is not None:
            return field.default
        make: Callable[[], Any] | None = _MADE_UP.get(last.get_internal_type())
        if make is not None:
            made = make()
            return made[: field.max_length] if isinstance(made, str) and field.max_length else made
        if field.null:
            return None
        raise NotTriedError(f"no value can be made up for field {field.name}")


def _make_json_null() -> Any:
    """JSON's null, which is no NULL; None would be written as NULL."""
    from django.db.models import JSONField, Value

    return Value(None, JSONField())


def _find_last(field: Any) -> Any:
    """The field itself, or what a foreign key leads to at last."""
    while field.is_relation:
        field = field.target_field
    return field


def _list_names(constraint: Any) -> list[str]:
    """The fields that a unique constraint is of, those within its expressions too."""
    from django.db.models import F, UniqueConstraint

    if not isinstance(constraint, UniqueConstraint):
        return []
    found = list(constraint.fields)
    pending = list(getattr(constraint, "expressions", ()))
    while pending:
        expression = pending.pop()
        if isinstance(expression, F):
            found.append(expression.name)
        elif expression is not None:
            pending += expression.get_source_expressions()
    return found


def _make_datetime() -> dt.datetime:
    from django.conf import settings

    return dt.datetime(2000, 1, 1, tzinfo=dt.timezone.utc if settings.USE_TZ else None)


_STEPS: dict[type, Any] = {
    dt.datetime: dt.timedelta(microseconds=1),
    dt.date: dt.timedelta(days=1),
    dt.timedelta: dt.timedelta(microseconds=1),
    float: 1.0,
    decimal.Decimal: decimal.Decimal(1),
}
"""What is added to the highest value of a type to have another."""

_MADE_UP: dict[str, Callable[[], Any]] = {
    "AutoField": lambda: 1,
    "BigAutoField": lambda: 1,
    "BigIntegerField": lambda: 1,
    "BinaryField": lambda: b"\x00",
    "BooleanField": lambda: False,
    "CharField": lambda: secrets.token_hex(4),
    "DateField": lambda: dt.date(2000, 1, 1),
    "DateTimeField": _make_datetime,
    "DecimalField": lambda: decimal.Decimal(0),
    "DurationField": lambda: dt.timedelta(seconds=1),
    "FileField": lambda: secrets.token_hex(4),
    "FilePathField": lambda: secrets.token_hex(4),
    "FloatField": lambda: 0.5,
    "GenericIPAddressField": lambda: "192.0.2.1",
    "IntegerField": lambda: 1,
    "JSONField": dict,
    "PositiveBigIntegerField": lambda: 1,
    "PositiveIntegerField": lambda: 1,
    "PositiveSmallIntegerField": lambda: 1,
    "SlugField": lambda: secrets.token_hex(4),
    "SmallAutoField": lambda: 1,
    "SmallIntegerField": lambda: 1,
    "TextField": lambda: secrets.token_hex(4),
    "TimeField": lambda: dt.time(12, 0),
    "UUIDField": uuid.uuid4,
}
