"""Adam and the learning-rate schedule.

torch.optim is not used: its first call loads torch's compiler, which costs a training job three seconds.
The arithmetic is torch's own fused kernel.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from zipo.engine.first_layer import FirstLayer
from zipo.parameters import Parameters


class Adam:
    """Adam (Kingma 2014, arXiv 1412.6980) over all weights in one fused pass.

    `layers` are those that may hold the gradients of their weights in another form than `weight.grad`, and then take
    the step themselves. `zero_grad` must come before each backward pass.
    """

    def __init__(
        self,
        weights: Iterable[Tensor],
        layers: Sequence[FirstLayer] = (),
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.weights = list(weights)
        self.layers = {id(layer.weight): layer for layer in layers}
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.first_moments = [torch.zeros_like(weight) for weight in self.weights]
        self.second_moments = [torch.zeros_like(weight) for weight in self.weights]
        self.steps = torch.zeros((), device=self.weights[0].device)  # taken so far

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self.weights:
            weight.grad = None
        for layer in self.layers.values():
            layer.expect_gradient()

    def state(self) -> dict[str, Tensor]:
        """All that changes from step to step, beside the weights."""
        kinds = {"first": self.first_moments, "second": self.second_moments, "steps": [self.steps]}
        return {f"{kind}.{number}": tensor for kind, tensors in kinds.items() for number, tensor in enumerate(tensors)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a state that `state` gave."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move every weight that has a gradient."""
        self.steps += 1
        shrinking = []
        ordinary = []  # weights with a gradient of torch's, which the fused kernel moves
        for weight, first, second in zip(self.weights, self.first_moments, self.second_moments, strict=True):
            layer = self.layers.get(id(weight))
            if layer and layer.by_output is not None:
                layer.learn(first, second, self._numbers(learning_rate, self.steps.item()), learning_rate)
            elif weight.grad is not None:
                if layer:
                    layer.keep_zeros()
                    shrinking.append(layer)
                ordinary.append((weight, weight.grad, first, second))
        weights, gradients, firsts, seconds = map(list, zip(*ordinary, strict=True))
        torch._fused_adam_(
            weights,
            gradients,
            firsts,
            seconds,
            [],
            [self.steps] * len(weights),
            lr=learning_rate,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )
        for layer in shrinking:
            layer.shrink(learning_rate)

    @torch.no_grad()
    def forget_zeros(self, layer: FirstLayer) -> None:
        """Forget the moments of weights that are zero, which would move them once more."""
        for weight, *moments in zip(self.weights, self.first_moments, self.second_moments, strict=True):
            if weight is layer.weight:
                for moment in moments:
                    moment.mul_(weight != 0)

    def _numbers(self, learning_rate: float, count: float) -> tuple[np.float32, ...]:
        """The numbers of a step, as zipo.engine.kernels.first_layer.learn takes them."""
        rate = learning_rate / (1 - self.beta1**count)
        root = 1 / math.sqrt(1 - self.beta2**count)
        numbers = rate, root, 1 - self.beta1, self.beta2, 1 - self.beta2, self.epsilon
        return tuple(map(np.float32, numbers))


class Schedule:
    """The paper's learning rate: geometric decay to a floor, then cut wherever the loss stalls (section II-G).

    The second part is the rule of torch's ReduceLROnPlateau with a relative threshold.
    """

    def __init__(self, p: Parameters) -> None:
        self.p = p
        self.rate = p.learning_rate
        self.best, self.stalled = math.inf, 0

    def start(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 1."""
        if self._decaying(epoch):
            decayed = self.p.learning_rate * self.p.learning_rate_decay ** (epoch - 1)
            self.rate = max(self.p.learning_rate_floor, decayed)
        return self.rate

    def end(self, epoch: int, loss: float) -> None:
        """Record the validation loss after an epoch."""
        if self._decaying(epoch):
            return
        if loss < self.best * (1 - self.p.plateau_threshold):
            self.best, self.stalled = loss, 0
        else:
            self.stalled += 1
        if self.stalled > self.p.plateau_patience:
            self.rate *= self.p.plateau_factor
            self.stalled = 0

    def state(self) -> dict[str, float]:
        """All that changes from epoch to epoch."""
        return {"rate": self.rate, "best": self.best, "stalled": self.stalled}

    def restore(self, state: dict[str, float]) -> None:
        """Continue from a state that `state` gave."""
        self.rate, self.best, self.stalled = state["rate"], state["best"], int(state["stalled"])

    def _decaying(self, epoch: int) -> bool:
        """Whether the epoch before was above the floor, so that this one's rate is still the decay's."""
        return self.p.learning_rate * self.p.learning_rate_decay ** (epoch - 2) > self.p.learning_rate_floor
