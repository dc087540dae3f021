"""Imports point downward only; each outside library has one home."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import liteferry

ROOT = Path(liteferry.__file__).parent

LAYERS = {
    "model": 0,
    "errors": 0,
    "names": 0,
    "holding": 0,
    "findings": 0,
    "project": 0,
    "sqlite_ddl": 1,
    "expressions": 1,
    "census": 1,
    "choosing": 1,
    "conversions": 1,
    "decisions": 1,
    "hooks": 1,
    "typemap": 1,
    "codecs": 1,
    "planner": 1,
    "compare": 1,
    "forecast": 1,
    "report": 1,
    "django_rules": 1,
    "compiled": 2,
    "source": 2,
    "target": 2,
    "servers": 2,
    "clock": 2,
    "journal": 2,
    "pace": 2,
    "config": 2,
    "child": 2,
    "django_project": 2,
    "proof": 3,
    "executor": 3,
    "loading": 3,
    "scripts": 3,
    "run": 3,
    "course": 3,
    "foresight": 3,
    "quarantine": 3,
    "staging": 3,
    "arrival": 3,
    "evidence": 3,
    "expectation": 3,
    "pipeline": 3,
    "rollback": 3,
    "django_move": 3,
    "demo": 4,
    "sample": 2,
    "progress": 4,
    "commands": 4,
    "console": 4,
    "options": 4,
    "arguments": 4,
    "cli": 4,
    "django": 4,
    "__init__": 4,
    "__main__": 4,
}
"""The layer of every module and package at the top of liteferry; a new one has to be given its place here."""

HOMES = {
    "sqlite3": {"source", "journal", "proof", "sample"},
    "psycopg": {"target", "commands"},
    "jinja2": {"report"},
    "rich": {"progress"},
    "subprocess": {"servers", "child", "django_project"},
    "django": {"django_project", "django"},
}
"""Which parts may use a library: sqlite3 for the source, our own journal and scratch files, and the demo's sample."""


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or INSIDE in path.parents, f"{path}: relative import"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "liteferry" else {module}
    return found


def parts_imported(path: Path) -> set[str]:
    inside = {name.split(".")[1] for name in imports_of(path) if name.startswith("liteferry.")}
    return inside & set(LAYERS)  # `from liteferry import __version__` names no part


INSIDE = ROOT / "django_project" / "inside"
"""What runs in the project's interpreter, where there is no liteferry."""
SOURCES = sorted(ROOT.rglob("*.py"))


def test_every_part_has_a_layer() -> None:
    assert {part_of(path) for path in SOURCES} == set(LAYERS)


def test_imports_point_downward() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} (layer {LAYERS[part_of(path)]}) imports {other} (layer {LAYERS[other]})"
        for path in SOURCES
        for other in parts_imported(path)
        if LAYERS[other] > LAYERS[part_of(path)] and part_of(path) != "__init__"
    ]
    assert not wrong


def test_the_proof_shares_no_code_with_the_load() -> None:
    load, proof = {"codecs", "conversions", "executor", "loading"}, {"compare", "proof"}
    wrong = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if (part_of(path) in proof and parts_imported(path) & load)
        or (part_of(path) in load and parts_imported(path) & proof)
    ]
    assert not wrong


COMPILED = ROOT / "compiled"
FUNCTION = re.compile(r"^(?:static )?(?:inline )?\w[\w *]*?\b(\w+)\([^;]*\)\n\{", re.MULTILINE)
INCLUDED = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def read_with_headers(path: Path) -> dict[str, str]:
    """A C file and those of ours that it includes, by name."""
    found = {path.name: path.read_text()}
    for name in INCLUDED.findall(found[path.name]):
        found |= read_with_headers(path.parent / name)
    return found


def test_the_compiled_proof_shares_no_code_with_the_compiled_load() -> None:
    """But for the opening of the copy; no function of one even has the name of one of the other."""
    load, proof = (read_with_headers(COMPILED / name) for name in ("_encoder.c", "_comparer.c"))
    assert load.keys() & proof.keys() == {"snapshot.h"}
    named = [
        {name for file, text in side.items() if file != "snapshot.h" for name in FUNCTION.findall(text)}
        for side in (load, proof)
    ]
    assert {"put_canonical_json", "blake_digest", "comparer_new"} <= named[1]
    assert not named[0] & named[1]


def test_the_compiled_proof_is_wrapped_without_the_load() -> None:
    """The wrapper of the comparer imports nothing of the load, that of the encoder nothing of the proof."""
    load, proof = {"codecs", "conversions", "executor", "loading"}, {"compare", "proof"}
    assert not parts_imported(COMPILED / "comparing.py") & load
    assert not parts_imported(COMPILED / "__init__.py") & (load | proof)
    of_proof = {name for path in SOURCES if part_of(path) in proof for name in imports_of(path)}
    assert {name for name in of_proof if name.startswith("liteferry.compiled")} == {"liteferry.compiled.comparing"}
    assert not parts_imported(COMPILED / "encoding.py") & proof


@pytest.mark.parametrize("path", sorted(INSIDE.glob("*.py")), ids=lambda path: path.name)
def test_what_runs_in_the_project_is_a_program_of_its_own(path: Path) -> None:
    """It imports nothing of liteferry, and an old interpreter can read it."""
    ast.parse(path.read_text(), feature_version=(3, 8))
    assert not [name for name in imports_of(path) if name.split(".")[0] == "liteferry"]


def test_each_library_has_its_homes() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {library}"
        for path in SOURCES
        for library in {name.split(".")[0] for name in imports_of(path)} & set(HOMES)
        if part_of(path) not in HOMES[library] and not only_for_typing(path, library)
    ]
    assert not wrong


def only_for_typing(path: Path, library: str) -> bool:
    """Whether every import of the library stands under `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text())
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    return all(
        id(node) in guarded
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and library
        in {alias.name.split(".")[0] for alias in node.names} | {(getattr(node, "module", "") or "").split(".")[0]}
    )


def test_the_guard_sees_an_upward_import(tmp_path: Path) -> None:
    planted = tmp_path / "names.py"
    planted.write_text("from liteferry.pipeline import migrate\n")
    assert parts_imported(planted) == {"pipeline"}
    assert LAYERS["pipeline"] > LAYERS["names"]


def test_no_unfinished_work_is_marked() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    assert not [str(path) for path in SOURCES for word in words if word in path.read_text()]
