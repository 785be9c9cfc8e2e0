"""The base classes of claims: fields of every claim, and what a kind of claim has to compute and to say."""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from zipo.shared.runs import runs_of
from zipo.shared.section import EachOnce, Form, Section
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
    data: Annotated[list[str], Field(min_length=1), EachOnce()]
    """Data sets of which the paper says it, by their names in config/datasets.yaml."""
    elsewhere: bool = True
    """Whether it is tested on other data sets as well, with a mark; not so for claims on the data themselves."""
    explained: Annotated[str, Form(r"[a-z0-9-]+\.md", "the name of a page of docs/, such as sparsity.md")] | None = None
    """Page of docs/ that says why the claim is not reproduced, where it is not; none if absent."""

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

    def sentence(self, evidence: "Evidence", verdict: str, p_holm: float, power: str) -> str:
        """The numbers behind a verdict in words; `power` says what the seeds can show if the claim is undecided."""
        unit = self.counted(evidence.count)
        runs = _diverged_in_words(evidence) + _capped_in_words(evidence)
        if math.isnan(evidence.p):
            if not evidence.count:
                return f"No seed could be used at {evidence.of}; {self.smallest_sample}.{runs}"
            why = "" if evidence.cut_off else f"; {self.smallest_sample}"
            return f"{self.numbers(evidence)}, from {evidence.count} {unit}{why}.{runs}{evidence.remark}"
        tested = f"(95 % CI {evidence.interval_in_words}; p = {p_holm:.2g} after Holm; {evidence.count:,} {unit})."
        smallest = "" if evidence.level else self.smallest(evidence)
        return f"{self.numbers(evidence)} {tested}{smallest}{runs}{self.ending(evidence, verdict, power)}"

    def ending(self, evidence: "Evidence", verdict: str, power: str) -> str:
        """The evidence's remark, what follows from the numbers where the verdict does not state it, and where it says
        why a claim is not reproduced."""
        if verdict == "undecided":
            return evidence.remark + power
        if verdict != "not reproduced":
            return evidence.remark
        why = f" Why: docs/{self.explained}." if self.explained else ""
        return evidence.remark + ("" if evidence.level else self.refuted_by(evidence)) + why

    def counted(self, count: int) -> str:
        """The unit, in the plural unless the count is one."""
        return self.unit if count == 1 else f"{self.unit}s"


def _diverged_in_words(evidence: "Evidence") -> str:
    """How many runs diverged, and what became of their numbers; empty if none did."""
    if not evidence.diverged:
        return ""
    use = "count as the worst; medians are tested" if evidence.by_rank else "are left out"
    return f" {evidence.diverged} of {evidence.runs} runs diverged and {use}."


def _capped_in_words(evidence: "Evidence") -> str:
    """How many runs stopped at the cap of epochs, and what follows; empty if none did."""
    if not evidence.capped:
        return ""
    unknown = ", so that what they would need is not known" * evidence.cut_off
    return f" {evidence.capped} of {evidence.runs} runs stopped at the cap of epochs{unknown}."


class RunsClaim(Claim):
    """A claim that the runs of an experiment decide."""

    experiment: str
    """Experiment of config/experiments.yaml whose runs decide it."""
    where: Selector = {}
    """Settings of the experiment that are looked at: columns of the runs table and their values, a value, a
    list, a range, or largest, smallest or base, the study's base setting. All if absent."""

    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """The runs of the experiment, by its own names."""
        experiment = study["experiments"].get(self.experiment)
        if experiment is None:
            raise NotRunError(f"experiment {self.experiment} is not part of the study")
        rows = runs_of(tables["runs"], self.experiment)
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
