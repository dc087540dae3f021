sqlite_version: str

def find_doubtful(
    uri: str,
    descriptor: int,
    tables: tuple[tuple[str, int, tuple[tuple[int, tuple[int, ...], bytes, int], ...]], ...],
    key: int,
    stop: bytearray,
) -> list[int] | None: ...
