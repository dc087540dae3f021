"""The compiled parts: optional, since everything works without them, only slower; demanded where a variable says so.

They need a C compiler and SQLite's header (Debian: gcc libsqlite3-dev python3-dev). ``LITEFERRY_BUILD=require`` makes
a failure to build them an error, ``LITEFERRY_BUILD=none`` leaves them out, and ``LITEFERRY_BUILD=sanitize`` requires
them, and builds them with AddressSanitizer and UndefinedBehaviorSanitizer. Everything else is in pyproject.toml.
"""

import os
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build import build

WAY = os.environ.get("LITEFERRY_BUILD", "optional")
WAYS = ("optional", "require", "none", "sanitize")
if WAY not in WAYS:
    raise SystemExit(f"LITEFERRY_BUILD is {WAY!r}: it has to be one of {', '.join(WAYS)}")

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1"]
# without contraction: a product and a sum rounded once instead of twice would be another number than Python's
FLAGS = ["-std=c11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Wno-missing-field-initializers"]


def make_extension(name: str) -> Extension:
    """One C file, one module. They share the opening of the snapshot (snapshot.h), and nothing of what they encode."""
    return Extension(
        f"liteferry.compiled.{name}",
        sources=[f"src/liteferry/compiled/{name}.c"],
        depends=sorted(map(str, Path("src/liteferry/compiled").glob("*.h"))),
        libraries=["sqlite3"],
        extra_compile_args=[*FLAGS, *(SANITIZE if WAY == "sanitize" else [])],
        extra_link_args=SANITIZE[:1] if WAY == "sanitize" else [],
        optional=WAY == "optional",
    )


class BuildFromNothing(build):
    """Builds what there is: setuptools would take along what an earlier build has left in the same place."""

    def run(self) -> None:
        """Take away the package as it was built before, and build it."""
        shutil.rmtree(Path(self.build_lib) / "liteferry", ignore_errors=True)
        super().run()


NAMES = ("_encoder", "_comparer", "_counter", "_checker")

setup(
    ext_modules=[] if WAY == "none" else [make_extension(name) for name in NAMES],
    cmdclass={"build": BuildFromNothing},
)
