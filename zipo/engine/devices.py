"""Where torch computes: the processor or a GPU."""

import torch

from zipo.errors import InputError
from zipo.wording import setting


def usable(device: str | torch.device) -> torch.device:
    """The device of this name, or for auto a GPU where there is one; InputError for a GPU that torch cannot use."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if str(device).startswith("cuda") and not torch.cuda.is_available():
        problem = "finds no GPU" if torch.backends.cuda.is_built() else "was built without CUDA"
        raise InputError(
            f"{setting('device', str(device))}: torch {problem} here; take {setting('device', 'cpu')}, or auto"
        )
    return torch.device(device)
