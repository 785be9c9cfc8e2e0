"""The arithmetic of a training step's matrix products: float32, or what GPUs are several times faster at.

Validation, losses and predictions are always in float32, whatever a network was trained in.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


def bfloat16(wanted: bool, device: torch.device) -> AbstractContextManager[object]:
    """Within the context matrix products are of bfloat16 numbers, and so are their results; for forward passes alone,
    whose backward passes follow them."""
    return torch.autocast(device.type, torch.bfloat16) if wanted else nullcontext()


def tf32(wanted: bool) -> AbstractContextManager[object]:
    """Within the context a GPU's matrix products round float32 numbers to TF32's ten bits; their results are float32.

    Other devices know of no TF32. Where it is not wanted, torch's switch is not touched.
    """
    return _switched("tf32") if wanted else nullcontext()


@contextmanager
def _switched(precision: str) -> Iterator[None]:
    products = torch.backends.cuda.matmul
    before, products.fp32_precision = products.fp32_precision, precision
    try:
        yield
    finally:
        products.fp32_precision = before
