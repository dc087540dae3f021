"""The task `collect_evidence`: every model read through the ORM in two databases, and a row inserted on trial.

No instance of a model is made: whatever is read is read by ``values_list``, which converts values as fields do and
sends no signal, and by plain querysets, for a manager of the application may hide rows. So neither ``__init__`` and
``from_db`` of models nor their managers run; what fields do with values does.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import Any, Callable, Collection, Iterator

from .comparing import is_same, make_key, tell_error, tell_key, tell_values
from .describing import is_custom
from .inserting import DiffersError, NotTriedError, try_insert
from .relations import Fetch, list_relations

_SAMPLES = 8
"""How many rows of a model are looked up and followed."""

_ALL_ROWS = 1_000
"""Up to how many rows every row is compared, field by field; of models with fields of their own every row is."""

_CHUNK = 50
"""How many rows are in memory at a time."""

_TOLD = 3
"""How many differences of a model are told; all are counted."""

_WITHOUT_ORDER = ("inet", "json", "interval", "point", "citext")
"""Types of PostgreSQL whose order is not that of what SQLite stores."""

_DATES = {"DateField", "DateTimeField", "TimeField"}

_TEXTS = ("varchar", "text", "char")


_EQUAL = "equal"


class SourceUnreadableError(Exception):
    """The source's side cannot be read through the ORM, so that there is nothing to compare with."""


class SkippedError(Exception):
    """There is nothing to compare."""


def collect_evidence(argument: dict[str, Any], tell: Callable[..., None]) -> list[dict[str, Any]]:
    """Compare the databases ``argument["source"]`` and ``argument["target"]``, both of them aliases, model by model.

    ``show_values``: whether differing values are told. ``shared``: others may be using the target. ``apart``: rows that
    are in the source alone, by table (in quarantine); ``changed``: columns whose values were changed on purpose, by
    table; ``left_out``: tables that did not travel. Gives the fields of `liteferry.project.ModelEvidence`, a model that
    fails included. Nothing stays written.
    """
    from django.apps import apps
    from django.db import connections
    from django.db.backends.signals import connection_created

    connection_created.send = connection_created.send_robust  # a receiver may try to write, which both sides refuse
    with connections[argument["target"]].cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")  # for the rows on trial; whoever asked for it is done
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and not model._meta.swapped
    ]
    sides = _Sides(argument, connections)
    found = []
    for number, model in enumerate(models, start=1):
        evidence = _Case(model, sides).collect()
        tell(kind="model", name=evidence["model"], status=evidence["status"], number=number, of=len(models))
        found.append(evidence)
    return found


class _Sides:
    """Both databases, and what is known to be different between them."""

    def __init__(self, argument: dict[str, Any], connections: Any) -> None:
        self.source, self.target = argument["source"], argument["target"]
        self.connection = connections[self.target]
        self.show = bool(argument.get("show_values"))
        self.shared = bool(argument.get("shared"))
        self.apart = argument.get("apart") or {}
        self.changed = argument.get("changed") or {}
        self.left_out = set(argument.get("left_out") or ())
        source = connections[self.source]
        with source.cursor() as cursor:
            relations = source.introspection.get_table_list(cursor)
        self.tables = {found.name.lower() for found in relations}
        self.views = {found.name.lower() for found in relations if found.type == "v"}
        self.touched = {table.lower() for table in (*filter(self.apart.get, self.apart), *self.changed, *self.left_out)}

    def is_here(self, model: Any) -> bool:
        """Whether a model's table is in the source."""
        return model._meta.db_table.lower() in self.tables

    def is_touched(self, view: str) -> bool:
        """Whether a view of the source may show what was set apart, changed or left out, directly or through another.

        By the names in its SQL: a name that only looks the same costs a comparison, never a wrong one.
        """
        from django.db import connections

        with connections[self.source].cursor() as cursor:
            cursor.execute("SELECT lower(name), lower(sql) FROM sqlite_master WHERE type = 'view'")
            definitions = dict(cursor.fetchall())
        waiting, seen = [view.lower()], set()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            sql = definitions.get(name) or ""
            if any(table in sql for table in self.touched):
                return True
            waiting += [other for other in self.views - seen if other in sql]
        return False

    def find_schema(self, table: str) -> Any:
        """The schema that a table is found in, and whether that is the one that is meant; None without the table."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT n.nspname, n.nspname = current_schema(), c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c"
                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)",
                [self.connection.ops.quote_name(table)],
            )
            return cursor.fetchone()


class _Case:
    """One model in both databases."""

    def __init__(self, model: Any, sides: _Sides) -> None:
        meta = model._meta
        self._model, self._meta, self._sides = model, meta, sides
        self._fields = list(meta.concrete_fields)
        self._keys = list(getattr(meta, "pk_fields", None) or [meta.pk])
        tables = {field.model._meta.db_table for field in self._fields}
        self._changed = {
            field.attname for field in self._fields if field.column in sides.changed.get(field.model._meta.db_table, ())
        }
        self._apart = sum(sides.apart.get(table, 0) for table in {meta.db_table})
        self._any_apart = any(sides.apart.get(table) for table in tables)
        self._counts = [-1, -1]
        self._sampled: list[Any] = []
        self._rows: dict[str, dict[Any, dict[str, Any]]] = {}
        self._checks: list[tuple[str, str]] = []
        self._whys: list[str] = []
        self._status = _EQUAL
        self._all_compared = False
        self._missing: set[Any] = set()  # told already
        self._doubled: set[Any] = set()
        self._unread = 0
        self._unread_error = ""
        self._is_found, self._is_table = False, False

    # -----------------------------------------------------------------------------------------------------------------

    def collect(self) -> dict[str, Any]:
        reason = self._find_reason_to_skip()
        if reason:
            self._status = "skipped"
            self._whys.append(reason)
        elif self._check("table", self._check_table) and self._is_found and self._check("count", self._check_count):
            self._check("first and last", self._check_ends)
            self._check("rows", self._check_rows)
            self._check("lookup", self._check_lookups)
            self._check_relations()
            self._check("insert", self._check_insert)
            if self._unread:
                self._raise_status("skipped")
                values = "1 value or row" if self._unread == 1 else f"{self._unread:,} values or rows"
                self._whys.append(f"the application cannot read {values} in SQLite: {self._unread_error}")
        return {
            "model": self._meta.label,
            "table": self._meta.db_table,
            "rows_source": self._counts[0],
            "rows_target": self._counts[1],
            "status": self._status,
            "checks": self._checks,
            "why": "; ".join(self._whys),
        }

    def _find_reason_to_skip(self) -> str:
        table = self._meta.db_table
        if table in self._sides.left_out:
            return "the table was left out"
        if not self._sides.is_here(self._model):
            return "the SQLite file has no table for it"
        parents = [field.model for field in self._fields if not self._sides.is_here(field.model)]
        return f"the SQLite file has no table for {parents[0]._meta.label}, which it inherits from" if parents else ""

    def _check(self, name: str, look: Callable[[_Differences], str]) -> bool:
        """Make one check, which adds differences and gives what it looked at; say whether it came to its end."""
        from django.db import transaction

        differences = _Differences()
        outcome, status = "", "equal"
        try:
            if name == "insert":  # has transactions of its own
                outcome = look(differences)
            else:
                with transaction.atomic(using=self._sides.target):
                    with self._sides.connection.cursor() as cursor:
                        cursor.execute("SET TRANSACTION READ ONLY")
                    outcome = look(differences)
        except SourceUnreadableError as error:
            status, outcome = "skipped", "not compared"
            cause = tell_error(error.__cause__ or error, show=self._sides.show)
            differences.add(f"SQLite's side cannot be read: {cause}")
        except SkippedError as error:
            status, outcome = "skipped", "not compared"
            differences.add(str(error))
        except NotTriedError as error:
            outcome = f"not tried: {error}"
        except DiffersError as error:
            differences.add(str(error))
        except Exception as error:  # noqa: BLE001 - the database's, or the application's own
            status, outcome = "failed", "failed"
            differences.add(tell_error(error, show=self._sides.show))
        if differences.count:
            self._whys.append(f"{name}: {differences}")
            if status == "equal":
                status = outcome = "different"
        self._checks.append((name, outcome))
        self._raise_status(status)
        return status in {"equal", "different"}

    def _raise_status(self, status: str) -> None:
        rank = ("equal", "skipped", "different", "failed")
        self._status = max(self._status, status, key=rank.index)

    # -----------------------------------------------------------------------------------------------------------------
    # Reading

    def _query(self, alias: str) -> Any:
        from django.db.models import QuerySet

        return QuerySet(model=self._model, using=alias)

    @contextlib.contextmanager
    def _reading(self, alias: str) -> Iterator[None]:
        """Read one side within. Raises: SourceUnreadableError when it is the source that fails."""
        try:
            yield
        except Exception as error:
            if alias == self._sides.source:
                raise SourceUnreadableError from error
            raise

    def _read_rows(self, alias: str, **lookup: Any) -> dict[Any, dict[str, Any]]:
        """Rows by primary key, each as values by attribute name, with ``pk``."""
        names = ["pk", *(field.attname for field in self._fields)]
        with self._reading(alias):
            rows = list(self._query(alias).filter(**lookup).order_by().values_list(*names))
        found: dict[Any, dict[str, Any]] = {}
        for row in rows:
            key = make_key(row[0])
            if key in found:  # a table of somebody else's, whose key is none
                self._doubled.add(key)
            found[key] = dict(zip(names, row))
        return found

    def _order(self, alias: str, *, last: bool = False) -> list[Any]:
        """Order by primary key, texts by their bytes as SQLite does."""
        from django.db.models import F
        from django.db.models.functions import Collate

        order = []
        for key in self._keys:
            expression = F(key.attname)
            if self._find_type(key).startswith(_TEXTS):
                expression = Collate(key.attname, "C" if alias == self._sides.target else "BINARY")
            order.append(expression.desc() if last else expression.asc())
        return order

    def _find_type(self, field: Any) -> str:
        while field.is_relation:
            field = field.target_field
        return str(field.db_type(self._sides.connection) or "")

    def _find_end(self, alias: str, *, last: bool) -> Any:
        with self._reading(alias):
            keys = self._query(alias).order_by(*self._order(alias, last=last)).values_list("pk", flat=True)
            return next(map(make_key, keys[:1]), None)

    def _choose_samples(self) -> list[Any]:
        """Primary keys of rows from all over the table, the first and last among them; of those that travelled."""
        alias = self._sides.target if self._any_apart else self._sides.source
        count = self._counts[1] if self._any_apart else self._counts[0]
        first, last = self._find_end(alias, last=False), self._find_end(alias, last=True)
        found = [] if first is None else [first]
        order = self._order(alias)
        numbers = type(first) is int and type(last) is int  # no need to count rows, which takes long in a long table
        for part in range(1, _SAMPLES - 1):
            query = self._query(alias)
            skipped = 0 if numbers else count * part // (_SAMPLES - 1)
            if numbers:
                query = query.filter(pk__gte=first + (last - first) * part // (_SAMPLES - 1))
            keys = query.order_by(*order).values_list("pk", flat=True)[skipped : skipped + 1]
            with self._reading(alias):
                found += map(make_key, keys)
        return list(dict.fromkeys([*found, last] if last is not None else found))

    # -----------------------------------------------------------------------------------------------------------------
    # Checks

    def _check_table(self, differences: _Differences) -> str:
        found = self._sides.find_schema(self._meta.db_table)
        if found is None and self._meta.db_table.lower() in self._sides.views:
            raise SkippedError("PostgreSQL has no such view, which the application's model reads")
        if found is None:
            raise DiffersError(f"PostgreSQL has no table {self._meta.db_table} where the application looks for it")
        schema, self._is_found, self._is_table = found
        if self._meta.db_table.lower() in self._sides.views and self._sides.is_touched(self._meta.db_table):
            raise SkippedError("it is a view of tables of which rows or values were set apart or changed on purpose")
        if not self._is_found:
            differences.add(
                f"the application would find table {self._meta.db_table} of schema {schema}, not the one moved to"
            )
        return f"in schema {schema}"

    def _check_count(self, differences: _Differences) -> str:
        for side, alias in enumerate((self._sides.source, self._sides.target)):
            with self._reading(alias):
                self._counts[side] = self._query(alias).count()
        one, other = self._counts
        if one != other + self._apart:
            apart = f", {self._apart} of them set apart" if self._apart else ""
            differences.add(f"{_count(one)} in SQLite{apart}, {other:,} in PostgreSQL")
        return str(other)

    def _check_ends(self, differences: _Differences) -> str:
        if self._apart or self._changed & {key.attname for key in self._keys}:
            return "not compared: rows are set apart, or keys changed, on purpose"
        if any(self._find_type(key).startswith(_WITHOUT_ORDER) for key in self._keys):
            return "not compared: the databases order such keys differently"
        told = []
        for last in (False, True):
            one = self._find_end(self._sides.source, last=last)
            other = self._find_end(self._sides.target, last=last)
            if not is_same(one, other):
                name = "last" if last else "first"
                differences.add(f"the {name} primary key is {tell_key(one)} in SQLite, {tell_key(other)} in PostgreSQL")
            told.append(tell_key(one))
        return " and ".join(told) if self._counts[0] else "no row"

    def _check_rows(self, differences: _Differences) -> str:
        """Every row, of small models and of those with fields of their own."""
        custom = [field.name for field in self._fields if is_custom(type(field))]
        if not custom and self._counts[0] > _ALL_ROWS:
            return "sampled"
        if self._changed & {key.attname for key in self._keys}:
            return "not compared: primary keys were changed on purpose"
        compared = 0
        for keys in self._list_keys():
            after = self._read_rows(self._sides.target, pk__in=keys)
            before = self._read_what_can_be(keys, after)
            for key, row in before.items():
                if key in after:
                    compared += 1
                    self._compare(differences, key, row, after[key])
                elif not self._any_apart:
                    differences.add(f"row {tell_key(key)} is missing in PostgreSQL")
                    if len(self._missing) < _ALL_ROWS:
                        self._missing.add(key)
        self._all_compared = True
        why = f", for {', '.join(custom)} have code of their own" if custom and self._counts[0] > _ALL_ROWS else ""
        but = f" but {', '.join(sorted(self._changed))}" if self._changed else ""
        return f"{_count(compared)}, all fields{but}{why}"

    def _list_keys(self) -> Iterator[list[Any]]:
        keys = self._query(self._sides.source).order_by().values_list("pk", flat=True).iterator(chunk_size=_CHUNK)
        while True:
            with self._reading(self._sides.source):
                chunk = list(itertools.islice(keys, _CHUNK))
            if not chunk:
                return
            yield chunk

    def _read_what_can_be(self, keys: list[Any], after: Collection[Any]) -> dict[Any, dict[str, Any]]:
        """Rows of the source, without those that the application itself cannot read there.

        after: the keys that the target has. A row that cannot be read and was set apart is missed by nobody.
        """
        try:
            return self._read_rows(self._sides.source, pk__in=keys)
        except SourceUnreadableError:
            found: dict[Any, dict[str, Any]] = {}
            for key in keys:
                try:
                    found.update(self._read_rows(self._sides.source, pk=key))
                except SourceUnreadableError as error:
                    if key in after or not self._any_apart:
                        self._note_unread(tell_error(error.__cause__ or error, show=self._sides.show))
            return found

    def _note_unread(self, error: str) -> None:
        self._unread += 1
        self._unread_error = self._unread_error or error

    def _compare(self, differences: _Differences, key: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
        if key in self._doubled:
            return
        for field in self._fields:
            one, other = before[field.attname], after[field.attname]
            if field.attname in self._changed or is_same(one, other, field):
                continue
            if one is None and self._is_stored(key, field):
                self._note_unread(f"{field.name} of row {tell_key(key)} is read as NULL, although a value is stored")
                continue
            differences.add(f"{field.name} of row {tell_key(key)}: {tell_values(one, other, show=self._sides.show)}")

    def _is_stored(self, key: Any, field: Any) -> bool:
        """Whether the source stores a value where the application reads None: Django does so with malformed dates."""
        query = self._query(self._sides.source).filter(pk=key, **{f"{field.attname}__isnull": False})
        with self._reading(self._sides.source):
            return bool(query.order_by().exists()) and field.get_internal_type() in _DATES

    def _check_lookups(self, differences: _Differences) -> str:
        if self._changed & {key.attname for key in self._keys}:
            return "not compared: primary keys were changed on purpose"
        sampled = self._choose_samples()
        self._rows = {self._sides.source: {}, self._sides.target: {}}
        for key in sampled:
            for alias, rows in self._rows.items():
                rows.update(self._read_rows(alias, pk=key))
            before, after = (rows.get(key) for rows in self._rows.values())
            if before is None:
                differences.add(f"row {tell_key(key)} is not found in SQLite by its primary key")
            elif after is None:
                if key not in self._missing:
                    differences.add(f"row {tell_key(key)} is not found in PostgreSQL by its primary key")
            else:
                self._sampled.append(key)
                if not self._all_compared:
                    self._compare(differences, key, before, after)
        return _count(len(self._sampled))

    def _check_relations(self) -> None:
        """Each relation by itself: one that fails does not hide the others."""
        names = []
        for name, tables, fetch in list_relations(self._model, self._sides.is_here):
            if any(self._sides.changed.get(table) or self._sides.apart.get(table) for table in tables):
                self._checks.append((f"relation {name}", "not compared: rows or values of it were changed on purpose"))
            elif set(tables) & self._sides.left_out:
                self._checks.append((f"relation {name}", "not compared: a table of it was left out"))
            else:
                self._check(f"relation {name}", functools.partial(self._compare_relation, fetch))
                if self._checks[-1][1] == _EQUAL:  # told together
                    self._checks.pop()
                    names.append(name)
        if names:
            self._checks.append(("relations", f"{', '.join(names)} of {_count(len(self._sampled))}"))

    def _compare_relation(self, fetch: Fetch, differences: _Differences) -> str:
        found = []
        for alias in (self._sides.source, self._sides.target):
            rows = [self._rows[alias][key] for key in self._sampled]
            with self._reading(alias):
                found.append(fetch(alias, rows) if rows else [])
        for key, one, other in zip(self._sampled, *found):
            if not is_same(one, other):
                leads = f"{_tell_keys(one)} in SQLite, {_tell_keys(other)} in PostgreSQL"
                differences.add(f"row {tell_key(key)} leads to {leads}")
        return _EQUAL

    def _check_insert(self, _differences: _Differences) -> str:
        if not self._is_table:
            return "not tried: it is a view"
        row = self._rows.get(self._sides.target, {}).get(self._sampled[-1]) if self._sampled else None
        if row is None and self._counts[1]:
            return "not tried: no row could be looked up"
        return try_insert(self._model, self._sides.target, row, shared=self._sides.shared)


class _Differences:
    """What a check found: the first few of them, and their number."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self.count = 0

    def add(self, what: str) -> None:
        self.count += 1
        if self.count <= _TOLD:
            self._told.append(what)

    def __str__(self) -> str:
        more = f" and {self.count - _TOLD:,} more" if self.count > _TOLD else ""
        return "; ".join(self._told) + more


def _count(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def _tell_keys(keys: list[Any]) -> str:
    shown = ", ".join(map(tell_key, keys[:_TOLD]))
    return (shown + ", …" if len(keys) > _TOLD else shown) or "nothing"
