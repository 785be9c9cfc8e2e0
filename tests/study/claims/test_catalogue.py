"""The catalogue of claims, their page, and the errors of a claim that will not do."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.study.claims.invented import HIGH, LESS, NOISE, STUDY, claims, runs
from zipo.shared.errors import InputError
from zipo.study.claims.catalogue import load_claims
from zipo.study.claims.kinds import discover
from zipo.study.claims.page import write_page
from zipo.study.claims.verdicts import COLUMNS, VERDICTS, decide
from zipo.study.config import load
from zipo.study.settings import base_settings

CONFIG = Path(__file__).parents[3] / "config"
NO_TOTALS = pd.DataFrame({"dataset": [], "of": [], "total": []})


@pytest.fixture(scope="module")
def demo() -> dict:
    study = load(yaml.safe_load((CONFIG / "demo.yaml").read_text()), "demo.yaml", CONFIG)
    experiments = {
        name: {"datasets": study.datasets_of(name), "base": base} for name, base in base_settings(study).items()
    }
    return {"title": study.file.title, "experiments": experiments, "left_out": study.left_out}


def test_the_papers_claims_cover_its_figures(demo):
    catalogue = load_claims(CONFIG / "claims.yaml")
    assert {claim.figure for claim in catalogue.values()} == {None, *range(2, 17)}
    assert demo["experiments"]["first_layer"]["base"]["residuals"] == "none"
    assert demo["experiments"]["first_layer"]["base"]["first_layer"] == 256
    nothing = pd.DataFrame({"experiments": [], "dataset": []})
    table = decide({"runs": nothing, "totals": NO_TOTALS}, demo, catalogue)
    assert set(table["id"]) == set(catalogue)
    assert (table["verdict"] == "not run").all()
    assert list(table.columns) == COLUMNS


def test_a_new_claim_is_one_entry(tmp_path):
    file = tmp_path / "claims.yaml"
    text = (CONFIG / "claims.yaml").read_text()
    file.write_text(text + yaml.safe_dump({"a_new_one": LESS | {"claim": "A new one."}}))
    tables = {"runs": runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) - 0.3 + NOISE)}), "totals": NO_TOTALS}
    table = decide(tables, STUDY, load_claims(file))
    new = table.set_index("id").loc["a_new_one"]
    assert (new["claim"], new["effect"]) == ("A new one.", pytest.approx(-0.3))


def test_the_page_shows_every_claim_with_its_verdict(tmp_path):
    entries = claims(
        won=LESS, lost=LESS | {"direction": "greater", "data": ["b"]}, absent=LESS | {"experiment": "<none>"},
        open=LESS | {"smallest_effect": {"absolute": 9}, "than": {"alpha_z": 10}, "figure": None},
    )  # fmt: skip
    table = decide(
        {"runs": runs(**{"a0.1": HIGH, "a1": list(np.array(HIGH) - 0.3 + NOISE), "a10": HIGH[::-1]})}, STUDY, entries
    )
    target = tmp_path / "claims.html"
    write_page(table, "A study & more", target)
    page = target.read_text()
    counted = [
        page.count(f" {word}</span>") - (word == "reproduced") * page.count("not reproduced</span>")
        for word in VERDICTS
    ]
    assert counted == [(table["verdict"] == word).sum() for word in VERDICTS]
    assert "A study &amp; more" in page
    assert "&lt;none&gt;" in page
    assert page.count("<h2 id=") == 2
    assert page.count("<td>(a)</td>") == 1
    assert "http" not in page
    assert [file.name for file in tmp_path.iterdir()] == ["claims.html"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            {"measure": "test_nil"},
            r"c\.yaml: it\.difference\.measure: 'test_nil' will not do: .*did you mean 'test_nll'",
        ),
        ({"of": {"alfa_z": 1}}, r"it\.difference\.of: .*unknown column 'alfa_z'; did you mean 'alpha_z'"),
        ({"direcshun": "less"}, r"it\.difference\.direcshun: unknown key 'direcshun'; did you mean 'direction'"),
        ({"direction": "smaller"}, r"it\.difference\.direction: 'smaller' will not do: .*'less' or 'greater'"),
        (
            {"kind": "diference"},
            r"c\.yaml: it: .*: " + ", ".join(map(repr, discover())),
        ),
        ({"smallest_effect": {}}, r"it\.difference\.smallest_effect: .*either relative or absolute"),
        ({"than_measure": "epochs"}, r"it\.difference: .*give than or than_measure, and not both"),
    ],
)
def test_a_claim_that_will_not_do_is_refused(tmp_path, change, problem):
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump({"it": LESS | change}))
    with pytest.raises(InputError, match=problem):
        load_claims(file)


TRIALS = {
    "section": "III-H", "claim": "c", "data": ["a"], "kind": "trials", "measure": "test_nll",
    "of": {"depth": "largest"}, "direction": "less", "smallest_effect": {"relative": 0.01},
}  # fmt: skip
TOTALS = {
    "section": "II-F", "claim": "c", "data": ["a"], "kind": "distribution", "totals": "cell",
    "statistic": "low_outliers", "direction": "greater", "bound": 0.5,
}  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            TRIALS | {"of": {"variant": "ZiPo"}},
            r"c\.yaml: it\.trials\.of: .*unknown column 'variant'; known are encoder",
        ),
        (TRIALS | {"of": {"alpha_z": "base"}}, r"it\.trials\.of: .*a search has no base setting; expected a value"),
        (TRIALS | {"of": {}}, r"it\.trials\.of: .*expected at least one"),
        (TRIALS | {"measure": "ari"}, r"it\.trials\.measure: 'ari' will not do: .*'validation_nll'"),
        (TRIALS | {"experiment": "depth"}, r"it\.trials\.experiment: unknown key 'experiment'; .*known keys are claim"),
        (TOTALS | {"within": {"at_least": 3}}, r"it\.distribution: .*expected within.* and with no other"),
        (TOTALS | {"statistic": "share_within"}, r"it\.distribution: .*expected within, the totals to count"),
        (TOTALS | {"totals": "run"}, r"it\.distribution\.totals: 'run' will not do: .*'cell' or 'gene'"),
        (LESS | {"kind": "spread", "bound": 1}, r"it\.spread\.bound: unknown key 'bound'"),
    ],
)
def test_a_claim_on_another_table_that_will_not_do_is_refused(tmp_path, entry, problem):
    file = tmp_path / "c.yaml"
    file.write_text(yaml.safe_dump({"it": entry}))
    with pytest.raises(InputError, match=problem):
        load_claims(file)
