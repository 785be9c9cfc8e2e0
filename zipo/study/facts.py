"""Facts of a study that figures, claims and leaderboard need beside the tables; their commands take them as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from zipo.benchmark.plan import Benchmark, Row
from zipo.study.config import Study, parameters_of
from zipo.study.settings import base_settings


class _Facts:
    """Base of dataclasses of facts, which are written as JSON."""

    def as_json(self) -> str:
        """The facts as the command's option."""
        return json.dumps(asdict(self))  # type: ignore[call-overload]


@dataclass(frozen=True)
class FigureFacts(_Facts):
    """What a figure may need of a study beside the tables."""

    study: str
    title: str
    datasets: dict[str, str]
    """Titles of the data sets by name."""
    parameters: dict[str, Any]
    """All hyper-parameters of the base setting."""

    @classmethod
    def of(cls, study: Study) -> Self:
        """The facts of a study."""
        parameters = parameters_of(study.file.parameters.model_dump(exclude_unset=True), "parameters")
        titles = {name: dataset.title for name, dataset in study.datasets.items()}
        return cls(study.file.study, study.file.title, titles, parameters.model_dump())


@dataclass(frozen=True)
class ExperimentFacts:
    """What a claim may refer to of an experiment beside its runs."""

    datasets: list[str]
    base: dict[str, Any]
    """All hyper-parameters before its points vary some, named as columns of the runs table."""


@dataclass(frozen=True)
class ClaimFacts(_Facts):
    """What claims may refer to beside the tables."""

    title: str
    experiments: dict[str, ExperimentFacts]
    left_out: list[str]
    """Data sets that the study leaves out, since they cannot be obtained."""

    @classmethod
    def of(cls, study: Study) -> Self:
        """The facts of a study."""
        experiments = {
            name: ExperimentFacts(study.datasets_of(name), base) for name, base in base_settings(study).items()
        }
        return cls(study.file.title, experiments, study.left_out)


@dataclass(frozen=True)
class LeaderboardFacts(_Facts):
    """What the leaderboard's page says beside the scores."""

    title: str
    reference: str
    """Row that the others are compared with."""
    datasets: dict[str, str]
    """Titles of the data sets by name."""
    controls: list[str]
    """Rows that are shown and not ranked."""
    bounds: list[str]
    """Those of the controls that are given the truth."""
    how: dict[str, Any]
    """How the methods ran: share of the molecules, splits and the first of them, seeds, threads and seconds."""
    rows: dict[str, dict[str, str]]
    """Method, parameters, environment, output and source of each row."""

    @classmethod
    def of(cls, study: Study, benchmark: Benchmark, rows: dict[str, Row]) -> Self:
        """The facts of a study's benchmark and its rows."""
        return cls(
            title=study.file.title,
            reference=benchmark.reference,
            datasets={name: study.datasets[name].title for name in study.compared_on},
            controls=[name for name, row in rows.items() if row.control],
            bounds=[name for name, row in rows.items() if row.method.sees_truth],
            how=benchmark.model_dump(include={"share", "splits", "first_split", "seeds", "threads", "seconds"}),
            rows={name: describe(row) for name, row in rows.items()},
        )


def describe(row: Row) -> dict[str, str]:
    """Method, parameters, environment, output and source of a row, as the page shows them."""
    return {
        "method": row.method.name,
        "parameters": ", ".join(f"{name}={value}" for name, value in row.parameters.items()) or "defaults",
        "environment": row.method.env or "zipo",
        "output": row.method.scale,
        "source": row.method.source,
    }
