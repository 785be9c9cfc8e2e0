"""What is read from the network's predictions: arrays over all cells, from batches that come one at a time."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from zipo.engine.likelihoods import THETA_LIMIT
from zipo.engine.model import Prediction


def parameters_of(prediction: Prediction) -> dict[str, Tensor]:
    """rates, zero_probability and size of a batch's likelihood, those that it has, each (B, G)."""
    found = {"rates": prediction.rates}
    if prediction.zero_logits is not None:
        found["zero_probability"] = torch.sigmoid(prediction.zero_logits)
    if prediction.theta is not None:
        found["size"] = prediction.rates * torch.exp(-prediction.theta.clamp(-THETA_LIMIT, THETA_LIMIT))
    return found


def stacked(parts: Iterable[Mapping[str, Tensor]], cells: int) -> dict[str, np.ndarray]:
    """Named values of consecutive batches, each (B, ...), as float32 arrays (cells, ...).

    The arrays are filled batch by batch: joining the batches at the end would take the memory twice.
    """
    found: dict[str, np.ndarray] = {}
    begin = end = 0
    for part in parts:
        for name, values in part.items():
            if name not in found:
                found[name] = np.empty((cells, *values.shape[1:]), np.float32)
            end = begin + len(values)
            found[name][begin:end] = values.cpu().numpy()
        begin = end
    return found
