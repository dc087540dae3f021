"""Settings from outside."""

import pytest

from config.environment import parse_database_url, read_env_file, read_environment


def test_the_file_is_read(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nexport NAME=one\nURL = 'postgresql://a:b@c/d?x=1'\n#OFF=2\nEMPTY=\n", encoding="utf-8"
    )
    assert read_env_file(path) == {"NAME": "one", "URL": "postgresql://a:b@c/d?x=1", "EMPTY": ""}
    assert read_env_file(tmp_path / "missing") == {}


def test_the_process_wins_over_the_file(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_text("COMMUNITY_TEST=file\n", encoding="utf-8")
    assert read_environment(path)["COMMUNITY_TEST"] == "file"
    monkeypatch.setenv("COMMUNITY_TEST", "process")
    assert read_environment(path)["COMMUNITY_TEST"] == "process"


def test_a_postgresql_url():
    found = parse_database_url("postgresql://us%40er:p%3Aw@db.example:5433/the%20name?sslmode=require")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "the name",
        "USER": "us@er",
        "PASSWORD": "p:w",
        "HOST": "db.example",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_socket_and_a_search_path():
    found = parse_database_url("postgresql:///app?host=/run/postgresql&options=-c%20search_path%3Dstaging")
    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == (
        "/run/postgresql",
        "",
        {"options": "-c search_path=staging"},
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [("sqlite:////data/my%20db.sqlite3", "/data/my db.sqlite3"), ("sqlite:///db.sqlite3", "db.sqlite3")],
)
def test_a_sqlite_file(url, name):
    assert parse_database_url(url)["NAME"] == name


def test_another_scheme_is_refused():
    with pytest.raises(ValueError, match="mysql"):
        parse_database_url("mysql://x/y")
