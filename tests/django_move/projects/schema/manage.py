"""The test project's manage.py, as startproject writes it."""

import os
import sys


def main() -> None:
    """Hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_of.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
