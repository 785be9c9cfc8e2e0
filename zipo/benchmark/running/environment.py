"""Environments of methods that do not run in ZiPo's: made from files of pins, <name>.txt."""

import os
import sys
from pathlib import Path

from zipo import methods
from zipo.shared import environments as shared
from zipo.shared.environments import Environment, read, record
from zipo.shared.errors import InputError

PINS = Path(methods.__file__).parent / "environments"


def folders_of_pins(beside: Path | None = None) -> list[Path]:
    """Where files of pins are looked for: the package, the user's folders of methods, and the folder of a method."""
    return list(dict.fromkeys([PINS, *methods.user_folders(), *([beside.absolute()] if beside else [])]))


def pins_of(name: str, beside: Path | None = None) -> list[Path]:
    """The file of pins of an environment, from one of `folders_of_pins`; none if there is none.

    Raises InputError if two folders have one.
    """
    files = [file for folder in folders_of_pins(beside) if (file := folder / f"{name}.txt").is_file()]
    if len(files) > 1:
        raise InputError(f"environment {name!r}: both {files[0]} and {files[1]} hold its pins; rename one of the two")
    return files


def default_folder() -> Path:
    """The folder of this user's environments, each under its name."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zipo" / "environments"


def missing(name: str | None, environments: Path | None) -> str | None:
    """Why a method of this environment cannot run, in one sentence; None if it can. The name None is ZiPo's own."""
    if name is None:
        return None
    folder = (environments or default_folder()) / name
    environment = read(folder)
    if environment is None:
        return f"its environment is not there; `zipo study method-environment {name} {folder}` makes it"
    return None if environment.status == "ok" else f"its environment could not be made: {environment.reason}"


def python_of(name: str | None, environments: Path | None) -> Path:
    """The Python of an environment that is not missing."""
    return Path(sys.executable) if name is None else (environments or default_folder()) / name / "bin" / "python"


def make(name: str, folder: Path, beside: Path | None = None) -> Environment:
    """Make an environment in a folder, unless it exists with the same pins; one process at a time.

    Its pins are in one of `folders_of_pins`, to which `beside` adds the folder of a method.
    """
    files = pins_of(name, beside)
    if not files:
        where = " or ".join(map(str, folders_of_pins(beside)))
        return record(
            Environment("unavailable", f"its pins are missing: there is no {name}.txt in {where}", ""), folder
        )
    return shared.make(files[0], folder)
