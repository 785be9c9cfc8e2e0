"""Methods of the benchmark: one file each, discovered by its name; docs/extending.md shows how to add one.

A method file `<name>.py` declares

- `name`: that of its file;
- `env`: the environment it runs in, the name of a file of pins under envs/; None for ours;
- `parameters`: the names and defaults of its parameters;
- `seeded`: whether the seed changes the result;
- `keeps_library`: whether a cell's denoised counts add up to about what was counted, which is then checked;
- `scale`: in one sentence, what the output is and how it was brought to counts;
- `source`: paper, DOI, package and version;
- optionally `imports`: heavy modules that are loaded before the time is measured, and whose versions are noted;
- optionally `sees_truth = True`: a control that is given the whole data set, truth and cell types included;

and has either `denoise(counts, *, seed, **parameters) -> AnnData`, or `command`, a list of strings that starts a
program in another language (see `zipo.benchmark.running.exchange`).

`counts` has raw whole numbers in X, float32, CSR or dense; names of cells and genes; obs["batch"] where known; and
nothing else. Cells and genes without any counts are taken out before, and become zeros again after. The answer has
the same cells and genes in the same order and

- layers["denoised"]: expected counts on the scale of the input, never negative; required;
- obsm["latent"]: latent variables;
- layers["rates"], ["zero_probability"] and ["size"] (or var["size"]): the method's own distribution, if it has one:
  means before zero inflation, zero inflation, and NB size (variance m + m^2 / size);
- uns["likelihood"]: its name.

A method runs in a process of its own (`zipo.benchmark.running.runner`) under a time limit, started by
`zipo.benchmark.running.launch.run`, which checks what comes out and never raises for a method's fault. A file with an
environment of its own imports nothing but anndata, numpy and scipy at its top: ours lists it, its own runs it.
"""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from zipo.shared.errors import InputError

DECLARATIONS = ("name", "env", "parameters", "seeded", "keeps_library", "scale", "source")


@dataclass(frozen=True)
class Method:
    """What a method file declares; see above."""

    name: str
    file: Path
    env: str | None = None
    parameters: dict = field(default_factory=dict)
    seeded: bool = True
    keeps_library: bool = False
    scale: str = ""
    source: str = ""
    sees_truth: bool = False
    fault: str | None = None
    """Why the file cannot be used, in one sentence; it is a method still, which fails."""


def known() -> list[str]:
    """Names of the methods in this folder; finding them imports none."""
    return sorted(module.name for module in iter_modules(__path__) if not module.ispkg)


def method(name: str) -> Method:
    """What a method's file declares; importing it loads no heavy package.

    Raises InputError if there is no such method. A file that cannot be imported or does not declare all is a method
    with a fault, so that one bad file does not stop the others.
    """
    if name not in known():
        raise InputError(f"method {name!r} is unknown; known are {', '.join(known())}")
    file = next(path for folder in __path__ if (path := Path(folder) / f"{name}.py").exists())
    try:
        module = import_module(f"{__name__}.{name}")
    except Exception as error:  # whatever a file does when it is imported
        return Method(name, file, fault=f"{file.name} cannot be imported ({type(error).__name__}: {error})")
    missing = [word for word in DECLARATIONS if not hasattr(module, word)]
    if not (hasattr(module, "denoise") or hasattr(module, "command")):
        missing.append("denoise or command")
    if missing:
        return Method(name, file, fault=f"{file.name} does not declare {', '.join(missing)}")
    if module.name != name:
        return Method(name, file, fault=f"{file.name} declares the name {module.name!r}; expected that of the file")
    declared = {word: getattr(module, word) for word in DECLARATIONS}
    return Method(file=file, sees_truth=getattr(module, "sees_truth", False), **declared)


def discover() -> dict[str, Method]:
    """All methods by name."""
    return {name: method(name) for name in known()}
