"""Source of the evidence for a claim: the rows of a study's table, or an error that says what is missing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


class NotRunError(Exception):
    """Raised where a study's tables lack what a claim needs; its message says what is missing, as a clause."""


@dataclass(frozen=True)
class Source:
    """The rows of a study that decide a claim."""

    name: str
    """Name of the rows in sentences, as experiment alpha_z."""
    rows: "pd.DataFrame"
    datasets: list[str]
    """Data sets that the rows are of, or should be."""
    base: dict[str, Any]
    """The study's base setting, for selectors; empty if they cannot name it."""
