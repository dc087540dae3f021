"""What a hook's SQL may hold, as far as it is looked at before it goes to the server."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liteferry.errors import MigrationError
from liteferry.hooks import check_hook_sql, split_statements


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("SELECT 1", [1]),
        ("SELECT 1;;\n ;\nSELECT 2;", [1, 3]),
        ("-- no; COMMIT\n/* a /* COMMIT; */ b */ SELECT 1", [2]),
        ("SELECT ';COMMIT', E'\\';COMMIT', \"a;b\", $$;COMMIT;$$, $x$ $$ ; $x$;\nSELECT 2", [1, 2]),
        ("SELECT 'it''s;\n'; SELECT 2", [1, 2]),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 1",
            [1, 1],
        ),
        ("CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END", [1]),
        ("CREATE FUNCTION begin_it() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; SELECT 1", [1, 1]),
        ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);\nSELECT 3", [1, 2]),
        ("SELECT $1; SELECT a$b$c", [1, 1]),
        ("DO $body$ BEGIN COMMIT; END $body$", [1]),
        ("COPY t TO '/dev/null'", [1]),
        ("SELECT commit, rollback FROM begin", [1]),
    ],
)
def test_where_statements_begin(sql: str, lines: list[int]) -> None:
    assert [statement.line for statement in split_statements(sql)] == lines
    check_hook_sql(sql, "a.sql")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", ["a.sql holds no SQL statement"]),
        (" ;\n-- only this\n/* and */ ;", ["a.sql holds no SQL statement"]),
        ("SELECT 1;\n\nCOMMIT", ["a.sql, line 3", "COMMIT is not possible"]),
        ("begin;", ["line 1", "BEGIN"]),
        ("SELECT 1; /* x\n */ Rollback TO a", ["line 2", "ROLLBACK"]),
        ("SAVEPOINT a", ["SAVEPOINT"]),
        ("START TRANSACTION", ["START"]),
        ("SELECT 1; END", ["END"]),
        ("PREPARE TRANSACTION 'x'", ["PREPARE"]),
        ("SELECT 1;\nCOPY t (a) FROM STDIN;\n1\n\\.\n", ["line 2", "COPY"]),
        ("copy t to stdout", ["COPY"]),
        ("\\set x 1\nSELECT 1", ["line 1", "backslash"]),
        ("SELECT 1\n\\gexec", ["line 2", "backslash"]),
        ("SELECT 'a", ["never ends"]),
        ('SELECT 1;\n"a', ["line 2", "never ends"]),
        ("SELECT $x$ a $y$", ["never ends"]),
        ("/* /* */ SELECT 1", ["never ends"]),
        ("SELECT E'a\\'", ["never ends"]),
        ("SELECT 1\n\0", ["line 2", "NUL"]),
    ],
)
def test_what_a_hook_cannot_hold(sql: str, words: list[str]) -> None:
    with pytest.raises(MigrationError) as raised:
        check_hook_sql(sql, "a.sql")
    assert raised.value.code == "usage"
    assert raised.value.hint
    for word in words:
        assert word in raised.value.what


@given(st.text(st.sampled_from("aE'\"$;-/*()\\ \nBEGIN"), max_size=30))
def test_any_text_is_read_to_its_end(sql: str) -> None:
    with suppress(MigrationError):
        assert all(1 <= statement.line <= sql.count("\n") + 1 for statement in split_statements(sql))
