from collections.abc import Callable, Sequence
from typing import TypeAlias

sqlite_version: str

Rules: TypeAlias = tuple[bool, int, int, int, int, int, int, int, int, int]
Odd: TypeAlias = list[tuple[int, list[object], list[tuple[object, ...]], list[int]]]
Firsts: TypeAlias = list[tuple[int, str, tuple[object, ...], int]]

def open_reader(uri: str, stand_ins: tuple[str, ...], /) -> object: ...
def count(
    reader: object,
    sql: str,
    columns: tuple[Rules, ...],
    keys: tuple[int, ...],
    has_rowid: bool,
    first_order: int,
    invalid_text: Callable[[bytes], object],
    take: Callable[[Odd, Firsts], None],
    tell: Callable[[int], None],
    /,
) -> tuple[int, int | None, Sequence[dict[str, object]]]: ...
