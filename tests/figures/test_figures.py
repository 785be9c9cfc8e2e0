"""Figures: numbers against plain pandas, pictures that show what they say."""

import json

import numpy as np
import pandas as pd
import pytest

from zipo import figures
from zipo.figures.shared import search, style
from zipo.figures.shared.comparison import select
from zipo.parameters import Parameters

STUDY = {"study": "s", "title": "t", "datasets": {"a": "Data set A", "b": "Data set B"}}


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    """An invented runs table that every figure can be drawn from."""
    rng = np.random.default_rng(6)
    rows = []
    points = [
        ("first_layer,latents", {"encoder": encoder, "residuals": "none"}) for encoder in ("32-8", "256-45-8", "64-8")
    ]
    points += [
        ("depth", {"encoder": encoder, "residuals": r}) for encoder in ("64-8", "64-16-8") for r in ("none", "full")
    ]
    points += [("decoder", {"decoder": decoder}) for decoder in ("linear", "32")]
    points += [
        ("batch_norm", {"batch_norm": b, "activation": a}) for b in ("none", "after") for a in ("sigmoid", "gelu")
    ]
    points += [("alpha_z", {"alpha_z": alpha}) for alpha in (0.0, 0.01, 1e4)]
    points += [("alpha_w", {"alpha_w": alpha}) for alpha in (0.0, 0.1)]
    points += [("likelihood", {"likelihood": "zip"}), ("likelihood", {"likelihood": "zinb"})]
    points += [("likelihood", {"likelihood": "zinb", "rate_penalty": "none"})]
    points += [("methods", {"variant": name}) for name in ("ZiPo", "DCA", "zipDCA")]
    points += [("datasets", {"likelihood": likelihood}) for likelihood in ("zip", "zinb")]
    base = {
        "variant": "",
        "encoder": "64-8", "residuals": "full", "decoder": "linear", "batch_norm": "after", "activation": "sigmoid",
        "alpha_z": 0.1, "alpha_w": 0.1, "likelihood": "zip", "rate_penalty": "entrywise", "alpha_rate": 0.1,
    }  # fmt: skip
    measures = [
        "test_nll", "epochs", "test_mse_rates", "test_mean_zero_probability", "penalty_w_unweighted",
        "pruned_0.001_kept", "pruned_0.001_test_nll", "pruned_0.001_test_mse_rates",
    ]  # fmt: skip
    for experiments, point in points:
        for dataset in ("a", "b") if experiments in ("likelihood", "datasets") else ("a",):
            for seed in (1, 2, 3):
                values = dict(zip(measures, rng.gamma(4, 0.1, len(measures)), strict=True))
                status = "ok"
                if point.get("activation") == "gelu" and point["batch_norm"] == "none" and seed < 3:
                    status, values = "diverged", dict.fromkeys(measures, np.nan)
                    values["epochs"] = 4
                row = base | point | values
                rows.append({"experiments": experiments, "dataset": dataset, "seed": seed, "status": status} | row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    """An invented table of a search's trials; one was pruned, one diverged, one died before it chose anything."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame(
        {
            "dataset": "a",
            "trial": range(12),
            "status": ["ok"] * 9 + ["pruned", "diverged", "failed"],
            "encoder": ["64-8", "64-16-8", "32-8"] * 3 + ["32-8", "64-8", None],
            "validation_nll": rng.permutation(np.linspace(1, 2, 12)),
            "test_nll": rng.gamma(4, 0.1, 12),
            "test_mse_rates": rng.gamma(4, 10, 12),
        }
    )
    table.loc[9:, ["validation_nll", "test_nll", "test_mse_rates"]] = np.nan
    return table


# those with a measure and its mean in each row of their numbers, of experiments that the invented tables have
COMPARING = [f"figure-{number:02}" for number in range(3, 16)]


@pytest.mark.parametrize("name", COMPARING)
def test_every_figure_draws_and_its_numbers_are_pandas(name, runs, trials, tmp_path):
    module = figures.discover()[name]
    tables = {"runs": runs, "trials": trials}
    numbers = module.numbers(tables, STUDY)
    style.write(module.draw(tables, STUDY), numbers, tmp_path / name)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".pdf", ".png", ".tsv"]
    assert (tmp_path / f"{name}.png").stat().st_size > 20_000

    chosen = select(runs, module.experiments[0]) if figures.tables_of(module) == ("runs",) else trials
    chosen = chosen[chosen["status"] == "ok"]
    plain = numbers[~numbers["measure"].isin(["kept"]) & (numbers.get("prune_threshold", 0) == 0)]
    by = [c for c in plain.columns if c in ("dataset", "encoder", "residuals", "decoder", "batch_norm", "activation",
                                            "alpha_z", "alpha_w", "variant")]  # fmt: skip
    if "model" in plain:
        stars = (chosen["likelihood"] == "zinb") & (chosen["rate_penalty"] == "none")
        chosen = chosen.assign(model=chosen["likelihood"].str.upper() + stars.map({True: "*", False: ""}))
        by.append("model")
    assert len(plain) >= 2
    for _, row in plain.iterrows():
        values = chosen.loc[(chosen[by] == row[by]).all(axis=1), row["measure"]]
        assert row["mean"] == pytest.approx(values.mean(), nan_ok=True)
        sem = values.std(ddof=1) / np.sqrt(len(values))
        assert row["sem"] == pytest.approx(sem, nan_ok=True)
        assert row["bar"] == pytest.approx(2.3263478740 / np.sqrt(2) * sem, nan_ok=True)


def test_diverged_runs_are_counted_in_the_picture(runs):
    module = figures.discover()["figure-07"]
    texts = [text.get_text() for ax in module.draw({"runs": runs}, STUDY).axes for text in ax.texts]
    assert texts.count("2 of 6\ndiverged") == 2
    numbers = module.numbers({"runs": runs}, STUDY)
    assert numbers.loc[numbers["measure"] == "test_nll", "diverged"].tolist() == [0, 0, 2, 0]


def test_the_search_shows_what_did_not_end_and_which_trial_is_best(trials):
    module = figures.discover()["figure-14"]
    numbers = module.numbers({"trials": trials}, STUDY)
    nll = numbers[numbers["measure"] == "test_nll"].set_index("encoder")
    assert nll.index.tolist() == ["32-8", "64-8", "64-16-8"]
    assert nll[["trials", "diverged", "pruned"]].to_numpy().tolist() == [[4, 0, 1], [4, 1, 0], [3, 0, 0]]
    axes = module.draw({"trials": trials}, STUDY).axes
    assert [text.get_text() for text in axes[0].texts] == ["1 of 4\npruned", "1 of 4\ndiverged"]
    best = trials.sort_values("validation_nll").iloc[0]
    for ax, measure in zip(axes, ("test_nll", "test_mse_rates"), strict=True):
        (star,) = [line for line in ax.lines if line.get_marker() == "*"]
        assert star.get_ydata()[0] == best[measure]
        assert ax.get_xticklabels()[int(star.get_xdata()[0])].get_text() == best["encoder"]


def test_the_history_of_a_search_falls_to_the_lowest(trials):
    ax = search.draw_history(trials).axes[0]
    (lowest,) = [line for line in ax.lines if line.get_label() == "lowest so far"]
    running = [trials["validation_nll"][: n + 1].min() for n in range(12)]
    assert list(lowest.get_ydata()) == running
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), trials.loc[:8, ["trial", "validation_nll"]])
    ticks = {line.get_label(): list(line.get_xdata()) for line in ax.lines if line.get_marker() == "|"}
    assert ticks == {"pruned": [9], "diverged": [10], "failed": [11]}


def test_importances_are_bars_in_per_cent():
    ax = search.draw_importances({"alpha_z": 0.25, "encoder": 0.7, "alpha_w": 0.05}).axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([5, 25, 70])
    assert [label.get_text() for label in ax.get_yticklabels()] == [r"$\alpha_w$", r"$\alpha_z$", "Encoder"]
    assert "Too few trials" in search.draw_importances({}).axes[0].texts[0].get_text()


def test_error_bars_and_seeds_are_drawn_where_the_numbers_are(runs):
    module = figures.discover()["figure-08"]
    ax = module.draw({"runs": runs}, STUDY).axes[0]
    numbers = module.numbers({"runs": runs}, STUDY).query("measure == 'test_nll'")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.01", "$10^{4}$"]
    assert "Test NLL (nats per entry)" in ax.get_ylabel()
    dots = sorted(y for collection in ax.collections for _, y in collection.get_offsets())
    expected = sorted(select(runs, "alpha_z")["test_nll"])
    np.testing.assert_allclose(dots, expected)
    # a bar and its caps are one line with gaps
    gapped = [line.get_ydata() for line in ax.lines if np.isnan(line.get_ydata()).any()]
    spans = [np.nanmax(heights) - np.nanmin(heights) for heights in gapped]
    np.testing.assert_allclose(sorted(spans), sorted(2 * numbers["bar"]), rtol=1e-6)


@pytest.mark.parametrize(
    ("experiments", "tables", "drawn"),
    [
        ({"alpha_w"}, ["runs"], {"figure-01", "figure-09", "figure-10"}),
        (set(), ["totals"], {"figure-01", "figure-02"}),
        ({"alpha_w"}, ["runs", "trials"], {"figure-01", "figure-09", "figure-10", "figure-14"}),
    ],
)
def test_a_figure_is_drawn_only_where_its_experiments_ran(experiments, tables, drawn):
    the_papers = {f"figure-{number:02}" for number in range(1, 17)}
    assert the_papers & set(figures.drawable(experiments, tables)) == drawn


def test_the_schematic_shows_every_layer_and_head():
    parameters = Parameters(encoder="64-32-8", decoder="16", residuals=1, likelihood="zinb", covariates=("batch",))
    study = STUDY | {"parameters": parameters.model_dump()}
    module = figures.discover()["figure-01"]
    figure = module.draw({}, study)
    texts = [text.get_text() for text in figure.axes[0].texts]
    for expected in ("genes", "64", "32", "8", "16", "latents", "covariates", "library size l\n(16-4-1)"):
        assert expected in texts
    for head in ("zero inflation z", "proportions μ", "dispersion θ"):
        assert f"{head}\n(genes)" in texts
    numbers = module.numbers({}, study)
    assert numbers["neurons"].tolist() == [64, 32, 8, 16, 16, 4]


def test_the_same_numbers_give_the_same_picture(runs, tmp_path):
    module = figures.discover()["figure-08"]
    for name in ("one", "two"):
        style.write(module.draw({"runs": runs}, STUDY), module.numbers({"runs": runs}, STUDY), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_totals_are_described_by_their_quantiles():
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"dataset": name, "of": of, "total": rng.poisson(mean, 200)})
        for name, of, mean in (("a", "cell", 900), ("a", "gene", 2), ("b", "cell", 90), ("b", "gene", 30))
    ]
    tables = {"totals": pd.concat(parts)}
    module = figures.discover()["figure-02"]
    numbers = module.numbers(tables, STUDY).set_index(["of", "dataset"])
    genes = parts[1]["total"].to_numpy()
    assert numbers.loc[("gene", "a"), "zeros"] == (genes == 0).sum() > 0
    assert numbers.loc[("gene", "a"), "q75"] == np.quantile(genes, 0.75)
    assert numbers.loc[("cell", "b"), "median"] == np.median(parts[2]["total"])
    axes = module.draw(tables, STUDY).axes
    assert [label.get_text() for label in axes[0].get_xticklabels()] == ["Data set A", "Data set B"]


def test_weights_kept_without_a_penalty_have_a_panel_of_their_own(runs):
    chosen = runs[runs["experiments"].str.contains("alpha_w")]
    figure = figures.discover()["figure-10"].draw({"runs": chosen}, STUDY)
    curves = [{line.get_label() for line in ax.containers} for ax in figure.axes]
    weights = {style.number(value) for value in chosen["alpha_w"]}
    assert curves == [{"0"}, weights - {"0"}, weights, weights]
    figure = figures.discover()["figure-10"].draw({"runs": chosen[chosen["alpha_w"] > 0]}, STUDY)
    assert len(figure.axes) == 3


def test_latents_are_drawn_by_cell_type_with_their_scores(tmp_path):
    rng = np.random.default_rng(2)
    types = [f"type {i % 23}" for i in range(300)]
    places = [
        pd.DataFrame({"dataset": "a", "model": m, "x": rng.normal(size=300), "y": rng.normal(size=300)}).assign(
            cell_type=pd.Categorical(types)
        )
        for m in ("ZINB", "ZIP")
    ]
    clusters = pd.DataFrame(
        {"dataset": "a", "model": ["ZIP", "ZINB"], "silhouette": [0.1, 0.2], "ari": [0.3, 0.4], "nmi": [0.5, 0.6]}
    )
    second = clusters.assign(silhouette=0.3)  # another seed: means of .2 and .25
    clusters = pd.concat([clusters, second], ignore_index=True)
    tables = {"embeddings": pd.concat(places), "clusters": clusters}
    module = figures.discover()["figure-16"]
    figure = module.draw(tables, STUDY)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[0] == "(a) Data set A: ZIP\nsilhouette 0.20, ARI 0.30, NMI 0.50"
    assert titles[1] == "(b) Data set A: ZINB\nsilhouette 0.25, ARI 0.40, NMI 0.60"
    legend = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert len(legend) == 21
    assert legend[-1] == "others"
    figure.draw_without_rendering()  # the layout; a legend taller than its panel would flatten it
    assert all(ax.get_position().height > 0.6 for ax in figure.axes)


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["full", "none", "10", "2"], ["none", "2", "10", "full"]),
        (["64-16-8", "256-8", "32-8"], ["32-8", "256-8", "64-16-8"]),
        ([1e8, 0.0, 0.1], [0.0, 0.1, 1e8]),
        (["32-64", "linear", "32"], ["linear", "32", "32-64"]),
        (["ZINB*", "ZINB", "ZIP"], ["ZIP", "ZINB", "ZINB*"]),
    ],
)
def test_categories_are_in_the_papers_order(values, order):
    assert sorted(values, key=style.rank) == order


def test_tick_labels_are_short():
    assert [style.number(v) for v in (0.0, 0.01, 10.0, 1e4, 1e-4, 3e5, "x")] == [
        "0", "0.01", "10", "$10^{4}$", "$10^{-4}$", r"$3\cdot10^{5}$", "x",
    ]  # fmt: skip


def test_every_figure_has_what_the_study_asks_of_one():
    for name, module in figures.discover().items():
        assert module.title, name
        assert module.caption.endswith("."), name
        json.dumps(module.caption)
        assert isinstance(module.experiments, tuple), name
        assert callable(module.numbers), name
        assert callable(module.draw), name
