"""What follows a linear layer's product: bias, activation and batch norm, and the gradients of a loss through them.

Values lie cells x neurons. Beside the products this is little work, so that threads do not share it. Every loop is a
function of whole arrays, cell by cell: slices of single cells would cost more than the arithmetic of a narrow layer.
"""

import numpy as np

from zipo.engine.kernels.arithmetic import ONE, ZERO, exp32
from zipo.engine.kernels.compiling import compiled, inner

NONE, BEFORE, AFTER = 0, 1, 2  # where batch norm is, relative to the activation
SIGMOID, RELU, RELU6 = 0, 1, 2
SIX, INFINITE = np.float32(6), np.float32(np.inf)


@compiled
def forward(form, values, bias, weights, running, numbers, statistics, outputs):
    """Outputs of a block from its products `values`.

    form: order of batch norm, activation, and whether batch norm takes the statistics of these cells. `values` become
    what batch norm sees, or the outputs where there is none; `outputs` are filled only where there is one. weights:
    (2, neurons) factors and summands of batch norm. running: its means and variances, moved towards these cells' if
    those are taken. numbers: how far they move, and what is added to variances. statistics: (4, neurons), to be filled
    with mean, 1 / sd, and factor and summand of the affine map that batch norm is.
    """
    order, activation, own = form
    _add_bias(values, bias)
    if order != BEFORE:
        _activate(values, activation)
    if order == NONE:
        return
    share, floor = numbers
    cells = np.float32(len(values))
    mean, reciprocal, factor, summand = statistics[0], statistics[1], statistics[2], statistics[3]
    variance = reciprocal
    if own:
        _moments(values, mean, variance, cells)
        _move(running[0], mean, share, ONE)
        _move(running[1], variance, share, cells / (cells - ONE))
    else:
        mean[:], variance[:] = running[0], running[1]
    for i in range(len(mean)):
        reciprocal[i] = ONE / np.sqrt(variance[i] + floor)
        factor[i] = weights[0][i] * reciprocal[i]
        summand[i] = weights[1][i] - mean[i] * factor[i]
    _affine(outputs, values, factor, summand)
    if order == BEFORE:
        _activate(outputs, activation)


@compiled
def backward(form, values, statistics, outputs, gradients, sums):
    """`gradients` by the outputs become those by the products, and `sums` (3, neurons) those by bias and weights.

    The others are as `forward` left them. With outputs y = g v + h, v = (x - mean) / sd over B cells, and gradients d
    by y, those by h and g are S = sum d and T = sum d v, and that by x is g / sd (d - S / B - v T / B); where mean and
    sd are not those of the cells, g / sd d.
    """
    order, activation, own = form
    by_bias, by_factor, by_summand = sums[0], sums[1], sums[2]
    sums[:] = ZERO
    if order == BEFORE:
        _through_activation(gradients, outputs, activation)
    if order != NONE:
        mean, reciprocal, factor = statistics[0], statistics[1], statistics[2]
        _norm_sums(by_factor, by_summand, gradients, values, mean, reciprocal)
        share = ONE / np.float32(len(values)) if own else ZERO
        _through_norm(gradients, values, mean, reciprocal, factor, by_summand, by_factor, share)
    if order != BEFORE:
        _through_activation(gradients, values, activation)
    _add_cells(by_bias, gradients)


@inner
def _add_bias(values, bias):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            values[cell, i] += bias[i]


@inner
def _activate(values, activation):
    if activation == SIGMOID:
        _sigmoid(values)
    else:
        _rectify(values, INFINITE if activation == RELU else SIX)


@inner
def _sigmoid(values):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            values[cell, i] = ONE / (ONE + exp32(-values[cell, i]))


@inner
def _rectify(values, most):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            x = ZERO if values[cell, i] <= ZERO else values[cell, i]  # what is no number stays so
            values[cell, i] = most if x >= most else x


@inner
def _through_activation(gradients, outputs, activation):
    """Multiply by the derivative, which is known by the outputs."""
    if activation == SIGMOID:
        _through_sigmoid(gradients, outputs)
    else:
        _through_rectified(gradients, outputs, INFINITE if activation == RELU else SIX)


@inner
def _through_sigmoid(gradients, outputs):
    for cell in range(gradients.shape[0]):
        for i in range(gradients.shape[1]):
            gradients[cell, i] *= outputs[cell, i] * (ONE - outputs[cell, i])


@inner
def _through_rectified(gradients, outputs, most):
    for cell in range(gradients.shape[0]):
        for i in range(gradients.shape[1]):
            y = outputs[cell, i]
            gradients[cell, i] = gradients[cell, i] if y > ZERO and y < most else ZERO


@inner
def _moments(values, mean, variance, cells):
    mean[:], variance[:] = ZERO, ZERO
    _add_cells(mean, values)
    for i in range(len(mean)):
        mean[i] /= cells
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            variance[i] += (values[cell, i] - mean[i]) * (values[cell, i] - mean[i])
    for i in range(len(mean)):
        variance[i] /= cells


@inner
def _move(running, towards, share, factor):
    for i in range(len(running)):
        running[i] += share * (towards[i] * factor - running[i])


@inner
def _affine(outputs, values, factor, summand):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            outputs[cell, i] = values[cell, i] * factor[i] + summand[i]


@inner
def _norm_sums(by_factor, by_summand, gradients, values, mean, reciprocal):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            by_summand[i] += gradients[cell, i]
            by_factor[i] += gradients[cell, i] * ((values[cell, i] - mean[i]) * reciprocal[i])


@inner
def _through_norm(gradients, values, mean, reciprocal, factor, by_summand, by_factor, share):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            standard = (values[cell, i] - mean[i]) * reciprocal[i]
            gradients[cell, i] = factor[i] * (gradients[cell, i] - share * (by_summand[i] + standard * by_factor[i]))


@inner
def _add_cells(sums, values):
    for cell in range(values.shape[0]):
        for i in range(values.shape[1]):
            sums[i] += values[cell, i]
