"""A server that is far away: a relay, in a process of its own, that delays whatever passes it and counts round trips.

A round trip is a client's turn to speak: what it sends after it has heard something, or at first. Opening a TCP
connection is one more, which the relay waits for itself. Nothing limits how much is under way, so that only waiting
costs: as it is between two machines with a fast line.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Database, PostgresServer

_PIECE = 1 << 18
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has passed a relay until now: round trips of all connections together, and how many these were.

    ``spoken``: what was said, by its first words, and how often.
    """

    trips: int
    connections: int
    spoken: Counter[str]


class FarServer:
    """A relay before a test server. ``url`` leads to the database through it. Made by `run_far_away`."""

    def __init__(self, process: subprocess.Popen[str], database: Database) -> None:
        """Wait until it listens."""
        self._process = process
        assert process.stdout
        port = int(process.stdout.readline())
        self.url = f"postgresql://ferry:ferry@127.0.0.1:{port}/{quote(database.name)}?sslmode=disable"

    def count(self) -> Traffic:
        """What has passed until now."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        trips, connections, spoken = json.loads(self._process.stdout.readline())
        return Traffic(trips, connections, Counter(spoken))


@contextmanager
def run_far_away(server: PostgresServer, database: Database, *, delay_ms: float = 0) -> Iterator[FarServer]:
    """Run a relay before the server; each direction takes delay_ms, a round trip twice that."""
    argv = [sys.executable, __file__, str(server.port), str(delay_ms / 1000)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield FarServer(process, database)
        finally:
            process.kill()


# ---------------------------------------------------------------------------------------------------------------------
# The relay itself


class _Relay:
    def __init__(self, port: int, delay_s: float) -> None:
        self._port = port
        self._delay_s = delay_s
        self.trips = 0
        self.connections = 0
        self.spoken: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection to its end."""
        self.connections += 1
        self.trips += 1
        await asyncio.sleep(2 * self._delay_s)  # the TCP handshake
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        heard = [True]  # whether the client has heard something since it spoke last
        await asyncio.gather(
            self._pass(reader, far_writer, heard, from_client=True),
            self._pass(far_reader, writer, heard, from_client=False),
            return_exceptions=True,  # either end may break the connection
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: list[bool], *, from_client: bool
    ) -> None:
        waiting: deque[tuple[float, bytes]] = deque()
        news = asyncio.Event()
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            while True:
                while not waiting:
                    news.clear()
                    await news.wait()
                due, piece = waiting.popleft()
                if (left := due - clock()) > 0:
                    await asyncio.sleep(left)
                if not piece:
                    writer.close()
                    return
                if not from_client:
                    heard[0] = True
                writer.write(piece)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        piece = b" "
        while piece:
            try:
                piece = await reader.read(_PIECE)
            except OSError:
                piece = b""
            if from_client and piece and heard[0]:
                heard[0] = False
                self.trips += 1
                self.spoken[_read_words(piece)] += 1
            waiting.append((clock() + self._delay_s, piece))
            news.set()
        await delivering


def _read_words(piece: bytes) -> str:
    """The first words of what a client says: of SQL where it is any."""
    start = 5 if piece[:1] in {b"Q", b"P"} else 0
    if piece[:1] == b"P":
        start = piece.find(b"\0", 5) + 1
    end = piece.find(b"\0", start)
    words = piece[start : end if end > 0 else None][:_SHOWN].decode(errors="replace") if start else ""
    return f"{chr(piece[0])} {' '.join(words.split())}"


async def _run(port: int, delay_s: float) -> None:
    relay = _Relay(port, delay_s)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    _say(server.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        _say([relay.trips, relay.connections, relay.spoken])


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), float(sys.argv[2])))
