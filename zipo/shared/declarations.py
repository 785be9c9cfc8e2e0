"""Loading of modules that are found by their files' names, and of which anyone may add one, such as figures."""

import ast
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from zipo.shared.errors import InputError

OF_METRICS = ("title", "measures", "needs", "score")
"""What a file of zipo.metrics must have."""


def load_declaring(module: str, required: Iterable[str]) -> ModuleType:
    """A module by its full name; InputError if its file cannot be imported or lacks a name that is required of it."""
    spec = find_spec(module)
    try:
        loaded = import_module(module)
    except Exception as error:  # whatever a file does when it is imported
        if spec is None:
            raise
        raise InputError(
            f"{spec.origin}: cannot be imported ({type(error).__name__}: {error}); correct the file, or move it away"
        ) from None
    if missing := [name for name in required if not hasattr(loaded, name)]:
        raise InputError(f"{loaded.__file__}: there is no {missing[0]}; expected {', '.join(required)} in it")
    return loaded


def check_sources(package: str, required: Iterable[str]) -> None:
    """Raise InputError for a file of a package that is no Python, or lacks a name that is required of it.

    Nothing is imported, which for metrics would take longer than all else that a study is planned from.
    """
    spec = find_spec(package)
    assert spec is not None
    for module in iter_modules(spec.submodule_search_locations):
        if not module.ispkg:
            _check_source(Path(module.module_finder.path) / f"{module.name}.py", list(required))  # type: ignore[union-attr]


def _check_source(file: Path, required: list[str]) -> None:
    try:
        statements = ast.parse(file.read_bytes(), file.name).body
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"{file}: cannot be imported ({type(error).__name__}: {error}); correct the file, or move it away"
        ) from None
    defined = set()
    for statement in statements:
        for node in ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ():
            defined |= {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            defined.add(statement.name)
        if isinstance(statement, ast.Import | ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in statement.names}
    if missing := [name for name in required if name not in defined]:
        raise InputError(f"{file}: there is no {missing[0]}; expected {', '.join(required)} in it")
