"""The page on a study of one's own: its data set, study, claim and figure are ones that the package takes."""

import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml

from zipo.shared.validation import check
from zipo.study.claims.catalogue import CLAIMS
from zipo.study.claims.verdicts import decide
from zipo.study.config import load

CONFIG = Path(__file__).parents[2] / "config"
PAGE = (CONFIG.parent / "docs" / "own-study.md").read_text()
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)]
(DATASET,) = [block["mine"] for block in BLOCKS if "mine" in block]
(STUDY,) = [block for block in BLOCKS if "study" in block]
(CLAIM,) = [block for block in BLOCKS if "penalty_keeps_nll_on_mine" in block]
(FIGURE,) = [block for block in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "def draw" in block]


@pytest.fixture
def study(tmp_path):
    """The page's study over the catalogues, to which the page's data set is added."""
    for file in CONFIG.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    entries = yaml.safe_load((CONFIG / "datasets.yaml").read_text()) | {"mine": DATASET}
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump(entries))
    return load(STUDY, "config/mine.yaml", tmp_path)


@pytest.fixture
def runs() -> pd.DataFrame:
    """Runs of the study's experiment in which the penalty leaves the NLL as it is, but for the spread of seeds."""
    shared = {
        "experiments": "alpha_w", "dataset": "mine", "status": "ok", "stopped_by": "stop_patience", "test_cells": 10,
        "training_cells": 80, "likelihood": "zip", "rate_penalty": "none", "alpha_rate": 0.1,
    }  # fmt: skip
    rows = [
        shared | {"setting": f"s{alpha}", "alpha_w": alpha, "seed": seed, "pruned_0.0001_kept": 1 - 0.1 * alpha,
                  "test_nll": 1 + 0.1 * seed + 1e-5 * alpha * seed}
        for alpha in (0, 0.1, 1) for seed in range(1, 7)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_study_is_one_that_zipo_takes(study):
    assert study.experiments["alpha_w"].grid == {"alpha_w": [0, 0.1, 1]}
    assert study.datasets["mine"].filters.most_variable == 2000


def test_the_claim_is_decided_on_its_runs(runs):
    facts = {"experiments": {"alpha_w": {"datasets": ["mine"], "base": {"alpha_w": 0.1}}}, "left_out": []}
    (row,) = decide({"runs": runs}, facts, check(CLAIMS, CLAIM, "page")).to_dict("records")
    assert row["verdict"] == "reproduced"
    assert row["papers_data"]
    assert abs(row["effect"]) < 1e-5


def test_the_figure_is_drawn_from_the_runs(runs):
    figure = ModuleType("figure_mine")
    exec(compile(FIGURE, "own-study.md", "exec"), figure.__dict__)
    table = figure.numbers({"runs": runs}, {})
    assert table.groupby("alpha_w")["pruned_0.0001_kept"].first().tolist() == [1, 0.99, 0.9]
    (ax,) = figure.draw({"runs": runs}, {}).axes
    assert len(ax.lines[0].get_xdata()) == 18
    assert {figure.title, figure.caption, *figure.experiments} > {"alpha_w"}
