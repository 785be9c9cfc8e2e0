"""The measures of gene programs, on contributions of which they are known."""

import numpy as np
import pandas as pd
import pytest

GENES = pd.Index([f"G{number}" for number in range(2000)])
MARKERS = {"one": ["G0", "G1", "G2"], "two": ["G100", "G101", "G102", "G103"]}


@pytest.fixture
def script(import_script):
    return import_script("programs")


def columns(*firsts):
    """Programs with these genes on top, in falling order."""
    table = np.zeros((2000, len(firsts)))
    for place, genes in enumerate(firsts):
        table[genes, place] = np.arange(len(genes), 0, -1)
    return table


def test_a_type_leads_a_program_with_half_of_its_markers_among_the_first_30(script):
    first, second = [0, 1, 2, *range(10, 40)], [100, *range(40, 70)]
    assert script.led(columns(first, second), GENES, MARKERS) == ["one"]  # one of four markers is too few
    assert script.led(columns(first, [100, 101, 102, *range(40, 70)]), GENES, MARKERS) == ["one", "two"]
    assert script.led(columns([*range(50, 80), 0, 1, 2]), GENES, MARKERS) == []  # behind the first 30


def test_scores_count_types_and_what_seeds_share(script):
    one = columns([0, 1, 2, *range(10, 40)], [100, 101, 102, *range(40, 70)])
    row = script.scores([one, one[:, ::-1]], GENES, MARKERS)
    assert (row["types"], row["of"], row["missed"], row["shared"]) == (2, 2, [], 1.0)
    assert row["similarity"] == pytest.approx(1)
    other = columns([0, 1, 2, *range(70, 100)])
    assert script.scores([one, other], GENES, MARKERS)["types"] == 1.5
