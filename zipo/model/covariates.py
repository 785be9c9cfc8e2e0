"""Known covariates of cells, columns of obs, as numeric input of the decoder and the library network."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from zipo.shared.errors import InputError

Level = str | bool | int | float
Column = tuple[str, Level | None]  # a covariate, and its level; None for a number
LEVELS = (str, bool, int, float)  # the kinds of level that JSON keeps as they are
KINDS = ("category", "number")
MANY = 50  # levels up to which a column of whole numbers is taken for names of batches, donors, plates
SHOWN = 8  # levels that a description lists
BATCH_NAMES = {"batch", "donor", "sample", "patient", "individual", "subject", "library", "mouse", "plate", "origident"}
"""Usual names of columns of obs that hold batches, in lower case, without punctuation or an id at the end."""
ROUNDING = 1e-12  # of the largest value: a standard deviation up to it is the error of computing it
FEWEST = 20  # cells of a level, in the mean, from which on a column is worth naming as batches


class Covariates:
    """Columns of obs as columns of numbers: numbers standardised by the training cells, then categories one-hot.

    A column of numbers is a category where these are whole, at most 50, and repeat themselves, as numbered batches
    do; a name that ends in `:number` or `:category` says what its column is. Levels are told apart by their text, so
    that 1, 1.0 and "1" are one. Raises InputError for a column that is not there, has missing or infinite values, or
    levels that are neither text nor numbers.
    """

    def __init__(self, obs: pd.DataFrame, names: Sequence[str]) -> None:
        self.scales: dict[str, tuple[float, float]] = {}  # mean and standard deviation of each number
        self.ranges: dict[str, tuple[float, float]] = {}  # least and largest value of each number
        self.levels: dict[str, list[Level]] = {}
        self.unseen: dict[str, list[Level]] = {}  # levels of a categorical column that no cell has
        for declared in names:
            name, kind = _declared(obs, declared)
            column = _column(obs, name)
            if (kind or _kind(column)) == "number":
                values = _numbers(obs, name, "declared a number")
                self.scales[name] = (float(values.mean()), _deviation(values))
                self.ranges[name] = (float(values.min()), float(values.max()))
            else:
                self.levels[name] = _levels(column)
                present = set(map(_text, column.unique()))
                self.unseen[name] = [level for level in self.levels[name] if _text(level) not in present]

    @property
    def in_words(self) -> dict[str, str]:
        """A short description of each covariate: its kind, and its range or levels."""
        words = {name: f"a number from {low:g} to {high:g}" for name, (low, high) in self.ranges.items()}
        for name, levels in self.levels.items():
            shown = ", ".join(map(str, levels[:SHOWN])) + (", ..." if len(levels) > SHOWN else "")
            words[name] = f"a category of {len(levels)} level{'s' if len(levels) != 1 else ''} ({shown})"
        return words

    @property
    def names(self) -> list[str]:
        """The covariates, numbers first."""
        return [*self.scales, *self.levels]

    @property
    def columns(self) -> list[Column]:
        """What each column of the matrix is."""
        numbers: list[Column] = [(name, None) for name in self.scales]
        return numbers + [(name, level) for name, levels in self.levels.items() for level in levels]

    def matrix(self, obs: pd.DataFrame) -> np.ndarray:
        """The covariates of these cells, float64 (cells, columns); InputError for a level that training did not see."""
        columns = [np.zeros((len(obs), 0))]
        for name, (mean, deviation) in self.scales.items():
            columns.append(((_numbers(obs, name, "a number in training") - mean) / deviation)[:, None])
        for name, levels in self.levels.items():
            texts = _column(obs, name).map(_text).to_numpy(object)
            seen = self._seen(name)
            unknown = [text for text in pd.unique(texts) if text not in seen]
            if unknown:
                raise InputError(
                    f"covariates: {name!r} has the level {unknown[0]!r}, which training did not see; it saw "
                    f"{', '.join(seen)}"
                )
            columns.append(np.stack([texts == _text(level) for level in levels], axis=1).astype(float))
        return np.concatenate(columns, axis=1)

    def extended(self, obs: pd.DataFrame) -> "Covariates":
        """The covariates with the new levels of these cells after the known ones; numbers keep their scaling."""
        state = self.state()
        for name, known in self.levels.items():
            texts, more = set(map(_text, known)), _levels(_column(obs, name))
            state["levels"][name] = [*known, *(level for level in more if _text(level) not in texts)]
            seen = {*self._seen(name), *map(_text, obs[name].unique())}
            state["unseen"][name] = [level for level in state["levels"][name] if _text(level) not in seen]
        for name, (low, high) in self.ranges.items():
            values = _numbers(obs, name, "a number in training")
            state["ranges"][name] = [min(low, float(values.min())), max(high, float(values.max()))]
        return self.from_state(state)

    def with_values(self, obs: pd.DataFrame, values: Mapping[str, Level]) -> pd.DataFrame:
        """A copy of obs in which every cell has these values; a level or number may be given as its text.

        Raises InputError for a covariate or level that the model does not know, and for a number outside of those seen.
        """
        return obs.assign(**{name: self._value(name, value) for name, value in values.items()})

    def state(self) -> dict[str, Any]:
        """The covariates as plain values, which JSON can hold; `from_state` reads them."""
        return {
            "scales": {name: list(scale) for name, scale in self.scales.items()},
            "ranges": {name: list(values) for name, values in self.ranges.items()},
            "levels": {name: list(levels) for name, levels in self.levels.items()},
            "unseen": {name: list(levels) for name, levels in self.unseen.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Covariates":
        """The covariates of which this is the state."""
        covariates = cls(pd.DataFrame(), ())
        covariates.scales = {name: (mean, deviation) for name, (mean, deviation) in state["scales"].items()}
        covariates.levels = {name: list(levels) for name, levels in state["levels"].items()}
        # models that were kept by zipo before these were known lack them
        unbounded = -math.inf, math.inf
        covariates.ranges = {name: tuple(state.get("ranges", {}).get(name, unbounded)) for name in covariates.scales}
        covariates.unseen = {name: list(state.get("unseen", {}).get(name, [])) for name in covariates.levels}
        return covariates

    def _seen(self, name: str) -> dict[str, Level]:
        """The levels of a category that cells had in training, by their texts."""
        return {_text(level): level for level in self.levels[name] if level not in self.unseen[name]}

    def _value(self, name: str, value: Level) -> Level:
        if name in self.scales:
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = math.nan
            if not math.isfinite(number):
                raise InputError(f"batch: {name!r} is a number, and {value!r} is none; give it as in obs")
            low, high = self.ranges[name]
            if not low <= number <= high:
                raise InputError(f"batch: {name!r} went from {low:g} to {high:g} in training; {value!r} is outside")
            return number
        if name not in self.levels:
            raise InputError(f"batch: {name!r} is no covariate of this model; it has {', '.join(self.names) or 'none'}")
        seen = self._seen(name)
        if (text := _text(value)) not in seen:
            raise InputError(f"batch: {name!r} has no level {text!r} in training, which saw {', '.join(seen)}")
        return seen[text]


def likely_batches(obs: pd.DataFrame) -> dict[str, int]:
    """Columns of obs that look like batches by their names and values, with their numbers of levels."""
    likely = {}
    for name in obs.columns:
        plain = "".join(filter(str.isalnum, str(name).lower())).removesuffix("id")
        if plain in BATCH_NAMES and not obs[name].isna().any():
            levels = obs[name].nunique()
            if 1 < levels <= min(MANY, len(obs) // FEWEST):
                likely[str(name)] = int(levels)
    return likely


def _declared(obs: pd.DataFrame, declared: str) -> tuple[str, str | None]:
    """The column of obs that a name stands for, and its declared kind; None if there is none."""
    name, colon, kind = declared.rpartition(":")
    if declared in obs or not colon:
        return declared, None
    if kind not in KINDS:
        raise InputError(
            f"covariates: {declared!r}: {kind!r} is no kind of covariate; write NAME:number or NAME:category"
        )
    return name, kind


def _kind(column: pd.Series) -> str:
    """Whether a column is a number or a category."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return "category"
    values = column.unique()
    all_whole = all(float(value).is_integer() for value in values[: MANY + 1])
    return "category" if all_whole and len(values) <= min(MANY, len(column) // 2) else "number"


def _column(obs: pd.DataFrame, name: str) -> pd.Series:
    if name not in obs:
        raise InputError(
            f"covariates: {name!r} is no column of obs; there are {', '.join(map(str, obs.columns)) or 'none'}"
        )
    column = obs[name]
    if column.isna().any():
        raise InputError(f"covariates: column {name!r} of obs has missing values; fill them, or leave these cells out")
    return column


def _numbers(obs: pd.DataFrame, name: str, why: str) -> np.ndarray:
    """A column's values, float64; `why` says, in errors, why they must be numbers."""
    column = _column(obs, name)
    try:
        values = column.to_numpy(float)
    except (ValueError, TypeError):
        raise InputError(f"covariates: column {name!r} of obs holds {column.iloc[0]!r}, but is {why}") from None
    if not np.isfinite(values).all():
        raise InputError(
            f"covariates: column {name!r} of obs has infinite values; replace them, or leave these cells out"
        )
    return values


def _deviation(values: np.ndarray) -> float:
    """The standard deviation by which numbers are divided; 1 where they are all equal but for rounding errors."""
    deviation = float(values.std())
    return deviation if deviation > ROUNDING * np.abs(values).max() else 1.0


def _plain(level: Any) -> Any:
    """A level as Python has it; a whole number is an int, whatever it was stored as."""
    level = level.item() if isinstance(level, np.generic) else level
    return int(level) if isinstance(level, float) and level.is_integer() else level


def _text(level: Any) -> str:
    """The text by which levels are compared."""
    return str(_plain(level))


def _levels(column: pd.Series) -> list[Level]:
    """The levels of a column, in order; those of a categorical one include levels that no cell has."""
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    values = map(_plain, column.cat.categories if categorical else column.unique())
    levels = list({_text(level): level for level in values}.values())
    for level in levels:
        if not isinstance(level, LEVELS):
            raise InputError(
                f"covariates: column {column.name!r} of obs holds {level!r}, neither text nor a number; "
                "turn it into text"
            )
    return levels if categorical else sorted(levels, key=lambda level: (isinstance(level, str), level))
