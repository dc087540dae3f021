"""The setting as text is read alike by libpq, by Python and by the libraries that projects read addresses with."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from liteferry.django_rules.settings_text import PLACEHOLDER, make_facts, render_setting, render_url

PASSWORD = "p@ss:/?#[]%&=+ '\"\\ü$x`"

WAYS: dict[str, dict[str, str]] = {
    "a host": {"dbname": "app", "user": "app", "host": "db.example.org", "port": "5433", "sslmode": "verify-full"},
    "names with everything": {"dbname": "a b/c?d#e%f+g@ü", "user": "o'neil@x:y", "host": "localhost"},
    "a socket": {"dbname": "app", "user": "app", "host": "/var/run/my sql", "port": "5433", "options": "-c a=b"},
    "an abstract socket": {"dbname": "app", "user": "app", "host": "@abs/sock"},
    "IPv6": {"dbname": "app", "user": "app", "host": "::1", "port": "5433"},
    "IPv6 with its zone": {"dbname": "app", "user": "app", "host": "fe80::1%eth0", "port": "5433"},
    "a service": {"service": "app"},
    "a service and a database": {"service": "app", "dbname": "x"},
    "several hosts": {"dbname": "app", "user": "app", "host": "a.b,c.d", "port": "5433,5434"},
    "an address beside the name": {"dbname": "app", "user": "app", "host": "db_1", "hostaddr": "10.0.0.1"},
}


def as_libpq(entry: dict[str, Any]) -> dict[str, str]:
    """What Django makes of an entry of DATABASES: libpq's keywords, those of OPTIONS below the entry's own."""
    own = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {**entry.get("OPTIONS", {}), **{key: entry[name] for key, name in own.items() if entry.get(name)}}
    return {key: str(value) for key, value in found.items()}


@pytest.mark.parametrize("password", ["", "plain", PASSWORD])
@pytest.mark.parametrize("keywords", WAYS.values(), ids=WAYS)
def test_every_reader_gets_the_same_address_out_of_the_url(keywords: dict[str, str], password: str) -> None:
    environ = pytest.importorskip("environ")
    dj_database_url = pytest.importorskip("dj_database_url")
    url = render_url(make_facts(keywords, alias="default", variable="X"), password)
    meant = {**keywords, **({"password": password} if password else {})}
    assert {key: str(value) for key, value in conninfo_to_dict(url).items()} == meant
    assert as_libpq(dj_database_url.parse(url)) == meant
    assert as_libpq(environ.Env.db_url_config(url)) == meant


@pytest.mark.parametrize("keywords", WAYS.values(), ids=WAYS)
def test_the_entry_is_python_and_leads_to_the_same_address(keywords: dict[str, str]) -> None:
    databases: dict[str, dict[str, Any]] = {}
    entry = render_setting(make_facts(keywords, alias='o"ther', variable="X")).entry
    exec(entry, {"DATABASES": databases})  # noqa: S102 - our own text
    (found,) = databases.values()
    assert list(databases) == ['o"ther']
    assert as_libpq(found) == keywords
    assert found["CONN_MAX_AGE"] == 60


def test_what_libpq_does_anyway_is_left_out() -> None:
    facts = make_facts(
        {"dbname": "app", "host": "h", "port": "5432", "sslmode": "prefer"}, alias="default", variable="X"
    )
    assert render_setting(facts).line == "X=postgresql://h/app"


def test_a_password_is_a_placeholder_that_no_reader_takes_for_one() -> None:
    facts = make_facts({"dbname": "app", "user": "u", "host": "h"}, alias="default", variable="X", needs_password=True)
    shown = render_setting(facts)
    assert shown.line == f"X=postgresql://u:{PLACEHOLDER}@h/app"
    assert f'"PASSWORD": "{PLACEHOLDER}"' in shown.entry
    assert any(PLACEHOLDER in advice for advice in shown.advice)
    without = render_setting(make_facts({"dbname": "app", "user": "u"}, alias="default", variable="X"))
    assert PLACEHOLDER not in without.line + without.entry


@pytest.mark.parametrize("schema", ["app", "two words", 'with "quotes"', "back\\slash"])
def test_a_schema_of_its_own_becomes_the_search_path(schema: str) -> None:
    facts = make_facts({"dbname": "app", "options": "-c a=b"}, alias="default", variable="X", schema=schema)
    quoted = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\ ")
    assert conninfo_to_dict(render_url(facts))["options"] == f'-c a=b -c search_path="{quoted}",public'
    plain = make_facts({"dbname": "app"}, alias="default", variable="X", schema="public")
    assert "options" not in render_url(plain)


def test_a_service_file_is_needed_there_too() -> None:
    advice = render_setting(make_facts({"service": "app"}, alias="default", variable="X")).advice
    assert any("PGSERVICEFILE" in line for line in advice)
