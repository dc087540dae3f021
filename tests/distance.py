"""A server that is far away: a relay, in a process of its own, that delays whatever passes it and counts round trips.

A round trip is a client's turn to speak: what it sends when everything that it asked for has been answered. Opening a
TCP connection is one more, which the relay waits for itself. The relay reads PostgreSQL's protocol to know it: that
an early answer reaches a client which is still sending, as on a loaded machine, makes no round trip. Nothing limits how
much is under way, so that only waiting costs: as it is between two machines with a fast line.
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
    from collections.abc import Callable, Iterator

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


class _Messages:
    """Cuts one direction of a connection into the protocol's messages: type, and the first bytes of what it says."""

    def __init__(self, *, startup: bool) -> None:
        self._left = b""
        self._skip = 0
        self._startup = startup

    def feed(self, piece: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield each message that begins in what has passed; a client's first one has no type."""
        if self._skip >= len(piece):
            self._skip -= len(piece)
            return
        data, at, self._skip = self._left + piece[self._skip :], 0, 0
        while True:
            head = 0 if self._startup else 1
            if len(data) < at + head + 4:
                self._left = data[at:]
                return
            end = at + head + int.from_bytes(data[at + head : at + head + 4])
            if len(data) < min(end, at + _SHOWN):
                self._left = data[at:]
                return
            yield data[at : at + head], data[at + head + 4 : min(end, at + _SHOWN)]
            self._startup = False
            if end > len(data):
                self._left, self._skip = b"", end - len(data)
                return
            at = end


class _Turns:
    """One connection's conversation: whose turn it is, from the messages of both."""

    def __init__(self) -> None:
        self._owed: deque[bytes] = deque()  # what the client has asked for and not yet heard
        self._invited = False  # to send more, although an answer is owed: a COPY's rows, a password

    def begins(self, kind: bytes) -> bool:
        """The client has sent a message of this kind: whether a turn begins with it."""
        begun = self._invited or not self._owed
        self._invited = False
        if kind in {b"", b"Q", b"S", b"P", b"B", b"D", b"C", b"E"}:
            self._owed.append(kind)
        return begun and kind != b"X"  # who says goodbye waits for nothing

    def hear(self, kind: bytes, said: bytes) -> None:
        """The server has sent a message of this kind."""
        if kind == b"Z":
            while self._owed.popleft() not in {b"", b"Q", b"S"}:
                pass  # what an error has kept from being answered
        elif kind == b"G":
            self._invited = True
        elif kind == b"R":
            self._invited = int.from_bytes(said[:4]) not in _TOLD_ONLY
        elif self._owed and self._owed[0] in _ANSWERS and kind in _ANSWERS[self._owed[0]]:
            self._owed.popleft()


_ANSWERS = {b"P": {b"1"}, b"B": {b"2"}, b"C": {b"3"}, b"D": {b"T", b"n"}, b"E": {b"C", b"I", b"s"}}
_TOLD_ONLY = {0, 12}
"""Authentication messages that ask for nothing: OK, and the end of SASL."""


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
        turns = _Turns()
        asked, answered = _Messages(startup=True), _Messages(startup=False)

        def hear_client(piece: bytes) -> None:
            for kind, said in asked.feed(piece):
                if turns.begins(kind):
                    self.trips += 1
                    self.spoken[_read_words(kind, said)] += 1

        def hear_server(piece: bytes) -> None:
            for kind, said in answered.feed(piece):
                turns.hear(kind, said)

        await asyncio.gather(
            self._pass(reader, far_writer, sent=hear_client),
            self._pass(far_reader, writer, delivered=hear_server),
            return_exceptions=True,  # either end may break the connection
        )

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        sent: Callable[[bytes], None] | None = None,
        delivered: Callable[[bytes], None] | None = None,
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
                if delivered:
                    delivered(piece)
                writer.write(piece)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        piece = b" "
        while piece:
            try:
                piece = await reader.read(_PIECE)
            except OSError:
                piece = b""
            if sent:
                sent(piece)
            waiting.append((clock() + self._delay_s, piece))
            news.set()
        await delivering


def _read_words(kind: bytes, said: bytes) -> str:
    """The first words of what a client says: of SQL where it is any."""
    start = said.find(b"\0") + 1 if kind == b"P" else 0
    words = said[start:].split(b"\0")[0].decode(errors="replace") if kind in {b"P", b"Q"} else ""
    return f"{kind.decode() or 'startup'} {' '.join(words.split())}"


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
