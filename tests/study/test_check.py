"""A study checked without Snakemake: what it would run, or a sentence where Snakemake's reader has a traceback."""

from pathlib import Path

import pytest

from zipo.shared.errors import InputError
from zipo.study.check import check

CONFIG = Path(__file__).parents[2] / "config"
STUDY = """
study: mine
title: Mine
datasets: {simulated: {}}
default_dataset: simulated
seeds: 2
parameters: {encoder: 1024-64-16}
experiments:
  alpha_z: {grid: {alpha_z: [0.1, 1]}}
"""


def test_what_a_study_would_run_is_counted(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(STUDY.replace("1024-64-16", '"1024-64-16"'))
    counts = "data sets: 1, settings: 2, runs: 10"
    assert check([file], ["seeds=5"]) == f"{file}, --config: good; {counts}"
    # the demo's twelve trials and eight rows, and the settings that its experiments share trained once
    assert check([CONFIG / "demo.yaml"], []).endswith("trials: 12, methods compared: 8")


def test_what_a_study_leaves_out_is_said_and_nothing_but_that_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN", raising=False)
    file = tmp_path / "mine.yaml"
    text = STUDY.replace("1024-64-16", '"1024-64-16"').replace("datasets: {", "datasets: {rosmap: {}, ")
    file.write_text(text)
    left_out = "Left out: rosmap, since access is controlled and SYNAPSE_AUTH_TOKEN is not set."
    assert check([file], []) == f"{file}: good; data sets: 1, settings: 2, runs: 4. {left_out}"
    file.write_text(
        text.replace(", simulated: {}", "").replace("default_dataset: simulated", "default_dataset: rosmap")
    )
    with pytest.raises(
        InputError, match=r"mine\.yaml: datasets: none of rosmap can be had, .*; set SYNAPSE_AUTH_TOKEN, or"
    ):
        check([file], [])
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "a token")
    assert check([file], []) == f"{file}: good; data sets: 1, settings: 2, runs: 4"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "",
            "",
            r"Snakemake cannot read it \(month must be in 1\.\.12\); put text .* 1024-64-16, in quotes",
        ),
        ("Mine", "Z\xfcrich", r"line 3: not UTF-8 \(byte 0xfc\); save the file as UTF-8"),
        ("  alpha_z", "\talpha_z", r"not valid YAML: line 9: a tab, where YAML is indented by spaces alone"),
        ("seeds: 2", "seedz: 2", r"seedz: unknown key 'seedz'; did you mean 'seeds'\?"),
    ],
)
def test_what_will_not_do_is_named_by_file(tmp_path, old, new, problem):
    file = tmp_path / "mine.yaml"
    file.write_bytes(STUDY.replace(old, new).encode("latin-1"))
    with pytest.raises(InputError, match=rf"mine\.yaml: {problem}"):
        check([file], [])
