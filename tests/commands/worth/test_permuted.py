"""Permuted counts: the same counts of each gene in each group, and nothing that two genes have in common."""

import numpy as np
from scipy.stats import spearmanr

from zipo.commands.worth.permuted import library_groups, permuted_counts


def test_groups_are_of_like_library_size_and_large(structured):
    library = np.asarray(structured.X.sum(axis=1)).ravel()
    groups = library_groups(structured.X)
    assert sorted(np.unique(groups, return_counts=True)[1]) == [200, 200]
    assert library[groups == "group 0"].max() <= library[groups == "group 1"].min()
    assert set(library_groups(structured.X[:150])) == {"group 0"}


def test_each_gene_keeps_its_counts_in_each_group(structured):
    groups = library_groups(structured.X)
    before, after = structured.X.toarray(), permuted_counts(structured.X, groups, seed=1).toarray()
    for group in set(groups):
        np.testing.assert_array_equal(np.sort(before[groups == group], axis=0), np.sort(after[groups == group], axis=0))
    assert ((before != after).any(axis=0) == (before > 0).any(axis=0)).all()


def test_genes_no_longer_go_together(structured):
    groups = library_groups(structured.X)
    inside = groups == "group 1"
    genes = np.argsort(-np.asarray(structured.X.sum(axis=0)).ravel())[10:40]
    correlations = [
        np.abs(spearmanr(counts.toarray()[inside][:, genes])[0][np.triu_indices(30, 1)]).mean()
        for counts in (structured.X, permuted_counts(structured.X, groups, seed=1))
    ]
    assert correlations[1] < 0.07 < correlations[0]
