"""What a study has to decide a claim: rows of one of its tables, or an error that names what is missing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class NotRunError(Exception):
    """What a claim needs and the study's tables lack, as a clause."""


@dataclass(frozen=True)
class Source:
    """The rows of a study that decide a claim."""

    name: str
    """What they are, for sentences."""
    rows: "pd.DataFrame"
    datasets: list[str]
    """Data sets that the rows are of, or should be."""
    base: dict[str, Any]
    """The study's base setting, for selectors; empty if they cannot name it."""
