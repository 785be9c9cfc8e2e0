"""Data set files: their checksum is sha256sum's, the same counts give the same bytes, and damage is found."""

import subprocess

import pytest

from zipo.datasets.prepared import checksum_file, read, write
from zipo.shared.errors import InputError


def test_the_checksum_is_as_sha256sum_has_it(tmp_path, counts):
    write(counts, tmp_path / "toy.h5ad")
    subprocess.run(["sha256sum", "--check", "--strict", "toy.sha256"], cwd=tmp_path, check=True, capture_output=True)
    assert (read(tmp_path / "toy.h5ad").X != counts.X).nnz == 0


def test_the_same_counts_give_the_same_bytes(tmp_path, counts):
    for name in ("a.h5ad", "b.h5ad"):
        write(counts, tmp_path / name)
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()


def test_a_flipped_bit_is_found(tmp_path, counts):
    file = tmp_path / "toy.h5ad"
    write(counts, file)
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"toy\.h5ad: damaged \(sha256 .* where .* was written\); it is set aside"):
        read(file)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy.h5ad.damaged", checksum_file(file).name]
