"""Where torch computes: the processor or a GPU."""

from typing import Any

import torch

from zipo.shared.errors import InputError
from zipo.shared.wording import setting


def device_named(name: Any) -> torch.device:
    """The device of this name, or for auto a GPU where there is one; InputError for one that torch cannot use."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise InputError(f"{setting('device', str(name))}: auto, cpu or cuda is expected")
    if device.type == "cuda" and not torch.cuda.is_available():
        problem = "finds no GPU" if torch.backends.cuda.is_built() else "was built without CUDA"
        raise InputError(
            f"{setting('device', str(name))}: torch {problem} here; take {setting('device', 'cpu')}, or auto"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"{setting('device', str(name))}: torch finds only {torch.cuda.device_count()} GPUs here")
    return device
