"""The command's beginning: ``liteferry``, or ``python -m liteferry``."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command line; returns the exit status. Ctrl-C while the first modules load is no traceback either."""
    try:
        from liteferry import cli

        return cli.main()
    except KeyboardInterrupt:  # nothing was begun: later ones are `cli.run_arguments`'
        os.write(2, b"liteferry: interrupted [interrupted]\n")
        return 130


if __name__ == "__main__":
    exit_status = main()
    # Where a KeyboardInterrupt came out of a text that was executed, as dataclasses do while they are imported,
    # `python -m` would end by SIGINT, also where it was handled: a text that ends well has Python forget it.
    exec("")  # noqa: S102
    sys.exit(exit_status)
