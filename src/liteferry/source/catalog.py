"""Read what a SQLite database declares: tables, keys, indexes, views, triggers.

Layer 2. SQLite's pragmas are asked for whatever they know, since they are how SQLite itself understood the text; the
CREATE statements are read (`liteferry.sqlite_ddl`) for what the pragmas leave out: CHECKs, expressions, collations,
AUTOINCREMENT, ON CONFLICT, constraint names, DEFERRABLE. Nothing of the schema's text is executed. The pragmas are
asked as statements, not as table-valued functions: a table of the source called ``pragma_table_list`` would answer in
the function's place.

Source: https://sqlite.org/pragma.html, schematab.html, datatype3.html.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from liteferry.errors import MigrationError
from liteferry.model import (
    Affinity,
    Catalog,
    Column,
    ForeignKey,
    Index,
    IndexKey,
    Table,
    Trigger,
    View,
    VirtualTable,
)
from liteferry.source.constraints import (
    KeyConstraint,
    find_primary_key,
    list_checks,
    list_key_constraints,
    match_constraint,
    spell_collation,
)
from liteferry.source.select import quote_sqlite_name
from liteferry.sqlite_ddl import (
    ColumnText,
    DdlError,
    ForeignKeyText,
    IndexText,
    TableText,
    fold_case,
    parse_create_index,
    parse_create_table,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liteferry.source.connection import SourceConnection

_VIEW_TIME_S: Final = 10.0

_SHADOWS: Final = MappingProxyType(
    {
        "fts3": ("content", "segments", "segdir", "docsize", "stat"),
        "fts4": ("content", "segments", "segdir", "docsize", "stat"),
        "fts5": ("data", "idx", "content", "docsize", "config"),
        "rtree": ("node", "rowid", "parent"),
        "rtree_i32": ("node", "rowid", "parent"),
        "geopoly": ("node", "rowid", "parent"),
        "spellfix1": ("vocab",),
    }
)
"""What modules name the tables that they keep their data in. SQLite tells itself where it has the module (3.37)."""

_OF_SQLITE: Final = re.compile(r"sqlite_(?:sequence|stat[1-4]|autoindex_.*)", re.IGNORECASE | re.DOTALL)
"""What SQLite itself makes. Other names that begin so are reserved, but a file can have them: they hold data."""

_ONLY_IN_TEXT: Final = re.compile(
    r"check|generated|\bas\b|collate|autoincrement|conflict|constraint|deferr", re.IGNORECASE
)
"""Words without which a CREATE TABLE statement says nothing that the pragmas do not tell."""

_QUOTED_NAME: Final = r""" "(?:[^"]|"")*" | '(?:[^']|\'\')*' | `(?:[^`]|``)*` | \[[^]]*\] """
_VIRTUAL: Final = re.compile(
    rf"CREATE\s+VIRTUAL\s+TABLE\b (?:.*?[\s\"'`\]] USING \s+ ({_QUOTED_NAME} | [^\s(;]+))?",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_CONTENT: Final = re.compile(r"\bcontent\s*=", re.IGNORECASE)
_GENERATED_ALWAYS: Final = re.compile(r"\s*generated\s+always\Z", re.IGNORECASE)
_GENERATED: Final[MappingProxyType[int, Literal["", "virtual", "stored"]]] = MappingProxyType(
    {0: "", 1: "", 2: "virtual", 3: "stored"}
)
"""What table_xinfo calls hidden. Source: https://sqlite.org/pragma.html#pragma_table_xinfo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    kind: str
    without_rowid: bool
    strict: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row of sqlite_master. kind: ``table``, ``virtual``, ``shadow``, ``view``, ``index`` or ``trigger``.

    options: what SQLite says of a table; None before 3.37, when only the text does.
    """

    kind: str
    name: str
    table: str
    sql: str
    options: _Options | None = None


def affinity_of(declared_type: str, *, strict: bool = False) -> Affinity:
    """A column's affinity by SQLite's own rules, in their order. Pure.

    Source: https://sqlite.org/datatype3.html, 3.1 "Determination Of Column Affinity"; stricttables.html for ANY.
    """
    upper = declared_type.upper()
    if strict and upper == "ANY":
        return "BLOB"
    if "INT" in upper:
        return "INTEGER"
    if any(part in upper for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    if any(part in upper for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def read_catalog(connection: SourceConnection, *, journal_mode: str = "") -> Catalog:
    """Read everything that the schema declares.

    journal_mode: the source's, when the connection is to a copy of it.
    Raises: MigrationError ``schema-unreadable``, naming the object, where something could be overlooked.
    """
    with connection.explain_errors():
        return _CatalogReader(connection).read(journal_mode)


class _CatalogReader:
    """Reads the catalogue over one connection."""

    def __init__(self, connection: SourceConnection) -> None:
        self._connection = connection
        self._entries = list(self._list_entries())
        self._index_sql = {entry.name: entry.sql for entry in self._of_kind("index")}
        self._sequences = self._read_sequences()

    def read(self, journal_mode: str) -> Catalog:
        virtual_tables = self._pair_shadows()
        shadows = {fold_case(name) for virtual in virtual_tables for name in virtual.shadow_tables}
        tables = tuple(
            self._read_table(entry)
            for entry in self._entries
            if entry.kind in {"table", "shadow"} and fold_case(entry.name) not in shadows
        )
        return Catalog(
            tables=tuple(_resolve_parents(tables)),
            views=tuple(self._read_view(entry) for entry in self._of_kind("view")),
            triggers=tuple(
                Trigger(name=entry.name, table=entry.table, sql=entry.sql) for entry in self._of_kind("trigger")
            ),
            virtual_tables=virtual_tables,
            encoding=self._ask("encoding"),
            page_size_bytes=self._ask("page_size"),
            size_bytes=self._ask("page_size") * self._ask("page_count"),
            journal_mode=journal_mode or self._ask("journal_mode"),
            user_version=self._ask("user_version"),
            application_id=self._ask("application_id"),
            sqlite_version=sqlite3.sqlite_version,
        )

    def _ask(self, pragma: str) -> Any:  # a number or a text
        return self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    def _list_facts(self, pragma: str, name: str | None = None) -> list[dict[str, Any]]:
        """The rows of a pragma about one object, or about all, by the names of their columns."""
        argument = "" if name is None else f"({quote_sqlite_name(name)})"
        cursor = self._connection.execute(f"PRAGMA main.{pragma}{argument}")
        columns = [item[0] for item in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def _of_kind(self, kind: str) -> Iterator[_Entry]:
        return (entry for entry in self._entries if entry.kind == kind)

    # the schema table

    def _list_entries(self) -> Iterator[_Entry]:
        """The schema's objects in their order, SQLite's own left out.

        The text ends at its first NUL, as it does for SQLite.
        """
        tables = self._read_options()
        rows = self._connection.execute(
            "SELECT type, CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB) FROM sqlite_master "
            "ORDER BY rowid"
        ).fetchall()
        encoding = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}[self._ask("encoding")]
        for kind, *parts in rows:
            try:
                name, table, sql = ((part or b"").decode(encoding) for part in parts)
            except UnicodeDecodeError as error:
                shown = parts[0].decode(encoding, errors="backslashreplace")
                raise MigrationError(
                    f"the text that declares {kind} {shown} is not valid {encoding.upper()}",
                    code="schema-unreadable",
                    hint="rename it, or make it again, on a copy of the source",
                ) from error
            if "\0" in name:
                shown = name.replace("\0", "\\0")
                raise MigrationError(
                    f"the name of {kind} {shown} contains the NUL character",
                    code="schema-unreadable",
                    hint="SQLite itself cannot name it: mend sqlite_schema on a copy of the source",
                )
            if _OF_SQLITE.fullmatch(name):
                continue
            sql = sql.partition("\0")[0]
            options = tables.get(name) if kind == "table" else None
            if kind == "table" and _is_virtual(sql):
                kind = "virtual"  # noqa: PLW2901 - the finer kind
            elif options:
                kind = options.kind  # noqa: PLW2901 - the same
            yield _Entry(kind=kind, name=name, table=table, sql=sql, options=options)

    def _read_options(self) -> dict[str, _Options]:
        """What SQLite says of tables, by name."""
        return {
            fact["name"]: _Options(kind=fact["type"], without_rowid=bool(fact["wr"]), strict=bool(fact["strict"]))
            for fact in self._list_facts("table_list")  # none before 3.37
            if fact["schema"] == "main"
        }

    def _read_sequences(self) -> dict[str, int]:
        """The highest ids ever given, by table name. SQLite takes the number of whatever stands there."""
        try:
            rows = self._connection.execute(
                "SELECT t.name, max(CAST(s.seq AS INTEGER)) FROM sqlite_sequence AS s JOIN sqlite_master AS t "
                "ON t.name = s.name WHERE t.type = 'table' GROUP BY t.name"
            )
        except sqlite3.OperationalError:  # no table has ever been AUTOINCREMENT
            return {}
        return {name: value for name, value in rows.fetchall() if value is not None}

    # virtual tables

    def _pair_shadows(self) -> tuple[VirtualTable, ...]:
        """Find each virtual table's shadow tables, by SQLite's word or the module's known names."""
        owners: dict[str, str] = {}
        virtuals = list(self._of_kind("virtual"))
        for virtual in sorted(virtuals, key=lambda entry: -len(entry.name)):  # a_b_data belongs to a_b, not to a
            suffixes = _SHADOWS.get(_module_of(virtual.sql).lower(), ())
            own_content = not _CONTENT.search(virtual.sql)  # else the text is in a table of the application
            prefix = fold_case(virtual.name) + "_"
            for entry in self._entries:
                name = fold_case(entry.name)
                if (
                    entry.kind in {"table", "shadow"}
                    and name.startswith(prefix)
                    and (entry.kind == "shadow" or name.removeprefix(prefix) in suffixes)
                    and (own_content or name != prefix + "content")
                ):
                    owners.setdefault(entry.name, virtual.name)
        return tuple(
            VirtualTable(
                name=virtual.name,
                module=_module_of(virtual.sql),
                sql=virtual.sql,
                shadow_tables=tuple(shadow for shadow, owner in owners.items() if owner == virtual.name),
            )
            for virtual in virtuals
        )

    # views

    def _read_view(self, entry: _Entry) -> View:
        """A view with its output columns, or with the reason why SQLite cannot use it."""
        try:
            with self._connection.time_limit(_VIEW_TIME_S):
                facts = self._list_facts("table_xinfo", entry.name)
        except sqlite3.Error as error:
            return View(name=entry.name, sql=entry.sql, error=str(error))
        return View(name=entry.name, sql=entry.sql, columns=tuple(fact["name"] for fact in facts))

    # tables

    def _read_table(self, entry: _Entry) -> Table:
        facts = self._list_facts("table_xinfo", entry.name)
        text = _parse_table(entry, [fact["name"] for fact in facts])
        strict = entry.options.strict if entry.options else bool(text and text.strict)
        without_rowid = entry.options.without_rowid if entry.options else bool(text and text.without_rowid)
        columns = tuple(
            _make_column(fact, column_text, strict=strict)
            for fact, column_text in zip(facts, text.columns if text else [None] * len(facts), strict=True)
        )
        key = sorted((column for column in columns if column.pk_position), key=lambda column: column.pk_position)
        primary_key = tuple(column.name for column in key)
        indexes = self._read_indexes(entry, text)
        # With INTEGER PRIMARY KEY DESC, by an old mistake that SQLite keeps, the key is no alias but has an index.
        has_alias = (
            len(key) == 1
            and key[0].declared_type.upper() == "INTEGER"
            and not without_rowid
            and not any(index.origin == "pk" for index in indexes)
        )
        key_text = find_primary_key(text)
        return Table(
            name=entry.name,
            sql=entry.sql,
            columns=columns,
            primary_key=primary_key,
            primary_key_name=key_text.name,
            primary_key_on_conflict=key_text.on_conflict,
            rowid_alias=primary_key[0] if has_alias else None,
            without_rowid=without_rowid,
            strict=strict,
            autoincrement=key_text.autoincrement,
            sequence_value=self._sequences.get(entry.name),
            indexes=indexes,
            foreign_keys=self._read_foreign_keys(entry, text),
            checks=tuple(list_checks(text)),
            not_null_on_conflict=tuple(
                column.name
                for column in (text.columns if text else ())
                if column.not_null_on_conflict not in {None, "ABORT"}
            ),
        )

    def _read_indexes(self, entry: _Entry, text: TableText | None) -> tuple[Index, ...]:
        """The table's indexes in the order of their making."""
        facts = sorted(self._list_facts("index_list", entry.name), key=itemgetter("seq"), reverse=True)
        constraints = list(list_key_constraints(text))
        return tuple(self._read_index(entry, fact, constraints) for fact in facts)

    def _read_index(self, entry: _Entry, facts: dict[str, Any], constraints: list[KeyConstraint]) -> Index:
        """One index. facts: its row of index_list."""
        name, origin = facts["name"], facts["origin"]
        parts = [part for part in self._list_facts("index_xinfo", name) if part["key"]]
        sql = self._index_sql.get(name)
        needs_text = facts["partial"] or any(part["cid"] < 0 for part in parts)
        text = _parse_index(sql or "", entry.name, name) if needs_text else None
        keys = tuple(
            IndexKey(
                column=part["name"],
                expression_sql=None if part["name"] is not None or text is None else text.keys[position].text_sql,
                descending=bool(part["desc"]),
                collation=spell_collation(part["coll"]),
            )
            for position, part in enumerate(sorted(parts, key=itemgetter("seqno")))
        )
        constraint = match_constraint(constraints, origin, keys)
        return Index(
            name=name,
            table=entry.name,
            origin=origin,
            unique=bool(facts["unique"]),
            keys=keys,
            where_sql=text.where_sql if text else None,
            sql=sql,
            constraint_name=constraint.name if constraint else None,
            on_conflict=constraint.on_conflict if constraint else None,
        )

    def _read_foreign_keys(self, entry: _Entry, text: TableText | None) -> tuple[ForeignKey, ...]:
        """The table's foreign keys in the order of the text; the pragma numbers them the other way round."""
        facts = sorted(self._list_facts("foreign_key_list", entry.name), key=lambda fact: (-fact["id"], fact["seq"]))
        groups = [list(group) for _, group in groupby(facts, key=itemgetter("id"))]
        texts: list[ForeignKeyText | None] = [None] * len(groups)
        if text:
            texts = [*(key for column in text.columns for key in column.references), *text.foreign_keys]
            said = [tuple(map(fold_case, key.columns)) for key in texts if key]
            if said != [tuple(fold_case(fact["from"]) for fact in group) for group in groups]:
                raise _unreadable(entry.name, "its foreign keys are not those that SQLite knows")
        return tuple(
            ForeignKey(
                columns=tuple(fact["from"] for fact in group),
                parent_table=group[0]["table"],
                parent_columns=tuple(fact["to"] for fact in group if fact["to"] is not None),
                on_update=group[0]["on_update"],
                on_delete=group[0]["on_delete"],
                deferrable=bool(key and key.deferrable),
                initially_deferred=bool(key and key.initially_deferred),
                name=key.name if key else None,
            )
            for group, key in zip(groups, texts, strict=True)
        )


def _unreadable(table: str, reason: str) -> MigrationError:
    return MigrationError(
        f"the CREATE TABLE statement of {table} cannot be read: {reason}",
        code="schema-unreadable",
        hint="make the table again with a simpler statement, on a copy of the source",
        table=table,
    )


def _parse_table(entry: _Entry, names: list[str]) -> TableText | None:
    """Read the statement. None when it cannot be read and says nothing that the pragmas do not tell.

    Raises: MigrationError when something could be overlooked.
    """
    try:
        text = parse_create_table(entry.sql)
    except DdlError as error:
        if not _ONLY_IN_TEXT.search(entry.sql):
            return None
        raise _unreadable(entry.name, str(error)) from error
    if [fold_case(column.name) for column in text.columns] != [fold_case(name) for name in names]:
        raise _unreadable(entry.name, "its columns are not those that SQLite knows")
    return text


def _parse_index(sql: str, table: str, name: str) -> IndexText:
    try:
        return parse_create_index(sql)
    except DdlError as error:
        raise MigrationError(
            f"the CREATE INDEX statement of {name} cannot be read: {error}",
            code="schema-unreadable",
            hint="make the index again with a simpler statement, on a copy of the source",
            table=table,
        ) from error


def _make_column(facts: dict[str, Any], text: ColumnText | None, *, strict: bool) -> Column:  # a row of table_xinfo
    declared_type, hidden = facts["type"], facts["hidden"]
    if _GENERATED[hidden]:  # before 3.37 SQLite takes the words for a part of the type
        declared_type = _GENERATED_ALWAYS.sub("", declared_type)
    return Column(
        name=facts["name"],
        declared_type=declared_type,
        affinity=affinity_of(declared_type, strict=strict),
        not_null=bool(facts["notnull"]),
        default_sql=facts["dflt_value"],
        collation=spell_collation(text.collation if text else None),
        generated=_GENERATED[hidden],
        generated_sql=text.generated_sql if text else None,
        pk_position=facts["pk"],
    )


def _resolve_parents(tables: tuple[Table, ...]) -> Iterator[Table]:
    """Spell parents' names as the parents do, and fill in the primary key where the text leaves the columns out."""
    by_name = {fold_case(table.name): table for table in tables}
    for table in tables:
        keys = tuple(_resolve_parent(key, by_name.get(fold_case(key.parent_table))) for key in table.foreign_keys)
        yield replace(table, foreign_keys=keys)


def _resolve_parent(key: ForeignKey, parent: Table | None) -> ForeignKey:
    if parent is None:
        return key
    spelled = {fold_case(column.name): column.name for column in parent.columns}
    columns = tuple(spelled.get(fold_case(name), name) for name in key.parent_columns)
    if not columns and len(parent.primary_key) == len(key.columns):
        columns = parent.primary_key
    return replace(key, parent_table=parent.name, parent_columns=columns)


def _is_virtual(sql: str) -> bool:
    return _VIRTUAL.match(sql) is not None


def _module_of(sql: str) -> str:
    match = _VIRTUAL.match(sql)
    return match[1].strip("\"'`[]") if match and match[1] else ""
