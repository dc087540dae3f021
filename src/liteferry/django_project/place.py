"""Where a Django project is, and which interpreter runs it.

Layer 2. Looks at files, starts nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from liteferry.errors import MigrationError
from liteferry.project import ProjectPlace

if TYPE_CHECKING:
    from liteferry.project import ProjectOptions

_MANAGE: Final = "manage.py"
_VENVS: Final = (".venv", "venv", "env", ".env", "virtualenv")


def find_place(options: ProjectOptions) -> ProjectPlace:
    """Find a project's manage.py and interpreter.

    The directory may be the one that holds manage.py, manage.py itself, or one with manage.py a level below. The
    interpreter is the one that was named, else that of the virtual environment in or beside the project, else the
    active one's, else our own.

    Raises: MigrationError (django-not-found).
    """
    directory = Path(options.directory).expanduser()
    if directory.is_file() and directory.name == _MANAGE:
        directory = directory.parent
    if not directory.is_dir():
        raise MigrationError(
            f"{options.directory} is no directory",
            code="django-not-found",
            hint="--django takes the directory of the project's manage.py",
        )
    directory = directory.resolve()
    manage = _find_manage(directory, required=not options.settings)
    home = manage.parent if manage is not None else directory
    return ProjectPlace(
        directory=str(home),
        manage=str(manage or ""),
        settings=options.settings,
        python=_find_python(home, options.python),
    )


def _find_manage(directory: Path, *, required: bool) -> Path | None:
    if (directory / _MANAGE).is_file():
        return directory / _MANAGE
    below = sorted(path for path in directory.glob(f"*/{_MANAGE}") if path.is_file())
    if len(below) == 1:
        return below[0]
    if not required:
        return None
    found = f" ({', '.join(str(path.relative_to(directory)) for path in below[:5])})" if below else ""
    raise MigrationError(
        f"{directory} has {'more than one' if below else 'no'} manage.py{found}",
        code="django-not-found",
        hint="name the directory that holds it; or give --settings MODULE for a project without one",
    )


def _find_python(home: Path, named: str) -> str:
    if named:
        path = Path(named).expanduser()
        if path.is_dir():
            path = path / "bin" / "python"
        if not os.access(path, os.X_OK):
            raise MigrationError(
                f"{named} is no interpreter that can be started",
                code="django-not-found",
                hint="--python takes the project's python, or the directory of its virtual environment",
            )
        return str(path.absolute())  # not resolved: the link in a virtual environment is what makes it one
    places = [home / name for name in _VENVS] + [home.parent / name for name in _VENVS]
    if os.environ.get("VIRTUAL_ENV"):
        places.append(Path(os.environ["VIRTUAL_ENV"]))
    for place in places:
        if (place / "pyvenv.cfg").is_file() and os.access(place / "bin" / "python", os.X_OK):
            return str(place / "bin" / "python")
    return sys.executable
