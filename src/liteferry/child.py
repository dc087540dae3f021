"""Run one of liteferry's functions in a fresh interpreter: ``python -m liteferry.child``.

Layer 2. A process that has the live SQLite file open (a Django command has) must not open it a second time: closing any
other descriptor of it drops the POSIX locks of the first. So whatever touches the live file runs in a child process.

The request goes to the child's standard input, events and the result come back on a pipe of their own, as frames: a
length of 8 bytes and a pickle. Nothing but the function's name stands on its command line. Whatever the child prints
goes to standard error. The child ends when its parent does.

Source: https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_.
"""

from __future__ import annotations

import importlib
import os
import pickle
import selectors
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import liteferry
from liteferry.errors import ExitStatus, MigrationError
from liteferry.model import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from liteferry.model import Event

FUNCTIONS: Final = MappingProxyType(
    {
        "take_snapshot": "liteferry.source.copying:take_snapshot",
        "inspect_source": "liteferry.source.copying:inspect_source",
        "clean_source": "liteferry.source.copying:clean_source",
        "use_case": "liteferry.pipeline:run_use_case",
    }
)
"""What may run in a child: each takes (argument, observe) and returns something that can be pickled."""

_LENGTH_BYTES: Final = 8
_STDERR: Final = 2
_GRACE_S: Final = 60.0
_HARMLESS_GRACE_S: Final = 5.0
_READ_BYTES: Final = 1 << 16


def run_in_child(
    function: str,
    argument: object,
    *,
    observe: Callable[[Event], None] = ignore,
    harmless: bool = False,
    grace_s: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Any:  # whatever the function returns
    """Run a function of `FUNCTIONS` in a child process and return its result; its events go to observe.

    Ctrl-C is passed on, once, and the child may then clean up for grace_s (60 s, or 5 s when harmless) before it is
    killed; the same when observe raises. A second Ctrl-C kills it at once. When Ctrl-C comes too late, and the function
    is done, its result counts, unless harmless: such a function leaves nothing behind that somebody must hear of.
    In every case the child has ended when this returns or raises. meanwhile: is called once when the child is at work;
    nothing hears of the child until it returns, so it should be done sooner than the child.

    Raises: the MigrationError, or any other exception, that the function raised; MigrationError ``child-failed`` when
    the child died without an answer; KeyboardInterrupt.
    """
    FUNCTIONS[function]  # fail here rather than there
    child = _ahead.pop() if _ahead and _ahead[-1].function == function else _start_child(function)
    with child.reader, child.process:
        if grace_s is None:
            grace_s = _HARMLESS_GRACE_S if harmless else _GRACE_S
        conversation = _Conversation(child, observe, grace_s)
        try:
            result = conversation.hold((child.answers, function, argument), meanwhile)
        finally:
            conversation.end()
    if harmless and conversation.interrupted:
        raise KeyboardInterrupt
    return result


@contextmanager
def child_ahead(function: str) -> Iterator[None]:
    """Start the child of the next `run_in_child` of this function already, while this process is still importing.

    Starting takes a tenth of a second, a quarter of what a small database takes. The child has been told nothing yet:
    where nobody has wanted it in the end, or it cannot be started, nothing is lost. Not for several threads at once.
    """
    child = None
    with suppress(MigrationError, OSError):  # whoever needs a child says why there is none
        child = _start_child(function)
        _ahead.append(child)
    try:
        yield
    finally:
        if child in _ahead:
            _ahead.remove(child)
            with child.reader, child.process:
                child.process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    """A child that has not been asked yet. answers: the number of its end of the pipe that `reader` reads."""

    function: str
    process: subprocess.Popen[bytes]
    reader: FileIO
    answers: int


_ahead: list[_Child] = []
"""Started by `child_ahead`, and not yet wanted."""


def _start_child(function: str) -> _Child:
    """Start a child that gets ready for a function. Raises: MigrationError child-failed, OSError."""
    if not sys.executable:
        raise MigrationError(
            "liteferry needs a Python interpreter that it can start, and sys.executable is empty",
            code="child-failed",
            hint="run the liteferry command rather than calling it from an embedded interpreter",
        )
    answers, child_answers = os.pipe()
    reader = FileIO(answers)
    try:
        process = subprocess.Popen(  # noqa: S603 - the function's name is one of ours
            [sys.executable, "-P", "-m", "liteferry.child", function],
            stdin=subprocess.PIPE,
            stdout=_STDERR,
            pass_fds=[child_answers],
            env=_child_environment(),
            process_group=0,  # Ctrl-C in the terminal reaches us alone: the child is told by us, and once
        )
    except BaseException:
        reader.close()
        raise
    finally:
        os.close(child_answers)
    return _Child(function=function, process=process, reader=reader, answers=child_answers)


def _child_environment() -> dict[str, str]:
    """Our own environment, in which the same liteferry is found, from wherever it was imported."""
    root = str(Path(liteferry.__file__).resolve().parent.parent)
    environment = dict(os.environ)
    if Path(root).name not in {"site-packages", "dist-packages"}:  # there the interpreter looks anyway
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = root + (os.pathsep + inherited if inherited else "")
    return environment


class _Conversation:
    """The parent's side: sends the request, passes events on, waits for the outcome."""

    def __init__(self, child: _Child, observe: Callable[[Event], None], grace_s: float) -> None:
        self._process = process = child.process
        self._observe = observe
        self._grace_s = grace_s
        self._received = bytearray()
        self._deadline = float("inf")  # set by the first Ctrl-C
        assert process.stdin  # noqa: S101 - Popen was asked for a pipe
        self._request = process.stdin
        self._answers = child.reader.fileno()

    @property
    def interrupted(self) -> bool:
        """Whether there was a Ctrl-C."""
        return self._deadline < float("inf")

    def hold(
        self, request: tuple[int, str, object], meanwhile: Callable[[], None] | None
    ) -> Any:  # whatever the function returns
        first: list[Callable[[], None]] = [partial(self._send, request)]
        if meanwhile is not None:
            first.append(meanwhile)
        while True:
            try:
                while first:
                    first.pop(0)()
                frame = self._read_frame()
                if frame is None:
                    break
                kind, payload, trace = frame
                if kind == "event":
                    self._observe(payload)
                else:
                    return self._conclude(kind, payload, trace)
            except KeyboardInterrupt:
                if self.interrupted:
                    self._process.kill()
                    raise
                self._deadline = time.monotonic() + self._grace_s
                self._process.send_signal(signal.SIGINT)
        if self.interrupted:
            raise KeyboardInterrupt
        raise self._explain_death()

    def end(self) -> None:
        """See that the child has ended: by itself, or told to, or killed."""
        with suppress(BrokenPipeError):  # then it is dead already
            self._request.close()  # the child takes that for our end, and cleans up
        try:
            self._process.wait(self._grace_s)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.kill()
            self._process.wait()

    def _send(self, request: tuple[int, str, object]) -> None:
        with suppress(BrokenPipeError):  # it died at once: the missing answer says so
            self._request.write(_pack(request))
            self._request.flush()

    def _read_frame(self) -> tuple[str, Any, str] | None:
        """The next frame; None at the end of the child's output, or when its time to clean up is over."""
        while True:
            size = int.from_bytes(self._received[:_LENGTH_BYTES], "big")
            if len(self._received) >= _LENGTH_BYTES + size > _LENGTH_BYTES:
                frame = bytes(self._received[_LENGTH_BYTES : _LENGTH_BYTES + size])
                del self._received[: _LENGTH_BYTES + size]
                return pickle.loads(frame)  # type: ignore[no-any-return]  # noqa: S301 - our own child wrote it
            if not self._wait():
                self._process.kill()
                return None
            chunk = os.read(self._answers, _READ_BYTES)
            if not chunk:
                return None
            self._received += chunk

    def _wait(self) -> bool:
        """Wait for output (or its end). False when the deadline has passed."""
        if not self.interrupted:
            return True  # os.read waits by itself
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            return bool(selector.select(max(0.0, self._deadline - time.monotonic())))

    def _conclude(self, kind: str, payload: Any, trace: str) -> Any:  # the function's result
        if kind == "result":
            return payload
        if kind == "interrupted":
            if self.interrupted:
                raise KeyboardInterrupt
            raise MigrationError(
                "liteferry's helper process was told to stop by a signal",
                code="interrupted",
                exit_status=ExitStatus.INTERRUPTED,
            )
        error: BaseException = payload if isinstance(payload, BaseException) else RuntimeError(trace)
        if not isinstance(error, MigrationError):
            error.add_note(f"in liteferry's helper process:\n{trace}")
        raise error

    def _explain_death(self) -> MigrationError:
        status = self._process.wait()
        if status >= 0:
            how, hint = f"ended with status {status}", "what it printed stands above"
        else:
            how = f"was killed by {signal.Signals(-status).name}"
            hint = "was it the kernel, for want of memory? see the system's log" if status == -signal.SIGKILL else ""
        return MigrationError(f"liteferry's helper process {how}", code="child-failed", hint=hint)


def _pack(value: object) -> bytes:
    body = pickle.dumps(value)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


# ---------------------------------------------------------------------------------------------------------------------
# The child's side


class _Answers:
    """Writes frames to the parent; to nobody when the parent has gone, so that cleaning up can go on."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, kind: str, payload: object = None, trace: str = "") -> None:
        packed = _pack((kind, payload, trace))
        with self._lock, suppress(BrokenPipeError):
            self._stream.write(packed)
            self._stream.flush()


def main() -> int:
    """Be the child: one request, one answer. Returns the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    importlib.import_module(FUNCTIONS[sys.argv[1]].partition(":")[0])  # while the parent is getting ready, too
    length = sys.stdin.buffer.read(_LENGTH_BYTES)
    size = int.from_bytes(length, "big")
    request = sys.stdin.buffer.read(size)
    if len(length) < _LENGTH_BYTES or len(request) < size:  # the parent has died, and nobody would hear us
        return ExitStatus.ERROR
    descriptor, function, argument = pickle.loads(request)  # noqa: S301 - our own parent wrote it
    answers = _Answers(open(descriptor, "wb"))  # noqa: PTH123, SIM115 - a descriptor, for as long as we live
    try:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
        module, _, name = FUNCTIONS[function].partition(":")
        call = getattr(importlib.import_module(module), name)
        result = call(argument, lambda event: answers.send("event", event))
        _ignore_signals()  # the outcome stands
        answers.send("result", result)
    except KeyboardInterrupt:
        answers.send("interrupted")
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        _ignore_signals()
        answers.send("error", _sendable(error), "".join(traceback.format_exception(error)))
        return ExitStatus.ERROR
    return ExitStatus.PROVEN


def _interrupt(_number: int, _frame: object) -> None:
    """Raise KeyboardInterrupt, once: a second signal must not interrupt the cleaning up."""
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _stop_with_parent() -> None:
    """Wait for the end of our standard input, which is the end of the parent, or its word that we shall stop."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _sendable(error: Exception) -> Exception | None:
    """The error, unless it does not survive the journey."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what we have just made
    except Exception:  # noqa: BLE001 - an exception's own code may fail in any way; its traceback is sent instead
        return None
    return error


if __name__ == "__main__":
    sys.exit(main())
