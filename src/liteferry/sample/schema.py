"""Model descriptions in a few words, and the SQL that Django's SQLite backend makes of such models.

Pure. The words are explained at `parse_models`; `liteferry.sample.models` is written in them. The names of indexes and
constraints follow Django's own rules (table, columns, the first digits of an MD5 over both), so that the sample has
what a real project has: names far beyond PostgreSQL's 63 bytes, too.

Source: Django's documentation, "Models" and "Schema editor", and the tables that Django 5.2 makes on SQLite.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final

_SQL_TYPES: Final = {
    "auto": "integer",
    "big": "bigint",
    "uuid": "char(32)",
    "integer": "integer",
    "smallint": "smallint",
    "bigint": "bigint",
    "unsigned": "integer unsigned",
    "smallunsigned": "smallint unsigned",
    "bool": "bool",
    "text": "text",
    "json": "text",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "duration": "bigint",
    "decimal": "decimal",
    "real": "real",
    "blob": "BLOB",
    "ip": "char(39)",
    "file": "varchar(100)",
    "url": "varchar(200)",
    "email": "varchar(254)",
    "slug": "varchar(50)",
}

_GROUPS: Final = {
    "stamps": "created_at datetime, updated_at datetime",
    "authored": "created_by -> common.User null, updated_by -> common.User null",
    "geo": "center_coordinates json null, bounding_box json null, boundary_geojson json null",
}

_ENTRY: Final = re.compile(r"(?P<name>\w+) (?:(?P<arrow>->|=>|<->) )?(?P<type>[\w.()]+)(?P<rest>.*)")
_CONSTRAINT: Final = re.compile(r"(?P<name>\w+): (?P<columns>[\w+]+)(?: when (?P<where>.+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A column. ``kind``: the word of the description. ``parent``: the label of the model it points at."""

    name: str
    column: str
    kind: str
    sql_type: str
    null: bool = False
    unique: bool = False
    indexed: bool = False
    parent: str | None = None
    constrained: bool = True  # False: points at a parent without a foreign key, as history tables do
    choices: tuple[str, ...] = ()
    default_sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """A unique key of columns. Without a name Django's unique_together; ``where_sql`` makes it a partial index."""

    columns: tuple[str, ...]
    name: str | None = None
    where_sql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A table. ``label``: ``app.Model``. ``is_model``: False for many-to-many tables, which have no content type."""

    label: str
    table: str
    key: Field
    fields: tuple[Field, ...]
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    checks: tuple[tuple[str, str], ...] = ()
    many: tuple[tuple[str, str], ...] = ()  # the name of a many-to-many field, and the label that it points at
    is_model: bool = True
    has_history: bool = False
    key_last: bool = False  # history tables have their key after the copied columns

    @property
    def autoincrement(self) -> bool:
        """Whether SQLite numbers the rows."""
        return self.key.kind in ("auto", "big")

    @property
    def columns(self) -> tuple[Field, ...]:
        """Every column in the table's order, the key included."""
        if not self.key_last:
            return (self.key, *self.fields)
        position = next(i for i, field in enumerate(self.fields) if field.name == "history_date")
        return (*self.fields[:position], self.key, *self.fields[position:])


def parse_models(text: str) -> tuple[Model, ...]:
    """Read model descriptions into tables, in order, many-to-many and history tables after their model. Pure.

    A model is a line ``app.Model WORD…`` and indented lines of entries with commas between. Words of the first line:
    ``auto``, ``big`` (default), ``uuid`` or ``key=NAME:TYPE`` say what the primary key is; ``table=NAME`` names the
    table where it is not app_model; ``stamps`` and ``geo`` add columns; ``history`` adds a table like those of
    django-simple-history; ``bare`` makes a table that is no model.

    An entry is a column ``name type [null] [unique] [index] [=default] [{choice choice}]``; a foreign key
    ``name -> app.Model``; one to one ``name => app.Model``; many to many ``name <-> app.Model``; ``self`` is the model
    itself and the app may be left out for the same one. ``unique a+b`` is unique_together; ``constraint name: a+b
    [when condition]`` a UniqueConstraint; ``index a+b`` an index; ``check name: expression`` a CHECK.

    Raises: ValueError for an entry that is none of these; KeyError for an unknown type or parent.
    """
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if line[0] != " ":
            blocks.append((line.strip(), []))
        else:
            blocks[-1][1].extend(entry.strip() for entry in line.split(",") if entry.strip())
    keys: dict[str, Field] = {}
    tables: dict[str, str] = {}
    for head, _ in blocks:
        label, *words = head.split()
        keys[label] = _read_key(words)
        tables[label] = next(
            (word.removeprefix("table=") for word in words if word.startswith("table=")),
            label.replace(".", "_").lower(),
        )
    models: list[Model] = []
    for head, entries in blocks:
        label, *words = head.split()
        model = _read_model(label, tables[label], keys, words, entries)
        models.append(model)
        models.extend(_many_to_many(model, field, target, keys, tables) for field, target in model.many)
        if model.has_history:
            models.append(_history_of(model, keys))
    return tuple(models)


def _read_key(words: list[str]) -> Field:
    for word in words:
        if word in ("auto", "uuid"):
            return Field(name="id", column="id", kind=word, sql_type=_SQL_TYPES[word])
        if word.startswith("key="):
            name, kind = word.removeprefix("key=").split(":")
            return Field(name=name, column=name, kind=kind.partition("(")[0], sql_type=_SQL_TYPES.get(kind, kind))
    return Field(name="id", column="id", kind="big", sql_type="bigint")


def _read_model(label: str, table: str, keys: dict[str, Field], words: list[str], entries: list[str]) -> Model:
    app = label.partition(".")[0]
    fields: list[Field] = []
    uniques: list[Unique] = []
    indexes: list[tuple[str, ...]] = []
    checks: list[tuple[str, str]] = []
    many: list[tuple[str, str]] = []
    groups = [part for word in words for part in _GROUPS.get(word, "").split(", ") if part]
    for entry in (*entries, *groups):
        word, _, rest = entry.partition(" ")
        if word == "unique":
            uniques.append(Unique(columns=tuple(rest.split("+"))))
        elif word == "index":
            indexes.append(tuple(rest.split("+")))
        elif word == "check":
            name, _, expression = rest.partition(": ")
            checks.append((name, expression))
        elif word == "constraint" and (match := _CONSTRAINT.fullmatch(rest)):
            columns = tuple(match["columns"].split("+"))
            uniques.append(Unique(columns=columns, name=match["name"], where_sql=match["where"]))
        elif match := _ENTRY.fullmatch(entry):
            if match["arrow"] is None:
                fields.append(_read_column(match["name"], match["type"], match["rest"]))
                continue
            parent = label if match["type"] == "self" else match["type"]
            parent = parent if "." in parent else f"{app}.{parent}"
            if match["arrow"] == "<->":
                many.append((match["name"], parent))
                continue
            field = Field(
                name=match["name"],
                column=match["name"] + "_id",
                kind=keys[parent].kind,
                sql_type=keys[parent].sql_type,
                parent=parent,
                indexed=match["arrow"] == "->",
                unique=match["arrow"] == "=>",
            )
            fields.append(_read_options(field, match["rest"]))
        else:
            message = f"{label}: not a column or constraint: {entry!r}"
            raise ValueError(message)
    column_of = {field.name: field.column for field in fields}
    return Model(
        label=label,
        table=table,
        key=keys[label],
        fields=tuple(fields),
        uniques=tuple(replace(unique, columns=tuple(column_of[name] for name in unique.columns)) for unique in uniques),
        indexes=tuple(tuple(column_of[name] for name in names) for names in indexes),
        checks=tuple(checks),
        many=tuple(many),
        is_model="bare" not in words,
        has_history="history" in words,
    )


def _read_column(name: str, word: str, rest: str) -> Field:
    sql_type = word if word.startswith("varchar(") else _SQL_TYPES[word]
    field = Field(name=name, column=name, kind=word.partition("(")[0], sql_type=sql_type, indexed=word == "slug")
    return _read_options(field, rest)


def _read_options(field: Field, rest: str) -> Field:
    before, _, braced = rest.partition("{")
    choices, _, after = braced.partition("}")
    field = replace(field, choices=tuple(choices.split()))
    for word in (before + after).split():
        if word == "null":
            field = replace(field, null=True)
        elif word == "unique":  # the constraint brings its own index
            field = replace(field, unique=True, indexed=False)
        elif word == "index":
            field = replace(field, indexed=True)
        elif word.startswith("="):
            field = replace(field, default_sql=word[1:])
        else:
            message = f"{field.name}: unknown word {word!r}"
            raise ValueError(message)
    return field


def _many_to_many(model: Model, name: str, target: str, keys: dict[str, Field], tables: dict[str, str]) -> Model:
    near = model.label.split(".")[1].lower()
    far = target.split(".")[1].lower()
    names = (f"from_{near}", f"to_{far}") if target == model.label else (near, far)
    fields = tuple(
        Field(
            name=end,
            column=end + "_id",
            kind=keys[parent].kind,
            sql_type=keys[parent].sql_type,
            parent=parent,
            indexed=True,
        )
        for end, parent in zip(names, (model.label, target), strict=True)
    )
    return Model(
        label=f"{model.label}_{name}",
        table=f"{tables[model.label]}_{name}",
        key=replace(_read_key([]), kind="auto" if model.key.kind == "auto" else "big"),
        fields=fields,
        uniques=(Unique(columns=tuple(field.column for field in fields)),),
        is_model=False,
    )


def _history_of(model: Model, keys: dict[str, Field]) -> Model:
    copied = tuple(
        replace(
            field,
            unique=False,
            indexed=field.indexed or field.unique,
            null=field.null or field.parent is not None,
            constrained=False,
            default_sql=None,
        )
        for field in model.fields
    )
    app, name = model.label.split(".")
    fields = (
        replace(model.key, indexed=True),
        *copied,
        Field(name="history_date", column="history_date", kind="datetime", sql_type="datetime", indexed=True),
        Field(
            name="history_change_reason",
            column="history_change_reason",
            kind="varchar",
            sql_type="varchar(100)",
            null=True,
        ),
        Field(
            name="history_type", column="history_type", kind="varchar", sql_type="varchar(1)", choices=("+", "~", "-")
        ),
        Field(
            name="history_user",
            column="history_user_id",
            kind=keys["common.User"].kind,
            sql_type=keys["common.User"].sql_type,
            null=True,
            indexed=True,
            parent="common.User",
        ),
    )
    return Model(
        label=f"{app}.Historical{name}",
        table=f"{app}_historical{name.lower()}",
        key=Field(name="history_id", column="history_id", kind="auto", sql_type="integer"),
        fields=fields,
        key_last=True,
    )


def create_table_sql(model: Model, models: dict[str, Model]) -> str:
    """The CREATE TABLE statement as Django's SQLite backend writes it. Pure. models: every model by its label."""
    parts = []
    for field in model.columns:
        if field is model.key:
            suffix = " AUTOINCREMENT" if model.autoincrement else ""
            kind = "integer" if model.autoincrement else field.sql_type
            parts.append(f'"{field.column}" {kind} NOT NULL PRIMARY KEY{suffix}')
            continue
        words = [f'"{field.column}"', field.sql_type]
        if field.default_sql is not None:
            words += ["DEFAULT", field.default_sql]
        words.append("NULL" if field.null else "NOT NULL")
        if field.unique:
            words.append("UNIQUE")
        if "unsigned" in field.sql_type:
            words.append(f'CHECK ("{field.column}" >= 0)')
        if field.kind == "json":
            words.append(f'CHECK ((JSON_VALID("{field.column}") OR "{field.column}" IS NULL))')
        if field.parent and field.constrained:
            parent = models[field.parent]
            words.append(f'REFERENCES "{parent.table}" ("{parent.key.column}") DEFERRABLE INITIALLY DEFERRED')
        parts.append(" ".join(words))
    parts += [
        f'CONSTRAINT "{unique.name}" UNIQUE ({_columns_sql(unique.columns)})'
        for unique in model.uniques
        if unique.name and unique.where_sql is None
    ]
    parts += [f'CONSTRAINT "{name}" CHECK ({expression})' for name, expression in model.checks]
    return f'CREATE TABLE "{model.table}" ({", ".join(parts)})'


def create_index_sql(model: Model) -> tuple[str, ...]:
    """The CREATE INDEX statements as Django's SQLite backend writes and names them. Pure."""
    table = model.table
    statements = []
    for unique in model.uniques:
        columns_sql = _columns_sql(unique.columns)
        if unique.name is None:
            name = f"{table}_{'_'.join(unique.columns)}_{_digest(table, *unique.columns)}_uniq"
            statements.append(f'CREATE UNIQUE INDEX "{name}" ON "{table}" ({columns_sql})')
        elif unique.where_sql is not None:
            statements.append(
                f'CREATE UNIQUE INDEX "{unique.name}" ON "{table}" ({columns_sql}) WHERE {unique.where_sql}'
            )
    for field in model.columns:
        if field.indexed and field is not model.key:
            name = f"{table}_{field.column}_{_digest(table, field.column)}"
            statements.append(f'CREATE INDEX "{name}" ON "{table}" ("{field.column}")')
    for columns in model.indexes:
        # the short form of Meta.indexes: eleven characters of the table, seven of the first column
        name = f"{table[:11]}_{columns[0][:7]}_{_digest(table, *columns)[:6]}_idx"
        statements.append(f'CREATE INDEX "{name}" ON "{table}" ({_columns_sql(columns)})')
    return tuple(statements)


def _columns_sql(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _digest(*names: str) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for name in names:
        digest.update(name.encode())
    return digest.hexdigest()[:8]
