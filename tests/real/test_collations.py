"""A file whose collation only its application has (Anki's unicase, say) can be read, and the collation is named."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from liteferry import Options, migrate

if TYPE_CHECKING:
    from pathlib import Path


def test_a_collation_of_the_application(tmp_path: Path, pg_url: str) -> None:
    source = tmp_path / "collection.sqlite"
    connection = sqlite3.connect(source)
    connection.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
    connection.executescript(
        """
        CREATE TABLE tags (tag TEXT NOT NULL PRIMARY KEY COLLATE unicase, usn INTEGER) WITHOUT ROWID;
        CREATE TABLE decks (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE "unicase");
        CREATE UNIQUE INDEX decks_name ON decks (name);
        INSERT INTO tags VALUES ('b', 1), ('A', 2), ('Ü', 3), ('é', 4);
        INSERT INTO decks VALUES (1, 'über'), (2, 'Back');
        """
    )
    connection.close()
    blocked = migrate(source, pg_url, Options(run_dir=str(tmp_path / "blocked")))
    assert blocked.verdict == "blocked"
    assert "collation-lost" in {finding.code for finding in blocked.findings if finding.blocks}
    report = migrate(source, pg_url, Options(accept=("all",), run_dir=str(tmp_path / "run")))
    assert (report.verdict, report.rows) == ("proven", 6)
