"""Import closures: the modules that a module of the package imports, directly or through others.

They are the code that its results depend on.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
NO_RESULT = frozenset(
    {
        "zipo",  # names and version
        "zipo.datasets.formats.foreign",  # what errors say of files of other programs
        "zipo.datasets.formats.count_layers",  # where errors point to
        "zipo.datasets.remarks",
        "zipo.datasets.transfer.fetch",  # how files are downloaded; what they hold is checked
        "zipo.datasets.transfer.lock",
        "zipo.datasets.transfer.packages",
        "zipo.datasets.transfer.request",
        "zipo.shared.errors",
        "zipo.shared.json_arguments",
        "zipo.shared.locks",
        "zipo.shared.progress",
        "zipo.shared.signals",
        "zipo.shared.wording",
        "zipo.study.code_version",
    }
)
"""Modules of messages, downloads and waiting, which change no number; what only they import is left out, too."""
LOADS_ALL = frozenset({"zipo.engine.kernels", "zipo.study.claims.kinds"})
"""Packages that load the modules of their folder by name, of which any may be wanted."""
COMMANDS = ("zipo.study.cli", "zipo.benchmark.cli", "zipo.benchmark.methods_cli")
"""Modules of the commands of `zipo study`, each of which imports what it runs within its function."""


def closure(*modules: str | Path) -> list[Path]:
    """Files of these modules of the package and of all that they import, sorted; those of NO_RESULT are left out.

    A file, in the package or outside, may stand for a module; one that is not Python imports nothing. Imports count
    wherever they stand, in functions too, but for those under TYPE_CHECKING. The source is parsed and never run. A
    module that is loaded by a name known only at run time, as methods, metrics, figures and sources of data are, has
    to be given beside the one that loads it.
    Raises ValueError for a module that does not exist.
    """
    files = {module for module in modules if isinstance(module, Path)}
    waiting = [module for module in modules if isinstance(module, str)]
    waiting += _modules(name for file in files if file.suffix == ".py" for name in _names(_parsed(file)))
    reached: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in reached and module not in NO_RESULT:
            if _file_of(module) is None:
                raise ValueError(f"{module}: no such module")
            reached.add(module)
            waiting += imported(module)
    return sorted(files | {file for module in reached if (file := _file_of(module))})


def submodules(package: str) -> list[str]:
    """Names of all modules in a folder of the package, of those below it too."""
    folder = PACKAGE.parent.joinpath(*package.split("."))
    files = [file.relative_to(PACKAGE.parent).with_suffix("") for file in sorted(folder.rglob("*.py"))]
    return [".".join(file.parts) for file in files if file.name != "__init__"]


@cache
def imported(module: str) -> frozenset[str]:
    """Modules of the package that a module imports itself, with the packages that they are in."""
    names = set(_names(_tree(module)))
    if module in LOADS_ALL:
        names.update(submodules(module))
    package = {module.rpartition(".")[0]} if "." in module else set()
    return frozenset(package | _modules(names))


def imported_by_command(command: str) -> frozenset[str]:
    """Modules of the package that the function of a command of `zipo study` imports, as in runs-table.

    Raises ValueError for a command that does not exist.
    """
    for module in COMMANDS:
        if (imports := _imported_by_functions(module).get(command.replace("-", "_"))) is not None:
            return imports
    raise ValueError(f"{command}: no command of zipo study")


@cache
def _imported_by_functions(module: str) -> dict[str, frozenset[str]]:
    """Modules of the package that each function of a module imports in its body, by the function's name."""
    functions = [node for node in _tree(module).body if isinstance(node, ast.FunctionDef)]
    return {function.name: frozenset(_modules(_names(function))) for function in functions}


def _tree(module: str) -> ast.Module:
    """The syntax tree of a module."""
    file = _file_of(module)
    assert file
    return _parsed(file)


def _parsed(file: Path) -> ast.Module:
    """The syntax tree of a file; an empty one for a file that is not Python, such as a method with a fault."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _modules(names: Iterable[str]) -> set[str]:
    """The modules among dotted names and the packages that they are in; other names are those of functions and such."""
    parts = [name.split(".") for name in names]
    return {name for p in parts for end in range(1, len(p) + 1) if _file_of(name := ".".join(p[:end]))}


def _names(node: ast.AST) -> Iterator[str]:
    """Dotted names of the package that are imported at or below a node of the syntax tree."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        yield from _below(node.orelse)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "zipo")
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "zipo":
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    yield from _below(ast.iter_child_nodes(node))


def _below(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        yield from _names(node)


@cache
def _file_of(module: str) -> Path | None:
    """The file of a module; None for a name that is none, such as that of a function."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)
