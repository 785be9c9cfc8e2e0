"""The site's pages on the study name every key of its files and every entry of its catalogues."""

import re
from pathlib import Path

import study
import yaml

from zipo.study.claims.kinds import discover
from zipo.study.config import StudyFile

CONFIG = Path(__file__).parents[2] / "config"


def entries(name: str) -> dict:
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text())


def row(text: str, key: str) -> list[str]:
    """The cells of the first row that begins with a key."""
    return text.split(f"   * - ``{key}``\n")[1].split("   * - ")[0].replace("     - ", "").splitlines()


def test_every_key_of_a_study_is_listed_with_default_bounds_and_meaning():
    (own,) = re.findall(r"^A study\n-+\n(.*?)^~+$", study.keys(), re.M | re.S)
    assert set(re.findall(r"\* - ``(\w+)``", own)) == set(StudyFile.model_fields)
    assert row(own, "seeds")[:2] == ["``12``", "whole number ≥ 1"]
    assert row(own, "study")[0] == "required"
    assert row(own, "parameters")[1] == ":doc:`hyper-parameters <parameters>`"
    assert row(own, "device")[:2] == ["``auto``", "``auto``, ``cpu``, ``cuda``"]


def test_sections_within_are_listed_by_their_places():
    headings = re.findall(r"^(\S.*)\n~+$", study.keys(), re.M)
    assert {"experiments.NAME", "readings", "benchmark.methods.NAME", "tuning", "NAME.source, geo"} <= set(headings)
    assert {f"NAME, {kind}" for kind in discover()} <= set(headings)
    points = row(study.keys().split("\nexperiments.NAME\n")[1], "points")
    assert points[1] == "a list of: :doc:`hyper-parameters and a name <parameters>`"


def test_the_catalogue_has_every_entry():
    assert re.findall(r"\* - ``(\w+)``", study.experiments()) == list(entries("experiments"))
    assert set(re.findall(r"\* - ``(\w+)``", study.claims())) == set(entries("claims"))
    assert re.findall(r"\* - ``(\w+)``", study.readings()) == list(entries("readings"))


def test_a_claim_says_what_decides_it():
    _, data, decided = row(study.claims(), "first_layer_wide_beats_narrow")[:3]
    assert data == "liver, rosmap"
    assert decided.startswith("*difference*: ``experiment: first_layer, measure: test_nll, of: {first_layer: largest}")
    assert "smallest_effect: {relative: 0.005}" in decided


def test_findings_are_linked_where_there_are_any(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "PUBLISHED", tmp_path / "index.md")
    assert "No study is published" in study.findings()
    (tmp_path / "index.md").touch()
    assert ":doc:`findings/index`" in study.findings()
