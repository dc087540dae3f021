"""A compiled part may be missing in any way; only where it is demanded is that an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from liteferry import compiled
from liteferry.cli import main
from liteferry.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(
    params=[
        ModuleNotFoundError("No module named 'liteferry.compiled._encoder'"),
        ImportError("libsqlite3.so.0: cannot open shared object file: No such file or directory"),
    ],
    ids=["not built", "SQLite's library is not there"],
)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(_: str) -> None:
        raise request.param

    compiled._import_part.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr("liteferry.compiled.importlib.import_module", fail)
        yield
    compiled._import_part.cache_clear()


@pytest.mark.usefixtures("missing")
def test_a_part_that_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(compiled.VARIABLE, raising=False)
    assert compiled.find_part("_encoder") is None
    assert compiled.describe_parts() == "compiled parts: none, Python does their work, several times as slowly"
    monkeypatch.setenv(compiled.VARIABLE, "require")
    with pytest.raises(MigrationError, match="cannot be loaded"):
        compiled.find_part("_encoder")
    with pytest.raises(SystemExit) as stopped:  # a report tells which are there, whatever is demanded
        main(["--version"])
    assert stopped.value.code == 0
    assert "compiled parts: none" in capsys.readouterr().out


def test_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.VARIABLE, "on")
    with pytest.raises(MigrationError, match="'on'"):
        compiled.find_part("_encoder")
