"""Adam and the schedule against torch.optim."""

import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from zipo.engine.optimizer import Adam, Schedule
from zipo.parameters import Parameters


def test_adam_is_torchs():
    generator = torch.Generator().manual_seed(1)
    ours = [torch.randn(shape, generator=generator).requires_grad_() for shape in [(4, 3), (5,), (2, 2)]]
    theirs = [weight.detach().clone().requires_grad_() for weight in ours]
    optimizer, reference = Adam(ours), torch.optim.Adam(theirs)
    for step in range(20):
        rate = 0.1 * 0.9**step
        reference.param_groups[0]["lr"] = rate
        for weights, each in ((ours, optimizer), (theirs, reference)):
            each.zero_grad()
            sum((weight**4 - weight).sum() for weight in weights).backward()
        optimizer.step(rate)
        reference.step()
    for mine, reference_weight in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference_weight)


def test_the_rate_decays_geometrically_to_the_papers_floor_at_epoch_30():
    schedule = Schedule(Parameters())
    rates = [schedule.start(epoch) for epoch in range(1, 41)]
    assert rates[:3] == pytest.approx([0.0212, 0.01908, 0.017172])
    assert rates[28] > 0.001
    assert rates[29:] == [0.001] * 11


def test_after_the_decay_the_rate_follows_torchs_plateau_rule():
    p = Parameters(
        learning_rate=0.01,
        learning_rate_decay=0.1,
        learning_rate_floor=0.001,
        plateau_patience=2,
        plateau_threshold=0.01,
        plateau_factor=0.5,
    )
    schedule = Schedule(p)
    reference_optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=p.learning_rate_floor)
    reference = ReduceLROnPlateau(reference_optimizer, factor=0.5, patience=2, threshold=0.01)
    losses = (2 + torch.rand(30, generator=torch.Generator().manual_seed(3)) / torch.arange(1, 31)).tolist()
    for epoch, loss in enumerate(losses, start=1):
        rate = schedule.start(epoch)
        if epoch > 2:  # two epochs of decay
            assert rate == pytest.approx(reference_optimizer.param_groups[0]["lr"])
            reference.step(loss)
        schedule.end(epoch, loss)
    assert schedule.rate < 0.0005  # it was cut more than once
