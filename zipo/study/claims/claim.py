"""The base classes of claims: fields of every claim, and what a kind of claim has to compute and to say."""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from zipo.shared.section import Section
from zipo.study.claims.fields import Selector, SmallestEffect, sign
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:  # planning a study reads claims, and decides none
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class Claim(Section, ABC):
    """One claim. Methods that compute load pandas and scipy themselves, so that reading claims stays fast."""

    figure: Annotated[int, Field(ge=1)] | None = None
    """Figure of the paper that shows it; p-values are corrected within a figure. None: the text alone."""
    section: str
    """Section of the paper where it is said."""
    claim: str
    """What the paper says, in one sentence of our own."""
    dataset: str | None = None
    """Data set that decides it; each that there is by itself if absent."""

    smallest_sample: ClassVar[str] = "a test needs two"
    """How many numbers a test needs, as a clause."""

    if TYPE_CHECKING:
        kind: str  # each kind declares its own literal

    @abstractmethod
    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """The rows that decide the claim; arguments are those of zipo.study.claims.verdicts.decide.

        Raises NotRunError if the study lacks them altogether.
        """

    @abstractmethod
    def evaluate(self, source: Source) -> "Evidence":
        """The evidence of the rows of one data set. Raises NotRunError if a setting or a column is absent."""

    @property
    @abstractmethod
    def measured(self) -> str:
        """The number that is tested, for the table of verdicts."""

    @abstractmethod
    def numbers(self, evidence: "Evidence") -> str:
        """The numbers that are compared and how they differ, as the beginning of a sentence."""

    @property
    def unit(self) -> str:
        """What each tested number belongs to."""
        return "seed"

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The number that would decide the claim if mean and spread stay as observed, with t_tests.POWER at this level.

        More than there are; None if none would, or if more cannot be had.
        """
        return None

    def seeds_for_smallest(self, evidence: "Evidence", level: float) -> int | None:
        """The number at which the smallest effect that matters would be found; None for a claim that names none."""
        return None

    def smallest(self, evidence: "Evidence") -> str:
        """A further sentence that states the smallest effect that matters; empty for a claim that names none."""
        return ""

    def refuted_by(self, evidence: "Evidence") -> str:
        """A further sentence on what refutes the claim; empty where the numbers show it."""
        return ""

    def sentence(self, evidence: "Evidence", verdict: str, p_holm: float, seeds: int | None) -> str:
        """The numbers behind a verdict in words; `seeds` is that of seeds_as_observed if the claim is undecided."""
        unit = self.counted(evidence.count)
        diverged = f" {evidence.diverged} of {evidence.runs} runs diverged and are left out." * bool(evidence.diverged)
        if math.isnan(evidence.p):
            if not evidence.count:
                return f"No seed could be used at {evidence.of}; {self.smallest_sample}.{diverged}"
            sample = f"from {evidence.count} {unit}; {self.smallest_sample}."
            return f"{self.numbers(evidence)}, {sample}{diverged}{evidence.remark}"
        tested = f"(95 % CI {evidence.interval_in_words}; p = {p_holm:.2g} after Holm; {evidence.count:,} {unit})."
        ending = self.ending(evidence, verdict, seeds)
        return f"{self.numbers(evidence)} {tested}{self.smallest(evidence)}{diverged}{ending}"

    def ending(self, evidence: "Evidence", verdict: str, seeds: int | None) -> str:
        """The evidence's remark, and what follows from the numbers where the verdict does not state it."""
        if verdict == "undecided" and seeds:
            return f"{evidence.remark} If things are as seen, {seeds:,} {self.counted(seeds)} would decide it."
        return evidence.remark + (self.refuted_by(evidence) if verdict == "not reproduced" else "")

    def counted(self, count: int) -> str:
        """The unit, in the plural unless the count is one."""
        return self.unit if count == 1 else f"{self.unit}s"


class RunsClaim(Claim):
    """A claim that the runs of an experiment decide."""

    experiment: str
    """Experiment of config/experiments.yaml whose runs decide it."""
    where: Selector = {}
    """Settings of the experiment that are looked at: columns of the runs table and their values, a value, a
    list, a range, or largest, smallest or base, the study's base setting. All if absent."""

    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """The runs of the experiment; a run that several experiments share belongs to each."""
        experiment = study["experiments"].get(self.experiment)
        if experiment is None:
            raise NotRunError(f"experiment {self.experiment} is not part of the study")
        runs = tables["runs"]
        lists = [names for names in runs["experiments"].unique() if self.experiment in names.split(",")]
        rows = runs[runs["experiments"].isin(lists)]
        return Source(f"experiment {self.experiment}", rows, experiment["datasets"], experiment["base"])


class EffectClaim(Claim):
    """A claim on an effect, of which the smallest that matters is stated.

    Methods are those of a claim that it is less or greater: shown if the effect lies on that side of none, refuted by
    the opposite or by an effect too small to matter. Kinds that claim equality replace some.
    """

    smallest_effect: SmallestEffect
    """The smallest effect that matters."""
    direction: str
    """less or greater, or what a kind of claim allows beside them."""

    if TYPE_CHECKING:
        measure: str

    @property
    def measured(self) -> str:
        """The column that is compared."""
        return self.measure

    @property
    def subject(self) -> str:
        """The number whose means are compared, in words."""
        return self.measure

    def numbers(self, evidence: "Evidence") -> str:
        """The two means, and their difference or ratio if it is tested."""
        means = f"{self.subject} is {evidence.means}"
        return means if evidence.count < 2 else f"{means}{evidence.weakest}: {evidence.amount(evidence.effect)}"

    def smallest(self, evidence: "Evidence") -> str:
        """The smallest effect that matters."""
        return f" Effects of {evidence.amount(evidence.scaled(evidence.margin)).lstrip('+')} or more matter."

    def refuted_by(self, evidence: "Evidence") -> str:
        """Whether its opposite or an effect too small to matter refutes the claim."""
        return " The opposite is shown." if evidence.opposite else " Any difference is smaller than that."

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The seeds that would show the effect, its opposite, or that it is too small to matter."""
        from zipo.study.claims.evidence import seeds_to_decide

        shown = sign(self.direction) * evidence.estimate
        return seeds_to_decide(evidence, level, shown, [-shown, evidence.margin - abs(evidence.estimate)])

    def seeds_for_smallest(self, evidence: "Evidence", level: float) -> int | None:
        """The seeds that would show the smallest effect that matters, or, for claims of none, that there is none."""
        from zipo.study.claims.t_tests import POWER, seeds_needed

        # equality is shown from both sides, each of which may miss it half as often
        power = (1 + POWER) / 2 if self.direction == "equal" else POWER
        return seeds_needed(evidence.margin, evidence.spread, level, power)
