"""The threads of a training, by how much there is to compute in a step.

A step is some hundred short operations, and after each the threads wait for the last of them. Of a small network that
takes longer than the operation, and beside another busy process, where a thread is waited for that is not running, it
can take forty times as long as with one thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from zipo.engine.model import Network

WORK_OF_A_THREAD = 500_000_000
"""Multiply-adds of a step for each thread: some ten milliseconds of a thread, beside which waiting is short."""
PASSES = 3
"""Multiply-adds of a weight for a cell: forward, and backward by the inputs and by the weights."""
LIKELIHOOD = 60
"""Multiply-adds that take as long as the likelihood and its gradients by an output of the decoder."""


def work_of_step(network: Network, cells: int) -> int:
    """Multiply-adds of a training step on so many cells, the counts taken as dense."""
    weights = sum(weight.numel() for weight in network.parameters())
    outputs = sum(head.out_features for head in network.heads if isinstance(head, torch.nn.Linear))
    return cells * (PASSES * weights + LIKELIHOOD * outputs)


def threads_for(network: Network, cells: int) -> int:
    """Threads to train a network on batches of so many cells: no more than torch has, and no more than have work.

    The load of the machine has no part in it: the same training on the same machine gives the same numbers.
    """
    return max(1, min(torch.get_num_threads(), work_of_step(network, cells) // WORK_OF_A_THREAD))


@contextmanager
def training_threads(network: Network, cells: int) -> Iterator[None]:
    """Within the context torch computes on the threads that `threads_for` names, and after it on those of before."""
    before, chosen = torch.get_num_threads(), threads_for(network, cells)
    if chosen == before:
        yield
        return
    torch.set_num_threads(chosen)
    try:
        yield
    finally:
        torch.set_num_threads(before)
