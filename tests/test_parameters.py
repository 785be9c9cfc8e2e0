"""Hyper-parameters: the paper's defaults, and values that do not fit together."""

import pytest
from pydantic import ValidationError

from zipo.parameters import Parameters


def test_defaults_are_the_papers_setting():
    p = Parameters()
    assert (p.likelihood, p.activation, p.batch_norm, p.decoder) == ("zip", "sigmoid", "after", "linear")
    assert p.encoder_widths == [2048, 1024, 512, 256, 128]
    assert p.residual_layers == 4
    assert p.library_widths == [16, 4]
    assert (p.alpha_z, p.alpha_w) == (0.1, 0.1)
    assert (p.plateau_patience, p.stop_patience) == (15, 30)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"encoder": "64-0-8"}, "widths of layers"),
        ({"decoder": "deep"}, "widths of layers"),
        ({"encoder": "64-8", "residuals": 2}, "asks for more layers than the 1 before the latents"),
        ({"residuals": 0}, "residuals"),
        ({"validation_share": 0.5, "test_share": 0.5}, "no cell for training"),
        ({"alpha": 1}, "Extra inputs"),
    ],
)
def test_values_that_will_not_do(values, problem):
    with pytest.raises(ValidationError, match=problem):
        Parameters(**values)


def test_a_single_width_may_be_a_number():
    assert Parameters(encoder=32, decoder=16).decoder_widths == [16]
    assert Parameters(encoder=32, residuals="full").residual_layers == 0


def test_other_widths_leave_the_latents():
    parameters = Parameters(encoder="128-33-16", decoder="10-1", residuals=1)
    narrow = parameters.with_widths(0.5)
    assert (narrow.encoder, narrow.decoder, narrow.residuals) == ("64-16-16", "5-1", 1)
    assert parameters.with_widths(2).encoder == "256-66-16"
    assert Parameters(encoder="16").with_widths(2).model_dump() == Parameters(encoder="16").model_dump()
