"""The relations of a model, followed from given rows as Django's own descriptors and managers would.

No instance is made and no manager of the application asked: each relation is a query of the related model, by the same
lookups that Django makes of it.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from .comparing import make_key

_MOST = 2_000
"""How many related rows of a few rows are listed; where there are more, they are counted."""

Row = Dict[str, Any]
Fetch = Callable[[str, List[Row]], List[Any]]
"""From an alias and rows to what each row is related to: a list a row, of sorted primary keys or their number."""


def list_relations(model: Any, is_here: Callable[[Any], bool]) -> list[tuple[str, tuple[str, ...], Fetch]]:
    """List a model's relations: name, the tables that decide what it gives, and what fetches it.

    is_here: whether a model's table is in this database; relations with others are left out.
    """
    found = []
    for field in model._meta.get_fields():
        related = getattr(field, "related_model", None)
        if not field.is_relation or (related is not None and (related == "self" or not is_here(related))):
            continue
        made = _make_fetch(model, field, is_here)
        if made is not None:
            name = field.get_accessor_name() if field.auto_created and not field.concrete else field.name
            found.append((str(name), *made))
    return found


def _make_fetch(model: Any, field: Any, is_here: Callable[[Any], bool]) -> Any:
    from django.db.models.fields.related import ForeignObject, ManyToManyField
    from django.db.models.fields.reverse_related import ForeignObjectRel, ManyToManyRel

    related = field.related_model
    if related is None:
        return _follow_generic_key(field, is_here)
    if hasattr(field, "content_type_field_name"):
        return (model._meta.db_table, related._meta.db_table), _follow_generic_relation(field)
    if isinstance(field, (ManyToManyField, ManyToManyRel)):
        forward = isinstance(field, ManyToManyField)
        many = field if forward else field.field
        through = many.remote_field.through
        if not is_here(through):
            return None
        lookup = many.related_query_name() if forward else many.name
        link = through._meta.get_field(many.m2m_field_name() if forward else many.m2m_reverse_field_name())
        pairs = [(there.attname, f"{lookup}__{there.attname}") for _, there in link.related_fields]
        return (model._meta.db_table, through._meta.db_table, related._meta.db_table), _follow(related, pairs)
    tables = (model._meta.db_table, related._meta.db_table)
    if hasattr(getattr(field, "field", None), "content_type_field_name"):
        return None  # the other end of a generic relation: the generic key says where it leads
    if isinstance(field, ForeignObjectRel):
        return tables, _follow(related, [(there.attname, here.attname) for here, there in field.field.related_fields])
    if isinstance(field, ForeignObject):
        return tables, _follow(related, [(here.attname, there.attname) for here, there in field.related_fields])
    return None  # somebody's own kind of relation, without columns that could be followed


def _follow(related: Any, pairs: list[tuple[str, str]]) -> Fetch:
    """Fetch rows of the related model by lookups (the second of a pair) of the rows' values (the first)."""

    def fetch_together(alias: str, rows: list[Row]) -> list[Any]:
        here, there = pairs[0]
        wanted = {make_key(row[here]): row[here] for row in rows if row[here] is not None}
        if not wanted:
            return [[] for _ in rows]
        query = _query(related, alias).filter(**{f"{there}__in": list(wanted.values())})
        pairs_found = list(query.order_by().values_list(there, "pk")[: _MOST + 1])
        if len(pairs_found) > _MOST:
            return fetch_each(alias, rows)
        found: dict[Any, list[Any]] = {}
        for value, key in pairs_found:
            found.setdefault(make_key(value), []).append(make_key(key))
        return [sorted(found.get(make_key(row[here]), []), key=repr) for row in rows]

    def fetch_each(alias: str, rows: list[Row]) -> list[Any]:
        found: list[Any] = []
        for row in rows:
            lookups = {there: row[here] for here, there in pairs}
            if None in lookups.values():
                found.append([])
            else:
                found.append(_list_keys(_query(related, alias).filter(**lookups)))
        return found

    return fetch_together if len(pairs) == 1 else fetch_each


def _follow_generic_key(field: Any, is_here: Callable[[Any], bool]) -> Any:
    if not (hasattr(field, "ct_field") and hasattr(field, "fk_field")):
        return None
    link = field.model._meta.get_field(field.ct_field)

    def fetch(alias: str, rows: list[Row]) -> list[Any]:
        found: list[Any] = []
        for row in rows:
            type_key, key = row[link.attname], row[field.fk_field]
            if type_key is None or key is None:
                found.append([])
                continue
            names = list(_query(link.related_model, alias).filter(pk=type_key).values_list("app_label", "model"))
            related = _find_model(*names[0]) if names else None
            if related is not None and is_here(related) and _is_key(related, key):
                names = [*names, *_list_keys(_query(related, alias).filter(pk=key))]
            found.append(names)
        return found

    return (field.model._meta.db_table, link.related_model._meta.db_table), fetch


def _follow_generic_relation(field: Any) -> Fetch:
    related = field.related_model
    link = related._meta.get_field(field.content_type_field_name)
    model = field.model._meta.concrete_model if field.for_concrete_model else field.model

    def fetch(alias: str, rows: list[Row]) -> list[Any]:
        kinds = _query(link.related_model, alias).filter(app_label=model._meta.app_label, model=model._meta.model_name)
        type_keys = list(kinds.values_list("pk", flat=True))
        found: list[Any] = []
        for row in rows:
            lookups = {link.attname: type_keys[0] if type_keys else None, field.object_id_field_name: row["pk"]}
            found.append(_list_keys(_query(related, alias).filter(**lookups)) if type_keys else [])
        return found

    return fetch


def _query(model: Any, alias: str) -> Any:
    """All rows of a model: by no manager, which could hide some."""
    from django.db.models import QuerySet

    return QuerySet(model=model, using=alias)


def _list_keys(query: Any) -> list[Any]:
    """The primary keys of a query's rows, or how many there are, where there are many."""
    keys = list(query.order_by().values_list("pk", flat=True)[: _MOST + 1])
    return sorted(map(make_key, keys), key=repr) if len(keys) <= _MOST else [f"{query.count()} rows"]


def _find_model(app_label: str, name: str) -> Any:
    from django.apps import apps

    try:
        return apps.get_model(app_label, name)
    except LookupError:  # a content type whose model is gone
        return None


def _is_key(model: Any, key: Any) -> bool:
    """Whether a generic key, often text, can be a primary key of the related model."""
    from django.core.exceptions import ValidationError

    try:
        model._meta.pk.to_python(key)
    except (ValidationError, ValueError, TypeError):
        return False
    return True
