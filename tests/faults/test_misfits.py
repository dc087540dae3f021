"""A value that the load cannot encode, although the census took it: the run ends, and says which value it was."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from harness import execute, read_everything
from liteferry import Options, codecs, migrate
from stored_rows import needs_encoder

if TYPE_CHECKING:
    from pathlib import Path

    from liteferry.model import Into

ODD = 2.0**-30  # a power of two, which the compiled encoder leaves to the reference


@pytest.mark.parametrize("compiled", [pytest.param("", marks=needs_encoder), "none"])
@pytest.mark.parametrize("into", ["new", "existing"])
def test_a_misfit_is_named(
    tmp_path: Path, pg_url: str, pg_admin_url: str, monkeypatch: pytest.MonkeyPatch, compiled: str, into: Into
) -> None:
    path = tmp_path / "misfit.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a TEXT, b INTEGER, v DECIMAL, PRIMARY KEY (a, b))")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", [("x", 1, 1.5), ("y", 2, ODD), ("z", 3, 2.5)])
        for name, rows in (("larger", 90), ("x", 1)):  # loaded before it and after it, by the same message
            db.execute(f"CREATE TABLE {name} (v DECIMAL)")
            db.executemany(f"INSERT INTO {name} VALUES (?)", [(1.5,)] * rows)
        db.commit()
    encode_numeric = codecs.ENCODERS["numeric"]

    def refuse(value: object) -> bytes:
        if value == ODD:
            raise codecs.Misfit("planted")
        return encode_numeric(value)

    monkeypatch.setattr(codecs, "ENCODERS", MappingProxyType({**codecs.ENCODERS, "numeric": refuse}))
    monkeypatch.setenv("LITEFERRY_COMPILED", compiled or os.environ.get("LITEFERRY_COMPILED", ""))
    if into == "existing":
        execute(pg_url, "CREATE TABLE public.t (a text, b bigint, v numeric, PRIMARY KEY (a, b))")
        execute(pg_url, "CREATE TABLE public.larger (v numeric)", "CREATE TABLE public.x (v numeric)")
    before = read_everything(pg_admin_url)
    failure = migrate(path, pg_url, Options(run_dir=str(tmp_path / "run"), into=into)).failure
    assert failure is not None
    assert failure.code == "value-misfit"
    assert failure.what.endswith("planted (table t, column v, key a='y', b=2)")
    assert read_everything(pg_admin_url) == before
