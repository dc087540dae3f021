"""The compiled parts against Python on random input, for as long as is wanted: each case can be had again.

    python tests/long_fuzz.py PART [--seed SEED] [--seconds SECONDS] [--first CASE]

A line is written before each case, so that the last one names the case that somebody has to look at. The seconds are
those of the processor: on a busy machine no less is tried. `make slow` runs this with parts that were built with the
sanitizers; CONTRIBUTING.md says how to let it run for a night.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import compiled_fuzz
from compiled_fuzz import Failed, answer_of, assert_same_answers, escape, flip_bits, judge, make_value, spell_in_pieces
from liteferry.compare import (
    DigestSum,
    Text,
    canonical_source_column,
    canonical_target,
    canonicalise_rows,
    digest_rows,
)
from liteferry.compiled import find_part
from liteferry.compiled.comparing import RowComparison, name_kind, open_copy
from liteferry.model import ColumnMap, Kind
from random_databases import ODDITIES, RawText
from random_documents import make_document, make_members, make_tree, spell

if TYPE_CHECKING:
    from collections.abc import Callable

    from liteferry.source import Snapshot

LARGE_BYTES: Final = 150_000
"""More than a chunk of COPY, and more than what is kept of a canonical form before it goes to its digest."""

_TYPES: Final[list[tuple[Kind, str]]] = [*((kind, kind) for kind in get_args(Kind)), ("text", "character(5)")]
_JSONB: Final[tuple[Kind, str]] = ("jsonb", "jsonb")
_VALUES: Final = ("whole", "real", "bytes", "document", "key", "moment", "day", "clock", "word")


def try_questions(*questions: Callable[[Snapshot], object]) -> Callable[[Path, random.Random], None]:
    """What asks both ways about a database of random values, of which some bits may be flipped."""

    def try_database(place: Path, chance: random.Random) -> None:
        path = place / "x.sqlite"
        compiled_fuzz.write_values(path, chance, chance.choice((5, 60, 400)))
        with closing(sqlite3.connect(path)) as db:
            for _ in range(chance.choice((0, 10, 60))):
                db.execute("INSERT INTO t (j, t, x) VALUES (?, ?, ?)", [make_document(chance), *make_large(chance)])
            db.commit()
        is_damaged = chance.random() < 0.5
        if is_damaged:
            flip_bits(path, chance)
        assert_same_answers(path, questions, is_damaged=is_damaged)

    return try_database


def make_large(chance: random.Random) -> tuple[str | None, bytes | None]:
    """A text and bytes that may be larger than what a part keeps."""
    size = chance.choice((0, 0, 10, 3000, LARGE_BYTES))
    return chance.choice((None, "aé\\" * (size // 4))), chance.choice((None, chance.randbytes(size)))


def try_forms(_: Path, chance: random.Random) -> None:
    """Ask for the canonical forms of single values."""
    part = find_part("_comparer")
    assert part is not None
    for _number in range(300):
        kind, pg_type = _JSONB if chance.random() < 0.5 else chance.choice(_TYPES)
        value = make_document(chance) if kind == "jsonb" else make_value(chance.choice(_VALUES), chance)
        if chance.random() < 0.01:
            value = chance.choice(ODDITIES)
        if isinstance(value, str | RawText):
            text = value.encode() if isinstance(value, str) else value.content
            rendered = text.translate(None, b"\0")
            field = escape(rendered)
            found = part.form_of_target(name_kind(kind, pg_type), field)
            assert found is None or found == canonical_target(rendered, kind, pg_type), (kind, field)
            found = part.form_of_source(name_kind(kind, pg_type), text, True)
            assert found is None or [found] == canonical_source_column([Text(text)], kind, pg_type), (kind, text)
        elif value is not None:
            found = part.form_of_source(name_kind(kind, pg_type), value, False)
            assert found is None or [found] == canonical_source_column([value], kind, pg_type), (kind, value)


_PIECED: Final = (
    ColumnMap(source="id", target="id", pg_type="bigint", kind="int8", rule="test"),
    ColumnMap(source="v", target="v", pg_type="text", kind="text", rule="test"),
    ColumnMap(source="j", target="j", pg_type="jsonb", kind="jsonb", rule="test"),
)


def try_pieces(place: Path, chance: random.Random) -> None:
    """Compare rows with large values in pieces: as they are, with another document, and with lines that are mangled."""
    rows = []
    for key in range(chance.choice((1, 2, 5))):
        tree = make_tree(chance) if chance.random() < 0.3 else make_members(chance, chance.choice((3, 300, 3000)))
        text = chance.choice((None, "", "é\t\\" * chance.choice((1, 20, 9000))))
        rows.append((key, text, spell(tree, chance), spell(tree, chance)))
    path = place / "x.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v, j)")
        db.executemany("INSERT INTO t VALUES (?, ?, ?)", [row[:3] for row in rows])
        db.commit()
    large = chance.choice((1, 90, 70_000, 10**9))
    size = chance.choice((100, 1000, 50_000))
    stored = [
        (key, None if text is None else Text(text.encode()), Text(source.encode())) for key, text, source, _ in rows
    ]
    expected = DigestSum()
    expected.add(digest_rows(canonicalise_rows(stored, _PIECED, "source")))

    lines = spell_in_pieces(rows, size)
    comparison = begin_comparison(path, large)
    assert feed_in_blocks(comparison, lines, chance), "rows that are equal differ"
    assert comparison.source == comparison.target == expected.result(), "another digest"

    at = chance.randrange(len(rows))
    key, text, source, target = rows[at]
    place_in_text = chance.randrange(len(target))
    other = target[:place_in_text] + chance.choice('0127abe"{}[],: \\') + target[place_in_text + 1 :]
    is_same = answer_of(lambda: canonical_target(other.encode(), "jsonb", "jsonb")) == answer_of(
        lambda: canonical_target(target.encode(), "jsonb", "jsonb")
    )
    lines = spell_in_pieces([*rows[:at], (key, text, source, other), *rows[at + 1 :]], size)
    found = answer_of(lambda: feed_in_blocks(begin_comparison(path, large), lines, chance))
    assert found is is_same or (isinstance(found, Failed) and not is_same), f"{other[:200]!r} is as good"

    mangled = bytearray(b"\n".join(lines))
    for _ in range(chance.choice((1, 5, 50))):
        mangled[chance.randrange(len(mangled))] = chance.choice(b"\\N\t\n0x7bau\xff\0")
    answer_of(lambda: feed_in_blocks(begin_comparison(path, large), [bytes(mangled)], chance))


def begin_comparison(path: Path, large_bytes: int) -> RowComparison:
    return RowComparison(
        _PIECED,
        database=open_copy(path.as_uri() + "?mode=ro"),
        sql="SELECT * FROM t ORDER BY id",
        key=(0,),
        pieced=(1, 2),
        large_bytes=large_bytes,
        is_paired=True,
    )


def feed_in_blocks(comparison: RowComparison, lines: list[bytes], chance: random.Random) -> bool:
    data, at = b"".join(line + b"\n" for line in lines), 0
    while at < len(data):
        size = chance.choice((1, 7, 4096, 65_536))
        if not comparison.feed(data[at : at + size]):
            return False
        at += size
    return comparison.finish()


def try_comparer(place: Path, chance: random.Random) -> None:
    """Compare in one of the ways there are."""
    ask = try_questions(compiled_fuzz.digest_rows, compiled_fuzz.digest_mangled_rows)
    chance.choice((ask, try_forms, try_pieces))(place, chance)


def try_checker(place: Path, chance: random.Random) -> None:
    """Judge files with flipped bits by the quick check of indexes and by SQLite's own."""
    path = place / "x.sqlite"
    kinds = chance.choices(_VALUES, k=3)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {chance.choice((512, 1024, 4096, 65_536))}")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)")
        for _ in range(chance.choice((0, 1, 30, 300))):
            values = [make_value(kind, chance) for kind in kinds]
            marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, RawText) else "?" for value in values)
            given = [value.content if isinstance(value, RawText) else value for value in values]
            db.execute(f"INSERT INTO t VALUES (NULL, {marks})", given)
        for number in range(chance.choice((1, 2, 4))):
            columns = [
                name + chance.choice(("", "", " COLLATE NOCASE", " COLLATE RTRIM")) + chance.choice(("", " DESC"))
                for name in chance.sample("abc", chance.choice((1, 2, 3)))
            ]
            db.execute(f"CREATE INDEX i{number} ON t ({', '.join(columns)})")
        db.execute("COMMIT")
    whole, schema = path.read_bytes(), read_schema(path)
    assert judge(path) == (True, True), "a sound file"
    for _ in range(15):
        path.write_bytes(whole)
        flip_bits(path, chance)
        quick, thorough = judge(path)
        assert thorough or not quick, "the quick check calls sound what is not"
        # a name that is no UTF-8 any more is none to the quick check, which then leaves it all to the other
        assert quick or not thorough or read_schema(path) != schema, "the quick check sees damage where none is"


def read_schema(path: Path) -> object:
    """What the file says that it holds, as bytes."""
    with closing(sqlite3.connect(path)) as db:
        return answer_of(lambda: db.execute("SELECT CAST(sql AS BLOB) FROM sqlite_schema").fetchall())


PARTS: Final[dict[str, Callable[[Path, random.Random], None]]] = {
    "encoder": try_questions(compiled_fuzz.encode_rows_of_all),
    "counter": try_questions(compiled_fuzz.take_census),
    "comparer": try_comparer,
    "checker": try_checker,
}


def run_cases(part: str, *, seed: int, seconds: float, first: int = 0) -> int:
    """Try case after case until the processor has worked for so long; at least one. How many they were."""
    number = first
    while number == first or time.process_time() < seconds:
        tell(f"{part}: seed {seed}, case {number}, after {time.process_time():.0f} s")
        with tempfile.TemporaryDirectory(prefix="liteferry-fuzz-") as place:
            PARTS[part](Path(place), random.Random(f"{part} {seed} {number}"))
        number += 1
    return number - first


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Try the compiled parts with random input.")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--seconds", type=float, default=60, help="of the processor (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the case to begin with (default: %(default)s)")
    given = parser.parse_args()
    with compiled_fuzz.way("require"):
        count = run_cases(given.part, seed=given.seed, seconds=given.seconds, first=given.first)
    tell(f"{given.part}: seed {given.seed}, {count} cases, nothing found")


if __name__ == "__main__":
    main()
