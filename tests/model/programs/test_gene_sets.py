"""GMT files, and over-representation against sums of binomial coefficients and a correction by hand."""

from math import comb

import pandas as pd
import pytest

from zipo.model.programs.gene_sets import check_names, over_representation, read_gmt
from zipo.shared.errors import InputError

GENES = [f"G{number}" for number in range(20)]


def at_least(shared, size, leading, background):
    """Probability of so many shared genes or more, by counting."""
    ways = [comb(size, k) * comb(background - size, leading - k) for k in range(shared, min(size, leading) + 1)]
    return sum(ways) / comb(background, leading)


def test_p_values_are_those_of_counting_and_q_values_those_of_benjamini_and_hochberg():
    leading = {"p": ["G0", "G1", "G2", "G3"], "q": ["G9", "G0"]}
    sets = {"first": ["G0", "G1", "G2"], "second": ["G9", "G8", "no gene"], "absent": ["X"]}
    table = over_representation(leading, sets, GENES).set_index(["program", "set"])
    expected = {
        ("p", "first"): at_least(3, 3, 4, 20),
        ("q", "second"): at_least(1, 2, 2, 20),
        ("q", "first"): at_least(1, 3, 2, 20),
    }
    assert table.index.tolist() == sorted(expected, key=expected.get)
    assert table["p_value"].to_dict() == pytest.approx(expected)
    # four tests: two programs by two sets with genes in the background; p has nothing of the second, p-value 1
    ordered, running, q = sorted(expected.items(), key=lambda each: each[1]), 1.0, {}
    for rank in range(3, 0, -1):
        name, p = ordered[rank - 1]
        running = min(running, 4 * p / rank)
        q[name] = running
    assert table["q_value"].to_dict() == pytest.approx(q)
    assert table.loc[("p", "first"), ["shared", "leading", "size", "background"]].tolist() == [3, 4, 3, 20]
    assert table.loc[("q", "second"), ["size", "genes"]].tolist() == [2, "G9"]


def test_sets_without_a_shared_gene_give_an_empty_table():
    table = over_representation({"p": ["G0"]}, {"s": ["G5"]}, GENES)
    assert table.empty
    assert "q_value" in table


def test_a_gmt_file_is_read(tmp_path):
    file = tmp_path / "sets.gmt"
    file.write_text("\ufeffbeta\tmarkers\tINS\tIAPP\tINS\t\n\nalpha\t\tGCG\r\n", encoding="utf-8")
    assert read_gmt(file) == {"beta": ["INS", "IAPP"], "alpha": ["GCG"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("beta\tx\tINS\nalpha GCG TTR\n", r"sets.gmt, line 2: 'alpha GCG TTR' has no two tabs"),
        ("beta\tINS\n", r"line 1: .* has no two tabs"),
        ("\tx\tINS\n", "line 1: no name"),
        ("beta\tx\t\t\n", "line 1: beta has no genes"),
        ("beta\tx\tINS\nbeta\tx\tGCG\n", "line 2: beta is the name of an earlier set"),
        ("\n\n", "holds no gene sets"),
        (b"\xff\xfe\x00beta", "cannot be read as text"),
        (None, "no such file"),
    ],
)
def test_a_gmt_file_that_will_not_do_is_refused(tmp_path, text, problem):
    file = tmp_path / "sets.gmt"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=problem):
        read_gmt(file)


@pytest.mark.parametrize(
    ("sets", "problem"),
    [
        ({"beta": ["Ins", "Gcg"]}, "the case differs, 'Ins' there and 'INS' in the model"),
        (
            {"beta": ["ENSG01"]},
            "none of their 1 genes, such as 'ENSG01', is among the model's, such as 'GCG'; name them",
        ),
        ({"beta": []}, "they hold no genes"),
    ],
)
def test_sets_of_other_names_are_refused(sets, problem):
    with pytest.raises(InputError, match=problem):
        check_names(sets, pd.Index(["GCG", "INS"]))
    check_names({"beta": ["INS", "unknown"]}, pd.Index(["GCG", "INS"]))
