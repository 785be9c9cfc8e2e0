"""Classes of claims from verdicts under readings, on tables made by hand and on models that are trained."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from tests.study.claims.invented import HIGH, LESS, NOISE, claims
from zipo.shared.tables import write_tsv
from zipo.study.claims.tables import with_measures
from zipo.study.config import load
from zipo.study.findings.tables import read_tsv
from zipo.study.readings.facts import ReadingFacts
from zipo.study.readings.page import body
from zipo.study.readings.planning import all_settings
from zipo.study.readings.verdicts import classified, classify, decide_under_readings, long, wide
from zipo.study.run import run

DRAWN = {"kind": "simulated", "cells": 200, "genes": 40, "median_library": 60}
YES, NO, OPEN, ABSENT = "reproduced", "not reproduced", "undecided", "not run"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([YES, YES, YES], ("robust", [])),
        ([YES, ABSENT, YES], ("robust", [])),
        ([NO, NO, NO], ("fails under every reading", [])),
        ([YES, NO, YES], ("hangs on", ["b"])),
        ([NO, YES, YES], ("hangs on", ["b", "c"])),
        ([YES, NO, OPEN], ("hangs on", ["b"])),
        ([OPEN, NO, YES], ("hangs on", ["b", "c"])),
        ([YES, OPEN, YES], ("undecided", ["b"])),
        ([NO, NO, OPEN], ("undecided", ["c"])),
        ([OPEN, OPEN, OPEN], ("undecided", ["own", "b", "c"])),
        ([YES, ABSENT, ABSENT], ("not compared", [])),
        ([ABSENT, YES, ABSENT], ("not compared", [])),
    ],
)
def test_classes_of_a_table_made_by_hand(verdicts, expected):
    assert classify(dict(zip(("own", "b", "c"), verdicts, strict=True))) == expected


def invented() -> tuple[pd.DataFrame, dict]:
    """Runs at alpha_z 0.1 and 1: the latter is lower as the study runs, higher under x, and not trained under y."""
    numbers = {
        "p0.1": HIGH, "p1": np.array(HIGH) - 0.3 + NOISE, "x0.1": HIGH, "x1": np.array(HIGH) + 0.3 + NOISE,
    }  # fmt: skip
    rows = [
        {
            "experiments": "anything", "variant": "", "dataset": "a", "setting": setting, "alpha_z": float(setting[1:]),
            "seed": seed, "status": "ok", "test_nll": value, "stopped_by": "patience", "training_cells": 40,
            "test_cells": 10,
        }
        for setting, values in numbers.items()
        for seed, value in enumerate([*values, 100.0], 1)
    ]  # fmt: skip
    settings = [{"p0.1": "", "p1": ""}, {"x0.1": "", "x1": ""}, {"p0.1": "", "p1": ""}]
    readings = [
        {"name": name, "question": name[0], "text": f"{name[0]}?", "settings": {"alpha_z": each}, "widths": 1,
         "experiments": {"alpha_z": {"datasets": ["a"], "base": {"alpha_z": 0.1}}},
         "same_as_run": ["alpha_z"] if name == "y=same" else []}
        for name, each in zip(("as_run", "x=other", "y=same"), settings, strict=True)
    ]  # fmt: skip
    study = {"title": "t", "readings": readings, "claims": [], "seeds": 6, "left_out": []}
    return pd.DataFrame(rows), study


def test_each_reading_decides_on_its_own_runs_and_seeds():
    runs, study = invented()
    table = decide_under_readings(runs, study, claims(it=LESS, elsewhere=LESS | {"experiment": "depth"}))
    assert list(zip(table["id"], table["reading"], table["verdict"], table["same_runs"], strict=True)) == [
        ("it", "as_run", YES, False), ("it", "x=other", NO, False), ("it", "y=same", YES, True),
    ]  # fmt: skip
    assert set(zip(table["class"], table["because_of"], strict=True)) == {("hangs on", "x=other")}
    assert table["effect"].tolist() == pytest.approx([-0.3, 0.3, -0.3])
    interval = stats.ttest_1samp(-0.3 + NOISE, 0).confidence_interval(0.95)
    row = wide(table).iloc[0]
    assert (row["as_run ci_low"], row["as_run ci_high"]) == pytest.approx(tuple(interval))
    assert (row["class"], row["x=other verdict"], row["as_run pairs"]) == ("hangs on", NO, 6)
    assert [row["as_run same_runs"], row["y=same same_runs"]] == [False, True]
    page = body(table)
    assert "hangs on x=other" in page
    assert "1 hang on a reading" in page
    assert page.count("&asymp;</td>") == 1


def test_a_wide_table_and_its_file_hold_all_that_decides_the_classes(tmp_path):
    runs, study = invented()
    table = decide_under_readings(runs, study, claims(it=LESS))
    write_tsv(wide(table), tmp_path / "readings.tsv")
    again = long(read_tsv(tmp_path / "readings.tsv"))
    columns = ["id", "figure", "dataset", "class", "because_of", "reading", "verdict", "effect", "pairs", "same_runs"]
    pd.testing.assert_frame_equal(again[columns], table[columns], check_dtype=False)
    anew = classified(again.drop(columns=["class", "because_of"]))
    pd.testing.assert_frame_equal(wide(anew), wide(table), check_dtype=False)


def test_chosen_claims_alone_are_shown_and_the_others_still_count_for_the_correction():
    runs, study = invented()
    both = claims(it=LESS, other=LESS)
    chosen = decide_under_readings(runs, study | {"claims": ["it"]}, both)
    assert set(chosen["id"]) == {"it"}
    p, corrected = chosen.loc[0, ["p", "p_holm"]]
    assert corrected == pytest.approx(2 * p)


def test_a_claim_refers_to_the_base_setting_of_the_reading():
    runs, study = invented()
    study["readings"][1]["experiments"]["alpha_z"]["base"] = {"alpha_z": 1.0}
    to_base = LESS | {"of": {"alpha_z": 0.1}, "than": {"alpha_z": "base"}}
    table = decide_under_readings(runs, study, claims(it=to_base)).set_index("reading")
    assert "alpha_z 1" in table.loc["x=other", "sentence"]
    assert table.loc["as_run", "verdict"] == ABSENT


def test_experiments_of_a_reading_have_their_own_names_for_what_they_share():
    runs, study = invented()
    study["readings"] = study["readings"][:1]
    of_reading = study["readings"][0]
    of_reading["settings"] = {"depth": {"p0.1": "paper", "p1": ""}, "alpha_z": {"p0.1": "ZiPo", "p1": "DCA"}}
    of_reading["experiments"]["depth"] = of_reading["experiments"]["alpha_z"]
    named = {"of": {"variant": "DCA"}, "than": {"variant": "ZiPo"}}
    table = decide_under_readings(runs, study, claims(it=LESS, by_name=LESS | named)).set_index("id")
    assert table.loc["by_name", "effect"] == pytest.approx(-0.3)
    assert table.loc["by_name", "verdict"] == YES


def test_readings_of_trained_models(tmp_path):
    """A sum over genes outweighs penalties by the number of genes: zero inflation survives one that a mean obeys."""
    (tmp_path / "datasets.yaml").write_text(yaml.safe_dump({"toy": {"title": "t", "source": DRAWN}}))
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump({"alpha_z": {"title": "a", "grid": {"alpha_z": [5]}}}))
    readings = {"sum": {"set": {"reduction": "sum"}}}
    (tmp_path / "readings.yaml").write_text(
        yaml.safe_dump({"reduction": {"question": "Sum?", "anchor": "open-reduction", "readings": readings}})
    )
    config = {
        "study": "s", "title": "t", "datasets": {"toy": {}}, "default_dataset": "toy", "seeds": 3,
        "parameters": {"encoder": "16-4", "batch_size": 32, "max_epochs": 12}, "experiments": {"alpha_z": {}},
        "readings": {"experiments": {"alpha_z": {}}},
    }  # fmt: skip
    study = load(config, "s.yaml", tmp_path)
    counts = study.datasets["toy"].source.read(tmp_path)[0]
    rows = []
    for name, setting in all_settings(study).items():
        for seed in setting.seeds:
            row = run(counts, {"id": name} | setting.resolved, seed, [1e-4], "cpu")[1]
            rows.append(row | {"experiments": ",".join(setting.experiments), "variant": setting.variant})
    assert len(rows) == 2 * 3
    facts = json.loads(json.dumps(asdict(ReadingFacts.of(study))))
    none_left = {
        "figure": 8, "section": "III-D", "claim": "Little is left.", "data": ["toy"], "experiment": "alpha_z",
        "kind": "share", "measure": "test_mean_zero_probability", "of": {"alpha_z": 5},
        "direction": "less", "bound": 0.1,
    }  # fmt: skip
    runs = with_measures(pd.DataFrame(rows), None)
    table = decide_under_readings(runs, facts, claims(it=none_left)).set_index("reading")
    means = runs.groupby("reduction")["test_mean_zero_probability"].mean()
    assert table.loc["as_run", "mean_of"] == pytest.approx(means["mean"])
    assert table.loc["reduction=sum", "mean_of"] == pytest.approx(means["sum"])
    assert table["verdict"].to_dict() == {"as_run": YES, "reduction=sum": NO}
    assert set(table["because_of"]) == {"reduction=sum"}
