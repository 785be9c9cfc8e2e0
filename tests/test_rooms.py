"""The package's rooms: imports run one way, and files stay short enough to read at once."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zipo
from zipo.study.import_closure import submodules

PACKAGE = Path(zipo.__file__).parent
ROOMS = [
    "shared", "parameters", "presets", "datasets", "engine", "model", "pp", "fine_tuning", "saved", "output", "metrics",
    "methods", "benchmark", "figures", "study", "commands", "cli", "__main__",
]  # fmt: skip
"""Rooms and modules of the package in the order in which they may import each other: each only those before it."""
MODULES = submodules("zipo")
LONGEST = 350  # lines


def imports_of(module: str) -> set[str]:
    """Modules of the package that a module imports, in functions too, but for those needed by type checkers alone."""
    tree = ast.parse((PACKAGE.parent / Path(*module.split("."))).with_suffix(".py").read_text())
    named = {name for node in _running(tree) for name in _names(node)}
    return {name if name in MODULES else name.rpartition(".")[0] for name in named} & set(MODULES)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _running(child)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def room_of(module: str) -> str:
    return module.split(".")[1]


def test_every_module_belongs_to_a_known_room():
    assert {room_of(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    upward = {
        f"{module} imports {other}"
        for module in MODULES
        if room_of(module) == room
        for other in imports_of(module)
        if room_of(other) not in allowed
    }
    assert upward == set()


def test_no_modules_import_each_other_in_a_circle():
    graph = {module: imports_of(module) for module in MODULES}
    while free := [module for module, others in graph.items() if not others & graph.keys()]:
        for module in free:
            del graph[module]
    assert graph == {}


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_no_longer_than_can_be_read_at_once(module):
    file = (PACKAGE.parent / Path(*module.split("."))).with_suffix(".py")
    assert len(file.read_text().splitlines()) <= LONGEST
