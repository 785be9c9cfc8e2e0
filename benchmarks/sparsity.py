"""When the penalty leaves few weights in the first layer: tables and the figure of docs/sparsity.md.

    python benchmarks/sparsity.py                      # from the tables in docs/sparsity/, in seconds
    python benchmarks/sparsity.py results/sparsity     # these first, from the study config/sparsity.yaml

The study gives a row for each training. What a weight does of which the likelihood does not care is simulated: Adam on
a gradient that is the penalty's, of one size and towards zero, and noise.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from page_tables import rows, with_tables

from zipo.shared.tables import write_tsv

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "sparsity.md"
FIGURE = DOCS / "sparsity" / "kept.png"
RUNS = DOCS / "sparsity" / "runs.tsv"
GRADIENTS = DOCS / "sparsity" / "gradients.tsv"
SIZES = DOCS / "sparsity" / "sizes.tsv"
THRESHOLDS = ("1e-06", "1e-05", "0.0001", "0.001", "0.01", "0.1")
PAPER = {"alpha_w": 0.1, "reduction": "mean", "input": "log1p", "batch_size": 64}
PAPER |= {"learning_rate_floor": 0.001, "plateau_factor": 0.1}
"""What the settings vary, as the centre has it."""
VARIED = tuple(PAPER)
PAPER_CELLS, PAPER_BATCH, PAPER_KEPT, PAPER_THRESHOLD = 68_100, 256, 0.02, 1e-4
LARGEST = 10.0  # a neuron's largest weight, as measured
CUT = 10.0  # by which the plateau rule divides the learning rate
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, as in zipo.engine.optimizer


def trained(results: Path) -> pd.DataFrame:
    """The rows of all trainings of a study, in full, with the learning rate of the best epoch, `rate`."""
    runs = [run for file in sorted(results.glob("runs/*/seeds-*.json")) for run in json.loads(file.read_text())]
    rates = [run["history"][max(run["row"]["best_epoch"], 1) - 1]["learning_rate"] for run in runs]
    return pd.DataFrame([run["row"] for run in runs]).assign(rate=rates)


def collected(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each training: what was varied, how far it went, the shares kept and the losses.

    `steps` are those until the weights that are kept, those of the best epoch, and `rate` is the learning rate there.
    """
    kept = {f"pruned_{threshold}_kept": f"kept_{threshold}" for threshold in THRESHOLDS}
    nll = {"test_nll": "nll", "pruned_0.0001_test_nll": "nll_pruned"}
    steps = runs["best_epoch"] * np.ceil(runs["training_cells"] / runs["batch_size"]).astype(int)
    table = runs[["dataset", *VARIED, "seed", "training_cells", "genes", "first_layer", "epochs", "stopped_by"]]
    table = table.assign(steps=steps).join(runs[[*kept, *nll]].rename(columns=kept | nll).round(5))
    return table.assign(rate=runs["rate"]).sort_values(["dataset", *VARIED, "seed"], ignore_index=True)


def settings(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The trainings of each setting with its name: what it has in another way than the paper's on Baron."""
    named = []
    for key, part in table.groupby(["dataset", *VARIED], sort=False):
        values = dict(zip(VARIED, key[1:], strict=True))
        words = {
            "alpha_w": f"penalty {values['alpha_w']:g}",
            "reduction": f"{values['reduction']} over genes",
            "input": "normalised input",
            "batch_size": f"batches of {values['batch_size']}",
            "learning_rate_floor": f"rate to {values['learning_rate_floor']:g} at once",
            "plateau_factor": "rate never cut",
        }
        others = [words[name] for name in VARIED if values[name] != PAPER[name]]
        if key[0] != "baron":
            others.insert(0, f"{part['training_cells'].iloc[0]:,} cells of {key[0]}")
        named.append((", ".join(others) or "as in the paper", part))
    rank = {name: (name != "as in the paper", part["dataset"].iloc[0]) for name, part in named}
    return sorted(named, key=lambda one: rank[one[0]])


def trainings(table: pd.DataFrame) -> str:
    """For each setting how far it trained, what it kept, and its loss before and after pruning: means over seeds."""
    body = []
    for name, part in settings(table):
        kept = [f"{100 * part[f'kept_{threshold}'].mean():.1f}" for threshold in ("1e-05", "0.0001", "0.001", "0.01")]
        rate = f"{part['rate'].median():.1g}"
        losses = [f"{part[column].mean():.3f}" for column in ("nll", "nll_pruned")]
        body.append([name, str(len(part)), f"{part['steps'].mean():,.0f}", rate, *kept, *losses])
    head = ["setting", "seeds", "steps", "rate", "kept at 1e-5", "1e-4", "1e-3", "1e-2 (%)", "NLL", "pruned at 1e-4"]
    return rows(head, body)


def distances(ratio: float, rate: float, steps: int, scale: float = 1.0, weights: int = 400) -> np.ndarray:
    """Mean distance from zero, at each step, of weights that Adam moves by the penalty's gradient and noise.

    The penalty's gradient is `scale` towards zero, the noise normal with `scale / ratio` as its standard deviation.
    """
    rng = np.random.default_rng(1)
    weight, mean, square = np.full(weights, rate), np.zeros(weights), np.zeros(weights)
    result = np.empty(steps)
    for step in range(1, steps + 1):
        gradient = scale * (np.sign(weight) + rng.standard_normal(weights) / ratio)
        mean += (1 - BETA1) * (gradient - mean)
        square += (1 - BETA2) * (gradient**2 - square)
        root = np.sqrt(square / (1 - BETA2**step)) + EPSILON
        weight -= rate * mean / (1 - BETA1**step) / root
        result[step - 1] = np.abs(weight).mean()
    return result


def floor(ratio: float, rate: float, scale: float = 1.0) -> float:
    """The mean distance from zero that such weights keep, by the arithmetic on the page."""
    noise = scale / ratio
    return rate / (2 * ratio) * noise / (np.hypot(scale, noise) + EPSILON)


def floors() -> str:
    """The mean distance from zero in learning rates, simulated and by the formula."""
    body = []
    for ratio, scale, words in (
        (0.03, 1.0, "0.03"),
        (0.1, 1.0, "0.1"),
        (0.3, 1.0, "0.3"),
        (np.inf, 1.0, "no noise"),
        (0.1, 1e-9, "0.1, noise of the size of Adam's ε"),
    ):
        steps = 20_000 if ratio < 0.1 else 10_000
        simulated = distances(ratio, 1e-3, steps, scale)[steps // 2 :].mean() / 1e-3
        body.append([words, f"{simulated:.2g}", f"{floor(ratio, 1.0, scale):.2g}" if np.isfinite(ratio) else "0"])
    return rows(["penalty's gradient by noise", "simulated", "by the formula"], body)


def reachable(ratio: float, rate: float, largest: float, kept: float = PAPER_KEPT) -> float:
    """The smallest threshold at which no more than this share of settled useless weights is kept."""
    return np.log(1 / kept) * rate / (2 * ratio) / largest


def settling(ratio: float) -> float:
    """Steps from the distance of a learning rate to that of the next, after a cut."""
    return CUT / (2 * ratio**2)


def measured() -> str:
    """Ratios of gradients as measured in trained networks, and what follows from them."""
    body = []
    for row in pd.read_table(GRADIENTS).itertuples():
        body.append(
            [
                f"{row.dataset}, penalty {row.alpha_w:g}", f"{row.penalty:.1e}", f"{row.noise:.1e}", f"{row.ratio:.2g}",
                f"{100 * row.silent:.0f} %", f"{row.largest:.2g}", f"{row.rate:.1g}", f"{settling(row.ratio):,.0f}",
                f"{row.steps_per_rate:,}", f"{reachable(row.ratio, row.rate, row.largest):.0e}",
            ]
        )  # fmt: skip
    head = [
        "setting", "penalty's gradient", "noise", "ratio", "silent neurons", "largest weight", "rate",
        "steps to settle", "steps at a rate", "98 % can be below",
    ]  # fmt: skip
    return rows(head, body)


def sizes() -> str:
    """Ratios before training by the size of the network."""
    body = [
        [f"{row.genes:,}", row.encoder, str(row.batch_size), f"{row.ratio:.2g}"]
        for row in pd.read_table(SIZES).itertuples()
    ]
    return rows(["genes", "encoder", "batch", "ratio"], body)


def paper_sizes() -> str:
    """The learning rate and the epochs that the paper's share takes at its sizes, by the ratio."""
    steps = 0.8 * PAPER_CELLS / PAPER_BATCH
    body = []
    for ratio in (0.03, 0.1, 0.3):
        rate = PAPER_THRESHOLD * LARGEST * 2 * ratio / np.log(1 / PAPER_KEPT)
        cuts = int(np.ceil(np.log10(1e-3 / rate)))
        body.append(
            [f"{ratio:g}", f"{rate:.1g}", str(cuts), f"{settling(ratio):,.0f}", f"{settling(ratio) / steps:.2g}"]
        )
    return rows(["ratio", "rate needed", "cuts of 1e-3", "steps to settle after a cut", "epochs"], body)


def tables() -> dict[str, str]:
    """Every table of the page, by name; the same text at each call."""
    table = pd.read_table(RUNS)
    return {
        "trainings": trainings(table),
        "floors": floors(),
        "measured": measured(),
        "sizes": sizes(),
        "paper_sizes": paper_sizes(),
    }


def draw_figure(target: Path) -> None:
    """Shares kept along the threshold for each penalty, and at 1e-4 along the steps until the weights that are kept."""
    from matplotlib.ticker import NullFormatter

    from zipo.figures.shared import style

    style.use()
    table = pd.read_table(RUNS)
    figure, axes = style.grid(1, 2)
    left, right = axes[0]
    figure.set_size_inches(9, 4.2)
    as_in_paper = (table["dataset"] == "baron") & _as_in_the_paper(table)
    penalties = sorted(table["alpha_w"].unique())
    values = [float(threshold) for threshold in THRESHOLDS]
    for alpha, colour, marker in zip(penalties, style.colours(len(penalties)), "osD^vP", strict=False):
        part = table[as_in_paper & (table["alpha_w"] == alpha)]
        shares = np.array([100 * part[f"kept_{threshold}"] for threshold in THRESHOLDS])
        left.plot(values, shares.mean(axis=1), marker=marker, color=colour, label=style.number(float(alpha)))
        left.scatter(np.repeat(values, len(part)), shares.ravel(), s=7, alpha=0.4, color=colour, linewidths=0)
        others = table[~as_in_paper & (table["alpha_w"] == alpha)]
        for points, face in ((part, colour), (others, "none")):
            x, y = points["steps"], 100 * points["kept_0.0001"]
            right.scatter(x, y, facecolors=face, edgecolors=colour, marker=marker, s=26, linewidths=1.2)
    left.plot([PAPER_THRESHOLD], [100 * PAPER_KEPT], marker="*", ms=13, color="0.1", ls="", label="the paper's, 0.1")
    left.set(xscale="log", xlabel="Prune threshold δ\n(share of a neuron's largest weight)", ylim=(-3, 103))
    left.set_ylabel(style.LABELS["kept"])
    left.legend(title=r"Weight penalty $\alpha_w$", loc="upper left", bbox_to_anchor=(0, -0.3), ncols=3)
    right.scatter([], [], facecolors="none", edgecolors="0.3", s=26, label="another thing changed, too, or other data")
    right.axhline(100 * PAPER_KEPT, color="0.3", ls="--", lw=1, label="the paper's share")
    right.set(xscale="log", xlabel="Steps until the weights that are kept", ylim=(-3, 103), xlim=(90, 30_000))
    right.xaxis.set_minor_formatter(NullFormatter())
    right.set_ylabel("First-layer weights kept at 1e-4 (%)")
    right.legend(loc="upper left", bbox_to_anchor=(0, -0.3))
    for number, ax in enumerate(axes[0]):
        style.panel_letter(ax, number)
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=130, bbox_inches="tight", metadata={"Software": None})


def _as_in_the_paper(table: pd.DataFrame) -> pd.Series:
    """Which trainings differ from the paper's in the penalty alone."""
    others = [name for name in VARIED if name != "alpha_w"]
    return (table[others] == pd.Series(PAPER)[others]).all(axis=1)


def main(results: Path | None) -> None:
    """Write the tables from a study, if one is given, and page and figure from the tables."""
    if results:
        from sparsity_gradients import by_size, measure

        RUNS.parent.mkdir(exist_ok=True)
        runs = trained(results)
        write_tsv(collected(runs), RUNS)
        write_tsv(measure(results, runs[_as_in_the_paper(runs)]), GRADIENTS)
        write_tsv(by_size(results.parent / "downloads"), SIZES)
    PAGE.write_text(with_tables(PAGE.read_text(), tables()))
    draw_figure(FIGURE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
