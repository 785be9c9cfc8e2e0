"""How often error bars and tests over seeds deceive: tables and the figure of docs/statistics.md, by simulation.

    python benchmarks/bars_simulation.py    # writes both anew, in seconds

A study is simulated as an array of logarithms of losses (studies, seeds, settings): an effect of the seed, which its
settings share, and what is left, drawn from a normal distribution, from the losses of the demo, or with outliers.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from page_tables import rows, with_tables
from scipy import stats

from zipo.figures.shared.statistics import BAR
from zipo.study.claims import t_tests

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "statistics.md"
FIGURE = DOCS / "statistics" / "bars.png"
LOSSES = DOCS / "statistics" / "losses.tsv"
STUDIES = 20_000
SEEDS = 12
SHARED = 0.8  # variance of the seeds, of all, in invented losses
Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal numbers."""
    return rng.normal(size=shape)


def outliers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal logarithms, three of eight of them raised by up to ten times their spread."""
    return rng.normal(size=shape) + (rng.uniform(size=shape) < 3 / 8) * rng.uniform(0, 10, shape)


def components(measure: str) -> tuple[float, np.ndarray]:
    """Of the demo's losses: the standard deviation of the seeds, and what is left of each run, of the right variance.

    A two-way analysis of variance of logarithms, settings by seeds, on one data set.
    """
    table = np.log(pd.read_table(LOSSES).pivot_table(index="setting", columns="seed", values=measure).to_numpy())
    settings, seeds = table.shape
    deviations = table - table.mean(axis=1, keepdims=True)
    left = deviations - deviations.mean(axis=0)
    variance = (left**2).sum() / ((settings - 1) * (seeds - 1))
    of_seeds = settings * deviations.mean(axis=0).var(ddof=1)
    left *= np.sqrt(variance / np.mean(left**2))
    return float(np.sqrt(max(0.0, (of_seeds - variance) / settings))), left.ravel()


def seen(measure: str) -> tuple[float, Draw]:
    """The standard deviation of the demo's seeds, and draws from what is left of its runs."""
    spread, left = components(measure)
    return spread, lambda rng, shape: rng.choice(left, shape)


def study(
    rng: np.random.Generator, draw: Draw, seed_spread: float, paired: bool, settings: int = 2, studies: int = STUDIES
) -> np.ndarray:
    """Losses (studies, seeds, settings) without any difference; unpaired settings have seeds of their own."""
    shape = (studies, SEEDS, settings)
    seeds = seed_spread * rng.normal(size=(studies, SEEDS, 1) if paired else shape)
    return seeds + draw(rng, shape)


def bars_apart(losses: np.ndarray) -> np.ndarray:
    """Whether the bars of 1.645 standard errors of some two settings do not overlap (studies)."""
    half = BAR * stats.sem(losses, axis=1)
    low, high = losses.mean(axis=1) - half, losses.mean(axis=1) + half
    return (low.max(axis=-1) > high.min(axis=-1)).astype(bool)


def t_apart(losses: np.ndarray, level: float = 0.02) -> np.ndarray:
    """Whether a two-sided paired t test of the first two settings rejects (studies)."""
    return stats.ttest_rel(losses[..., 0], losses[..., 1], axis=1).pvalue <= level


def percent(share: float | np.ndarray) -> str:
    """A share in per cent, one decimal."""
    return f"{100 * float(np.mean(share)):.1f} %"


def false_alarms(rng: np.random.Generator) -> str:
    """How often bars do not overlap, and paired tests at the level of the bars reject, without a difference."""
    shared = np.sqrt(SHARED / (1 - SHARED))
    nll_seeds, nll = seen("test_nll")
    mse_seeds, mse = seen("test_mse_rates")
    scatter = np.array([1.0, 5.0])
    cases: list[tuple[str, Draw, float, int]] = [
        ("normal", normal, shared, 2),
        ("normal, one setting scattering 5 times as much", lambda rng, s: normal(rng, s) * scatter, shared, 2),
        ("NLL as in the demo", nll, nll_seeds, 2),
        ("MSE as in the demo", mse, mse_seeds, 2),
        ("with outliers in three runs of eight", outliers, shared, 2),
        ("normal, any two of six settings", normal, shared, 6),
    ]
    body = []
    for name, draw, spread, settings in cases:
        unpaired, paired = (study(rng, draw, spread, pairs, settings) for pairs in (False, True))
        tested = percent(t_apart(paired)) if settings == 2 else ""
        body.append([name, percent(bars_apart(unpaired)), percent(bars_apart(paired)), tested])
    return rows(["losses", "bars, unpaired seeds", "bars, paired seeds", "paired t test at 2 %"], body)


def power(rng: np.random.Generator) -> str:
    """What 12 seeds find of a difference of one standard deviation of a run's total spread, unpaired and paired."""
    body = []
    for shared in (0.0, 0.3, 0.8, 0.95):
        losses = study(rng, normal, np.sqrt(shared / (1 - shared)), paired=True) * np.sqrt(1 - shared)
        losses[..., 1] += 1
        body.append([f"{shared:g}", percent(bars_apart(losses)), percent(t_apart(losses))])
    return rows(["share of variance that is the seeds'", "bars", "paired t test at 2 %"], body)


def detectable() -> str:
    """The differences that 3 and 12 seeds find with 80 % power, at the spreads that the demo has, and the margins."""
    body = []
    for name, measure, margin in (("NLL", "test_nll", 0.5), ("MSE", "test_mse_rates", 10.0)):
        spread = float(np.std(components(measure)[1])) * np.sqrt(2)
        differences = [
            f"{100 * np.expm1(t_tests.detectable(spread, seeds, level)):.3g} %"
            for seeds, level in ((3, 0.05), (12, 0.05), (12, 0.005))
        ]
        needed = t_tests.seeds_needed(np.log1p(margin / 100), spread)
        body.append([name, f"{100 * spread:.3g} %", *differences, f"{margin:g} %", f"{needed:,}"])
    head = ["loss", "spread of pairs", "3 seeds", "12 seeds", "12 seeds, of ten tests", "what matters", "seeds for it"]
    return rows(head, body)


def other_power(rng: np.random.Generator) -> str:
    """Power of the claims on scatter and on outliers."""
    studies, body = STUDIES // 4, []
    for factor in (1, 2, 4):
        losses = study(rng, normal, 0.0, paired=True, studies=studies) * np.array([factor, 1.0])
        distances = np.abs(losses - np.median(losses, axis=1, keepdims=True))
        tests = stats.ttest_rel(distances[..., 0], distances[..., 1], axis=1, alternative="greater")
        name = f"scatter {factor} times that of the other setting" if factor > 1 else "the same scatter"
        body.append([name, *(percent(tests.pvalue <= level) for level in (0.05, 0.005))])
    for chance in (0.05, 0.15, 3 / 8):
        count = rng.binomial(SEEDS, chance, studies)
        p = stats.binom.sf(count - 1, SEEDS, 0.05)
        body.append(
            [
                f"outliers in {100 * chance:g} % of runs, more than 5 % claimed",
                *(percent(p <= level) for level in (0.05, 0.005)),
            ]
        )
    return rows(["what there is", "reproduced at 5 %", "as the strictest of ten tests"], body)


def families(rng: np.random.Generator) -> str:
    """How often some verdict of a figure is wrong, of ten claims that something is less, after Holm's correction.

    A claim is wrongly shown where there is no difference, and wrongly refuted where it is just what matters.
    """
    studies, claims, margin = STUDIES // 10, 10, 1.0
    body = []
    for name, of_margin in (("no difference", 0), ("just what matters", claims), ("half of each", claims // 2)):
        truth = np.where(np.arange(claims) < of_margin, -margin, 0.0)
        differences = rng.normal(size=(studies, SEEDS, claims)) + truth
        t = stats.ttest_1samp
        shown = t(differences, 0, axis=1, alternative="less").pvalue
        opposite = t(differences, 0, axis=1, alternative="greater").pvalue
        small = np.maximum(
            t(differences, margin, axis=1, alternative="less").pvalue,
            t(differences, -margin, axis=1, alternative="greater").pvalue,
        )
        p, against = (np.apply_along_axis(t_tests.holm, 1, each) for each in (shown, np.minimum(opposite, small)))
        refuted = against <= 0.05
        wrongly_shown = ((p <= 0.05) & ~refuted & (truth == 0)).any(axis=1)
        wrongly_refuted = (refuted & (truth == -margin)).any(axis=1)
        body.append([name, *map(percent, (wrongly_shown, wrongly_refuted, wrongly_shown | wrongly_refuted))])
    return rows(["truth of the ten", "some wrongly reproduced", "some wrongly refuted", "either"], body)


def margins(rng: np.random.Generator) -> str:
    """How often equivalence, non-inferiority and claims on several settings are shown where they are false."""
    studies = STUDIES // 2
    at_margin = rng.normal(size=(studies, SEEDS)) + 1.0
    below = stats.ttest_1samp(at_margin, 1.0, axis=1, alternative="less").pvalue
    above = stats.ttest_1samp(at_margin, -1.0, axis=1, alternative="greater").pvalue
    several = rng.normal(size=(studies, SEEDS, 4)) - np.array([0.0, 3.0, 3.0, 3.0])
    one_false = stats.ttest_1samp(several, 0, axis=1, alternative="less").pvalue.max(axis=-1)
    nothing = stats.ttest_1samp(rng.normal(size=(studies, SEEDS, 4)), 0, axis=1, alternative="less").pvalue
    body = [
        ["equivalence, at a difference of just the margin", percent(np.maximum(below, above) <= 0.05)],
        ["non-inferiority, the same", percent(below <= 0.05)],
        ["better than each of four, one of them as good", percent(one_false <= 0.05)],
        ["better than each of four, all of them as good", percent(nothing.max(axis=-1) <= 0.05)],
    ]
    return rows(["claim", "wrongly reproduced at 5 %"], body)


def seeds(rng: np.random.Generator) -> str:
    """Whether the stated number of seeds has the stated power, and what a pilot of few seeds says of it."""
    body = []
    for effect in (0.5, 1.0, 2.0):
        needed = t_tests.seeds_needed(effect, 1.0) or 0
        p = stats.ttest_1samp(rng.normal(effect, 1, (STUDIES, needed)), 0, axis=1, alternative="greater").pvalue
        ranges = []
        for pilot in (3, 12):
            spreads = np.std(rng.normal(size=(400, pilot)), axis=1, ddof=1)
            low, high = np.quantile([t_tests.seeds_needed(effect, float(s)) or 0 for s in spreads], [0.025, 0.975])
            ranges.append(f"{low:.0f} to {high:.0f}")
        body.append([f"{effect:g} spreads", f"{needed}", percent(p <= 0.05), *ranges])
    head = ["difference", "seeds needed", "power with them", "needed by pilots of 3", "by pilots of 12"]
    return rows(head, body)


def tables() -> dict[str, str]:
    """Every table of the page, by name; the same numbers at each call."""
    made = {"detectable": detectable()}
    for number, make in enumerate((false_alarms, power, other_power, families, margins, seeds)):
        made[make.__name__] = make(np.random.default_rng(number))
    return made


def draw_figure(target: Path) -> None:
    """False alarms of the bars along what seeds share, and what bars and paired tests find along the difference."""
    from matplotlib.figure import Figure

    from zipo.figures.shared import style

    style.use()
    import seaborn as sns

    rng, colours = np.random.default_rng(7), sns.color_palette("colorblind")
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    shares = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9])
    for colour, (name, draw) in zip(colours, {"normal": normal, "with outliers": outliers}.items(), strict=False):
        drawn = [study(rng, draw, np.std(draw(rng, (9999,))) * np.sqrt(s / (1 - s)), paired=True) for s in shares]
        left.plot(
            shares, [100 * bars_apart(losses).mean() for losses in drawn], "o-", color=colour, label=f"bars, {name}"
        )
    left.axhline(2, color="0.4", ls="--", lw=1, label="paired test, and what bars promise")
    left.set_xlabel("Share of variance that is the seeds'")
    left.set(ylabel="False alarms (%)", title="(a) No difference", ylim=(0, 5))
    differences = np.linspace(0, 1.6, 9)
    for colour, (name, share) in zip(colours, {"none of": 0.0, "80 % of": 0.8}.items(), strict=False):
        losses = study(rng, normal, np.sqrt(share / (1 - share)), paired=True) * np.sqrt(1 - share)
        both = [losses + np.array([0, difference]) for difference in differences]
        label = f"{name} the variance seeds'"
        right.plot(
            differences, [100 * t_apart(each).mean() for each in both], "s-", color=colour, label=f"test, {label}"
        )
        right.plot(
            differences, [100 * bars_apart(each).mean() for each in both], "o:", color=colour, label=f"bars, {label}"
        )
    right.set(xlabel="Difference (standard deviations of a run)", ylabel="Found (%)", title="(b) A difference")
    for ax in (left, right):
        ax.legend(fontsize="x-small", frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=130, metadata={"Software": None})


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(), tables()))
    draw_figure(FIGURE)
