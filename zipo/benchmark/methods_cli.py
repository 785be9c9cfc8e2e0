"""The commands about methods: those for users, and the steps of the workflow."""

import keyword
import re
import sys
from pathlib import Path
from textwrap import fill

import typer

from zipo.shared.errors import InputError
from zipo.shared.json_arguments import Json

# every import below costs time at start-up, so each command imports what it runs
app = typer.Typer()
steps = typer.Typer()

TEMPLATE = '''"""NAME: what it does, in one sentence."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

name = "NAME"
env = None  # or the name of a file of pins; then import heavy packages in the function alone
parameters = {"strength": 0.5}
seeded = False  # whether the seed changes the result
keeps_library = True  # whether a cell's denoised counts add up to about what was counted
scale = "what the output is, and how it was brought to counts"
source = "paper, DOI, package and version"


def denoise(counts: ad.AnnData, *, seed: int, strength: float) -> ad.AnnData:
    """Expected counts in layers["denoised"]; zipo/methods/__init__.py tells what else an answer may hold."""
    matrix = csr_matrix(counts.X).toarray()  # raw counts, (cells, genes)
    library = matrix.sum(axis=1, keepdims=True)
    shares = matrix.sum(axis=0) / matrix.sum()
    denoised = counts.copy()
    # in the place of the method: each cell drawn towards the mean of all
    denoised.layers["denoised"] = (1 - strength) * matrix + strength * library * shares
    return denoised
'''


@app.command()
def methods() -> None:
    """List the methods of the benchmark: where each runs, its parameters, what its output is, where it is from."""
    from zipo.methods import discover

    for name, method in discover().items():
        about = {
            "environment": method.env or "zipo",
            "parameters": ", ".join(f"{key}={value}" for key, value in method.parameters.items()) or "none",
            "output": method.scale,
            "source": method.source,
        }
        if method.install:
            about["by hand"] = method.install
        print(name)
        for word, value in ({"cannot be used": method.fault} if method.fault else about).items():
            print(fill(value, 100, initial_indent=f"    {word + ':':13}", subsequent_indent=" " * 17))


@app.command()
def new_method(name: str) -> None:
    """Write NAME.py, a method to fill in: into the first folder of ZIPO_METHODS, the clone at hand, or this folder."""
    from zipo import methods
    from zipo.shared.atomic_files import atomic_write

    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or name == "shared":
        raise InputError(
            f"method {name!r}: not a name for a method; it names a Python file, so take small letters, digits and _, "
            "beginning with a letter"
        )
    user_folders, clone = methods.user_folders(), _methods_of_clone()
    file = (user_folders[0] if user_folders else clone or Path.cwd()) / f"{name}.py"
    if (user_folders or not clone) and (existing := methods.files().get(name)):
        raise InputError(f"method {name!r}: {existing} is there already; choose another name, or edit that file")
    if file.exists():
        raise InputError(f"method {name!r}: {file} is there already; choose another name, or edit that file")
    with atomic_write(file) as part:
        part.write_text(TEMPLATE.replace("NAME", name))
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    zipo = "zipo" if user_folders or not clone else ".venv/bin/zipo"
    print(f"{file}: fill it in, then run {zipo} benchmark {shown} --datasets baron")
    if clone and not user_folders:
        print(f'.venv/bin/pytest -m "" tests/methods/test_conformance.py -k {name} runs the tests of all methods on it')
        if name not in methods.known():
            print(
                f"This command is of the zipo in {methods.__path__[0]}, which does not have it; `make env` in the "
                "clone makes .venv/bin/zipo, which does"
            )


def _methods_of_clone() -> Path | None:
    """The folder of methods of the clone that the working folder is in, or else of the one that holds this package."""
    from zipo import methods

    package = Path(methods.__path__[0])
    for tree in (Path.cwd(), *Path.cwd().parents, package.parents[1]):
        if (tree / "Snakefile").exists() and (tree / "zipo" / "methods" / "__init__.py").exists():
            return tree / "zipo" / "methods"
    return None


@steps.command()
def method_environment(name: str, folder: Path) -> None:
    """Make the environment of methods, unless it is there; why it could not be made is written into the folder."""
    from zipo.benchmark.running.environment import make

    environment = make(name, folder)
    print(f"{name}: {environment.status} {environment.reason}".strip(), file=sys.stderr)


@steps.command()
def run_method(
    name: str,
    parameters: Json,
    counts: Path,
    folder: Path,
    seed: int,
    threads: int,
    seconds: float,
    environments: Path | None = None,
    python: Path | None = None,
) -> None:
    """Run a method on the counts of an .h5ad for at most so many seconds; what came of it is in result.json.

    `parameters` are those that differ from the method's defaults; `environments` is the folder of the methods'
    environments; `python` that of an environment made by other means.
    """
    from zipo.benchmark.running.launch import run
    from zipo.methods import method
    from zipo.shared.signals import sigterm_as_interrupt

    with sigterm_as_interrupt():  # a cancelled job takes the method along
        result = run(
            method(name),
            counts,
            folder,
            seed=seed,
            threads=threads,
            seconds=seconds,
            parameters=parameters,
            environments=environments,
            python=python,
        )
    print(f"{name}: {result.status} {result.reason}".strip(), file=sys.stderr)
