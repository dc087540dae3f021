"""A Django project's move: its schema by its own migrations, its rows by liteferry, its evidence by its own ORM.

Layer 3. `move` has the use cases; `start` finds the project, `schema` makes its schema, `publishing` puts it in place.
`switching` leads the project to its new database.
"""

from liteferry.django_move.move import check_project, examine_project, migrate_project
from liteferry.django_move.start import Start, find_newest_run, start_project
from liteferry.django_move.switching import (
    Reach,
    Switch,
    check_reach,
    choose_way,
    describe_reach,
    describe_switch,
    find_env,
    plan_switch,
    switch_back,
    switch_over,
)
from liteferry.django_move.verify import verify_project
from liteferry.django_project import find_place
from liteferry.django_project.env_file import inspect_env
from liteferry.django_rules.settings_text import DEFAULT_VARIABLE

__all__ = [
    "DEFAULT_VARIABLE",
    "Reach",
    "Start",
    "Switch",
    "check_project",
    "check_reach",
    "choose_way",
    "describe_reach",
    "describe_switch",
    "examine_project",
    "find_env",
    "find_newest_run",
    "find_place",
    "inspect_env",
    "migrate_project",
    "plan_switch",
    "start_project",
    "switch_back",
    "switch_over",
    "verify_project",
]
