from collections.abc import Callable
from typing import Self, TypeAlias

from typing_extensions import Buffer

_Sum: TypeAlias = tuple[int, int, int, int, int]

sqlite_version: str

class Comparer:
    def __new__(
        cls,
        uri: str | None,
        stand_ins: tuple[str, ...],
        sql: str | None,
        columns: tuple[tuple[str, bool], ...],
        key: tuple[int, ...],
        pieced: tuple[int, ...],
        large_size: int,
        is_paired: bool,
        ask_source: Callable[[int, int | float | bytes, bool], tuple[bytes, bool]],
        ask_target: Callable[[int, bytes], bytes],
    ) -> Self: ...
    def feed(self, block: Buffer, /) -> bool: ...
    def finish(self) -> bool: ...
    def sums(self) -> tuple[_Sum, _Sum]: ...
    @property
    def is_ordered(self) -> bool: ...
    @property
    def changed(self) -> tuple[int, ...]: ...

def form_of_source(kind: str, value: float | bytes, is_text: bool, /) -> bytes | None: ...
def form_of_target(kind: str, field: bytes, /) -> bytes | None: ...
def digest_of(message: bytes, /) -> bytes: ...
def gather(
    connection: int, socket: int, get_row: int, consume: int, free_row: int, limit: int, /
) -> tuple[bytes, int]: ...
