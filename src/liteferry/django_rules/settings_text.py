"""The setting that leads a Django project to its new database, as text: an entry of DATABASES, and a URL.

Layer 1, pure. A password is never in what is shown: `PLACEHOLDER` stands for it; `SettingFacts` does not know it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER: Final = "<password>"
"""Neither angle bracket can be in a URL: whoever forgets to replace it gets an error, not another password."""
DEFAULT_VARIABLE: Final = "DATABASE_URL"

_OWN_KEYWORDS: Final = ("dbname", "user", "password", "host", "port")
"""libpq's keywords that Django has settings of its own for; all others go into OPTIONS."""
_IMPLIED: Final = {"port": "5432", "sslmode": "prefer"}
"""What libpq does anyway."""
_KEEPING: Final = (
    "CONN_MAX_AGE keeps connections for so many seconds and CONN_HEALTH_CHECKS replaces broken ones; leave both out"
    ' where OPTIONS has "pool" (Django 5.1), which keeps connections itself'
)
_BEHIND_A_POOL: Final = (
    "behind PgBouncer in transaction mode, set DISABLE_SERVER_SIDE_CURSORS to True and CONN_MAX_AGE to 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFacts:
    """Where the new database is. ``options``: libpq's further keywords (sslmode, service, options …).

    ``host``: a name, an address, a socket's directory, or several with commas, as libpq takes them. ``schema``: where
    the tables are, "" when the role's own search_path leads there. ``needs_password``: the setting has to hold one.
    """

    alias: str = "default"
    variable: str = DEFAULT_VARIABLE
    dbname: str = ""
    user: str = ""
    host: str = ""
    port: str = ""
    options: tuple[tuple[str, str], ...] = ()
    schema: str = ""
    needs_password: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingText:
    """``entry``: the statement for settings.py. ``line``: the one for a file of variables. Placeholders for passwords.

    ``advice``: what else belongs to switching over, one sentence each.
    """

    entry: str
    line: str
    advice: tuple[str, ...] = ()


def make_facts(
    keywords: Mapping[str, str], *, alias: str, variable: str, schema: str = "", needs_password: bool = False
) -> SettingFacts:
    """Take the facts from libpq's keywords. Pure."""
    given = {key: value for key, value in keywords.items() if value and _IMPLIED.get(key) != value}
    return SettingFacts(
        alias=alias,
        variable=variable,
        dbname=given.get("dbname", ""),
        user=given.get("user", ""),
        host=given.get("host", ""),
        port=given.get("port", ""),
        options=tuple(sorted((key, value) for key, value in given.items() if key not in _OWN_KEYWORDS)),
        schema="" if schema == "public" else schema,
        needs_password=needs_password,
    )


def render_setting(facts: SettingFacts) -> SettingText:
    """Write the setting in both forms, with a placeholder where a password belongs. Pure."""
    password = PLACEHOLDER if facts.needs_password else ""
    return SettingText(
        entry=_render_entry(facts, password),
        line=f"{facts.variable}={render_url(facts, _Raw(password))}",
        advice=_advise(facts),
    )


class _Raw(str):
    """A text that is put into a URL as it is."""

    __slots__ = ()


def render_url(facts: SettingFacts, password: str = "") -> str:
    """Write the URL as libpq, dj-database-url and django-environ read it alike. Pure.

    What has no place before the question mark that all three agree on (sockets, several hosts) goes behind it: there
    they hand it to libpq unchanged. Source: PostgreSQL docs, "Connection URIs".
    """
    options = dict(_list_options(facts))
    host, port = facts.host, facts.port
    if _is_plain_host(host):
        place = f"[{host}]" if ":" in host else quote(host, safe=".-_")
    else:
        place = ""
        if host:
            options = {"host": host, **options}
    if port and not port.isdecimal():  # several
        options, port = {**options, "port": port}, ""
    secret = password if isinstance(password, _Raw) else quote(password, safe="")
    user = quote(facts.user, safe="") + (f":{secret}" if secret else "")
    authority = (f"{user}@" if user else "") + place + (f":{port}" if port else "")
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in options.items())
    return f"postgresql://{authority}/{quote(facts.dbname, safe='')}" + (f"?{query}" if query else "")


def _is_plain_host(host: str) -> bool:
    """Whether it is one name or address that every reader of URLs takes; they disagree about all else."""
    return host.isascii() and all(sign.isalnum() or sign in ".-_:" for sign in host)


def _list_options(facts: SettingFacts) -> tuple[tuple[str, str], ...]:
    """List libpq's further keywords, with the search_path that leads to the tables."""
    if not facts.schema:
        return facts.options
    options = dict(facts.options)
    path = f'"{facts.schema.replace(chr(34), chr(34) * 2)}",public'
    spelt = path.replace("\\", "\\\\").replace(" ", "\\ ")  # as libpq's `options` splits words
    options["options"] = f"{options.get('options', '')} -c search_path={spelt}".strip()
    return tuple(options.items())


def _render_entry(facts: SettingFacts, password: str) -> str:
    entry: dict[str, str] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": facts.dbname,
        "USER": facts.user,
        "PASSWORD": password,
        "HOST": facts.host,
        "PORT": facts.port,
    }
    lines = [f"DATABASES[{_spell(facts.alias)}] = {{"]
    lines += [f"    {_spell(key)}: {_spell(value)}," for key, value in entry.items() if value or key == "NAME"]
    options = _list_options(facts)
    if options:
        lines.append('    "OPTIONS": {')
        lines += [f"        {_spell(key)}: {_spell(value)}," for key, value in options]
        lines.append("    },")
    lines += ['    "CONN_MAX_AGE": 60,', '    "CONN_HEALTH_CHECKS": True,', "}"]
    return "\n".join(lines)


def _spell(text: str) -> str:
    """A Python literal, in double quotes where that needs no escapes."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


def _advise(facts: SettingFacts) -> tuple[str, ...]:
    advice = [_KEEPING, _BEHIND_A_POOL]
    if facts.needs_password:
        advice.append(f"{PLACEHOLDER} stands for the password: percent-encoded in the URL, as it is in settings.py")
    if any(key == "service" for key, _ in facts.options):
        advice.append("the application needs the same service file: its account's ~/.pg_service.conf, or PGSERVICEFILE")
    return tuple(advice)
