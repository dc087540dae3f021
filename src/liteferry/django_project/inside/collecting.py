"""Django's collector of what is deleted together, told to work with keys."""

from __future__ import annotations

from typing import Any, Dict, List, Set, Tuple

from django.apps import apps
from django.db.models import QuerySet
from django.db.models.deletion import Collector, get_candidate_relations_to_delete
from django.db.models.sql import UpdateQuery

_CHUNK = 450
"""Objects that are followed at a time: some of what Django asks for them has a variable for each."""


def make_plain(rows: Any) -> Any:
    """The same rows, by Django's own query set: one of the project's may delete and update otherwise."""
    if type(rows) is QuerySet and not rows.query.select_related:
        return rows
    plain = QuerySet(model=rows.model, query=rows.query.chain(), using=rows.db)
    plain.query.select_related = False
    return plain


def name_table(table: str, otherwise: str = "table %s") -> str:
    """The label of a table's model."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table == table and not model._meta.proxy and not model._meta.swapped:
            return str(model._meta.label)
    return otherwise % table if otherwise else ""


class KeyCollector(Collector):  # type: ignore[misc]  # Django ships no types
    """Collects as Django does, in bounded steps, and reads of each row what its relations need.

    ``deleted``: rows by table; ``updated``: keys by model, once `apply` was called.
    """

    def __init__(self, alias: str) -> None:
        """Collect in the database of this alias."""
        super().__init__(using=alias)
        self.deleted: Dict[str, int] = {}
        self.updated: Dict[Any, Set[Any]] = {}

    def collect(self, objs: Any, *args: Any, **options: Any) -> None:
        """Collect rows and what goes with them. What RESTRICT holds is looked at in the end, by `find_restricted`."""
        options["fail_on_restricted"] = False
        if isinstance(objs, QuerySet) and objs._result_cache is None:
            objs = make_plain(objs)
            if not self.can_fast_delete(objs):
                objs = objs.only(*_name_needed(objs.model))
        if self.can_fast_delete(objs):
            self.fast_deletes.append(objs)
            return
        instances = list(objs)
        for start in range(0, len(instances), _CHUNK):
            chunk = instances[start : start + _CHUNK]
            self._attach_parents(chunk)
            super().collect(chunk, *args, **options)

    def related_objects(self, related_model: Any, related_fields: Any, objs: Any) -> Any:
        """The rows that point at these, by a plain query set."""
        return make_plain(super().related_objects(related_model, related_fields, objs))

    def _attach_parents(self, chunk: List[Any]) -> None:
        """Give each object of a model that inherits its parent's, so that Django need not ask for one at a time."""
        for parent, link in type(chunk[0])._meta.concrete_model._meta.parents.items():
            if link is None:
                continue
            target = link.target_field
            keys = [getattr(obj, link.attname) for obj in chunk]
            rows = make_plain(parent._base_manager.using(self.using).order_by())
            rows = rows.filter(**{target.name + "__in": keys}).only(*_name_needed(parent))
            found = {getattr(row, target.attname): row for row in rows}
            for obj, key in zip(chunk, keys):
                link.set_cached_value(obj, found.get(key) or parent(**{target.attname: key}))

    def find_restricted(self) -> Dict[Tuple[str, str], Set[Any]]:
        """Keys of the rows that RESTRICT keeps and that do not go themselves, by model and field."""
        gone: Dict[Any, Set[Any]] = {model: {obj.pk for obj in objs} for model, objs in self.data.items()}
        for rows in self.fast_deletes:
            if rows.model in self.restricted_objects:
                gone.setdefault(rows.model, set()).update(rows.values_list("pk", flat=True))
        found: Dict[Tuple[str, str], Set[Any]] = {}
        for model, by_field in self.restricted_objects.items():
            for field, objs in by_field.items():
                kept = {obj.pk for obj in objs} - gone.get(model, set())
                if kept:
                    found[model._meta.label, field.name] = kept
        return found

    def apply(self) -> "KeyCollector":
        """Set the keys that are to be set, and delete the rest."""
        for (field, value), batches in self.field_updates.items():
            for rows in batches:  # a query for all of them together would have more variables than SQLite takes
                lazy = isinstance(rows, QuerySet) and rows._result_cache is None
                keys = list(rows.values_list("pk", flat=True)) if lazy else [row.pk for row in rows]
                if keys:
                    model = rows.model if isinstance(rows, QuerySet) else type(rows[0])
                    UpdateQuery(model).update_batch(keys, {field.name: value}, self.using)
                    self.updated.setdefault(model._meta.concrete_model, set()).update(keys)
        self.field_updates.clear()
        _, counts = self.delete()  # the signals that it sends are heard by nobody
        for label, count in counts.items():
            table = apps.get_model(label)._meta.db_table
            self.deleted[table] = self.deleted.get(table, 0) + count
        return self


def _name_needed(model: Any) -> Set[str]:
    """The fields of a model that other rows refer to: of the rest nothing is read, whatever is in it."""
    relations = get_candidate_relations_to_delete(model._meta)
    referred = {field.attname for relation in relations for field in relation.field.foreign_related_fields}
    links = {link.attname for link in model._meta.concrete_model._meta.parents.values() if link is not None}
    return {"pk"} | referred | links
