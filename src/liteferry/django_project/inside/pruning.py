"""The task `prune`: delete rows from our copy of the database, as Django's own collector would.

What Django's collector finds is what goes, and in its order; but from keys alone, so that no row has to be readable,
and memory holds no row. No signal fires, no trigger of the file, and no method of a model runs: only on_delete handlers
are the project's.
"""

from __future__ import annotations

import difflib
import warnings
from typing import Any, Callable, Dict, List, Set

from django.core.exceptions import FieldError
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.db.models.constants import LOOKUP_SEP

from .collecting import KeyCollector, make_plain, name_table
from .dangling import Dangling, find_dangling, find_violations, quote, read_actions
from .standing_still import open_copy, silence_application, without_triggers

_CHUNK = 450
"""Keys in one statement: SQLite takes 999 variables where it was compiled long ago."""
_SHOWN = 3


class RefusedError(Exception):
    """The rules cannot be followed. ``what`` and ``hint`` are for the user."""

    def __init__(self, what: str, hint: str) -> None:
        """Hold the parts."""
        super().__init__(what)
        self.what = what
        self.hint = hint


class _Rule:
    """A rule with the rows that it means, found before anything is deleted."""

    def __init__(self, number: int, given: Dict[str, Any], alias: str) -> None:
        self.model = _find_model(given["model"], alias)
        self.label = self.model._meta.label
        self.filters = given["filters"]
        self.all_rows = given["all_rows"]
        self.name = "rule %d, %s" % (number, self.label)
        self.unmatched: List[str] = []
        self.keys: List[Any] = []

    def find_rows(self, alias: str) -> None:
        """Find the keys of the rows that are meant. Raises: RefusedError."""
        found: Dict[Any, None] = {}
        for lookups in [{}] if self.all_rows else self.filters:
            count = 0
            try:
                for key in self._select(lookups, alias):
                    found[key] = None
                    count += 1
            except Exception as error:  # whatever Django, a field's or a lookup's own code says of the values
                raise self._explain(lookups, error) from error
            if not count:
                self.unmatched.append(_describe(lookups) or "all rows")
        self.keys = list(found)

    def _select(self, lookups: Dict[str, Any], alias: str) -> Any:
        for name in lookups:
            if name.startswith("_"):  # Q's own keyword arguments
                raise FieldError("Cannot resolve keyword '%s' into field." % name)
        rows = make_plain(self.model._base_manager.using(alias).order_by())
        return rows.filter(**lookups).values_list("pk", flat=True).iterator(chunk_size=2000)

    def _explain(self, lookups: Dict[str, Any], error: Exception) -> RefusedError:
        meta = self.model._meta
        hint = "see the keyword arguments of Django's filter()"
        message = "; ".join(getattr(error, "messages", None) or [str(error) or type(error).__name__])
        if isinstance(error, FieldError):
            known = sorted(
                {getattr(field, "name", "") for field in meta.get_fields()}
                | {field.attname for field in meta.concrete_fields}
                | {"pk"}
            )
            wrong = [name for name in lookups if name.split(LOOKUP_SEP)[0] not in known]
            if wrong:
                first = wrong[0].split(LOOKUP_SEP)[0]
                close = difflib.get_close_matches(first, known, n=1)
                message = "%s has no field %s" % (self.label, first)
                hint = ("did you mean %s? " % close[0] if close else "") + "it has: %s" % ", ".join(known)
        elif isinstance(error, DatabaseError):
            hint = "is every migration of the project applied to this database?"
        return RefusedError("[django.prune] %s (%s): %s" % (self.name, _describe(lookups), message), hint)


def prune(argument: Dict[str, Any], tell: Callable[..., None]) -> Dict[str, Any]:  # noqa: ARG001 - as all tasks
    """Delete what the rules name from the database at ``argument["path"]``, and what goes with it.

    The copy takes the place of ``argument["aliases"]`` only now. Gives ``pruned``, the fields of
    `liteferry.project.Pruned`, or ``refused``, with nothing done. ``argument["dry_run"]``: with nothing done, too.
    """
    silence_application()
    alias = argument["alias"]
    connection = open_copy(argument["path"], alias, argument["aliases"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of naive datetimes: the rules' are in the project's own time zone
            rules = [_Rule(number, given, alias) for number, given in enumerate(argument["rules"], start=1)]
            for rule in rules:
                rule.find_rows(alias)
            return {"pruned": _prune(connection, alias, rules, dry_run=argument["dry_run"])}
    except RefusedError as error:
        return {"refused": {"what": error.what, "hint": error.hint}}
    finally:
        connection.close()


def _prune(connection: Any, alias: str, rules: List[_Rule], *, dry_run: bool) -> List[Dict[str, Any]]:
    tally = _Tally(alias)
    try:
        with transaction.atomic(using=alias), without_triggers(connection):
            rows_before = _count_rows(connection)
            dangling_before = find_dangling(connection)
            violations_before = find_violations(connection)
            actions_before = read_actions(connection)
            _apply(rules, alias, tally)
            _refuse_violations(find_violations(connection) - violations_before)
            _judge_dangling(dangling_before, find_dangling(connection), tally)
            tally.note_actions(connection, actions_before, read_actions(connection))
            tally.settle(rows_before, _count_rows(connection))
            if dry_run:
                transaction.set_rollback(True, using=alias)
    except DatabaseError as error:  # at the commit, or of a statement of ours
        raise RefusedError(
            "[django.prune]: the database refuses what the rules come to: %s" % error, _LEFT_ALONE
        ) from error
    return tally.list_rows(rules)


_LEFT_ALONE = "nothing was deleted; delete in the application what the rules cannot"


def _apply(rules: List[_Rule], alias: str, tally: "_Tally") -> None:
    """Delete rule after rule. One that others' rows stand against waits until those had their turn."""
    pending = rules
    while pending:
        blocked = []
        for rule in pending:
            collector = KeyCollector(alias)
            try:
                hindrances = _collect(rule, collector, alias)
                if hindrances:
                    blocked.append((rule, hindrances))
                    continue
                tally.add(rule.label, collector.apply())
            except DatabaseError as error:
                raise RefusedError(
                    "[django.prune] %s: the database refuses it: %s" % (rule.name, error), _LEFT_ALONE
                ) from error
            except Exception as error:
                error.liteferry_facts = {"rule": rule.label}  # type: ignore[attr-defined]  # read by program
                raise
        if len(blocked) == len(pending):
            raise _explain_hindrances(blocked)
        pending = [rule for rule, _ in blocked]


_Hindrances = Dict[Any, Set[Any]]
"""Keys of rows that must not lose what they point at: by kind, and by model and field."""


def _collect(rule: _Rule, collector: KeyCollector, alias: str) -> _Hindrances:
    """Collect what goes with the rule's rows. Gives what stands against it."""
    hindrances: _Hindrances = {}
    width = len(getattr(rule.model._meta, "pk_fields", ())) or 1
    step = max(1, _CHUNK // width)
    for start in range(0, len(rule.keys), step):
        chunk = QuerySet(model=rule.model, using=alias).filter(pk__in=rule.keys[start : start + step])
        try:
            collector.collect(chunk)
        except ProtectedError as error:
            for held in error.protected_objects:
                hindrances.setdefault(("PROTECT", type(held)._meta.label), set()).add(held.pk)
        except RestrictedError as error:  # of a handler of the project's own; Django's waits until all is collected
            for held in error.restricted_objects:
                hindrances.setdefault(("RESTRICT", type(held)._meta.label), set()).add(held.pk)
    if not hindrances:
        for (label, name), keys in collector.find_restricted().items():
            hindrances[("RESTRICT", "%s.%s" % (label, name))] = keys
    return hindrances


def _explain_hindrances(blocked: Any) -> RefusedError:
    """Say which rows stand against which rules, with a few of their keys."""
    parts = []
    for rule, hindrances in blocked:
        holders = []
        for (kind, place), keys in sorted(hindrances.items()):
            shown = ", ".join(map(str, sorted(keys, key=lambda key: (len(str(key)), str(key)))[:_SHOWN]))
            more = ", …" if len(keys) > _SHOWN else ""
            holders.append("%s of %s by %s (primary key %s%s)" % (_plural(len(keys)), place, kind, shown, more))
        parts.append("%s: its rows are held by on_delete: %s" % (rule.name, "; ".join(holders)))
    return RefusedError(
        "[django.prune] %s" % ". ".join(parts),
        "nothing was deleted; prune those rows, too, by a rule of their own, or leave these out of the rule",
    )


def _refuse_violations(new: Any) -> None:
    """Refuse to leave rows without their parent. new: table, key, parent."""
    if not new:
        return
    by_place: Dict[Any, List[Any]] = {}
    for table, key, parent, _ in sorted(new, key=str):
        by_place.setdefault((table, parent), []).append(key)
    parts = [
        "%s of %s would refer to rows of %s that are gone (rowid %s%s)"
        % (
            _plural(len(keys)),
            name_table(table),
            name_table(parent),
            ", ".join(map(str, keys[:_SHOWN])),
            ", …" if len(keys) > _SHOWN else "",
        )
        for (table, parent), keys in by_place.items()
    ]
    raise RefusedError(
        "[django.prune]: %s" % "; ".join(parts),
        "on_delete=DO_NOTHING leaves them, as do tables that no model has: prune them, too, by a rule of their own",
    )


def _judge_dangling(before: List[Dangling], after: List[Dangling], tally: "_Tally") -> None:
    """Refuse rows that a foreign key of PostgreSQL would not take; count the others that refer to nothing now."""
    known = {found.place: found.keys for found in before}
    for found in after:
        new = found.keys - known.get(found.place, set())
        if new and found.has_constraint:
            raise RefusedError(
                "[django.prune]: %s of %s would refer by %s to rows of %s that are gone"
                % (_plural(len(new)), found.label, found.field, found.target),
                "on_delete=DO_NOTHING leaves them: prune them, too, by a rule of their own",
            )
        if new:
            tally.orphan(found.table, len(new))


class _Tally:
    """What happened, by table."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._rows: Dict[str, Dict[str, Any]] = {}
        self._updated: Dict[Any, Set[Any]] = {}

    def _row(self, table: str) -> Dict[str, Any]:
        empty = {"deleted": 0, "updated": 0, "by": [], "added": 0, "orphaned": 0, "unmatched": []}
        return self._rows.setdefault(table, {"model": name_table(table, ""), "table": table, **empty})

    def add(self, label: str, collector: KeyCollector) -> None:
        """Add what one rule led to."""
        for table, count in collector.deleted.items():
            self._row(table)["deleted"] += count
            self._note(table, label)
        for model, keys in collector.updated.items():
            self._updated.setdefault(model, set()).update(keys)
            self._note(model._meta.db_table, label)

    def _note(self, table: str, label: str) -> None:
        row = self._row(table)
        if label not in row["by"]:
            row["by"].append(label)

    def orphan(self, table: str, count: int) -> None:
        """Add rows that refer to nothing now."""
        self._row(table)["orphaned"] += count

    def note_actions(
        self, connection: Any, before: Dict[Any, Dict[Any, Any]], after: Dict[Any, Dict[Any, Any]]
    ) -> None:
        """Add the rows that ON DELETE of the database changed, where Django did not."""
        for (table, column), values in before.items():
            now = after.get((table, column), {})
            changed = {rowid for rowid, value in values.items() if now.get(rowid) != value}
            kept = self._find_kept(connection, table, changed)
            known = {key for model, keys in self._updated.items() if model._meta.db_table == table for key in keys}
            self._row(table)["updated"] += len(kept - known)

    def _find_kept(self, connection: Any, table: str, keys: Set[Any]) -> Set[Any]:
        kept: Set[Any] = set()
        ordered = sorted(keys)
        with connection.cursor() as cursor:
            for start in range(0, len(ordered), _CHUNK):
                chunk = ordered[start : start + _CHUNK]
                marks = ", ".join(["%s"] * len(chunk))
                sql = "SELECT rowid FROM %s WHERE rowid IN (%s)" % (quote(table).replace("%", "%%"), marks)
                cursor.execute(sql, chunk)
                kept.update(key for (key,) in cursor.fetchall())
        return kept

    def settle(self, before: Dict[str, int], after: Dict[str, int]) -> None:
        """Hold the counts against the tables themselves: handlers add rows, ON DELETE of the database takes some."""
        for table in {*before, *after}:
            extra = after.get(table, 0) - before.get(table, 0)
            extra += self._rows[table]["deleted"] if table in self._rows else 0
            if extra > 0:
                self._row(table)["added"] += extra
            elif extra < 0:
                self._row(table)["deleted"] -= extra
        for model, keys in self._updated.items():
            self._row(model._meta.db_table)["updated"] += self._count_left(model, list(keys))

    def _count_left(self, model: Any, keys: List[Any]) -> int:
        rows = QuerySet(model=model, using=self._alias)
        return sum(rows.filter(pk__in=keys[start : start + _CHUNK]).count() for start in range(0, len(keys), _CHUNK))

    def list_rows(self, rules: List[_Rule]) -> List[Dict[str, Any]]:
        """The tables with something to tell: the rules' own first, in the rules' order."""
        for rule in rules:
            table = rule.model._meta.db_table
            row = self._row(table)
            row["unmatched"] += rule.unmatched
            if rule.unmatched and not rule.keys:
                self._note(table, rule.label)
        own = list(dict.fromkeys(rule.model._meta.db_table for rule in rules))
        others = sorted(table for table in self._rows if table not in own)
        told = ("deleted", "updated", "added", "orphaned", "unmatched", "by")
        return [self._rows[table] for table in [*own, *others] if any(self._rows[table][name] for name in told)]


def _count_rows(connection: Any) -> Dict[str, int]:
    """Rows of every table; a table that cannot be read is left out."""
    counts = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        for (table,) in cursor.fetchall():
            if not table.startswith("sqlite_"):
                cursor.execute("SELECT count(*) FROM main.%s" % quote(table))
                counts[table] = cursor.fetchone()[0]
    return counts


def _find_model(label: str, alias: str) -> Any:
    """The model of a label. Raises: RefusedError."""
    from django.apps import apps
    from django.db import router

    labels = [model._meta.label for model in apps.get_models(include_auto_created=True)]
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError) as error:
        close = difflib.get_close_matches(label.lower(), [known.lower() for known in labels], n=1)
        meant = next((known for known in labels if close and known.lower() == close[0]), "")
        raise RefusedError(
            "[django.prune]: the project has no model %s" % label,
            ("did you mean %s? " % meant if meant else "") + "models are named app.Model, as in the admin's addresses",
        ) from error
    if model._meta.swapped:
        raise RefusedError(
            "[django.prune]: %s is swapped for %s" % (label, model._meta.swapped), "name that model instead"
        )
    if not router.allow_migrate_model(alias, model):
        raise RefusedError(
            "[django.prune]: the project's routers keep %s out of database %s" % (label, alias),
            "leave the rule out: no row of it is moved",
        )
    return model


def _describe(lookups: Dict[str, Any]) -> str:
    return ", ".join("%s = %r" % (name, value) for name, value in lookups.items())


def _plural(count: int) -> str:
    return "{:,} row{}".format(count, "" if count == 1 else "s")
