"""The answers of a study to the paper's chief questions, each a line made from the verdicts and their numbers."""

from dataclasses import dataclass

import pandas as pd

from zipo.benchmark.answers import words
from zipo.benchmark.ranks import OVERALL
from zipo.study.findings.tables import Findings, effect, runs_to_note, under_readings

QUESTIONS = {
    "Do deeper encoders need residual connections?": ("residuals_help_deepest", "depth_useless_without_residuals"),
    "Is ZIP better than ZINB?": ("zip_beats_zinb_nll",),
    "Does the penalty on weights make the first layer sparse?": ("penalty_sparsifies",),
    "Is DCA's MSE worse?": ("dca_worst_mse",),
}
"""The questions, and the claims of config/claims.yaml that answer each."""
PLACE = "What is ZiPo's place among methods?"


@dataclass(frozen=True)
class Answer:
    """A question with its answers."""

    question: str
    lines: list[str]
    """One for each claim; that there is none, if the study has none of them."""


def answers(findings: Findings) -> list[Answer]:
    """The answer to each question, and ZiPo's place among methods."""
    of_claims = [
        Answer(question, [line for name in names if (line := _line(name, findings))] or ["No claim of the study."])
        for question, names in QUESTIONS.items()
    ]
    return [*of_claims, Answer(PLACE, [place(findings.ranks, findings.facts["methods"])])]


def _line(name: str, findings: Findings) -> str:
    """What the paper says, and the verdict on each data set with the readings under which it holds."""
    rows = list(findings.claims[findings.claims["id"] == name].itertuples())
    if not rows:
        return ""
    verdicts = []
    for row in rows:
        if row.verdict == "not run":
            verdicts.append(f"not run ({row.sentence.removeprefix('Not run: ').rstrip('.')})")
            continue
        notes = [effect(row), runs_to_note(row), under_readings(findings.reading_of(row))]
        verdicts.append(f"{row.verdict} on {findings.dataset_name(row)}: {', '.join(note for note in notes if note)}")
    return f"\N{LEFT DOUBLE QUOTATION MARK}{rows[0].claim}\N{RIGHT DOUBLE QUOTATION MARK} is {'; '.join(verdicts)}."


def place(ranks: pd.DataFrame, ours: list[str]) -> str:
    """Where the rows `ours` of a leaderboard stand by mean rank, and by which measures they are first and last."""
    if ranks.empty:
        return "No benchmark is at hand."
    overall = ranks[ranks["metric"] == OVERALL].sort_values(["mean_rank", "method"])
    if not overall["method"].isin(ours).any():
        return "No row of the benchmark that is ranked is ZiPo."
    best = overall.iloc[0]
    sentences = []
    for row in overall[overall["method"].isin(ours)].itertuples():
        number = 1 + int((overall["mean_rank"] < row.mean_rank).sum())
        text = f"{row.method} has place {number} of {len(overall)} by mean rank ({row.mean_rank:.1f}"
        text += ")" if row.method == best["method"] else f"; {best['method']}, the first, {best['mean_rank']:.1f})"
        text += f" over {row.measures} measures on {row.datasets} data set{'s' * (row.datasets != 1)}"
        first, last = _first_and_last(ranks, row.method)
        text += f"; first by {', '.join(first)}" if first else ""
        text += f"; last by {', '.join(last)}" if last else ""
        sentences.append(f"{text}.")
    return " ".join(sentences)


def _first_and_last(ranks: pd.DataFrame, method: str) -> tuple[list[str], list[str]]:
    """The measures by which a method has the best and the worst mean rank of all."""
    first, last = [], []
    for measure, rows in ranks[ranks["metric"] != OVERALL].groupby("metric", sort=False):
        own = rows.loc[rows["method"] == method, "mean_rank"]
        if len(own) and rows["mean_rank"].nunique() > 1:
            first += [words(str(measure))] * bool(own.iloc[0] == rows["mean_rank"].min())
            last += [words(str(measure))] * bool(own.iloc[0] == rows["mean_rank"].max())
    return first, last
