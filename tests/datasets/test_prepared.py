"""Data set files: their checksum is sha256sum's, the same counts give the same bytes, and damage is found."""

import subprocess
from collections.abc import Callable

import anndata as ad
import pandas as pd
import pytest

from zipo.datasets import prepared
from zipo.datasets.prepared import checksum_file, contents_digest, read, write
from zipo.shared.errors import InputError


def test_the_checksum_is_as_sha256sum_has_it(tmp_path, counts):
    write(counts, tmp_path / "toy.h5ad")
    subprocess.run(["sha256sum", "--check", "--strict", "toy.sha256"], cwd=tmp_path, check=True, capture_output=True)
    assert (read(tmp_path / "toy.h5ad").X != counts.X).nnz == 0


def test_the_same_counts_give_the_same_bytes(tmp_path, counts):
    for name in ("a.h5ad", "b.h5ad"):
        write(counts, tmp_path / name)
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()


def test_a_digest_of_the_contents_follows_counts_cells_and_genes_alone(tmp_path, counts, monkeypatch):
    file = tmp_path / "toy.h5ad"

    def digest_of(change: Callable[[ad.AnnData], object] = lambda adata: None) -> str:
        changed = counts.copy()
        changed.obs["batch"] = pd.Categorical(["a"] * (changed.n_obs - 1) + ["b"])
        change(changed)
        write(changed, file)
        return contents_digest(file)

    expected = digest_of()
    assert digest_of(lambda adata: adata.uns.update(dataset={"title": "Toy", "cells": 3})) == expected
    changes = [
        lambda adata: adata.X.data.__setitem__(-1, 99),
        lambda adata: adata.obs.__setitem__("batch", ["b"] * adata.n_obs),
        lambda adata: setattr(adata, "obs_names", [f"c{i}" for i in range(adata.n_obs)]),
        lambda adata: setattr(adata, "var_names", [f"g{i}" for i in range(adata.n_vars)]),
        lambda adata: adata.layers.__setitem__("true_rates", adata.X.toarray()),
    ]
    digests = {digest_of(change) for change in changes}
    assert len(digests | {expected}) == 1 + len(changes)
    monkeypatch.setattr(prepared, "CHUNK", 7)
    assert digest_of() == expected


@pytest.mark.parametrize("take", [read, contents_digest])
def test_a_flipped_bit_is_found(tmp_path, counts, take):
    file = tmp_path / "toy.h5ad"
    write(counts, file)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"toy\.h5ad: damaged \(sha256 .* where .* was written\); it is set aside"):
        take(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy.h5ad.damaged", checksum_file(file).name]
