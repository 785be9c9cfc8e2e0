"""Loops compiled for a GPU (Triton), which torch's CUDA builds bring along: the likelihood and its gradients in few
passes over cells x genes, where torch's own operations take some forty.

They are used where they are seen to work: the first use on a GPU computes a small example with them and by
zipo.engine.likelihoods, and without Triton, without a compiler for the GPU, or with other numbers the dense form stays.
"""

import logging
from functools import cache

import torch

logger = logging.getLogger("zipo")


def work_on(device: torch.device) -> bool:
    """Whether these kernels compute rightly on a device; found out once for each GPU, with a warning if they do not."""
    return device.type == "cuda" and _work_on(device)


@cache
def _work_on(device: torch.device) -> bool:
    try:
        from zipo.engine.triton_kernels.example import check_example
    except ImportError:
        return False
    try:
        check_example(device)
    except Exception as error:  # a compiler or driver can fail in any way, and training goes on without
        logger.warning("%s: without the likelihood's kernel, which fails here (%s)", device, error)
        return False
    return True
