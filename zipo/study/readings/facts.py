"""Facts of a study that verdicts under readings need beside the tables; the command takes them as JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from zipo.study.config import Study
from zipo.study.facts import ExperimentFacts
from zipo.study.readings.planning import WIDTHS, UnderReading, readings_of


@dataclass(frozen=True)
class OneReading:
    """One reading, as the study's experiments are repeated under it."""

    name: str
    question: str
    text: str
    """The question in a sentence; empty for the study's own reading."""
    experiments: dict[str, ExperimentFacts]
    widths: float
    """Factor of the widths of hidden layers in place of the study's own."""
    settings: dict[str, dict[str, str]]
    """For each experiment its settings, and the name of each."""
    same_as_run: list[str]
    """Experiments whose settings are those of the study's own reading; none for that itself."""


@dataclass(frozen=True)
class ReadingFacts:
    """What verdicts under readings refer to beside the runs table."""

    title: str
    readings: list[OneReading]
    """The study's own first."""
    claims: list[str]
    """Claims that are shown; all if empty."""
    seeds: int
    """The seeds that count are 1 to this, in every reading."""
    left_out: list[str]
    """Data sets that the study leaves out, since they cannot be obtained."""
    populations: dict[str, str]
    """For each data set the title of the study's first one with the same source, of which it may be a part."""

    @classmethod
    def of(cls, study: Study) -> Self:
        """The facts of a study with `readings`."""
        assert study.file.readings
        own, *others = readings_of(study)
        readings = [_one_reading(study, reading, own) for reading in (own, *others)]
        claims = study.file.readings.claims or []
        populations = {
            name: next(other.title for other in study.datasets.values() if other.source == dataset.source)
            for name, dataset in study.datasets.items()
        }
        return cls(study.file.title, readings, claims, study.read_seeds, study.left_out, populations)

    def as_json(self) -> str:
        """The facts as the command's option."""
        return json.dumps(asdict(self))


def _one_reading(study: Study, reading: UnderReading, own: UnderReading) -> OneReading:
    """A reading, where settings that it leaves as they are keep the base setting of the study's own, too."""
    same = [name for name in reading.settings if reading is not own and reading.ids(name) == own.ids(name)]
    bases = reading.bases | {name: own.bases[name] for name in same}
    return OneReading(
        name=reading.name,
        question=reading.question,
        text=_text(study, reading.question),
        experiments={name: ExperimentFacts(study.read_datasets_of(name), base.columns) for name, base in bases.items()},
        widths=reading.widths,
        settings={
            name: {setting.id: setting.variant for setting in settings} for name, settings in reading.settings.items()
        },
        same_as_run=same,
    )


def _text(study: Study, question: str) -> str:
    """What a question asks, in a sentence."""
    if question == WIDTHS:
        return "Are all hidden layers of encoder and decoder as wide as here?"
    return study.questions[question].question if question else ""
