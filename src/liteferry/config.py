"""liteferry.toml: the file in which a user's options, decisions, casts, hooks and Django project are kept.

Layer 2. Reads the file and the SQL files that it names, each once; everything that is wrong with it is one usage error
that names the file, the line where it can be found, and what is allowed. Nothing secret may stand in it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from liteferry.decisions import make_decision
from liteferry.errors import MigrationError
from liteferry.findings import FINDINGS
from liteferry.hooks import check_hook_sql
from liteferry.model import CONFIG_NAME, Cast, ConfigFile, Decision, Hook, HookPoint, Options
from liteferry.project import ProjectOptions, PruneRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECTIONS: Final = {
    "move": "what is moved, and how: as the options of the same names",
    "decisions": "which way is taken out of which finding: `PLACE` or `CODE:PLACE` = way",
    "casts": "the sections `casts.columns` and `casts.types`: which type a column gets",
    "hooks": "your own SQL: point = file, or a list of files",
    "django": "the Django project whose database is moved; read by Django commands alone",
}
"""The sections of the file, with what stands in them. The docs' page of the file is checked against this."""

MOVE_KEYS: Final = {
    "schema": "the target's schema",
    "names": "how names are written: preserve, lower or snake",
    "timestamps": "what DATETIME columns become: auto, timestamp or timestamptz",
    "nocase": "how COLLATE NOCASE goes on: auto, icu, citext, index or bytes",
    "into": "new: the tables are made; existing: an application made them in the target, and they are filled",
    "replace-rows": "with into = existing, tables whose rows may be replaced: a list of shell patterns",
    "only": "only these tables: a list of shell patterns",
    "exclude": "not these tables: a list of shell patterns",
    "accept": "findings to accept: a list of CODE or CODE:PLACE",
}
_CHOICES: Final = {
    "names": ("preserve", "lower", "snake"),
    "timestamps": ("auto", "timestamp", "timestamptz"),
    "nocase": ("auto", "icu", "citext", "index", "bytes"),
    "into": ("new", "existing"),
}
CAST_KINDS: Final = {
    "columns": "`table.column`, a shell pattern, = PostgreSQL type; the first that matches counts",
    "types": "declared type = PostgreSQL type; columns come first",
}
DJANGO_KEYS: Final = {
    "directory": "where its manage.py is, relative to this file; without it, where this file is",
    "settings": "the settings module, as DJANGO_SETTINGS_MODULE",
    "python": "the project's interpreter, or its virtual environment, relative to this file",
    "database": "the alias of the database that is moved",
    "target-alias": "the alias of the database that it is moved to",
    "prune": "the section `django.prune`: rows that do not travel",
}
PRUNE_FORMS: Final = {
    "`true`": "every row of the model",
    "`{ is_test = true, created__lt = 2020-01-01 }`": "the rows for which all of it holds, as for Django's `filter()`",
    "`[{ … }, { … }]`": "the rows for which one of these holds",
}
"""What may stand at a model in django.prune, with what it means."""
_SAMPLE_RULE: Final = '"shop.Order" = { customer__is_test = true }'
_DEFAULTS: Final = Options()
POINTS: Final[dict[HookPoint, str]] = {
    "before-pre-data": "the staging schema is there, and nothing in it",
    "after-pre-data": "every table is there, without rows, keys and indexes",
    "before-data": "the same moment, after the files of `after-pre-data`",
    "after-data": "every row is there; keys, indexes, foreign keys and views are not",
    "before-post-data": "the same moment, after the files of `after-data`",
    "after-post-data": "everything is there, and not yet proven",
    "before-publish": "the same moment, after the files of `after-post-data`: the last before the proof",
}
"""The points at which hooks run, in their order, with what stands in the schema then."""
_SECRETS: Final = ("password", "passwd", "pgpassword", "url", "dsn", "target", "conninfo", "connection", "source")
_WITH_PASSWORD: Final = re.compile(r"\w+://[^/\s:@]*:[^@\s]+@|(?<![\w-])password\s*=\s*\S", re.IGNORECASE)


def find_config(directory: Path) -> Path | None:
    """The file in a directory; None where there is none."""
    path = directory / CONFIG_NAME
    return path if path.is_file() else None


def read_config(path: str | Path) -> Options:
    """Read liteferry.toml: the options as it alone sets them, with `Options.config` saying where they come from.

    The SQL files of its hooks are read, too.

    Raises: MigrationError (usage) for a file that is missing, is no TOML, or says what cannot be.
    """
    path = Path(path)
    data = _read_bytes(path, "the configuration")
    text = _decode(data, path)
    try:
        parsed = tomllib.loads(text + "\n")  # else an error in the last line is one "at end of document"
    except tomllib.TOMLDecodeError as error:
        raise MigrationError(
            f"{path} is not valid TOML: {error}",
            code="usage",
            hint='names with other characters than A-Z, a-z, 0-9, _ and - need quotes, as "order.total"; a key stands'
            " once in its section: for a second decision at one place, write it once with the finding's code and a"
            " colon before it, and once without",
        ) from error
    file = _File(path=path, text=text)
    file.refuse_secrets(parsed, "")
    file.check_keys(parsed, "", SECTIONS)
    move = file.take_table(parsed, "move", "")
    file.check_keys(move, "move", MOVE_KEYS)
    casts = file.take_table(parsed, "casts", "")
    file.check_keys(casts, "casts", CAST_KINDS)
    accept = file.read_accept(move)
    return Options(
        schema=file.read_text(move, "move", "schema") or _DEFAULTS.schema,
        names=file.read_choice(move, "names") or _DEFAULTS.names,  # type: ignore[arg-type]  # one of _CHOICES
        timestamps=file.read_choice(move, "timestamps") or _DEFAULTS.timestamps,  # type: ignore[arg-type]  # the same
        nocase=file.read_choice(move, "nocase") or _DEFAULTS.nocase,  # type: ignore[arg-type]  # the same
        into=file.read_choice(move, "into") or _DEFAULTS.into,  # type: ignore[arg-type]  # the same
        replace_rows=file.read_list(move, "move", "replace-rows"),
        only=file.read_list(move, "move", "only"),
        exclude=file.read_list(move, "move", "exclude"),
        accept=accept,
        decisions=tuple(file.read_decisions(file.take_table(parsed, "decisions", ""))),
        casts=tuple(file.read_casts(casts)),
        hooks=tuple(file.read_hooks(file.take_table(parsed, "hooks", ""))),
        project=file.read_project(file.take_table(parsed, "django", "")) if "django" in parsed else None,
        config=ConfigFile(path=str(path), sha256=hashlib.sha256(data).hexdigest(), accept=accept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The file's text, in which the line of what is wrong is looked for."""

    path: Path
    text: str

    def fail(self, section: str, key: str, what: str, hint: str = "") -> MigrationError:
        """An error about a key, with its line where it can be found."""
        line = find_line(self.text, section, key)
        place = f"{self.path}, line {line}" if line else str(self.path)
        return MigrationError(f"{place}: {what}", code="usage", hint=hint or "see the page Configuration file")

    def check_keys(self, table: Mapping[str, object], section: str, allowed: Mapping[Any, object]) -> None:
        """Refuse a key that there is not."""
        for key in table:
            if key not in allowed:
                what = f"there is no key {key} in [{section}]" if section else f"there is no section [{key}]"
                raise self.fail(section, key, what, _suggest(key, allowed))

    def refuse_secrets(self, value: object, section: str) -> None:
        """Refuse whatever looks like a connection string or a password, without repeating it."""
        if isinstance(value, dict):
            for key, inner in value.items():
                if key.lower() in _SECRETS and section in {"", "move"}:
                    raise self.fail(
                        section,
                        key,
                        f"{key} does not belong in this file",
                        "name source and target on the command line; passwords belong in PGPASSWORD, ~/.pgpass or a"
                        " service file",
                    )
                self.refuse_secrets(key, section)
                self.refuse_secrets(inner, key)
        elif isinstance(value, list):
            for inner in value:
                self.refuse_secrets(inner, section)
        elif isinstance(value, str) and _WITH_PASSWORD.search(value):
            raise MigrationError(
                f"{self.path}: a text in [{section}] looks like a connection string with a password",
                code="usage",
                hint="take it out: this file is for others to read; use PGPASSWORD, ~/.pgpass or a service file",
            )

    def take_table(self, table: Mapping[str, Any], key: str, section: str) -> Mapping[str, Any]:
        """A section, empty where it is not there."""
        found = table.get(key, {})
        if not isinstance(found, dict):
            whole = f"{section}.{key}" if section else key
            raise self.fail(section, key, f"{key} must be a section, [{whole}], and is {_name_type(found)}")
        return found

    def read_text(self, table: Mapping[str, Any], section: str, key: str) -> str:
        """A text, "" where it is not there."""
        if key not in table:
            return ""
        found = table[key]
        if not isinstance(found, str) or not found:
            raise self.fail(section, key, f"{key} must be a text, and is {_name_type(found)}")
        return found

    def read_choice(self, table: Mapping[str, Any], key: str) -> str:
        """One of the words that the key allows."""
        found = self.read_text(table, "move", key)
        if found and found not in _CHOICES[key]:
            raise self.fail("move", key, f"{key} cannot be {found}", _suggest(found, _CHOICES[key]))
        return found

    def read_list(self, table: Mapping[str, Any], section: str, key: str) -> tuple[str, ...]:
        """A list of texts."""
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, str) and item for item in found):
            raise self.fail(section, key, f'{key} must be a list of texts, as ["a", "b"]')
        return tuple(found)

    def read_accept(self, move: Mapping[str, Any]) -> tuple[str, ...]:
        """The findings to accept; their codes are looked at here, where the line is known."""
        accept = self.read_list(move, "move", "accept")
        able = [code for code, kind in FINDINGS.items() if kind.if_accepted]
        for item in accept:
            code = item.partition(":")[0]
            if code not in {"all", *able}:
                what = "cannot be accepted, only repaired" if code in FINDINGS else "is no finding"
                raise self.fail("move", "accept", f"{code} {what}", _suggest(code, able))
        return accept

    def read_decisions(self, table: Mapping[str, Any]) -> Iterable[Decision]:
        """The decisions, in the file's order: the later ones come before the earlier ones."""
        for key in table:
            way = self.read_text(table, "decisions", key)
            code, colon, place = key.partition(":")
            if not colon or code not in FINDINGS:
                code, place = "", key
            try:
                made = make_decision(code, place, way)
            except MigrationError as error:
                hint = error.hint
                if close := get_close_matches(way.partition(":")[0], _words(hint), n=1):
                    hint = f"did you mean {close[0]}? {hint}"
                raise self.fail("decisions", key, error.what, hint) from error
            yield Decision(code=made.code, place=made.place, way=made.way, origin=str(self.path))

    def read_casts(self, casts: Mapping[str, Any]) -> Iterable[Cast]:
        """The cast rules: those for columns first."""
        columns = self.take_table(casts, "columns", "casts")
        for key in columns:
            yield Cast(column=key, pg_type=self.read_text(columns, "casts.columns", key))
        types = self.take_table(casts, "types", "casts")
        for key in types:
            yield Cast(declared_type=key, pg_type=self.read_text(types, "casts.types", key))

    def read_hooks(self, table: Mapping[str, Any]) -> Iterable[Hook]:
        """The hooks with their SQL, in the order in which they run."""
        self.check_keys(table, "hooks", POINTS)
        for point in POINTS:
            found = table.get(point, [])
            for item in found if isinstance(found, list) else [found]:
                yield self._read_hook(point, item)

    def _read_hook(self, point: HookPoint, item: object) -> Hook:
        if isinstance(item, str):
            item = {"run": item}
        if not isinstance(item, dict) or not isinstance(item.get("run"), str):
            raise self.fail(
                "hooks", point, f'{point} must be a file, {{run = "file", undo = "file"}}, or a list of them'
            )
        self.check_keys(item, "hooks", {"run": "", "undo": ""})
        sql, digest = self._read_sql(point, item["run"])
        undo = item.get("undo", "")
        if not isinstance(undo, str):
            raise self.fail("hooks", point, f"undo must be a file's name, and is {_name_type(undo)}")
        undo_sql, undo_digest = self._read_sql(point, undo) if undo else ("", "")
        return Hook(
            point=point,
            file=item["run"],
            sql=sql,
            sha256=digest,
            undo_file=undo,
            undo_sql=undo_sql,
            undo_sha256=undo_digest,
        )

    def read_project(self, table: Mapping[str, Any]) -> ProjectOptions:
        """The Django project, and which of its rows do not travel."""
        self.check_keys(table, "django", DJANGO_KEYS)
        texts = {key: self.read_text(table, "django", key) for key in DJANGO_KEYS if key != "prune"}
        home = self.path.parent
        prune = self.take_table(table, "prune", "django")
        return ProjectOptions(
            directory=str(home / Path(texts["directory"]).expanduser()),
            settings=texts["settings"],
            python=str(home / Path(texts["python"]).expanduser()) if texts["python"] else "",
            database=texts["database"],
            target_alias=texts["target-alias"],
            prune=tuple(self._read_rule(label, given) for label, given in prune.items()),
        )

    def _read_rule(self, label: str, given: object) -> PruneRule:
        """Which rows of a model are meant."""
        if not re.fullmatch(r"\w+\.\w+", label):
            what = f"{label} is no model: a key of [django.prune] is app.Model, in quotes"
            raise self.fail("django.prune", label, what, _SAMPLE_RULE)
        if given is True:
            return PruneRule(model=label, all_rows=True)
        tables: list[Any] = given if isinstance(given, list) else [given]
        if not tables or not all(isinstance(table, dict) and table for table in tables):
            found = "an empty section" if given == {} else _name_type(given)
            what = f"{label} must be true, {{lookup = value}} or a list of such, and is {found}"
            raise self.fail("django.prune", label, what, f"true means every row; else {_SAMPLE_RULE}")
        return PruneRule(
            model=label,
            filters=tuple(
                {name: self._read_value(label, name, value) for name, value in table.items()} for table in tables
            ),
        )

    def _read_value(self, label: str, name: str, value: object) -> object:
        """A lookup's value as JSON has it: dates and times as ISO text, which Django's fields read."""
        if isinstance(value, list):
            return [self._read_value(label, name, item) for item in value]
        if isinstance(value, dt.date | dt.time):
            return value.isoformat()
        if isinstance(value, dict) or (isinstance(value, float) and not math.isfinite(value)):
            what = f"{name} of {label} cannot be {'a section' if isinstance(value, dict) else value}"
            raise self.fail("django.prune", label, what, f"a field of a related model is asked for so: {_SAMPLE_RULE}")
        return value

    def _read_sql(self, point: str, name: str) -> tuple[str, str]:
        """An SQL file beside this one: its text and its digest."""
        path = self.path.parent / name
        try:
            data = _read_bytes(path, f"the SQL file of hook {point}")
        except MigrationError as error:
            raise self.fail("hooks", point, error.what, "paths are relative to the configuration file") from error
        text = _decode(data, path)
        check_hook_sql(text, str(path))
        return text, hashlib.sha256(data).hexdigest()


def _read_bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MigrationError(
            f"{what} {path} cannot be read: {reason}", code="usage", hint="look at the path; --no-config goes without"
        ) from error


def _decode(data: bytes, path: Path) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise MigrationError(
            f"{path} begins with a byte order mark", code="usage", hint="save it as UTF-8 without one (BOM)"
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise MigrationError(f"{path}, line {line}: not UTF-8", code="usage", hint="save it as UTF-8") from error


def _suggest(word: str, allowed: Iterable[str]) -> str:
    """What is allowed, the most likely one first. Pure."""
    words = list(allowed)
    close = get_close_matches(word, words, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"there are: {', '.join(words)}"


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9-]+", text)


def _name_type(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a section"}
    return "an empty text" if value == "" else "a text" if isinstance(value, str) else names.get(type(value), "a date")


def find_line(text: str, section: str, key: str) -> int:
    """The line on which a key of a section stands, or the section itself; 0 where it is not found. Pure."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
            current = header[1].replace('"', "").replace("'", "")
            whole = f"{section}.{key}" if section else key
            if current == whole or current.startswith(f"{whole}."):
                return number
            continue
        if current != section:
            continue
        found = _read_key(line)
        if key in found:
            return number
    return 0


def _read_key(line: str) -> Mapping[str, object]:
    """The key of a line, quoted or not, in which an equals sign may stand; nothing where there is none. Pure."""
    places = [place for place, character in enumerate(line) if character == "="]
    for place in places:
        try:
            return tomllib.loads(f"{line[:place]} = 0")
        except tomllib.TOMLDecodeError:
            continue
    return {}
