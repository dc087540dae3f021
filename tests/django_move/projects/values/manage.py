"""The project's own way to start."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "values_site.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
