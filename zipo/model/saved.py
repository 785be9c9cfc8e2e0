"""A trained model in a folder: weights as safetensors, all else as JSON, so that loading executes nothing.

`model.json` holds the SHA-256 of the weights and of its own content, by which a damaged model is refused. A first
layer that is mostly zeros is stored as its shape, the values that are not zero, and their places.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from zipo import __version__
from zipo.engine.training import TIMES
from zipo.model.arguments import path_of
from zipo.shared.atomic_files import atomic_folder, temporary_folders
from zipo.shared.errors import InputError

if TYPE_CHECKING:
    from zipo.model.estimator import ZiPo

FORMAT, DENSE = 2, 1  # of models whose first layer is stored as sparse, and of others, as earlier versions wrote them
WEIGHTS, SETTINGS = "weights.safetensors", "model.json"
GENE_TOTALS = "gene_totals"  # beside the network's own tensors
FIRST_LAYER = "encoder.first.weight"
SHAPE, PLACES, VALUES = (f"{FIRST_LAYER}.{part}" for part in ("shape", "places", "values"))


def save(model: "ZiPo", folder: Path) -> None:
    """Save a trained model in a folder, which appears complete or not at all; an earlier model there is replaced.

    The same model gives the same bytes. Raises InputError if the folder cannot be written, or holds anything else
    than a model, and for a model whose training diverged.
    """
    folder = path_of(folder)
    check_target(folder)
    if model.training.diverged:
        raise InputError(f"{folder}: not written, since the training diverged; fit again with a lower learning_rate")
    tensors = model.network.state_dict() | {GENE_TOTALS: model.gene_totals}
    stored = _stored(tensors.pop(FIRST_LAYER))
    weights = bytes_of(tensors | stored)
    settings = {
        "format": DENSE if FIRST_LAYER in stored else FORMAT,
        "zipo": __version__,
        "torch": torch.__version__,
        "preset": model.preset,
        "parameters": model.parameters.model_dump(mode="json"),
        "seed": model.seed,
        "empty_cells": model.empty_cells,
        "median_library": model.network.median_library.item(),
        "covariates": model.covariates.state(),
        "genes": list(map(str, model.genes)),
        # time is no property of the model: the same seed gives the same file
        "training": {name: value for name, value in asdict(model.training).items() if name not in TIMES},
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    with atomic_folder(folder) as part:
        (part / WEIGHTS).write_bytes(weights)
        text = json.dumps(settings | {"sha256": _digest(settings)}, indent=1, ensure_ascii=False, allow_nan=False)
        (part / SETTINGS).write_text(text + "\n", encoding="utf-8")


def check_target(folder: Path) -> None:
    """Raise InputError unless the folder is free for a model: missing, empty, or holding a model and nothing else."""
    if not folder.name:
        raise InputError(f"{folder}: a model is kept in a folder of its own; name one within this")
    for path in (folder, *temporary_folders(folder)):  # the latter are removed when the model is written
        names = {file.name for file in path.iterdir()} if path.is_dir() else set()
        if (path.exists() and not path.is_dir()) or (names and not _is_model(path)):
            raise InputError(f"{path}: exists and is no model; name another folder, or remove it")
        if others := sorted(names - {WEIGHTS, SETTINGS}):
            raise InputError(f"{path}: holds {others[0]} beside a model; name another folder, or move that away")


def _is_model(folder: Path) -> bool:
    """Whether a folder has a model.json as zipo writes it, whole or damaged."""
    try:
        return b'"zipo"' in (folder / SETTINGS).read_bytes()[:1000]
    except OSError:
        return False


@dataclass(frozen=True)
class Contents:
    """What a model folder holds, undamaged."""

    settings: dict[str, Any]
    """All that stands in model.json."""
    tensors: dict[str, Tensor]
    """The network's tensors by name, and GENE_TOTALS."""


def read(folder: Path) -> Contents:
    """The contents of a model folder.

    Raises InputError for a folder or file that is missing, for damage, and for a model written by a newer zipo.
    """
    folder = path_of(folder)
    settings = _settings(folder)
    weights = _read(folder / WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != settings["weights_sha256"]:
        raise _damaged(folder / WEIGHTS, f"its SHA-256 is not the one in {SETTINGS}")
    return Contents(settings, _with_first_layer(tensors_of(weights)))


def _stored(weights: Tensor) -> dict[str, Tensor]:
    """The first layer's weights in the smaller of two forms, by the names that they are stored under."""
    flat = weights.flatten()
    places = flat.nonzero().flatten()
    places = places.to(torch.int32 if len(flat) < 1 << 31 else torch.int64)
    if places.nbytes + len(places) * flat.itemsize >= flat.nbytes:
        return {FIRST_LAYER: weights}
    return {SHAPE: torch.tensor(weights.shape), PLACES: places, VALUES: flat[places.long()]}


def _with_first_layer(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file, with the first layer's weights in their dense form."""
    if VALUES not in tensors:
        return tensors
    values = tensors.pop(VALUES)
    weights = values.new_zeros(tensors.pop(SHAPE).tolist())
    weights.view(-1)[tensors.pop(PLACES).long()] = values
    return tensors | {FIRST_LAYER: weights}


def other_tensors(folder: Path) -> InputError:
    """The error for tensors that do not fit the parameters beside them."""
    return _damaged(path_of(folder) / WEIGHTS, f"they do not fit the parameters in {SETTINGS}")


def _settings(folder: Path) -> dict[str, Any]:
    """Contents of model.json; InputError if they are not as they were written."""
    path = folder / SETTINGS
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give one that `zipo fit` or ZiPo.save has written")
    text = _read(path)
    try:
        settings = json.loads(text)
        newer, digest = settings["format"] > FORMAT, settings.pop("sha256", None)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise _damaged(path, "it is no JSON of a model") from error
    if newer:
        raise InputError(f"{folder}: written by a newer zipo ({settings.get('zipo')}); update zipo")
    if digest != _digest(settings):
        raise _damaged(path, "it is not as it was written")
    return settings


def _digest(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: is missing, so that the folder is no whole model; copy or fit it again") from None


def _damaged(path: Path, how: str) -> InputError:
    return InputError(f"{path}: damaged ({how}); copy the model again, or fit it again")
