"""Reads CREATE TABLE.

Layer 1, pure. Source: SQLite's parse.y and build.c.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from liteferry.sqlite_ddl.data import CheckText, ColumnText, ForeignKeyText, KeyColumnText, KeyText, TableText
from liteferry.sqlite_ddl.reader import NOT_IN_TYPES, Reader, is_word

_NOT_IN_DEFAULTS: Final = NOT_IN_TYPES - {"INDEXED"}
_LITERAL_WORDS: Final = frozenset({"NULL", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"})
_TABLE_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_CONFLICTS: Final = frozenset({"ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"})


@dataclass(slots=True)
class _ColumnDraft:
    """A column while its constraints are read. said: what these say, as fields of `ColumnText`."""

    name: str
    declared_type: str
    said: dict[str, Any] = field(default_factory=dict)
    references: list[_ForeignKeyDraft] = field(default_factory=list)

    def finish(self) -> ColumnText:
        """The column, once all its constraints are read."""
        references = tuple(reference.key for reference in self.references)
        return ColumnText(name=self.name, declared_type=self.declared_type, references=references, **self.said)


@dataclass(slots=True)
class _ForeignKeyDraft:
    """A foreign key: DEFERRABLE may come after other constraints, and is then still its."""

    key: ForeignKeyText


class TableReader(Reader):
    """Reads CREATE TABLE."""

    def __init__(self, sql: str) -> None:
        """Stand before the first token. Raises: DdlError."""
        super().__init__(sql)
        self._columns: list[_ColumnDraft] = []
        self._primary_key: KeyText | None = None
        self._uniques: list[KeyText] = []
        self._checks: list[CheckText] = []
        self._foreign_keys: list[_ForeignKeyDraft] = []
        self._last_foreign_key: _ForeignKeyDraft | None = None
        self._constraint_name: str | None = None

    def read(self) -> TableText:
        """Read the whole statement. Raises: DdlError."""
        self.expect("CREATE")
        temporary = self.accept("TEMP") or self.accept("TEMPORARY")
        if self.peek("VIRTUAL"):
            raise self.error("a virtual table has no columns of its own")
        self.expect("TABLE")
        schema, name = self.read_object_name()
        if self.peek("AS"):
            raise self.error("CREATE TABLE AS does not say its columns")
        self.expect("(")
        self._read_column()
        while self.accept(","):
            token = self.token
            if token and token.kind == "word" and token.text.upper() in _TABLE_CONSTRAINTS:
                self._read_table_constraints()
                break
            self._read_column()
        self.expect(")")
        without_rowid, strict = self._read_options()
        self.expect_end()
        return TableText(
            name=name,
            schema=schema,
            temporary=temporary,
            columns=tuple(draft.finish() for draft in self._columns),
            primary_key=self._primary_key,
            uniques=tuple(self._uniques),
            checks=tuple(self._checks),
            foreign_keys=tuple(draft.key for draft in self._foreign_keys),
            without_rowid=without_rowid,
            strict=strict,
        )

    def _read_options(self) -> tuple[bool, bool]:
        without_rowid = strict = False
        if self.token is None or self.peek(";"):
            return False, False
        while True:
            if self.accept("WITHOUT", "ROWID"):
                without_rowid = True
            elif self.accept("STRICT"):
                strict = True
            else:
                raise self.error("unknown table option")
            if not self.accept(","):
                return without_rowid, strict

    # columns

    def _read_column(self) -> None:
        name = self.read_name()
        self._columns.append(_ColumnDraft(name, self.read_type()))
        self._constraint_name = None
        while self.token and not (self.peek(",") or self.peek(")")):
            self._read_column_constraint()

    def _take_constraint_name(self) -> str | None:
        name, self._constraint_name = self._constraint_name, None
        return name

    def _read_column_constraint(self) -> None:
        draft = self._columns[-1]
        said = draft.said
        if self.accept("CONSTRAINT"):
            self._constraint_name = self.read_name()
        elif self.accept("DEFAULT"):
            said["default_sql"] = self._read_default()
        elif self.accept("NULL"):
            self._read_on_conflict()
        elif self.accept("NOT", "NULL"):
            said |= {
                "not_null": True,
                "not_null_name": self._take_constraint_name(),
                "not_null_on_conflict": self._read_on_conflict(),
            }
        elif self.accept("PRIMARY", "KEY"):
            descending = self.accept("DESC")
            if not descending:
                self.accept("ASC")
            said |= {
                "primary_key": True,
                "primary_key_name": self._take_constraint_name(),
                "primary_key_descending": descending,
                "primary_key_on_conflict": self._read_on_conflict(),
                "autoincrement": self.accept("AUTOINCREMENT"),
            }
        elif self.accept("UNIQUE"):
            said |= {
                "unique": True,
                "unique_name": self._take_constraint_name(),
                "unique_on_conflict": self._read_on_conflict() or said.get("unique_on_conflict"),
            }
        elif self.accept("CHECK"):
            name = self._take_constraint_name()
            check = CheckText(sql=self.read_enclosed(), name=name)
            said["checks"] = (*said.get("checks", ()), check)
        elif self.peek("REFERENCES"):
            draft.references.append(self._read_references((draft.name,)))
        elif self._accept_deferrable():
            pass
        elif self.accept("COLLATE"):
            said["collation"] = self.read_name()
        elif self.accept("GENERATED", "ALWAYS", "AS") or self.accept("AS"):
            said["generated_sql"] = self.read_enclosed()
            said["stored"] = self.accept("STORED")
            if not said["stored"]:
                self.accept("VIRTUAL")
        else:
            raise self.error("expected a column constraint")

    def _read_default(self) -> str:
        if self.peek("("):
            return self.read_enclosed()
        first = self.at
        signed = self.accept("+") or self.accept("-")
        token = self.token
        if token is None or token.kind in ("operator", "variable"):
            raise self.error("expected a default")
        if token.kind == "quoted" or (token.kind == "word" and token.text.upper() not in _LITERAL_WORDS):
            if signed:
                raise self.error("a sign must be followed by a literal")
            if token.kind == "word" and token.text.upper() in _NOT_IN_DEFAULTS:
                raise self.error(f"{token.text} is a reserved word, not a default")
        self.at += 1
        return self.text_of(self.tokens[first : self.at])

    def _read_on_conflict(self) -> str | None:
        if not self.accept("ON", "CONFLICT"):
            return None
        action = self.accept_one_of(_CONFLICTS)
        if action is None:
            raise self.error("expected ROLLBACK, ABORT, FAIL, IGNORE or REPLACE")
        return action

    # foreign keys

    def _read_references(self, columns: tuple[str, ...]) -> _ForeignKeyDraft:
        self.expect("REFERENCES")
        name = self._take_constraint_name()
        parent_table = self.read_name()
        parent_columns = self.read_names() if self.peek("(") else ()
        actions = {"DELETE": "NO ACTION", "UPDATE": "NO ACTION", "INSERT": "NO ACTION"}
        match: str | None = None
        while True:
            if self.accept("MATCH"):
                match = self.read_name()
            elif self.peek("ON"):
                self.expect("ON")
                event = self.accept_one_of(frozenset(actions))
                if event is None:
                    raise self.error("expected DELETE or UPDATE")
                actions[event] = self._read_action()
            else:
                break
        draft = _ForeignKeyDraft(
            key=ForeignKeyText(
                columns=columns,
                parent_table=parent_table,
                parent_columns=parent_columns,
                name=name,
                on_update=actions["UPDATE"],
                on_delete=actions["DELETE"],
                match=match,
            )
        )
        self._last_foreign_key = draft
        return draft

    def _read_action(self) -> str:
        for words in (("SET", "NULL"), ("SET", "DEFAULT"), ("CASCADE",), ("RESTRICT",), ("NO", "ACTION")):
            if self.accept(*words):
                return " ".join(words)
        raise self.error("expected SET NULL, SET DEFAULT, CASCADE, RESTRICT or NO ACTION")

    def _accept_deferrable(self) -> bool:
        """[NOT] DEFERRABLE [INITIALLY …], which belongs to the table's latest foreign key (build.c)."""
        deferrable = not self.peek("NOT", "DEFERRABLE")
        if not (self.accept("DEFERRABLE") if deferrable else self.accept("NOT", "DEFERRABLE")):
            return False
        deferred = self.accept("INITIALLY", "DEFERRED")
        if not deferred:
            self.accept("INITIALLY", "IMMEDIATE")
        if self._last_foreign_key:
            self._last_foreign_key.key = replace(
                self._last_foreign_key.key, deferrable=deferrable, initially_deferred=deferrable and deferred
            )
        return True

    # table constraints

    def _read_table_constraints(self) -> None:
        while True:
            self._read_table_constraint()
            if self.accept(","):  # SQLite does not insist on the comma
                self._constraint_name = None
            elif self.peek(")"):
                return

    def _read_table_constraint(self) -> None:
        if self.accept("CONSTRAINT"):
            self._constraint_name = self.read_name()
        elif self.accept("PRIMARY", "KEY"):
            if self._primary_key:
                raise self.error("a second primary key")
            self._primary_key = self._read_key_constraint()
        elif self.accept("UNIQUE"):
            self._uniques.append(self._read_key_constraint())
        elif self.accept("CHECK"):
            name = self._take_constraint_name()
            self._checks.append(CheckText(sql=self.read_enclosed(), name=name))
            self._read_on_conflict()
        elif self.accept("FOREIGN", "KEY"):
            columns = self.read_names()
            self._foreign_keys.append(self._read_references(columns))
            self._accept_deferrable()
        else:
            raise self.error("expected a table constraint")

    def _read_key_constraint(self) -> KeyText:
        name = self._take_constraint_name()
        self.expect("(")
        tokens = self.skip_balanced()
        autoincrement = is_word(tokens, -1, "AUTOINCREMENT")
        columns: list[KeyColumnText] = []
        for key in self.split_keys(tokens[:-1] if autoincrement else tokens):
            if key.column is None:
                raise self.error("an expression cannot be part of a PRIMARY KEY or UNIQUE constraint")
            columns.append(KeyColumnText(name=key.column, collation=key.collation, descending=key.descending))
        self.expect(")")
        return KeyText(
            columns=tuple(columns), name=name, on_conflict=self._read_on_conflict(), autoincrement=autoincrement
        )
