"""Known covariates of cells, columns of obs, as the numbers that the decoder and the library network see."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from zipo.errors import InputError

Level = str | bool | int | float
Column = tuple[str, Level | None]  # a covariate, and its level; None for a number
LEVELS = (str, bool, int, float)  # the kinds of level that JSON keeps as they are


class Covariates:
    """Columns of obs as columns of numbers: numbers standardised by the training cells, then categories one-hot.

    Raises InputError for a column that is not there, has missing values, or levels that are neither text nor numbers.
    """

    def __init__(self, obs: pd.DataFrame, names: Sequence[str]):
        self.scales: dict[str, tuple[float, float]] = {}  # mean and standard deviation of each number
        self.levels: dict[str, list[Level]] = {}
        for name in names:
            column = _column(obs, name)
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                self.scales[name] = (float(column.mean()), float(column.std(ddof=0)) or 1.0)
            else:
                self.levels[name] = _levels(column)

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
            columns.append(((_numbers(obs, name) - mean) / deviation)[:, None])
        for name, levels in self.levels.items():
            column = _column(obs, name)
            unknown = [level for level in column.unique() if level not in levels]
            if unknown:
                raise InputError(f"covariates: {name!r} has the level {unknown[0]!r}, which training did not see")
            columns.append(np.stack([column == level for level in levels], axis=1).astype(float))
        return np.concatenate(columns, axis=1)

    def extended(self, obs: pd.DataFrame) -> "Covariates":
        """The same with the levels that these cells add, after those there are; numbers keep their scaling."""
        more = {name: _levels(_column(obs, name)) for name in self.levels}
        levels = {
            name: [*known, *(level for level in more[name] if level not in known)]
            for name, known in self.levels.items()
        }
        return self.from_state({"scales": self.scales, "levels": levels})

    def with_values(self, obs: pd.DataFrame, values: Mapping[str, Level]) -> pd.DataFrame:
        """A copy of obs in which every cell has these values; a level or number may be given as its text.

        Raises InputError for a covariate or level that the model does not know.
        """
        return obs.assign(**{name: self._value(name, value) for name, value in values.items()})

    def state(self) -> dict[str, Any]:
        """All there is to it, as JSON knows it."""
        return {"scales": {name: list(scale) for name, scale in self.scales.items()}, "levels": self.levels}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Covariates":
        """The covariates of which this is the state."""
        covariates = cls(pd.DataFrame(), ())
        covariates.scales = {name: (mean, deviation) for name, (mean, deviation) in state["scales"].items()}
        covariates.levels = {name: list(levels) for name, levels in state["levels"].items()}
        return covariates

    def _value(self, name: str, value: Level) -> Level:
        if name in self.scales:
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                raise InputError(f"batch: {name!r} is a number, and {value!r} is none; give it as in obs")
            return number
        if name not in self.levels:
            raise InputError(f"batch: {name!r} is no covariate of this model; it has {', '.join(self.names) or 'none'}")
        for level in self.levels[name]:
            if value == level or value == str(level):
                return level
        levels = ", ".join(map(str, self.levels[name]))
        raise InputError(f"batch: {name!r} has no level {value!r}; training saw {levels}")


def _column(obs: pd.DataFrame, name: str) -> pd.Series:
    if name not in obs:
        raise InputError(f"covariates: {name!r} is no column of obs; there are {', '.join(map(str, obs.columns))}")
    if obs[name].isna().any():
        raise InputError(f"covariates: column {name!r} of obs has missing values")
    return obs[name]


def _numbers(obs: pd.DataFrame, name: str) -> np.ndarray:
    column = _column(obs, name)
    try:
        return column.to_numpy(float)
    except ValueError:
        raise InputError(
            f"covariates: column {name!r} of obs holds {column.iloc[0]!r}, where training saw numbers"
        ) from None


def _levels(column: pd.Series) -> list[Level]:
    """The levels of a column in order; a categorical one keeps those that its cells happen to lack."""
    categorical = isinstance(column.dtype, pd.CategoricalDtype)
    found = list(column.cat.categories if categorical else column.unique())
    levels = [level.item() if isinstance(level, np.generic) else level for level in found]
    for level in levels:
        if not isinstance(level, LEVELS):
            raise InputError(
                f"covariates: column {column.name!r} of obs holds {level!r}, neither text nor a number; "
                "turn it into text"
            )
    return levels if categorical else sorted(levels, key=lambda level: (isinstance(level, str), level))
