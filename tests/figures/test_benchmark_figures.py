"""Figures of the benchmark from invented tables: what is drawn is what the numbers say."""

import numpy as np
import pandas as pd
import pytest

from zipo import figures
from zipo.benchmark.leaderboard import COLUMNS
from zipo.figures.shared import methods, style

STUDY = {"study": "s", "title": "t", "datasets": {"a": "Data set A", "b": "Data set B"}}
NAMES = ["zipo", "alra", "no_denoising"]
MEASURES = ["poisson_deviance", "false_correlations", "latent_silhouette", "latent_ari", "latent_nmi"]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(4)
    rows = [
        {
            "method": name, "dataset": dataset, "metric": measure, "mean": rng.random(), "n": 1, "seconds": 10.0 ** i,
            "peak_mb": 500.0, "status": "ok", "remark": "control" if name == "no_denoising" else "",
        }
        for dataset in ("a", "b") for measure in MEASURES for i, name in enumerate(NAMES)
    ]  # fmt: skip
    rows.append({"method": "bad", "dataset": "a", "metric": "poisson_deviance", "status": "failed", "remark": ""})
    mean = np.geomspace(0.01, 10, 25)
    zeros = [
        pd.DataFrame({"mean": mean, "observed": np.exp(-mean), "expected": np.exp(-mean) + shift}).assign(
            dataset=dataset, method=name, poisson=np.exp(-mean), nb=1 / (1 + mean)
        )
        for dataset in ("a", "b") for name, shift in (("zipo", 0.01), ("alra", 0.02))
    ]  # fmt: skip
    places = pd.DataFrame({"x": rng.normal(size=60), "y": rng.normal(size=60), "cell_type": ["one", "two", ""] * 20})
    placed = [places.assign(dataset=dataset, method=name) for dataset in ("a", "b") for name in ("zipo", "alra")]
    return {
        "leaderboard": pd.DataFrame(rows).reindex(columns=COLUMNS),
        "zeros": pd.concat(zeros),
        "places": pd.concat(placed),
    }


@pytest.mark.parametrize("name", ["figure-17", "figure-18", "figure-19", "figure-20"])
def test_every_figure_draws_a_panel_for_each_data_set(name, tables, tmp_path):
    module = figures.discover()[name]
    figure = module.draw(tables, STUDY)
    style.write(figure, module.numbers(tables, STUDY), tmp_path / name)
    assert (tmp_path / f"{name}.png").stat().st_size > 20_000
    titles = " ".join(ax.get_title() + ax.get_title(loc="left") for ax in figure.axes)
    assert "Data set A" in titles
    assert "Data set B" in titles
    assert "bad" not in titles


def test_quality_stands_against_time(tables):
    module = figures.discover()["figure-17"]
    table = tables["leaderboard"].query("metric == 'poisson_deviance' and dataset == 'b'").set_index("method")
    ax = module.draw(tables, STUDY).axes[1]
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines if line.get_marker() != "None"]
    assert points == [(table.loc[name, "seconds"], table.loc[name, "mean"]) for name in ("zipo", "alra")]
    (bound,) = [line for line in ax.lines if line.get_marker() == "None"]
    assert set(bound.get_ydata()) == {table.loc["no_denoising", "mean"]}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["zipo (0.5 GB)", "alra (0.5 GB)"]
    assert "bad" not in set(module.numbers(tables, STUDY)["method"])


def test_a_method_far_from_the_rest_is_named_and_does_not_flatten_them(tables):
    means = {"one": 0.21, "two": 0.22, "three": 0.24, "four": 0.3, "no_denoising": 0.31, "broken": 2.4}
    like = tables["leaderboard"].iloc[0].to_dict() | {"metric": "poisson_deviance", "dataset": "a", "remark": ""}
    rows = [like | {"method": name, "mean": mean, "low": mean, "high": mean} for name, mean in means.items()]
    rows[4]["remark"] = "control"
    ax = figures.discover()["figure-17"].draw({"leaderboard": pd.DataFrame(rows)}, STUDY).axes[0]
    assert ax.get_ylim()[1] < 0.4
    assert "beyond: broken 2.40" in [text.get_text() for text in ax.texts]
    assert {line.get_ydata()[0] for line in ax.lines} == {0.21, 0.22, 0.24, 0.3, 0.31}


def test_controls_that_are_close_share_a_label(tables):
    means = {"one": 0.2, "two": 0.5, "gene_mean": 0.300, "no_denoising": 0.301, "shrinkage": 0.4}
    like = tables["leaderboard"].iloc[0].to_dict() | {"metric": "poisson_deviance", "dataset": "a"}
    rows = [
        like | {"method": name, "mean": mean, "remark": "control" if place > 1 else ""}
        for place, (name, mean) in enumerate(means.items())
    ]
    ax = figures.discover()["figure-17"].draw({"leaderboard": pd.DataFrame(rows)}, STUDY).axes[0]
    assert {"gene_mean, no_denoising", "shrinkage"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("name", ["figure-17", "figure-18", "figure-19", "figure-20"])
def test_many_data_sets_are_in_rows_of_few_panels(name, tables):
    """Ten data sets beside each other would make a page wider than any screen."""
    datasets = {f"d{i}": f"Data set {i}" for i in range(10)}
    many = {key: pd.concat([table[table["dataset"] == "a"].assign(dataset=name) for name in datasets])
            for key, table in tables.items()}  # fmt: skip
    figure = figures.discover()[name].draw(many, STUDY | {"datasets": datasets})
    shown = [ax for ax in figure.axes if ax.axison]
    assert len(shown) == 10 * {"figure-17": 1, "figure-18": 2, "figure-19": 1, "figure-20": 2}[name]
    assert figure.get_figwidth() < 20
    legends = [ax for ax in figure.axes if ax.get_legend()]
    assert len(legends) == {"figure-17": 1, "figure-18": 1, "figure-19": 0, "figure-20": 10}[name]


@pytest.mark.parametrize(("index", "letter"), [(0, "(a)"), (25, "(z)"), (26, "(aa)"), (53, "(bb)")])
def test_panels_beyond_the_alphabet_have_two_letters(index, letter):
    _, panels = style.panels(1, (2, 2))
    style.panel_letter(panels[0], index)
    assert panels[0].get_title(loc="left") == letter


def test_expected_zeros_are_drawn_beside_the_observed(tables):
    shares, beyond, *_ = figures.discover()["figure-18"].draw(tables, STUDY).axes
    mean = np.geomspace(0.01, 10, 25)
    drawn = {line.get_label(): line.get_ydata() for line in shares.lines}
    np.testing.assert_allclose(drawn["observed"], np.exp(-mean))
    np.testing.assert_allclose(drawn["negative binomial"], 1 / (1 + mean))
    np.testing.assert_allclose(drawn["alra"], np.exp(-mean) + 0.02)
    above = {line.get_label(): line.get_ydata() for line in beyond.lines}
    np.testing.assert_allclose(above["zipo"], 0.01)


def test_bars_are_in_per_cent_with_the_fewest_false_correlations_on_top(tables):
    ax = figures.discover()["figure-19"].draw(tables, STUDY).axes[0]
    table = tables["leaderboard"].query("metric == 'false_correlations' and dataset == 'a'")
    expected = table.sort_values("mean", ascending=False)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx((100 * expected["mean"]).tolist())
    assert [label.get_text() for label in ax.get_yticklabels()] == expected["method"].tolist()


def test_latents_are_told_by_their_scores_and_types(tables):
    figure = figures.discover()["figure-20"].draw(tables, STUDY)
    score = tables["leaderboard"].set_index(["dataset", "method", "metric"])["mean"]
    expected = ", ".join(
        f"{word} {score['a', 'zipo', metric]:.2f}"
        for word, metric in (("silhouette", "latent_silhouette"), ("ARI", "latent_ari"), ("NMI", "latent_nmi"))
    )
    assert figure.axes[0].get_title(loc="left") == f"Data set A: zipo\n{expected}"
    assert sorted(text.get_text() for text in figure.axes[1].get_legend().get_texts()) == ["one", "two", "unknown"]


def test_methods_keep_their_looks_and_controls_are_grey(tables):
    names = methods.in_order(tables["leaderboard"])
    assert names == ["zipo", "alra", "bad", "no_denoising"]
    look = methods.looks([*names, *(f"m{i}" for i in range(9))], ["no_denoising"])
    assert look["no_denoising"]["color"] == methods.CONTROL
    kinds = {(str(keys["color"]), keys["marker"]) for keys in look.values()}
    assert len(kinds) == len(look)
