"""Each experiment finds its own runs in the runs table, by the names that it gives its settings."""

import pandas as pd
import pytest

from zipo.shared.runs import runs_of, variant


@pytest.mark.parametrize(
    ("names", "expected"),
    [([""], ""), (["", ""], ""), (["ZiPo"], "ZiPo"), (["", "ZiPo"], "ZiPo"), (["ZiPo", "ZiPo"], "ZiPo"),
     (["paper", "ZiPo"], "paper,ZiPo"), (["paper", "", "ZiPo"], "paper,,ZiPo")],
)  # fmt: skip
def test_names_of_a_setting_in_one_column(names, expected):
    assert variant(names) == expected


def test_a_run_belongs_to_each_of_its_experiments_by_the_name_that_it_has_there():
    runs = pd.DataFrame(
        [("sparsity,methods", "paper,ZiPo"), ("methods", "DCA"), ("sparsity_more,methods", ""), ("depth,methods", "X"),
         ("sparsity,depth,methods", "paper,,ZiPo")],
        columns=["experiments", "variant"],
    )  # fmt: skip
    assert runs_of(runs, "sparsity")["variant"].to_dict() == {0: "paper", 4: "paper"}
    assert runs_of(runs, "methods")["variant"].to_dict() == {0: "ZiPo", 1: "DCA", 2: "", 3: "X", 4: "ZiPo"}
    assert runs_of(runs, "depth")["variant"].to_dict() == {3: "X", 4: ""}
    assert runs_of(runs, "width").empty
    assert runs.loc[0, "variant"] == "paper,ZiPo"
