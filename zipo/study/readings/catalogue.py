"""The catalogue of what the paper leaves open, config/readings.yaml: questions, and the readings that answer each."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from zipo.parameters import ParameterValues
from zipo.shared.section import NAME, EachOnce, Form, Section
from zipo.shared.validation import check
from zipo.shared.yaml_files import read_yaml

Name = Annotated[str, NAME]


class Reading(Section):
    """One answer to a question, by the hyper-parameters that differ from the study's base setting."""

    set: ParameterValues = ParameterValues()
    """Values in place of those of the base setting; points that name another value than the base setting keep it."""
    points: dict[str, ParameterValues] = {}
    """Values of the points of a name, such as DCA, whatever these say."""


class Question(Section):
    """A point that the paper leaves open."""

    question: str
    """The question, in a sentence."""
    anchor: Annotated[str, Form("open-[a-z0-9-]+", "the label of a row of docs/open-questions.rst, such as open-input")]
    """Label of the row of docs/open-questions.rst that tells of it."""
    readings: Annotated[dict[Name, Reading], Field(min_length=1)]
    """The answers; one that changes nothing in a study is the study's own."""
    experiments: Annotated[list[Name], Field(min_length=1), EachOnce()] | None = None
    """Experiments that it concerns; all if absent."""


QUESTIONS = TypeAdapter(dict[Name, Question])


def load_questions(file: Path) -> dict[str, Question]:
    """The questions of a catalogue by name; InputError naming file, question and key."""
    return check(QUESTIONS, read_yaml(file), str(file))
