"""Methods of the benchmark: one file each, found by its name; docs/extending.md shows how to add one.

They are the files in this folder, and those in the folders that the environment variable ZIPO_METHODS lists, with
os.pathsep between them, where methods of one's own are kept outside of the package.

A method file `<name>.py` declares

- `name`: that of its file;
- `env`: the environment it runs in, the name of a file of pins `<env>.txt`, which lies in the folder `environments`
  beside the methods of the package, or beside the method file itself; None for ZiPo's own;
- `parameters`: the names and defaults of its parameters;
- `seeded`: whether the seed changes the result;
- `keeps_library`: whether a cell's denoised counts add up to about what was counted, which is then checked;
- `scale`: in one sentence, what the output is and how it was brought to counts;
- `source`: paper, DOI, package and version;
- optionally `install`: in one sentence, what to install by hand, where that cannot be an environment;
- optionally `imports`: heavy modules that are loaded before the time is measured, and whose versions are noted;
- optionally `control = True`: a bound to compare methods with, which is shown and not ranked;
- optionally `sees_truth = True`: it is given the complete data set, truth and cell types included;

and has either `denoise(counts, *, seed, **parameters) -> AnnData`, or `command`, a list of strings that starts a
program in another language (see `zipo.benchmark.running.exchange`). Files beside it that it names in a string, such as
the program's, are part of the method: after an edit of one it runs again.

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
environment of its own imports nothing but anndata, numpy and scipy at its top, since ZiPo's environment imports it,
too, and modules of ZiPo that need no more: those in `zipo.methods.shared`.
"""

import os
import re
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from zipo.shared.errors import InputError

REQUIRED = ("name", "env", "parameters", "seeded", "keeps_library", "scale", "source")
OPTIONAL = ("control", "sees_truth", "install")
"""Declarations that have the default of Method's field; `imports` is read by the runner alone."""
VARIABLE = "ZIPO_METHODS"


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
    control: bool = False
    sees_truth: bool = False
    install: str = ""
    fault: str | None = None
    """Why the file cannot be used, in one sentence; None if it can. Runs of such a method fail."""

    @property
    def companions(self) -> list[Path]:
        """Files in the folder of the method file, or below it, that a string in it names, as in {here}/r/run.R.

        The method's results depend on them too.
        """
        strings = re.split(r"[\"'{}\n]", self.file.read_text(errors="replace"))
        paths = {self.file.parent / text.lstrip("/") for text in strings}
        return sorted(path for path in paths if os.path.isfile(path))  # Path.is_file raises where a name is too long


def user_folders() -> list[Path]:
    """The folders in ZIPO_METHODS, absolute; one that does not exist yet holds no methods."""
    folders = filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
    return list(dict.fromkeys(Path(folder).absolute() for folder in folders))


def files() -> dict[str, Path]:
    """Method files by the names of their methods, sorted; finding them imports none.

    Raises InputError if two folders have a file of one name.
    """
    by_name: dict[str, Path] = {}
    for folder in [*map(Path, __path__), *user_folders()]:
        for module in iter_modules([str(folder)]):
            file = folder / f"{module.name}.py"
            if module.ispkg or not file.is_file():
                continue
            if module.name in by_name and folder in user_folders() and not by_name[module.name].samefile(file):
                raise InputError(
                    f"{VARIABLE}: {file} has the name of the method in {by_name[module.name]}; rename one of the two"
                )
            by_name.setdefault(module.name, file)
    return dict(sorted(by_name.items()))


def known() -> list[str]:
    """Names of all methods; finding them imports none."""
    return list(files())


def method(name: str) -> Method:
    """What a method's file declares; importing it loads no heavy package.

    Raises InputError if there is no such method. A file that cannot be imported or does not declare all is a method
    with a fault, so that one bad file does not stop the others.
    """
    if not (file := files().get(name)):
        raise InputError(f"method {name!r} is unknown; known are {', '.join(known())}")
    return method_of_file(file)


def method_of_file(file: Path) -> Method:
    """What a method file declares, wherever it lies; a method with a fault if it cannot be used."""
    name = file.stem
    try:
        module = _load(name, file)
    except Exception as error:  # whatever a file does when it is imported
        return Method(name, file, fault=f"{file.name} cannot be imported ({type(error).__name__}: {error})")
    missing = [word for word in REQUIRED if not hasattr(module, word)]
    if not (hasattr(module, "denoise") or hasattr(module, "command")):
        missing.append("denoise or command")
    if missing:
        return Method(name, file, fault=f"{file.name} does not declare {', '.join(missing)}")
    if module.name != name:
        return Method(name, file, fault=f"{file.name} declares the name {module.name!r}; expected that of the file")
    declared = [*REQUIRED, *(word for word in OPTIONAL if hasattr(module, word))]
    return Method(file=file, **{word: getattr(module, word) for word in declared})


def discover() -> dict[str, Method]:
    """All methods by name."""
    return {name: method(name) for name in known()}


def _load(name: str, file: Path) -> ModuleType:
    """The module of a method file; one outside of the package is loaded anew each time."""
    if file.parent in map(Path, __path__):
        return import_module(f"{__name__}.{name}")
    spec = spec_from_file_location(f"method_{name}", file)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
