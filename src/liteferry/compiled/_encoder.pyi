from collections.abc import Callable

from liteferry.census import InvalidText

sqlite_version: str
REPAIRS_BACKSLASH: int
KEEPS_INTEGERS: int
JULIAN: int

class Undecodable(Exception): ...  # noqa: N818 - an answer, not a failure

class Reader:
    def __init__(self, uri: str, stand_ins: tuple[str, ...]) -> None: ...
    def begin(
        self,
        sql: str,
        columns: tuple[tuple[str, int, int, int, int, Callable[[object], bytes]], ...],
        invalid_text: type[InvalidText] | None,
        /,
    ) -> None: ...
    def read(self) -> tuple[int, bytes] | None: ...
    def read_values(self) -> tuple[object, ...]: ...
    def finish(self) -> None: ...
    @property
    def rows(self) -> int: ...
    @property
    def column(self) -> int: ...
