"""How texts that SQLite compares without case, or without spaces at the end, go on comparing in PostgreSQL.

Layer 1, pure. Used by `planner` only. SQLite's NOCASE takes A to Z for a to z, and nothing else. PostgreSQL can keep
that in four ways, of which `choose_way` takes one a column:

* ``icu``: a nondeterministic ICU collation, made in the schema. Comparisons, keys and foreign keys ignore case.
* ``citext``: the extension's type. The same, as long as the other side of a comparison is no typed text.
* ``index``: unique keys alone ignore case, by an index on lower(…); exact, but every other comparison minds it.
* ``bytes``: nothing ignores case.

`docs/explanation/collations.md` says what was measured and why the choice is what it is.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from liteferry.decisions import find_way
from liteferry.errors import MigrationError, Untranslatable
from liteferry.findings import WAYS, make_finding
from liteferry.model import NocaseWay, PlannedObject, Step, WayOut
from liteferry.names import quote_literal, quote_name, quote_qualified
from liteferry.sqlite_ddl import fold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from liteferry.model import (
        Census,
        Column,
        Finding,
        IndexKey,
        Kind,
        Options,
        ServerInfo,
        Table,
        Twins,
    )

KindOf: TypeAlias = "Callable[[Table, Column], Kind]"

Way = Literal["icu", "citext", "index", "bytes", "none"]
"""``none``: there is nothing to keep, since no value of the column's type has case or spaces at its end."""

COLLATION: Final = "liteferry_nocase"
"""The name of the ICU collation that is made in the schema."""
RULES_VERSION_NUM: Final = 160000
"""Since when CREATE COLLATION takes rules. Source: PostgreSQL 16's release notes."""
STRICT_KEYS_VERSION_NUM: Final = 180000
"""Since when a foreign key demands equal nondeterministic collations. Source: PostgreSQL 18's release notes."""
_RULES: Final = "".join(f"&{lower}={lower.upper()}" for lower in string.ascii_lowercase)
_NAMED: Final[tuple[NocaseWay, ...]] = ("icu", "citext", "index", "bytes")
_FOLDED: Final = frozenset({"NOCASE", "RTRIM"})
_ICU_SPARES: Final = "and characters that are seen or encoded alike (É composed or not, invisible ones)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a server has for texts without case.

    rules: its ICU collations take rules. citext: the schema where the extension is, "" where the run can install it,
    None where it is not and cannot be. near: that is a schema in which a session finds its operators by itself.
    ascii_only: citext folds no letter but A to Z. strict_keys: a foreign key's columns must have the same
    nondeterministic collation, or deterministic ones.
    """

    icu: bool = False
    rules: bool = False
    citext: str | None = None
    near: bool = True
    ascii_only: bool = False
    strict_keys: bool = True


EMBEDDED: Final = Offer(citext="")
"""What the embedded server offers: it is built without ICU, and its databases know every letter's case."""


def read_offer(server: ServerInfo | None, schema: str) -> Offer:
    """What a server offers to tables in a schema; None for the embedded one. Pure."""
    if server is None:
        return EMBEDDED
    return Offer(
        icu=server.icu,
        rules=server.version_num >= RULES_VERSION_NUM,
        citext={"absent": None, "available": "", "installed": server.citext_schema}[server.citext],
        near=server.citext_schema in {"", "public", "pg_catalog", schema},
        ascii_only=server.folds_ascii_only,
        strict_keys=server.version_num >= STRICT_KEYS_VERSION_NUM,
    )


def choose_way(collation: str, kind: Kind, wanted: NocaseWay, offer: Offer) -> Way:
    """Choose how a column with a collation of SQLite's goes on. Pure.

    wanted: the user's choice. With ``auto`` it is ICU before citext, where a comparison with a text parameter would
    mind the case in silence, before an index, which every server has.

    Raises: MigrationError (usage) when the server does not have what the user wants.
    """
    if collation.upper() not in _FOLDED:
        return "bytes"
    if kind not in {"text", "json", "jsonb", "bytea"}:
        return "none"
    if kind != "text" or wanted == "bytes":
        return "bytes"
    if collation.upper() == "RTRIM" or wanted == "index":
        return "index"
    if wanted in {"auto", "icu"} and offer.icu:
        return "icu"
    if offer.citext is not None and (wanted == "citext" or (wanted == "auto" and offer.near)):
        return "citext"
    if wanted == "auto":
        return "index"
    who = "the embedded server" if offer is EMBEDDED else "the server"
    lack = "was built without ICU" if wanted == "icu" else "has no extension citext in this database"
    install = "CREATE EXTENSION citext, as the database's owner, in a schema of the search_path; or "
    raise MigrationError(
        f"--nocase {wanted}: {who} {lack}",
        code="usage",
        hint=f"{install if wanted == 'citext' else ''}leave the choice to --nocase auto",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPart:
    """One key of an index in SQL.

    expression: it is no plain column. collated: it has another collation than the column. folds: NOCASE or RTRIM, when
    it does.
    """

    sql: str
    expression: bool = False
    collated: bool = False
    folds: str = ""


@dataclass(slots=True, kw_only=True)
class Collations:
    """What was decided for every column whose texts do not compare byte for byte; read only, once it is made.

    ways: by table and column. spread: the columns that took over their way, with the parent's column. decided: the
    columns whose way the user named.
    """

    offer: Offer
    wanted: NocaseWay
    staging: str
    schema: str
    twins: dict[tuple[str, str], Twins] = field(default_factory=dict)
    ways: dict[tuple[str, str], Way] = field(default_factory=dict)
    spread: dict[tuple[str, str], str] = field(default_factory=dict)
    decided: set[tuple[str, str]] = field(default_factory=set)

    def way(self, table: str, column: str) -> Way:
        """How a column goes on; ``none`` for one that compares byte for byte in SQLite, too."""
        return self.ways.get((table, fold_case(column)), "none")

    def folds_column(self, table: str, column: str) -> bool:
        """Whether the column itself ignores case in the target."""
        return self.way(table, column) in {"icu", "citext"}

    # SQL

    def type_sql(self, table: str, column: str, pg_type: str) -> str:
        """The column's type in CREATE TABLE, with its collation."""
        match self.way(table, column):
            case "icu":
                return f"{pg_type} COLLATE {quote_qualified(self.staging, COLLATION)}"
            case "citext":
                # "C" orders as SQLite does; what is equal is decided by the database's lower() alone
                return f'{quote_qualified(self.offer.citext or self.staging, "citext")} COLLATE "C"'
            case _:
                return pg_type

    def type_name(self, table: str, column: str, pg_type: str) -> str:
        """The column's type as the catalogue names it."""
        return "citext" if self.way(table, column) == "citext" else pg_type

    def collation_name(self, table: str, column: str) -> str:
        """The column's collation without its schema, "" for the type's own."""
        return {"icu": COLLATION, "citext": "C"}.get(self.way(table, column), "")

    def plain_suffix(self, table: str, column: str) -> str:
        """What makes the column a text that compares byte for byte, put after its name."""
        return {"icu": ' COLLATE "C"', "citext": "::pg_catalog.text"}.get(self.way(table, column), "")

    def key_part(self, table: Table, key: IndexKey, name_sql: str, kind: Kind | None) -> KeyPart:
        """One key of an index, a column or an expression that is translated already.

        Raises: Untranslatable for a collation that PostgreSQL cannot have.
        """
        own, declared, way = key.collation.upper(), "BINARY", "none"
        if key.column is not None:
            declared = next(c.collation for c in table.columns if fold_case(c.name) == fold_case(key.column)).upper()
            way = self.way(table.name, key.column)
            if (table.name, fold_case(key.column)) in self.spread:
                return KeyPart(sql=name_sql, folds="NOCASE")
        has_case = kind in {"text", "json", "jsonb", "bytea", None}
        if own == declared and (way not in {"icu", "citext", "index"} or own == "BINARY"):
            return KeyPart(sql=name_sql)
        if own == "BINARY":
            if way == "citext":
                return KeyPart(sql=f'(({name_sql})::pg_catalog.text) COLLATE "C"', expression=True)
            return KeyPart(sql=f'{name_sql} COLLATE "C"', collated=True) if way == "icu" else KeyPart(sql=name_sql)
        if own in _FOLDED and not has_case:
            return KeyPart(sql=name_sql)
        if own not in _FOLDED or kind != "text" or self.wanted == "bytes":
            raise Untranslatable(f"it compares with {key.collation}, which PostgreSQL does not have")
        if own == "NOCASE" and way in {"icu", "citext"}:
            return KeyPart(sql=name_sql, folds=own)
        plain = f'{name_sql}::pg_catalog.text COLLATE "C"' if way == "citext" else f'{name_sql} COLLATE "C"'
        sql = f"lower({plain})" if own == "NOCASE" else f"rtrim({plain}, ' ')"
        return KeyPart(sql=f"pg_catalog.{sql}", expression=True, folds=own)

    # steps and objects of the whole schema

    @property
    def _makes_collation(self) -> bool:
        return "icu" in self.ways.values()

    @property
    def _makes_extension(self) -> bool:
        return "citext" in self.ways.values() and self.offer.citext == ""

    def steps(self) -> tuple[Step, ...]:
        """What has to be there before any table."""
        steps = []
        if self._makes_collation:
            locale = "und" if self.offer.rules else "und-u-ks-level2"
            rules = f", rules = {quote_literal(_RULES)}" if self.offer.rules else ""
            sql = (
                f"CREATE COLLATION {quote_qualified(self.staging, COLLATION)}"
                f" (provider = icu, locale = {quote_literal(locale)}, deterministic = false{rules})"
            )
            steps.append(Step(id=f"pre-data/collation/{COLLATION}", phase="pre-data", sql=(sql,)))
        if self._makes_extension:
            sql = f"CREATE EXTENSION citext SCHEMA {quote_name(self.staging)}"
            steps.append(Step(id="pre-data/extension/citext", phase="pre-data", sql=(sql,)))
        return tuple(steps)

    def objects(self) -> tuple[PlannedObject, ...]:
        """What is in the schema besides tables and views; an extension is in none."""
        return (PlannedObject(kind="other", name=f"collation {COLLATION}"),) if self._makes_collation else ()

    def publish_sql(self) -> list[str]:
        """What moves it into the target's schema."""
        schema = quote_name(self.schema)
        sql = []
        if self._makes_collation:
            sql.append(f"ALTER COLLATION {quote_qualified(self.staging, COLLATION)} SET SCHEMA {schema}")
        if self._makes_extension:
            sql.append(f"ALTER EXTENSION citext SET SCHEMA {schema}")
        return sql

    def undo_sql(self) -> list[str]:
        """What takes it away after the tables; refused by the server where anybody else uses it by then."""
        sql = []
        if self._makes_collation:
            sql.append(f"DROP COLLATION {quote_qualified(self.schema, COLLATION)} RESTRICT")
        if self._makes_extension:
            sql.append("DROP EXTENSION citext RESTRICT")
        return sql

    # findings

    def explain(self, table: Table, column: Column) -> list[Finding]:
        """The findings about a column's collation, none for one that compares byte for byte on both sides."""
        place = (table.name, fold_case(column.name))
        if place in self.spread:
            parent = self.spread[place]
            return [
                make_finding(
                    "collation-spread",
                    f"column {column.name} points at {parent}, which ignores case, and has to ignore it, too",
                    table=table.name,
                    name=column.name,
                    hint="--nocase index keeps both as they are, and the foreign key byte for byte",
                )
            ]
        if column.collation.upper() == "BINARY":
            return []
        code, message, hint, accepted, twins = "collation-lost", "", "", "", None
        match self.way(*place):
            case "none":
                code, message = "collation-kept", f"column {column.name} compares with {column.collation}; {_NO_CASE}"
            case "icu" | "citext" as way:
                code, message = "collation-kept", self._say_kept(column, way)
                twins = self.twins.get((table.name, column.name))
                if twins is not None and twins.count and not self._is_exact(way):
                    code, hint = (
                        "collation-wider",
                        "--nocase index keeps them apart in unique keys, and everywhere else",
                    )
                    message = (
                        f"{twins.count:,} texts of column {column.name} differ in SQLite, and may be equal to another"
                        " where more than A to Z is folded"
                    )
                else:
                    twins = None
            case "index" if _list_unique(table, column):
                message = (
                    f"column {column.name} compares with {column.collation}; in PostgreSQL its unique keys alone will"
                )
                accepted = "its unique keys go on so, by an index; every other comparison is byte for byte"
                hint = "compare lower(column) in the application where it relies on this"
            case _:
                message = f"column {column.name} compares with {column.collation}, which PostgreSQL does not have"
                hint = "compare lower(column) in the application, or choose another --nocase"
                if column.collation.upper() != "NOCASE":
                    hint = "where the application relies on it, change its queries"
        found = make_finding(
            code,
            message,
            table=table.name,
            name=column.name,
            count=twins.count if twins else 0,
            samples=twins.samples if twins else (),
            hint=hint,
            if_accepted=accepted,
        )
        return [self._offer_ways(found, column, place)] if found.severity == "blocker" else [found]

    def _offer_ways(self, found: Finding, column: Column, place: tuple[str, str]) -> Finding:
        """The finding with every way that the server has: first the one that accepting takes."""
        taken = self.way(*place)
        is_nocase = column.collation.upper() == "NOCASE"
        has: dict[Way, bool] = {
            "icu": is_nocase and self.offer.icu,
            "citext": is_nocase and self.offer.citext is not None,
            "index": column.collation.upper() in _FOLDED,
            "bytes": True,
        }
        others = [WayOut(name=way, effect=WAYS[way]) for way, is_there in has.items() if is_there and way != taken]
        if found.code == "collation-wider":  # whatever the user named, these texts are another question
            return replace(found, ways=(*found.ways, *others))
        first = WayOut(name=taken, effect=found.if_accepted)
        return replace(found, ways=(first, *others), way=taken if place in self.decided else "")

    def _is_exact(self, way: Way) -> bool:
        return way == "citext" and self.offer.ascii_only

    def _say_kept(self, column: Column, way: Way) -> str:
        by = "an ICU collation" if way == "icu" else "the type citext"
        said = f"column {column.name} compares with NOCASE, and goes on ignoring case by {by}"
        if self._is_exact(way):
            return said
        return f"{said}; beyond A to Z, {'letters' if way == 'citext' else 'letters ' + _ICU_SPARES} are equal, too"


_NO_CASE: Final = "no value of its type has a case"


def _list_unique(table: Table, column: Column) -> bool:
    """Whether the column is in a unique key."""
    keys = [[key.column for key in index.keys] for index in table.indexes if index.unique or index.origin != "c"]
    return column.name in table.primary_key or any(column.name in key for key in keys)


def plan_collations(
    tables: Sequence[Table],
    census: Census,
    options: Options,
    server: ServerInfo | None,
    staging: str,
    kind_of: KindOf,
) -> Collations:
    """Choose each column's way; columns with foreign keys to one that ignores case take it over. Pure.

    kind_of: the kind of the type that a column becomes.

    Raises: MigrationError (usage) when the server does not have what the user wants.
    """
    made = Collations(
        offer=read_offer(server, options.schema),
        wanted=options.nocase,
        staging=staging,
        schema=options.schema,
        twins={(found.table, found.column): found for found in census.twins},
    )
    for table in tables:
        for column in table.columns:
            if column.collation.upper() != "BINARY":
                decided = _find_decision(f"{table.name}.{column.name}", options)
                way = choose_way(column.collation, kind_of(table, column), decided or options.nocase, made.offer)
                place = (table.name, fold_case(column.name))
                made.ways[place] = way
                if decided == way:
                    made.decided.add(place)
    if {"icu", "citext"} & set(made.ways.values()):
        _spread(made, tables, kind_of)
    return made


def _find_decision(place: str, options: Options) -> NocaseWay | None:
    """The way that the user named for a column; None when there is none. Pure."""
    for code in ("collation-lost", "collation-wider", "collation-kept"):
        named = find_way(code, place, _NAMED, options)
        for way in _NAMED:
            if named == way:
                return way
    return None


def _spread(made: Collations, tables: Sequence[Table], kind_of: KindOf) -> None:
    """Let foreign keys' columns ignore case as their parents do: again and again, for a child can be a parent."""
    by_name = {fold_case(table.name): table for table in tables}
    pairs = [
        (child, _find_column(child, name), parent, parent_name)
        for child in tables
        for key in child.foreign_keys
        if (parent := by_name.get(fold_case(key.parent_table))) is not None
        for name, parent_name in zip(key.columns, key.parent_columns, strict=False)
    ]
    changed = True
    while changed:
        changed = False
        for child, column, parent, parent_name in pairs:
            place = (child.name, fold_case(column.name))
            way = made.way(parent.name, parent_name)
            if way in {"icu", "citext"} and place not in made.ways and kind_of(child, column) == "text":
                made.ways[place], made.spread[place] = way, f"{parent.name}.{parent_name}"
                changed = True


def _find_column(table: Table, name: str) -> Column:
    return next(column for column in table.columns if fold_case(column.name) == fold_case(name))


def describe_parts(parts: Iterable[KeyPart], columns: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`PlannedObject.key_columns` and ``folds`` of these keys, each empty when no key has any. Pure."""
    parts = tuple(parts)
    stand = tuple(column if part.expression else "" for part, column in zip(parts, columns, strict=True))
    folds = tuple(part.folds for part in parts)
    return stand if any(stand) else (), folds if any(folds) else ()
