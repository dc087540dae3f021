"""The compiled parts against Python, on whole databases: random ones, and ones of which bits were flipped.

What is asked of both is what a run asks: the census, the rows as COPY data, the digests of the source. Both must answer
the same; where a damaged file cannot be read, neither may do worse than raise an error.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sqlite3
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from liteferry.codecs import RowMisfit
from liteferry.compiled import VARIABLE
from liteferry.compiled.encoding import encode_rows
from liteferry.errors import MigrationError
from liteferry.model import Options
from liteferry.planner import plan_migration
from liteferry.proof import digest_source, digest_target
from liteferry.source import Snapshot
from liteferry.source.connection import connect_read_only
from liteferry.source.copying import describe_source
from liteferry.source.integrity import _find_damage, _is_sound, _NeedsApplicationError
from random_databases import ODDITIES, RawText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from liteferry.model import Plan, TableMap
    from random_databases import Value

HEADER_BYTES: Final = 100


@dataclass(frozen=True)
class Failed:
    """What was raised instead of an answer."""

    kind: str
    what: str


@contextmanager
def way(name: str) -> Iterator[None]:
    """Let the compiled parts work, or Python: ``require`` or ``none``."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def answer_of(ask: Callable[[], object]) -> object:
    """What somebody gets who asks, be it an error."""
    try:
        return ask()
    except (MigrationError, sqlite3.Error, ArithmeticError, LookupError, ValueError) as error:
        return Failed(type(error).__name__, str(error))


def answer(path: Path, ask: Callable[[Snapshot], object]) -> object:
    """What somebody gets who asks a snapshot that is this file, without the check for damage that a run makes."""

    def open_and_ask() -> object:
        with closing(connect_read_only(path)) as connection:
            info = describe_source(connection, str(path), sha256="none")
        with closing(Snapshot(info, file=path)) as snapshot:
            return ask(snapshot)

    return answer_of(open_and_ask)


def take_census(snapshot: Snapshot) -> object:
    return snapshot.take_census(snapshot.read_catalog())


def make_plan(snapshot: Snapshot) -> Plan:
    catalog = snapshot.read_catalog()
    return plan_migration(catalog, snapshot.take_census(catalog), None, Options(accept=("all",)), source="x")


def digest_rows(snapshot: Snapshot) -> object:
    return tuple(digest_source(make_plan(snapshot).tables, snapshot))


def encode_rows_of_all(snapshot: Snapshot) -> object:
    """Each table's rows as COPY data, or which value was no fit."""
    catalog = snapshot.read_catalog()
    found: list[object] = []
    for mapped in make_plan(snapshot).tables:
        table = next(table for table in catalog.tables if table.name == mapped.source)
        copied = [column for column in mapped.columns if not column.generated]
        try:
            chunks = list(encode_rows(snapshot, table, copied, part=mapped.part))
        except RowMisfit as misfit:
            found.append((misfit.column, misfit.reason, repr(misfit.values)))
        else:
            found.append((sum(rows for rows, _ in chunks), b"".join(chunk for _, chunk in chunks)))
    return found


class MangledTarget:
    """What COPY TO would never give, as rows of any tables: fields of another type, too few of them, half an escape."""

    def __init__(self, seed: int) -> None:
        """Choose the rows: the same for the same seed."""
        self._seed = seed

    def copy_out(self, select_sql: str, /) -> Iterator[bytes]:
        chance = random.Random(f"{self._seed} {select_sql}")
        width = select_sql.count(", ") + 1 if chance.random() < 0.9 else chance.choice((1, 2, 5))  # a comma a column
        for _ in range(chance.choice((0, 1, 10))):
            lines = []
            for _ in range(chance.choice((1, 1, 20))):
                fields = [self._make_field(chance) for _ in range(width + (chance.random() < 0.01))]
                lines.append(b"\t".join(fields) + b"\n")
            yield b"".join(lines)

    @staticmethod
    def _make_field(chance: random.Random) -> bytes:
        value = make_value(chance.choice([*_COLUMNS.values()]), chance)
        if value is None:
            return b"\\N"
        if isinstance(value, RawText):
            return value.content.replace(b"\t", b"").replace(b"\n", b"")
        if isinstance(value, bytes):
            return b"\\\\x" + value.hex().encode()
        field = str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").encode()
        return field[: chance.randrange(len(field))] if field and chance.random() < 0.02 else field


def digest_mangled_rows(snapshot: Snapshot) -> object:
    """The digest of rows that no server would give, or what is said about them."""
    tables = make_plan(snapshot).tables
    return [answer_of(partial(digest_one, table, MangledTarget(seed))) for table in tables for seed in range(3)]


def digest_one(table: TableMap, target: MangledTarget) -> object:
    return tuple(digest_target([table], target, schema="public"))


QUESTIONS: Final[tuple[Callable[[Snapshot], object], ...]] = (
    take_census,
    encode_rows_of_all,
    digest_rows,
    digest_mangled_rows,
)


def assert_same_answers(
    path: Path, questions: Sequence[Callable[[Snapshot], object]] = QUESTIONS, *, is_damaged: bool = False
) -> int:
    """Ask both ways, and return how many questions had an answer. is_damaged: then either may fail, in its own way."""
    answered = 0
    for ask in questions:
        with way("none"):
            expected = answer(path, ask)
        with way("require"):
            found = answer(path, ask)
        if is_damaged and (isinstance(expected, Failed) or isinstance(found, Failed)):
            continue
        assert found == expected, ask.__name__
        answered += not isinstance(expected, Failed)
    return answered


def flip_bits(path: Path, chance: random.Random) -> None:
    """Flip some bits of the file's pages, not of its header."""
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        content[chance.randrange(HEADER_BYTES, len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


_COLUMNS: Final = {
    "i INTEGER": "whole", "b BIGINT": "whole", "s SMALLINT": "whole", "o BOOLEAN": "whole", "r REAL": "real",
    "f FLOAT": "real", "d DECIMAL(10,3)": "real", "n NUMERIC": "real", "t TEXT": "word", "v VARCHAR(20)": "word",
    "c CHAR(4)": "word", "x BLOB": "bytes", "j JSON": "document", "u UUID": "key", "m TIMESTAMP": "moment",
    "z DATETIME": "moment", "y DATE": "day", "k TIME": "clock", "w": "word",
}  # fmt: skip


def write_values(path: Path, chance: random.Random, rows: int) -> None:
    """A table of every type, whose values are mostly what they should be, and sometimes anything else."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA page_size = 1024")  # more of them
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        db.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {', '.join(_COLUMNS)})")
        wild = chance.choice((0, 0, 0.001, 0.05))
        kinds = [*_COLUMNS.values()]
        for _ in range(rows):
            values = [make_value(chance.choice(kinds) if chance.random() < wild else kind, chance) for kind in kinds]
            marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, RawText) else "?" for value in values)
            given = [value.content if isinstance(value, RawText) else value for value in values]
            db.execute(f"INSERT INTO t VALUES (NULL, {marks})", given)
        db.execute("COMMIT")


def make_value(kind: str, chance: random.Random) -> Value | RawText:
    """A value of a kind, one in twenty of them NULL, and one in two hundred such as programs stumble over."""
    odd = chance.random()
    if odd < 0.05:
        return None
    if odd < 0.055:
        return chance.choice(ODDITIES)
    moment = dt.datetime(1, 1, 1) + dt.timedelta(microseconds=chance.randrange(9999 * 365 * 86_400 * 1_000_000))  # noqa: DTZ001 - texts have no zone
    match kind:
        case "whole":
            return chance.choice((0, 1, chance.randrange(-200, 40_000), chance.randrange(-(2**63), 2**63)))
        case "real":
            return chance.choice(
                (round(chance.uniform(-1e6, 1e6), 2), chance.uniform(-1, 1) * 10 ** chance.randrange(-300, 300))
            )
        case "bytes":
            return chance.randbytes(chance.choice((0, 1, 16, 40, 3000)))
        case "document":
            return json.dumps({"a": chance.random(), "é": [chance.randrange(10**18), "x" * chance.randrange(9)]})
        case "key":
            return str(uuid.UUID(int=chance.getrandbits(128)))
        case "moment":
            return chance.choice((f"{moment}", f"{moment:%Y-%m-%dT%H:%M:%S}Z", f"{moment}+02:00"))
        case "day":
            return str(moment.date())
        case "clock":
            return str(moment.time())
        case _:
            return "".join(chance.choices("abcß名🦆 \\\t\n'\"\0", k=chance.choice((0, 3, 19, 20, 21, 2000))))


_ESCAPES: Final = {0x5C: b"\\\\", 8: b"\\b", 12: b"\\f", 10: b"\\n", 13: b"\\r", 9: b"\\t", 11: b"\\v"}


def escape(text: bytes) -> bytes:
    """A text as a field of COPY."""
    return b"".join(_ESCAPES.get(byte) or bytes([byte]) for byte in text)


def spell_in_pieces(rows: Sequence[tuple[object, ...]], size: int) -> list[bytes]:
    """The lines that `select_in_pieces` asks for."""
    lines = []
    for key, text, _, document in rows:
        values = [None if value is None else str(value).encode() for value in (text, document)]
        whole = [b"\\N" if value is None or len(value) > size else escape(value) for value in values]
        lines.append(b"\t".join([b"0", str(key).encode(), *whole, b"\\N", b"\\N"]))
        large = [value if value is not None and len(value) > size else b"" for value in values]
        for number in range(max(-(-len(value) // size) for value in large)):
            cut = [value[number * size : (number + 1) * size] for value in large]
            pieces = [b"\\\\x" + piece.hex().encode() if piece else b"\\N" for piece in cut]
            lines.append(b"\t".join([str(number + 1).encode(), b"\\N", b"\\N", b"\\N", *pieces]))
    return lines


def judge(path: Path) -> tuple[bool, bool]:
    """Whether the file is sound, by the quick way and by SQLite's whole check."""
    verdicts = []
    for quick in (True, False):
        try:
            with closing(connect_read_only(path)) as connection:
                verdicts.append(_is_sound(connection, path) if quick else not _find_damage(connection))
        except (sqlite3.Error, MigrationError, UnicodeDecodeError, _NeedsApplicationError):  # the schema itself
            verdicts.append(False)
    return verdicts[0], verdicts[1]
