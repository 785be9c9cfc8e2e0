"""Measures that claims may name, against the tables of a study."""

import re
from numbers import Real

import pandas as pd

from zipo.parameters import Parameters
from zipo.study.claims.fields import COLUMNS, MEASURES, PRUNED
from zipo.study.claims.tables import with_measures
from zipo.study.run import run

NO_MEASURES = {
    "seconds",
    "seconds_per_epoch",
    "seed",
    "threads",
    "genes",
    "training_cells",
    "validation_cells",
    "test_cells",
}
"""Numbers that are given to a run, and times that other work on the machine changes."""


def test_every_number_of_a_run_is_a_measure(simulated):
    setting = {"id": "s", "dataset": "simulated", "method": "zipo", "encoder": "8-4", "max_epochs": 1}
    row = run(simulated, setting, 1, [1e-4], "cpu")[1]
    clusters = pd.DataFrame(
        {"dataset": ["simulated"], "setting": "s", "seed": 1, "silhouette": 0.1, "ari": 0.2, "nmi": 0.3}
    )
    table = with_measures(pd.DataFrame([row]), clusters)
    given = NO_MEASURES | set(COLUMNS) | set(Parameters.model_fields)
    numbers = {name for name, value in table.iloc[0].items() if isinstance(value, Real)} - given
    pruned = {name for name in numbers if re.fullmatch(PRUNED, name)}
    assert pruned == {"pruned_0.0001_kept", "pruned_0.0001_test_nll", "pruned_0.0001_test_mse_rates"}
    assert numbers - pruned == set(MEASURES)
    assert len(MEASURES) == len(set(MEASURES))


def test_every_column_of_a_setting_is_in_the_runs_table(simulated):
    setting = {"id": "s", "dataset": "simulated", "method": "zipo", "encoder": "8-4", "max_epochs": 1}
    row = run(simulated, setting, 1, [], "cpu")[1]
    assert set(COLUMNS) - set(row) == {"variant"}  # which the table of all runs adds
