"""Figures of the benchmark from invented tables: what is drawn is what the numbers say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from zipo import figures
from zipo.benchmark.leaderboard import COLUMNS
from zipo.figures.shared import methods, style

STUDY = {"study": "s", "title": "t", "datasets": {"a": "Data set A", "b": "Data set B"}}
NAMES = ["zipo", "alra", "no_denoising"]
MEASURES = ["poisson_deviance", "false_correlations", "latent_silhouette", "latent_ari", "latent_nmi"]


@pytest.fixture(autouse=True)
def _close():
    """Figures stay in memory until they are closed."""
    yield
    plt.close("all")


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
    titles = " ".join(ax.get_title() + ax.get_title(loc="left") + ax.get_ylabel() for ax in figure.axes)
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


def repeated(table: pd.DataFrame, column: str, values: list[str]) -> pd.DataFrame:
    """The rows of a table once for each value of a column."""
    return pd.concat([table.assign(**{column: value}) for value in values], ignore_index=True)


@pytest.mark.parametrize("name", ["figure-17", "figure-18", "figure-19", "figure-20"])
def test_many_data_sets_are_in_rows_of_few_panels(name, tables):
    """Ten data sets beside each other would make a page wider than any screen."""
    datasets = {f"d{i}": f"Data set {i}" for i in range(10)}
    many = {key: repeated(table[table["dataset"] == "a"], "dataset", list(datasets)) for key, table in tables.items()}
    figure = figures.discover()[name].draw(many, STUDY | {"datasets": datasets})
    shown = [ax for ax in figure.axes if ax.axison and ax.get_label() != "<colorbar>"]
    assert len(shown) == 10 * {"figure-17": 1, "figure-18": 1, "figure-19": 1, "figure-20": 2}[name]
    assert figure.get_figwidth() < 20
    legends = [ax for ax in figure.axes if ax.get_legend()]
    assert len(legends) == {"figure-17": 1, "figure-18": 0, "figure-19": 0, "figure-20": 10}[name]


@pytest.mark.parametrize("name", ["figure-18", "figure-20"])
def test_a_page_holds_twelve_data_sets_and_twenty_four_methods(name, tables):
    datasets = {f"d{i}": f"Data set {i}" for i in range(12)}
    rows = {key: table[(table["dataset"] == "a") & (table["method"] == "zipo")] for key, table in tables.items()}
    many = {
        key: repeated(repeated(table, "dataset", list(datasets)), "method", [f"m{i}" for i in range(24)])
        for key, table in rows.items()
    }
    width, height = figures.discover()[name].draw(many, STUDY | {"datasets": datasets}).get_size_inches()
    assert width < 23
    assert height < 16


@pytest.mark.parametrize(("index", "letter"), [(0, "(a)"), (25, "(z)"), (26, "(aa)"), (53, "(bb)")])
def test_panels_beyond_the_alphabet_have_two_letters(index, letter):
    _, panels = style.panels(1, (2, 2))
    style.panel_letter(panels[0], index)
    assert panels[0].get_title(loc="left") == letter


def test_expected_zeros_are_drawn_as_differences_from_the_observed(tables):
    figure = figures.discover()["figure-18"].draw(tables, STUDY)
    ax = figure.axes[0]
    mean = np.geomspace(0.01, 10, 25)
    (mesh,) = ax.collections
    methods = [label.get_text() for label in ax.get_yticklabels()]
    assert methods == ["zipo", "alra", "Poisson", "negative binomial"]
    expected = [np.full(25, 1.0), np.full(25, 2.0), np.zeros(25), 100 * (1 / (1 + mean) - np.exp(-mean))]
    np.testing.assert_allclose(mesh.get_array().reshape(4, 25), expected, atol=1e-9)
    assert [text.get_text() for text in ax.texts if text.get_text()[0].isdigit()] == [
        f"{np.abs(row).mean():.1f}" for row in expected
    ]
    # at the ticks are genes of these means, a group in 25 each 1/8 of a power of ten
    places = {label.get_text(): place for place, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)}
    assert {text: place - 0.5 for text, place in places.items()} == pytest.approx(
        {"0.01": 0, "0.1": 8, "1": 16, "10": 24, "0.03": 8 * np.log10(3), "0.3": 8 + 8 * np.log10(3),
         "3": 16 + 8 * np.log10(3)}
    )  # fmt: skip
    (above,) = ax.child_axes
    assert above.get_xticklabels()[0].get_text() == f"{np.exp(-0.01):.0%}"
    assert figure.axes[-1].get_ylabel() == "Expected less observed zeros\n(percentage points)"


def test_zeros_of_a_method_without_a_result_are_left_open_and_controls_stand_below(tables):
    zeros = pd.concat(
        [tables["zeros"], tables["zeros"].query("dataset == 'b' and method == 'zipo'").assign(method="no_denoising")]
    )
    first, second, *_ = figures.discover()["figure-18"].draw(tables | {"zeros": zeros}, STUDY).axes
    assert [label.get_text() for label in first.get_yticklabels()][:3] == ["zipo", "alra", "no_denoising"]
    for ax, empty in ((first, True), (second, False)):
        (mesh,) = ax.collections
        assert np.ma.getmaskarray(mesh.get_array()).reshape(5, 25)[2].all() == empty


def test_bars_are_in_per_cent_with_the_fewest_false_correlations_on_top(tables):
    ax = figures.discover()["figure-19"].draw(tables, STUDY).axes[0]
    table = tables["leaderboard"].query("metric == 'false_correlations' and dataset == 'a'")
    expected = table.sort_values("mean", ascending=False)
    assert [bar.get_width() for bar in ax.patches] == pytest.approx((100 * expected["mean"]).tolist())
    assert [label.get_text() for label in ax.get_yticklabels()] == expected["method"].tolist()


def test_latents_are_in_the_order_of_their_ari_with_scores_above_and_types_beside(tables):
    scores = {  # ARI, NMI and silhouette
        ("a", "zipo"): (0.31, 0.52, -0.13), ("a", "alra"): (0.44, 0.51, 0.24),
        ("b", "zipo"): (0.35, 0.56, 0.17), ("b", "alra"): (0.48, 1.0, 0.171),
    }  # fmt: skip
    measures = ("latent_ari", "latent_nmi", "latent_silhouette")
    rows = [
        {"dataset": dataset, "method": method, "metric": measure, "mean": mean, "status": "ok"}
        for (dataset, method), means in scores.items() for measure, mean in zip(measures, means, strict=True)
    ]  # fmt: skip
    board = pd.DataFrame(rows).reindex(columns=COLUMNS)
    axes = figures.discover()["figure-20"].draw(tables | {"leaderboard": board}, STUDY).axes
    texts = [{text.get_text(): text.get_weight() == "bold" for text in ax.texts} for ax in axes]
    assert texts == [
        {"alra": False, "ARI, NMI, sil.": False, ".44": True, ".51": False, ".24": True},
        {"zipo": False, ".31": False, ".52": True, "-.13": False},
        {".48": True, "1.00": True, ".17": True},
        {".35": False, ".56": False, ".17": True},  # equal as far as it is written
    ]
    x, y = axes[1].collections[0].get_offsets().T
    cells = tables["places"].query("dataset == 'a' and method == 'zipo'")
    np.testing.assert_allclose([x, y], [cells["x"], cells["y"]])
    assert (axes[0].get_ylabel(), axes[2].get_ylabel()) == ("Data set A", "Data set B")
    assert sorted(text.get_text() for text in axes[1].get_legend().get_texts()) == ["one", "two", "unknown"]


def test_cell_types_beyond_those_that_fit_are_counted(tables):
    types = [f"type {i}" for i in range(60)]
    places = tables["places"].assign(cell_type=np.tile(types, 4))
    legend = figures.discover()["figure-20"].draw(tables | {"places": places}, STUDY).axes[1].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    shown = len(texts) - 1
    assert texts[-1] == f"and {21 - shown} more"  # twenty types have a colour of their own, and the others one


def test_methods_keep_their_looks_and_controls_are_grey(tables):
    names = methods.in_order(tables["leaderboard"])
    assert names == ["zipo", "alra", "bad", "no_denoising"]
    look = methods.looks([*names, *(f"m{i}" for i in range(9))], ["no_denoising"])
    assert look["no_denoising"]["color"] == methods.CONTROL
    kinds = {(str(keys["color"]), keys["marker"]) for keys in look.values()}
    assert len(kinds) == len(look)
