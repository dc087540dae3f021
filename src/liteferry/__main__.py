"""The command's beginning: ``liteferry``, or ``python -m liteferry``."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; returns the exit status. Ctrl-C while the first modules load is no traceback either."""
    _open_standard_streams()
    try:
        from liteferry import cli

        return cli.main()
    except KeyboardInterrupt:  # nothing was begun: later ones are `cli.run_arguments`'
        try:  # noqa: SIM105 - contextlib is not imported yet
            os.write(2, b"liteferry: interrupted [interrupted]\n")
        except OSError:  # its disk is full, or its reader went away, as `tee` does by the same Ctrl-C
            pass
        return 130


def _open_standard_streams() -> None:
    """Open what we were started without (`<&- >&- 2>&-`) on /dev/null.

    Else the numbers go to what is opened next: the helper process gets our pipes to it as its standard streams, and
    what a C library says to standard error goes into a socket. `sys.stdout` stays None: nobody reads an answer there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # it is the lowest number that is free
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


if __name__ == "__main__":
    exit_status = main()
    # Where a KeyboardInterrupt came out of a text that was executed, as dataclasses do while they are imported,
    # `python -m` would end by SIGINT, also where it was handled: a text that ends well has Python forget it.
    exec("")  # noqa: S102
    sys.exit(exit_status)
