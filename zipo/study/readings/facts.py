"""Facts of a study that verdicts under readings need beside the tables; the command takes them as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from zipo.study.config import Study
from zipo.study.facts import ExperimentFacts
from zipo.study.readings.planning import readings_of
from zipo.study.settings import base_settings


@dataclass(frozen=True)
class OneReading:
    """One reading, as the study's experiments are repeated under it."""

    name: str
    question: str
    text: str
    """The question in a sentence; empty for the study's own reading."""
    changes: dict[str, Any]
    """Hyper-parameters in place of those of the base setting."""
    settings: dict[str, dict[str, str]]
    """For each experiment its settings, and the name of each."""
    same_as_run: list[str]
    """Experiments whose settings are those of the study's own reading; none for that itself."""


@dataclass(frozen=True)
class ReadingFacts:
    """What verdicts under readings refer to beside the runs table."""

    title: str
    experiments: dict[str, ExperimentFacts]
    readings: list[OneReading]
    """The study's own first."""
    claims: list[str]
    """Claims that are shown; all if empty."""
    seeds: int
    """The seeds that count are 1 to this, in every reading."""
    left_out: list[str]
    """Data sets that the study leaves out, since they cannot be obtained."""

    @classmethod
    def of(cls, study: Study) -> Self:
        """The facts of a study with `readings`."""
        assert study.file.readings
        own, *others = readings_of(study)
        readings = [
            OneReading(
                name=reading.name,
                question=reading.question,
                text=study.questions[reading.question].question if reading.question else "",
                changes=reading.changes,
                settings={
                    name: {setting.id: setting.name for setting in settings}
                    for name, settings in reading.settings.items()
                },
                same_as_run=[
                    name for name in reading.settings if reading is not own and reading.ids(name) == own.ids(name)
                ],
            )
            for reading in (own, *others)
        ]
        bases = base_settings(study)
        experiments = {
            name: ExperimentFacts(study.read_datasets_of(name), bases[name]) for name in study.read_experiments
        }
        claims = study.file.readings.claims or []
        return cls(study.file.title, experiments, readings, claims, study.read_seeds, study.left_out)

    def as_json(self) -> str:
        """The facts as the command's option."""
        return json.dumps(asdict(self))
