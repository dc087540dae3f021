"""A Django project's move: its schema by its own migrations, its rows by liteferry, its evidence by its own ORM.

Layer 3. `move` has the use cases; `start` finds the project, `schema` makes its schema, `publishing` puts it in place.
"""

from liteferry.django_move.move import check, migrate, verify
from liteferry.django_move.start import Start, start_project

__all__ = ["Start", "check", "migrate", "start_project", "verify"]
