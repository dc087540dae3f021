"""How figures, names and commands are written: tables of cases, and the shell and libpq as witnesses."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from liteferry.model import ServerInfo
from liteferry.report.wording import (
    align_rows,
    escape_unprintable,
    format_byte_rate,
    format_duration,
    format_list,
    format_plural,
    format_row_rate,
    format_share,
    format_size,
    indent_sql,
    quote_word,
    wrap_text,
    write_address,
    write_command,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-1, "0 s"),
        (0.00001, "< 0.1 ms"),
        (0.0004, "0.4 ms"),
        (0.042, "42 ms"),
        (0.0996, "0.10 s"),
        (0.5, "0.50 s"),
        (0.996, "1.0 s"),
        (1.24, "1.2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (184, "3 min 04 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (7380, "2 h 03 min"),
        (7199, "2 h 00 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (110_700_000, "110.7 MB"),
        (2_500_000_000, "2.5 GB"),
        (7_200_000_000_000_000, "7,200.0 TB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert format_size(size_bytes) == text


def test_small_words() -> None:
    assert format_plural(1, "index", "indexes") == "1 index"
    assert format_plural(1234, "index", "indexes") == "1,234 indexes"
    assert format_list([]) == ""
    assert format_list(["a"]) == "a"
    assert format_list(["a", "b", "c"]) == "a, b and c"
    assert format_share(1, 0) == ""
    assert format_share(0, 5) == "0.0 %"
    assert format_share(1, 3000) == "< 0.1 %"
    assert format_share(9.96, 100) == "10 %"
    assert format_row_rate(10, 0) == ""
    assert format_row_rate(12_345, 2) == "6,172 rows/s"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain", "plain"),
        ("naïve 日本 עברית 👩‍💻", "naïve 日本 עברית 👩‍💻"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31m\x00\x7f\x9b", "\\x1b[31m\\x00\\x7f\\x9b"),
        ("\u202eabc\u2066\u2028", "\\u202eabc\\u2066\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_unprintable_characters_are_shown_as_what_they_are(text: str, escaped: str) -> None:
    assert escape_unprintable(text) == escaped


def test_sql_keeps_its_lines() -> None:
    assert escape_unprintable("a\n\tb\x1b", lines=True) == "a\n\tb\\x1b"


@pytest.mark.parametrize(
    "word",
    [
        "plain",
        "two words",
        "it's",
        "",
        "*",
        "$HOME",
        "a\nb",
        "tab\there's",
        "back\\slash\x1b",
        "\x9b\u202e",
        "caf\udce9",
    ],
)
def test_quoted_words_come_back_from_the_shell(word: str) -> None:
    quoted = quote_word(word)
    assert quoted == escape_unprintable(quoted), "nothing unprintable reaches the terminal"
    done = subprocess.run(
        ["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert os.fsdecode(done.stdout) == word


@pytest.mark.parametrize(
    ("host", "user", "database", "address"),
    [
        ("db.example.org", "app", "shop", "postgresql://app@db.example.org:5432/shop"),
        ("db.example.org", "a@b:c", "my shop/1", "postgresql://a%40b%3Ac@db.example.org:5432/my%20shop%2F1"),
        ("::1", "app", "shop", "postgresql://app@[::1]:5432/shop"),
        ("/run/postgresql", "app", "shop", "host=/run/postgresql port=5432 dbname=shop user=app"),
        ("/run/my pg", "it's", "shop", "host='/run/my pg' port=5432 dbname=shop user='it\\'s'"),
    ],
)
def test_addresses_are_libpqs(host: str, user: str, database: str, address: str) -> None:
    from psycopg.conninfo import conninfo_to_dict

    server = ServerInfo(version="18.1", version_num=180001, host=host, port=5432, database=database, user=user)
    assert write_address(server) == address
    read = conninfo_to_dict(address)
    assert (read["host"], read["user"], read["dbname"], str(read["port"])) == (host, user, database, "5432")


def test_columns_line_up_whatever_the_script() -> None:
    text = align_rows([("日本", "1"), ("e\u0301a", "22"), ("abcdef", "333")], right=(1,), indent=0)
    assert text.splitlines() == ["日本      1", "e\u0301a       22", "abcdef  333"]


def test_commands_come_back_from_the_shell_as_words() -> None:
    words = ["liteferry", "undo", "/srv/it's here/run 1", "a*b"]
    assert shlex.split(write_command(*words)) == words


def test_paragraphs_are_folded_and_long_words_are_not() -> None:
    address = "postgresql://somebody@a-very-long-host-name.example.org:5432/database"
    lines = wrap_text(f"Point the application at {address} now.", width=40, indent=2, hang=3).splitlines()
    assert lines == ["  Point the application at", f"     {address}", "     now."]


def test_sql_is_indented_line_by_line() -> None:
    assert indent_sql("CREATE TABLE t (\n  a\n)\n", indent=4) == "    CREATE TABLE t (\n      a\n    )"


def test_byte_rates() -> None:
    assert format_byte_rate(0, 1) == ""
    assert format_byte_rate(10, 0) == ""
    assert format_byte_rate(120_600_000, 2) == "60.3 MB/s"
