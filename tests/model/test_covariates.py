"""Known covariates: standardised and one-hot, kept in JSON, extended, and set to one value."""

import json

import numpy as np
import pandas as pd
import pytest

from zipo.model.covariates import Covariates, likely_batches
from zipo.shared.errors import InputError

OBS = pd.DataFrame(
    {
        "donor": ["b", "a", "b", "a"],
        "age": [10.0, 20.0, 30.0, 40.0],
        "treated": [True, False, False, True],
        "plate": pd.Categorical([2, 10, 2, 2], categories=[2, 10, 11]),
    },
    index=["c1", "c2", "c3", "c4"],
)
NAMES = ("donor", "age", "treated", "plate")
MATRIX = [  # age, donor a and b, treated no and yes, plate 2, 10 and 11
    [-15 / 125**0.5, 0, 1, 0, 1, 1, 0, 0],
    [-5 / 125**0.5, 1, 0, 1, 0, 0, 1, 0],
    [5 / 125**0.5, 0, 1, 1, 0, 1, 0, 0],
    [15 / 125**0.5, 1, 0, 0, 1, 1, 0, 0],
]


def test_numbers_are_standardised_and_categories_one_hot():
    covariates = Covariates(OBS, NAMES)
    np.testing.assert_allclose(covariates.matrix(OBS), MATRIX)
    # by the cells given at first, not by those at hand
    np.testing.assert_allclose(covariates.matrix(OBS.iloc[2:]), MATRIX[2:])
    assert covariates.columns[:3] == [("age", None), ("donor", "a"), ("donor", "b")]
    assert Covariates(OBS, ()).matrix(OBS).shape == (4, 0)


@pytest.mark.parametrize("value", [0.3, 0.1, 0.0, -1e6 / 3])
@pytest.mark.parametrize("cells", [7, 200])
def test_a_number_that_all_cells_share_is_not_divided_by_rounding_errors(value, cells):
    obs = pd.DataFrame({"age": np.full(cells, value)})
    covariates = Covariates(obs, ("age:number",))
    assert covariates.scales["age"][1] == 1
    nearly = obs.assign(age=np.where(np.arange(cells) % 2, value, np.nextafter(value, np.inf)))
    assert Covariates(nearly, ("age:number",)).scales["age"][1] == 1
    np.testing.assert_allclose(covariates.matrix(nearly), 0, atol=1e-9)


def test_numbers_that_differ_by_little_are_divided_by_their_deviation():
    seconds = pd.DataFrame({"time": 1.7e9 + np.array([0.0, 0.5, 1.0, 1.5])})
    np.testing.assert_allclose(Covariates(seconds, ("time",)).scales["time"][1], np.sqrt(5 / 16), rtol=1e-6)


def test_they_survive_json_with_their_types():
    covariates = Covariates(OBS, NAMES)
    again = Covariates.from_state(json.loads(json.dumps(covariates.state())))
    np.testing.assert_array_equal(again.matrix(OBS), covariates.matrix(OBS))
    types = {name: [type(level) for level in levels] for name, levels in again.levels.items()}
    assert types == {"donor": [str] * 2, "treated": [bool] * 2, "plate": [int] * 3}
    assert again.levels["plate"] == [2, 10, 11]


def test_new_levels_are_appended_and_numbers_keep_their_scaling():
    covariates = Covariates(OBS, NAMES)
    more = pd.DataFrame({"donor": ["0", "b"], "age": [25.0, 50.0], "treated": [True, True], "plate": [10, 3]})
    extended = covariates.extended(more)
    assert extended.levels == {"donor": ["a", "b", "0"], "treated": [False, True], "plate": [2, 10, 11, 3]}
    assert covariates.levels["donor"] == ["a", "b"]
    expected = [[0, 0, 0, 1, 0, 1, 0, 1, 0, 0], [25 / 125**0.5, 0, 1, 0, 0, 1, 0, 0, 0, 1]]
    np.testing.assert_allclose(extended.matrix(more), expected)


def test_a_level_is_seen_once_a_cell_has_it():
    covariates = Covariates(OBS, ("plate",))
    more = pd.DataFrame({"plate": pd.Categorical([11, 11], categories=[11, 12, 13])})
    extended = covariates.extended(more)
    assert (extended.levels, extended.unseen) == ({"plate": [2, 10, 11, 12, 13]}, {"plate": [12, 13]})
    np.testing.assert_array_equal(extended.matrix(more), [[0, 0, 1, 0, 0]] * 2)
    with pytest.raises(InputError, match=r"'plate' has the level '13', which training did not see; it saw 2, 10, 11$"):
        extended.matrix(pd.DataFrame({"plate": [13]}))


def test_every_cell_may_be_given_one_value():
    covariates = Covariates(OBS, NAMES)
    for values in ({"donor": "a", "plate": 10, "age": 40.0}, {"donor": "a", "plate": "10", "age": "40"}):
        actual = covariates.matrix(covariates.with_values(OBS, values))
        np.testing.assert_allclose(actual[:, 0], 15 / 125**0.5)
        np.testing.assert_array_equal(actual[:, 1:3], [[1, 0]] * 4)
        np.testing.assert_array_equal(actual[:, 3:5], np.array(MATRIX)[:, 3:5])
        np.testing.assert_array_equal(actual[:, 5:], [[0, 1, 0]] * 4)
    assert list(OBS["donor"]) == ["b", "a", "b", "a"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"donor": "c"}, "batch: 'donor' has no level 'c' in training, which saw a, b"),
        ({"sex": "m"}, "batch: 'sex' is no covariate of this model; it has age, donor, treated, plate"),
        ({"age": "old"}, "batch: 'age' is a number, and 'old' is none"),
        ({"age": "nan"}, "batch: 'age' is a number, and 'nan' is none"),
        ({"age": None}, "batch: 'age' is a number, and None is none; give it as in obs"),
        ({"age": [20, 30]}, r"batch: 'age' is a number, and \[20, 30\] is none; give it as in obs"),
        ({"age": 41}, "batch: 'age' went from 10 to 40 in training; 41 is outside"),
        ({"plate": 11}, "batch: 'plate' has no level '11' in training, which saw 2, 10"),
    ],
)
def test_values_that_the_model_does_not_know_are_named(values, problem):
    with pytest.raises(InputError, match=problem):
        Covariates(OBS, NAMES).with_values(OBS, values)


@pytest.mark.parametrize(
    ("obs", "problem"),
    [
        (OBS.drop(columns="donor"), "'donor' is no column of obs; there are age, treated, plate"),
        (OBS.assign(donor=["a", "c", "a", "d"]), "'donor' has the level 'c', which training did not see"),
        (OBS.assign(plate=[2, 11, 2, 10]), "'plate' has the level '11', which training did not see; it saw 2, 10$"),
        (OBS.assign(age=[1, np.nan, 3, 4]), "column 'age' of obs has missing values"),
        (OBS.assign(age=["young"] * 4), "column 'age' of obs holds 'young', but is a number in training"),
    ],
)
def test_cells_that_do_not_fit_are_refused(obs, problem):
    with pytest.raises(InputError, match=problem):
        Covariates(OBS, NAMES).matrix(obs)


@pytest.mark.parametrize(
    ("obs", "problem"),
    [
        (OBS.drop(columns="donor"), "'donor' is no column of obs"),
        (OBS.assign(age=np.nan), "column 'age' of obs has missing values"),
        (OBS.assign(age=[1.5, 2, 3, np.inf]), "column 'age' of obs has infinite values"),
        (OBS.assign(donor=pd.Timestamp("2020-01-01")), "column 'donor' of obs holds Timestamp.* turn it into text"),
    ],
)
def test_columns_that_will_not_do_are_named(obs, problem):
    with pytest.raises(InputError, match=f"covariates: {problem}"):
        Covariates(obs, NAMES)


NUMBERED = pd.DataFrame({"batch": [0, 1, 2] * 4, "age": np.linspace(20, 31, 12)})


def test_numbered_batches_are_categories_whatever_they_are_stored_as():
    expected = np.eye(3)[[0, 1, 2] * 4]
    stored = [np.array([0, 1, 2] * 4, dtype=kind) for kind in (np.int8, np.uint64, np.float32, object)]
    for column in [*stored, pd.array([0, 1, 2] * 4, dtype="Int64"), np.array(["0", "1", "2"] * 4)]:
        obs = pd.DataFrame({"batch": column})
        np.testing.assert_array_equal(Covariates(obs, ("batch",)).matrix(obs), expected)
        # cells whose batches are stored in another way are the same
        np.testing.assert_array_equal(Covariates(NUMBERED, ("batch",)).matrix(obs), expected)
    swapped = NUMBERED.assign(batch=NUMBERED["batch"].map({0: 0, 1: 2, 2: 1}))
    np.testing.assert_array_equal(Covariates(swapped, ("batch",)).matrix(swapped), expected[:, [0, 2, 1]])


def test_what_a_column_is_may_be_declared_and_is_told():
    taken = Covariates(NUMBERED, ("batch", "age"))
    assert taken.in_words == {"age": "a number from 20 to 31", "batch": "a category of 3 levels (0, 1, 2)"}
    assert Covariates(NUMBERED, ("batch:number",)).in_words == {"batch": "a number from 0 to 2"}
    assert Covariates(NUMBERED, ("age:category",)).in_words["age"].startswith("a category of 12 levels (20, 21, 22, ")
    with pytest.raises(InputError, match="'batch:factor': 'factor' is no kind of covariate; write NAME:number or"):
        Covariates(NUMBERED, ("batch:factor",))
    colon = NUMBERED.rename(columns={"batch": "batch:number"})  # a column may have such a name
    assert Covariates(colon, ("batch:number",)).levels == {"batch:number": [0, 1, 2]}


@pytest.mark.parametrize("values", [np.arange(12), np.arange(12) / 2 % 2, [1.0, 2.0, 3.5] * 4, range(0, 36, 3)])
def test_measures_stay_numbers(values):
    obs = pd.DataFrame({"depth": values}, dtype=float)
    assert list(Covariates(obs, ("depth",)).scales) == ["depth"]


def test_a_level_that_no_cell_has_is_refused():
    with pytest.raises(InputError, match="batch: 'batch' has no level '7' in training, which saw 0, 1, 2"):
        Covariates(NUMBERED, ("batch",)).with_values(NUMBERED, {"batch": 7})


def test_columns_that_look_like_batches_are_those_with_a_usual_name_and_cells_enough_a_level():
    cells = 60
    columns = {
        "Donor_ID": np.repeat(["a", "b", "c"], 20),
        "orig.ident": np.repeat([1, 2], 30),
        "sample": ["all"] * cells,  # one level parts nothing
        "library": np.repeat(list("abcd"), 15),  # too few cells each
        "patient": ["a"] * 59 + [None],
        "cell_type": np.repeat(["x", "y"], 30),
    }
    obs = pd.DataFrame(columns)
    assert likely_batches(obs) == {"Donor_ID": 3, "orig.ident": 2}
    assert likely_batches(obs.iloc[:, :0]) == {}
