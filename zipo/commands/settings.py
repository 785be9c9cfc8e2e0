"""Parameters of ZiPo from a file of settings, options and NAME=VALUE, and the file that `zipo tune` writes.

Imports no torch.
"""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zipo.parameters import ParameterValues
from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError
from zipo.shared.validation import check


def merge(settings: Path | None, options: dict[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """Parameters from all three: assignments NAME=VALUE win over options, and these over a file of settings.

    Options that are None were not given. Raises InputError for an unknown name and a value that will not do.
    """
    values = {} if settings is None else read(settings)
    values |= {name: value for name, value in options.items() if value is not None}
    values |= dict(pair(text, "--set") for text in assignments)
    return check(TypeAdapter(ParameterValues), values, "parameters").model_dump(exclude_unset=True)


def pair(text: str, option: str) -> tuple[str, str]:
    """Name and value of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise InputError(f"{option} {text}: not of the form NAME=VALUE; give it as in {option} NAME=VALUE")
    return name, value


def read(file: Path) -> dict[str, Any]:
    """The parameters of a file of settings."""
    try:
        values = json.loads(file.read_text())
    except OSError as error:
        raise InputError(f"--settings {file}: cannot be read ({error.strerror}); correct the path") from None
    except ValueError as error:
        raise InputError(f"--settings {file}: no JSON ({error}); give a file that `zipo tune` wrote") from None
    if not isinstance(values, dict):
        raise InputError(f"--settings {file}: parameters by their names were expected; see what `zipo tune` writes")
    return values


def write(values: dict[str, Any], target: Path) -> None:
    """Write a file of settings, which appears whole or not at all."""
    with atomic_write(target) as part:
        part.write_text(_as_text(values))


def _as_text(values: dict[str, Any]) -> str:
    return json.dumps(values, indent=1) + "\n"


def is_written(file: Path) -> bool:
    """Whether `zipo tune` has written this file of settings, which begins with those given and ends with a searched."""
    try:
        text = file.read_text()
        values = json.loads(text)
    except (OSError, ValueError):
        return False
    return (
        isinstance(values, dict)
        and set(values) <= set(ParameterValues.model_fields) - {"max_epochs"}
        and list(values)[-1:] in (["encoder"], ["alpha_z"], ["alpha_w"])
        and text == _as_text(values)
    )


def as_options(values: dict[str, Any]) -> str:
    """The parameters as options to paste behind a command, quoted for the shell."""
    options = [("--covariate", name) for name in values.get("covariates", ())]
    options += [("--set", f"{name}={value}") for name, value in values.items() if name != "covariates"]
    return shlex.join(part for option in options for part in option)
