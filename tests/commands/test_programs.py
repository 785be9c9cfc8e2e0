"""Gene programs against weights that are known by hand."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from zipo.commands.programs import how_to_read, in_lines, programs
from zipo.engine.first_layer import FirstLayer
from zipo.shared.errors import InputError

# genes x neurons; the third neuron is dead
WEIGHTS = torch.tensor([[0.1, -4.0, 0.0], [-2.0, 0.0, 0.0], [1.0, 0.03, 0.0], [0.0, 2.0, 0.0]])


def model(weights=WEIGHTS):
    first = SimpleNamespace(weight=weights)
    network = SimpleNamespace(encoder=SimpleNamespace(first=first))
    return SimpleNamespace(network=network, genes=pd.Index(["INS", "GCG", "SST", "PPY"]))


def test_genes_by_their_weights_relative_to_the_largest():
    table = programs(model(), threshold=0.01)
    assert table.columns.tolist() == ["neuron", "rank", "gene", "weight", "genes"]
    actual = [
        (row.neuron, row.rank, row.gene, round(row.weight, 6), row.genes) for row in table.itertuples(index=False)
    ]
    assert actual == [
        (1, 1, "GCG", -1.0, 3),
        (1, 2, "SST", 0.5, 3),
        (1, 3, "INS", 0.05, 3),
        (2, 1, "INS", -1.0, 2),
        (2, 2, "PPY", 0.5, 2),
    ]


def test_lines_name_the_first_genes_and_count_all():
    assert in_lines(programs(model(), threshold=0.9, top=2)) == [
        "neuron 1, 1 gene: GCG -1.00",
        "neuron 2, 1 gene: INS -1.00",
    ]
    assert in_lines(programs(model(), threshold=1e-4, top=2))[1] == "neuron 2, 3 genes: INS -1.00, PPY +0.50"


@pytest.mark.parametrize(
    ("weights", "options", "problem"),
    [
        (WEIGHTS, {"threshold": 0}, "threshold 0: a share"),
        (WEIGHTS, {"threshold": 1.5}, "threshold 1.5: a share"),
        (WEIGHTS, {"top": 0}, "top 0: one gene"),
        (torch.zeros(4, 3), {}, "all weights of the first layer are 0"),
    ],
)
def test_what_will_not_do_is_named(weights, options, problem):
    with pytest.raises(InputError, match=problem):
        programs(model(weights), **options)


def test_the_preset_that_can_be_read_is_named_for_dense_layers_alone():
    layer = FirstLayer(40, 5)
    for share in (0.09, 0.11):
        layer.weight.data.zero_().view(-1)[: int(200 * share)] = 1
        note = how_to_read(SimpleNamespace(network=SimpleNamespace(encoder=SimpleNamespace(first=layer))))
        assert (note is not None) == (share > 0.1)
    assert "11% of the first layer's weights" in note
    assert "--preset programs has 2%" in note
