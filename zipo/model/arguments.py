"""Arguments of ZiPo's public functions, converted to the engine's types or refused in one sentence."""

import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from zipo.parameters import Parameters
from zipo.shared.errors import InputError
from zipo.shared.likelihoods import FAMILIES
from zipo.shared.validation import check

LARGEST_SEED = 2**63 - 1


def seed_of(value: Any) -> int:
    """A seed as a plain number; InputError for anything but a whole number from 0 on."""
    try:
        seed = operator.index(value)
    except TypeError:
        seed = -1
    if isinstance(value, bool) or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"seed {value!r}: a whole number from 0 to {LARGEST_SEED} is expected")
    return seed


def path_of(value: Any) -> Path:
    """A path, also as text, with ~ for the home folder."""
    try:
        return Path(value).expanduser()
    except TypeError:
        raise InputError(f"{value!r}: a path is expected") from None


def checked_parameters(values: Mapping[str, Any]) -> Parameters:
    """Parameters by their names; InputError for unknown ones, and for values that are not allowed or contradict."""
    return check(TypeAdapter(Parameters), {name: _plain(value) for name, value in values.items()}, "parameters")


def check_batch(batch: Any) -> None:
    """Raise InputError unless levels are given by the names of their covariates."""
    if batch is not None and not isinstance(batch, Mapping):
        shown = repr(batch) if isinstance(batch, str) else f"a {type(batch).__name__}"
        raise InputError(f"batch: {shown} names no covariate; give a value by its name, as in batch={{'donor': 'A'}}")


def check_standard_errors(parameters: Parameters) -> None:
    """Raise InputError for a model whose latents are an encoder's guess, of which no posterior is known."""
    if parameters.inference != "refined":
        raise InputError(
            f"standard errors are those of refined latents, but this model has inference: {parameters.inference}; "
            "fit one with inference: refined, as the presets denoise, fast and programs have it"
        )


def check_zero_inflation(parameters: Parameters) -> None:
    """Raise InputError for a model whose likelihood has no zero inflation, of which there is no probability."""
    if not parameters.zero_inflated:
        inflated = " or ".join(name for name, family in FAMILIES.items() if family.zero_inflated)
        raise InputError(
            f"zero_probability: the likelihood {parameters.likelihood} has no zero inflation; fit {inflated}"
        )


def _plain(value: Any) -> Any:
    """numpy's numbers and arrays, and pandas' indices, as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value
