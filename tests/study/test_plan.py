"""The plan of a study: what it makes, its files and the needs of its jobs, without Snakemake."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zipo.shared.errors import InputError
from zipo.study import facts, resources
from zipo.study.benchmark_plan import files_of_runs, runs_as_json
from zipo.study.config import load
from zipo.study.layers import layers
from zipo.study.plan import Plan

ROOT = Path(__file__).parents[2]
TINY = {
    "study": "tiny",
    "title": "Tiny",
    "datasets": {"simulated": {}, "baron": {}},
    "default_dataset": "simulated",
    "seeds": 3,
    "seeds_per_job": 2,
    "experiments": {"alpha_z": {"grid": {"alpha_z": [0.1, 1]}}},
}


def planned(**changes: Any) -> Plan:
    return Plan.of(load(TINY | changes, "s.yaml", ROOT / "config"), ROOT)


def of_config(name: str) -> Plan:
    """The plan of a file in config/."""
    configuration = layers([ROOT / "config" / f"{name}.yaml"])
    return Plan.of(load(configuration.values, configuration.place_of, ROOT / "config"), ROOT)


def test_runs_are_trained_in_blocks_of_seeds():
    plan = planned()
    assert [sorted(plan.blocks(name)) for name in plan.settings] == [["1-2", "3"]] * 2
    first, second = plan.settings
    assert plan.row_files == [
        f"results/tiny/runs/{name}/seeds-{block}.json" for name in (first, second) for block in ("1-2", "3")
    ]
    assert plan.data_files == ["results/tiny/data/simulated.h5ad", "results/tiny/data/baron.h5ad"]


def test_tables_follow_from_what_a_study_runs():
    assert planned().tables == ["runs", "totals"]
    assert planned(experiments={"latent_space": {}}).tables == ["runs", "embeddings", "clusters", "totals"]
    assert planned(experiments={}, benchmark={}).tables == ["totals", "leaderboard", "zeros", "places"]
    searching = planned(tuning={"trials": 5, "workers": 2})
    assert searching.tables == ["runs", "totals", "trials"]
    assert searching.claim_tables == [f"results/tiny/{name}.parquet" for name in ("runs", "totals", "trials")]
    assert of_config("demo").tables == [
        *("runs", "embeddings", "clusters", "totals", "trials", "leaderboard", "zeros", "places")
    ]


def test_readings_add_settings_a_table_and_a_page():
    plan = planned(readings={"questions": ["reduction"], "experiments": {"alpha_z": {}}})
    assert plan.tables == ["runs", "totals", "readings"]
    assert [len(setting.seeds) for setting in plan.settings.values()] == [3] * 4
    assert {setting.parameters.reduction for setting in plan.settings.values()} == {"mean", "sum"}
    assert plan.readings_files == ["results/tiny/readings.tsv", "results/tiny/readings.html"]
    assert "results/tiny/readings.html" in plan.report_files
    assert "figure-21" in plan.figures
    assert plan.inputs_of_target("readings") == ["results/tiny/runs.parquet"]
    assert "figure-22" not in plan.figures
    widths = planned(readings={"questions": [], "widths": [0.5], "experiments": {"alpha_z": {}}})
    assert (widths.tables, len(widths.settings)) == (["runs", "totals", "readings", "scale"], 4)
    assert "figure-22" in widths.figures
    without = planned()
    assert (without.readings_files, "figure-21" in without.figures) == ([], False)
    with pytest.raises(InputError, match="readings: the study tiny has no readings, so there is none"):
        without.inputs_of_target("readings")


def test_the_study_of_verdicts_runs_all_to_their_ends_and_trains_what_is_shared_once():
    plan = of_config("verdicts")
    assert {setting.parameters.max_epochs for setting in plan.settings.values()} == {1000}
    assert {tuple(setting.seeds) for setting in plan.settings.values()} == {tuple(range(1, 13))}
    of_readings = [setting for setting in plan.settings.values() if setting.experiments == ["readings"]]
    own = [setting for setting in plan.settings.values() if setting.experiments != ["readings"]]
    # every setting that is repeated under readings is, as the study reads the paper, one of its experiments' own
    assert all(setting.experiments[0] != "readings" for setting in own)
    assert len(of_readings) < len(plan.settings)
    assert len([setting for setting in own if "readings" in setting.experiments]) == 17


def test_figures_are_those_that_experiments_and_tables_allow():
    drawn = set(planned().figures)
    assert {"figure-01", "figure-02", "figure-08"} <= drawn
    assert not {"figure-14", "figure-16", "figure-17"} & drawn  # of trials, latents and scores, which it has none of
    assert "figure-14" in planned(tuning={}).figures
    assert "figure-16" in planned(experiments={"latent_space": {}}).figures
    assert planned().files_of_figure("figure-08") == [
        f"results/tiny/figures/figure-08.{kind}" for kind in ("png", "pdf", "tsv", "html")
    ]
    assert len(planned().figure_files) == 4 * len(drawn)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (
            "figure-16",
            r"figure-16: the study tiny has no experiment latent_space, from which it is drawn; its figures are "
            r"figure-01, figure-02, figure-08",
        ),
        ("figure-14", r"figure-14: the study tiny has no table trials, from which it is drawn; its figures are"),
        ("leaderboard", "leaderboard: the study tiny has no benchmark, so there is none$"),
    ],
)
def test_a_target_that_a_study_does_not_make_is_refused(target, problem):
    with pytest.raises(InputError, match=problem):
        planned().inputs_of_target(target)


def test_a_study_of_methods_alone_has_neither_runs_nor_claims():
    plan = planned(experiments={}, benchmark={"methods": {"pca": {}}, "reference": "pca"})
    assert plan.runs_files == plan.claims_files == plan.tuning_files == []
    for target in ("runs", "claims"):
        with pytest.raises(InputError, match=f"{target}: the study tiny has no experiments, so there is none"):
            plan.inputs_of_target(target)
    assert plan.inputs_of_target("leaderboard") == ["results/tiny/scores.parquet"]
    assert list(plan.pages) == ["table-1", "open-questions"]
    assert planned().inputs_of_target("runs") == ["results/tiny/runs.parquet", "results/tiny/runs.tsv"]
    assert list(planned(tuning={}).pages) == ["table-1", "open-questions", "provenance", "tuning"]


def test_latents_are_looked_at_where_an_experiment_says_so():
    assert planned().latent_pairs == []
    plan = planned(experiments={"latent_space": {"datasets": ["baron"]}})
    assert plan.latent_pairs == [
        ("results/tiny/data/baron.h5ad", f"results/tiny/runs/{name}/latents-{block}.npz")
        for name in plan.settings
        for block in ("1-2", "3")
    ]


def test_an_attempt_asks_for_twice_as_much_as_the_one_before_up_to_four_times():
    plan = planned(device="cpu")
    (setting, _) = plan.settings.values()
    size = resources.size_of(plan.study.datasets["simulated"], Path("nowhere"))
    once = resources.minutes(size, setting.parameters, 3, gpu=False, threads=1)
    assert [plan.minutes([setting], 3, attempt) for attempt in (1, 2, 3, 4)] == [once, 2 * once, 4 * once, 4 * once]
    least = max(2000, resources.memory_mb(size, setting.parameters, gpu=False))
    assert [plan.memory_mb([setting], attempt) for attempt in (1, 2, 3, 4)] == [least, 2 * least, 4 * least, 4 * least]
    assert planned(device="cpu", max_minutes=once + 1).minutes([setting], 3, 2) == once + 1


def test_a_worker_of_the_search_asks_for_what_the_largest_encoder_needs():
    plan = planned(device="cpu", tuning={"trials": 5, "workers": 2, "encoders": ["8-4", "2048-1024"]})
    assert plan.trials_of_worker == 3
    small, large = plan.searched_settings
    assert (small.parameters.encoder, large.parameters.encoder) == ("8-4", "2048-1024")
    assert plan.minutes([small, large], 3, 1) == plan.minutes([large], 3, 1) > plan.minutes([small], 3, 1)
    assert plan.memory_mb([small, large], 1) == plan.memory_mb([large], 1)


def test_a_run_of_a_method_has_its_files():
    methods = {"gene_mean": {}, "pca": {}, "oracle": {}}
    plan = planned(benchmark={"methods": methods, "reference": "pca", "splits": 1, "seeds": 2}).benchmark
    # the oracle needs the truth, which baron has not
    assert plan.comparisons == [
        *(("gene_mean", "simulated"), ("gene_mean", "baron"), ("pca", "simulated"), ("pca", "baron")),
        ("oracle", "simulated"),
    ]
    first, *_, last = plan.runs("pca", "baron")
    folder = "results/tiny/benchmark"
    assert json.loads(runs_as_json([first])) == [
        {
            "method": "pca",
            "dataset": "baron",
            "folder": f"{folder}/runs/pca/baron/split-1-seed-1",
            "counts": f"{folder}/data/baron/split-1.h5ad",
            "held_out": f"{folder}/data/baron/held-out-split-1.npz",
            "kind": "split",
            "share": 0.9,
            "split": 1,
            "seed": 1,
        }
    ]
    assert files_of_runs([first, last]) == [
        f"{folder}/data/baron/held-out-split-1.npz",
        f"{folder}/data/baron/permuted-1.h5ad",
        f"{folder}/data/baron/split-1.h5ad",
        f"{folder}/runs/pca/baron/permuted-1-seed-1/result.json",
        f"{folder}/runs/pca/baron/split-1-seed-1/result.json",
    ]
    assert [run.folder for run in plan.first_runs] == [
        f"{folder}/runs/{row}/{dataset}/split-1-seed-1" for row, dataset in plan.comparisons
    ]


def test_shallow_counts_have_a_tenth_of_the_molecules_and_the_others_held_out():
    benchmark = {"methods": {"pca": {}}, "reference": "pca", "splits": 1, "permuted": 0, "shallow": ["baron"]}
    plan = planned(benchmark=benchmark | {"other_donors": {"baron": "simulated"}}).benchmark
    split, shallow = plan.runs("pca", "baron")
    assert (split.share, shallow.share) == (0.9, 0.1)
    assert shallow.held_out == "results/tiny/benchmark/data/baron/held-out-shallow-1.npz"
    assert [run.kind for run in plan.runs("pca", "simulated")] == ["split"]
    assert plan.other_donors("baron") == ["results/tiny/data/simulated.h5ad"]
    assert plan.other_donors("simulated") == []


@pytest.mark.parametrize(
    ("key", "given"),
    [("shallow", ["elsewhere"]), ("rare", {"elsewhere": "b"}), ("other_donors", {"baron": "elsewhere"})],
)
def test_a_check_on_a_data_set_that_the_study_lacks_is_refused(key, given):
    with pytest.raises(InputError, match=f"benchmark.{key}: 'elsewhere' is not in .*; there are simulated, baron"):
        planned(benchmark={"methods": {"zipo": {}}, key: given})


def test_other_donors_that_are_left_out_are_compared_with_none():
    datasets = {"simulated": {}, "baron": {}, "rosmap": {}}
    methods = {"methods": {"pca": {}}, "reference": "pca"}
    plan = planned(
        datasets=datasets, benchmark=methods | {"other_donors": {"simulated": "rosmap", "baron": "simulated"}}
    )
    assert plan.benchmark.other_donors("simulated") == []
    assert plan.benchmark.other_donors("baron") == ["results/tiny/data/simulated.h5ad"]


def test_facts_are_what_the_commands_take():
    plan = of_config("demo")
    claims = json.loads(facts.ClaimFacts.of(plan.study).as_json())
    assert claims["experiments"]["alpha_z"]["datasets"] == plan.study.datasets_of("alpha_z")
    assert claims["experiments"]["alpha_z"]["base"]["encoder"] == plan.study.file.parameters.encoder
    leaderboard = json.loads(
        facts.LeaderboardFacts.of(plan.study, plan.benchmark.benchmark, plan.benchmark.rows).as_json()
    )
    assert leaderboard["controls"] == ["no_denoising", "gene_mean", "shrinkage"]
    assert leaderboard["rows"]["pca"]["parameters"] == "defaults"
    assert json.loads(facts.FigureFacts.of(plan.study).as_json())["datasets"] == {
        name: dataset.title for name, dataset in plan.study.datasets.items()
    }


def test_planning_loads_no_package_that_takes_long():
    code = (
        "import sys; from zipo.study.plan import Plan; from zipo.study.config import load;"
        "from zipo.study import facts; from zipo.study.layers import layers; from pathlib import Path;"
        "configuration = layers([Path('config/paper.yaml')]);"
        "plan = Plan.of(load(configuration.values, configuration.place_of, Path('config')), Path());"
        "plan.figure_files, plan.pages, plan.row_files, plan.memory_mb(plan.searched_settings, 1);"
        "facts.ClaimFacts.of(plan.study);"
        "print(sorted({'torch', 'scanpy', 'anndata', 'seaborn', 'matplotlib', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
