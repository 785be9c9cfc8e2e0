"""Tables and slots of gene programs against the counts and the arrays that they are made from."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import zipo
from zipo.shared.errors import InputError

MIN_CELLS = 5


@pytest.fixture(scope="module")
def data(cells):
    return cells.copy()


@pytest.fixture(scope="module")
def actual(model, other, data):
    sets = {"some": list(data.var_names[:6]), "others": list(data.var_names[6:9])}
    return zipo.programs(model, data, by="cell_type", sets=sets, others=[other], min_cells=MIN_CELLS)


def test_slots_hold_contributions_and_activities_in_the_order_of_the_names(actual, data):
    names = list(data.uns["zipo_programs"]["names"])
    assert names == actual.summary["program"].tolist() == actual.activity.columns.tolist()
    np.testing.assert_array_equal(data.varm["zipo_programs"], actual.contributions.contribution)
    assert data.obsm["X_programs"].shape == (data.n_obs, len(names))
    as_variables = ad.AnnData(data.obsm["X_programs"], obs=data.obs, var=pd.DataFrame(index=names))
    means = as_variables.to_df().groupby(data.obs["cell_type"].to_numpy()).mean()
    np.testing.assert_allclose(actual.activity, means.loc[actual.activity.index], rtol=1e-4, atol=1e-5)


def test_genes_have_rank_sign_and_the_group_in_which_they_are_highest(actual, data):
    dense = np.asarray(data.X.todense(), float)
    library = dense.sum(axis=1, keepdims=True)
    logs = pd.DataFrame(np.log1p(dense / library * np.median(library)), columns=data.var_names)
    types = data.obs["cell_type"].astype(str).to_numpy()
    means, seen = logs.groupby(types).mean(), (logs > 0).groupby(types).mean()
    first = actual.genes[actual.genes["program"] == actual.summary["program"][0]]
    column = pd.Series(actual.contributions.contribution[:, 0], data.var_names)
    assert (
        first["gene"].tolist() == column[column != 0].abs().sort_values(ascending=False, kind="stable").index.tolist()
    )
    assert first["rank"].tolist() == list(range(1, len(first) + 1))
    for row in first.itertuples():
        assert row.contribution == column[row.gene]
        assert row.sign == ("+" if column[row.gene] > 0 else "-")
        assert row.expressed_in == means[row.gene].idxmax()
        assert row.seen_there == pytest.approx(seen.loc[row.expressed_in, row.gene])


def test_the_summary_names_the_group_the_set_and_whether_a_program_is_stable(actual):
    summary = actual.summary.set_index("program")
    for name, row in summary.iterrows():
        assert row["active_in"] == actual.activity[name].idxmax()
        assert row["activity"] == actual.activity[name].max()
        sets = actual.sets[actual.sets["program"] == name]
        assert pd.isna(row["set"]) if sets.empty else row["q_value"] == sets["q_value"].min()
    assert summary["stable"].tolist() == actual.stability["stable"].tolist()


def test_the_program_typical_of_a_group_exceeds_all_other_groups_by_most(actual):
    for group, name in actual.typical.items():
        margins = actual.activity.loc[group] - actual.activity.drop(index=group).max()
        assert name == margins.idxmax()


def test_genes_are_matched_by_name_and_missing_types_left_out(model, data, actual):
    more = data[:, ::-1].copy()
    more.obs["cell_type"] = more.obs["cell_type"].astype(object)
    more.obs.iloc[:5, more.obs.columns.get_loc("cell_type")] = np.nan
    again = zipo.programs(model, more, by="cell_type", min_cells=MIN_CELLS)
    np.testing.assert_allclose(more.varm["zipo_programs"][::-1], data.varm["zipo_programs"], rtol=1e-4, atol=1e-6)
    assert again.activity.index.tolist() == actual.activity.index.tolist()
    assert (again.sets, again.stability) == (None, None)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"by": "typ"}, "by 'typ': no column of obs; its columns: .*cell_type"),
        ({"by": "number"}, "by 'number': it has 200 groups; a column with 1 to 100"),
        ({"by": "cell_type", "sets": {"s": ["nothing"]}}, "none of their 1 genes, such as 'nothing'"),
        ({"by": "cell_type", "sets": "absent.gmt"}, "absent.gmt: no such file"),
    ],
)
def test_what_will_not_do_is_named(model, data, options, problem):
    cells = data.copy()
    cells.obs["number"] = np.arange(cells.n_obs).astype(str)
    with pytest.raises(InputError, match=problem):
        zipo.programs(model, cells, min_cells=MIN_CELLS, **options)


def test_a_model_of_other_genes_is_refused(model, other, data, monkeypatch):
    monkeypatch.setattr(other, "genes", other.genes[::-1])
    with pytest.raises(InputError, match="model 1 to compare with: its genes are not the model's"):
        zipo.programs(model, data, by="cell_type", others=[other])
