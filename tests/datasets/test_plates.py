"""The myeloma deposit: exact round trips, and refusals that name the plate, the line and the gene."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.datasets import geo_tree
from zipo.datasets import plates
from zipo.errors import InputError

FIRST, SECOND, THIRD = "GSM3272410_AB3058.txt.gz", "GSM3272411_AB3059.txt.gz", "GSM3272412_AB3060.txt.gz"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The deposit as generated, with plates of 384 wells; read only."""
    return geo_tree.write_plates(tmp_path_factory.mktemp("geo"))


@pytest.fixture
def deposit(tmp_path):
    """A smaller deposit of one's own, to spoil."""
    return geo_tree.write_plates(tmp_path, wells=6, genes=12)


def read(deposit, expected=None):
    return plates.read_plates(deposit.suppl / plates.ARCHIVE, deposit.suppl / plates.METADATA, expected)


def unpacked(tar: Path) -> dict[str, bytes]:
    """The members of a tar by name."""
    with tarfile.open(tar) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def repack(deposit, **members) -> None:
    """Replace members of the tar by bytes or by a function of their lines; take those away that are None."""
    tar = deposit.suppl / plates.ARCHIVE
    content = unpacked(tar)
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, packed in content.items():
            change = members.get(name.partition(".")[0], packed)
            if callable(change):
                lines = change(gzip.decompress(packed).decode().splitlines())
                change = gzip.compress("".join(f"{line}\n" for line in lines).encode())
            if change is not None:
                geo_tree.add_member(archive, name, change)


def edit_metadata(deposit, change) -> None:
    path = deposit.suppl / plates.METADATA
    lines = change(gzip.decompress(path.read_bytes()).decode().splitlines())
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def replaced(number: int, text: str):
    """Replace the line of this number, counted from one."""
    return lambda lines: [*lines[: number - 1], text, *lines[number:]]


def field(number: int, column: int, text: str):
    """Replace a field of a line."""

    def change(lines):
        fields = lines[number - 1].split("\t")
        fields[column] = text
        return replaced(number, "\t".join(fields))(lines)

    return change


def test_the_generated_plates_are_what_pandas_reads(pristine):
    members = unpacked(pristine.suppl / plates.ARCHIVE)
    tables = [pd.read_csv(io.BytesIO(gzip.decompress(text)), sep="\t") for text in members.values()]
    assert [table.shape for table in tables] == [(30, 384)] * 3
    assert all(list(table.index) == pristine.genes for table in tables)
    together = pd.concat(tables, axis=1)
    assert list(together.columns) == pristine.wells
    np.testing.assert_array_equal(together.to_numpy().T, pristine.counts.toarray())
    assert (pristine.counts.sum(axis=0) == 0).sum() >= 4


def test_counts_and_names_come_back_exactly(pristine):
    adata = read(pristine, expected=pristine.members)
    assert adata.X.format == "csr"
    assert adata.X.dtype == np.float32
    assert adata.X.nnz == pristine.counts.nnz
    np.testing.assert_array_equal(adata.X.toarray(), pristine.counts.toarray())
    assert list(adata.obs_names) == pristine.wells
    assert list(adata.var_names) == pristine.genes
    assert {"IGLC2;IGLC3", "ERCC-00002"} < set(adata.var_names)


def test_wells_are_described_by_the_metadata(pristine):
    obs = read(pristine).obs
    assert list(obs["batch"]) == pristine.batches
    assert list(obs["experiment"]) == pristine.experiments
    assert list(obs["number_of_cells"]) == pristine.cells
    per_plate = obs.iloc[[0, 384, 768]]
    assert list(per_plate["subject"]) == ["hip01", "MM03", "SMM02"]
    assert list(per_plate["condition"]) == ["control", "patient", "patient"]
    assert list(per_plate["tissue"]) == ["BMPC", "BMPC", "circPC"]


def test_empty_wells_are_kept(pristine):
    adata = read(pristine)
    empty = np.asarray(adata.X.sum(axis=1)).ravel() == 0
    assert list(np.flatnonzero(empty & (adata.obs["number_of_cells"] == 0))) == [383, 767, 1151]


@pytest.mark.parametrize("corner", ["", "gene"])
def test_a_corner_cell_is_not_a_well(deposit, corner):
    before = read(deposit)
    repack(deposit, GSM3272411_AB3059=lambda lines: [f"{corner}\t{lines[0]}", *lines[1:]])
    after = read(deposit)
    assert list(after.obs_names) == list(before.obs_names)
    assert (after.X != before.X).nnz == 0


def test_wells_of_the_metadata_may_come_in_any_order(deposit):
    before = read(deposit)
    edit_metadata(deposit, lambda lines: [lines[0], *lines[:0:-1]])
    pd.testing.assert_frame_equal(read(deposit).obs, before.obs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (field(5, 3, "1.5"), "line 5: gene 'ERCC-00002' has '1.5' in well 'WMC0076008', no whole number"),
        (field(5, 3, ""), "line 5: gene 'ERCC-00002' has '' in well 'WMC0076008', no whole number"),
        (field(5, 3, "NA"), "line 5: gene 'ERCC-00002' has 'NA' in well 'WMC0076008', no whole number"),
        (field(5, 3, "9" * 20), "line 5: gene 'ERCC-00002' has '99999999999999999999' in well 'WMC0076008'"),
        (field(5, 3, "-2"), "line 5: gene 'ERCC-00002' has -2 counts in well 'WMC0076008'"),
        (field(5, 3, "99999999"), "line 5: gene 'ERCC-00002' has 99999999 counts in well 'WMC0076008'"),
        (field(5, 3, "1\t1"), "line 5: gene 'ERCC-00002' has 7 counts for 6 wells"),
        (replaced(5, "ERCC-00002\t1"), "line 5: gene 'ERCC-00002' has 1 counts for 6 wells"),
        (replaced(5, ""), "line 5: gene '' has 0 counts for 6 wells"),
        (replaced(2, "CD79A\t0\t0"), "line 2: 3 fields, but the 6 wells need a gene and theirs"),
        (field(5, 0, "OTHER"), f"line 5: gene 'OTHER', but 'ERCC-00002' in {FIRST}; rows must agree"),
        (lambda lines: lines[:-1], f"11 genes, but 12 in {FIRST}: gene 'GENE11' is only in {FIRST}"),
        (lambda lines: [*lines, "NEW" + "\t0" * 6], f"13 genes, but 12 in {FIRST}: gene 'NEW' is only in .*{SECOND}"),
        (field(5, 0, "CD79A"), "line 5: gene 'CD79A' occurs more than once"),
        (field(1, 2, "WMC0076006"), "line 1: well 'WMC0076006' occurs more than once"),
        (field(1, 2, "WMC0076001"), f"line 1: well 'WMC0076001' is also in {FIRST}"),
        (field(1, 2, "WMC1"), "line 1: well 'WMC1' is not in GSE117156_metadata.txt.gz"),
        (lambda lines: lines[:1], "the file is empty"),
        (b"", "the file is empty"),
        (b"<!DOCTYPE html>", "the gzip is damaged .*Not a gzipped file"),
        (gzip.compress(b"a\tb\nc\t1\t2\n", mtime=0)[:-6], "the gzip is damaged"),
    ],
)
def test_a_bad_plate_is_named_with_line_and_gene(deposit, change, message):
    repack(deposit, GSM3272411_AB3059=change)
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: {SECOND}[,:] {message}"):
        read(deposit)


def test_plates_must_be_those_of_the_series(deposit):
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: the tar holds unexpectedly {SECOND} \(1 of 2"):
        read(deposit, expected=[FIRST, THIRD])
    repack(deposit, GSM3272411_AB3059=None)
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: the tar lacks {SECOND} \(1 of 3 plates"):
        read(deposit, expected=[FIRST, SECOND, THIRD])
    with pytest.raises(InputError, match=r"^GSE117156_metadata\.txt\.gz, line 8: well 'WMC0076006' is in no plate of"):
        read(deposit)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [*lines, lines[-1].replace("WMC0076017", "WMC9")], "line 20: well 'WMC9' is in no plate of"),
        (lambda lines: [*lines, lines[3]], "line 20: well 'WMC0076002' occurs more than once"),
        (field(4, 0, ""), "line 4: well '' has no name"),
        (field(4, 1, "hip01"), "line 4: Experiment_ID 'hip01' does not read prefix_subject_"),
        (field(4, 6, "one"), "line 4: Number_of_cells must be a whole number, but is 'one'"),
        (replaced(4, "WMC0076002\tx"), "line 4: 2 fields, but the header has 8"),
        (field(1, 2, "Batch"), "line 1: no column 'Amp_batch_ID'; there are well, Experiment_ID, Batch, "),
    ],
)
def test_bad_metadata_are_named_by_line(deposit, change, message):
    edit_metadata(deposit, change)
    with pytest.raises(InputError, match=rf"^GSE117156_metadata\.txt\.gz, {message}"):
        read(deposit)


def test_missing_and_damaged_files_are_named(deposit):
    tar, metadata = deposit.suppl / plates.ARCHIVE, deposit.suppl / plates.METADATA
    whole = tar.read_bytes()
    for content, problem in (
        (b"", "the tar is damaged"),
        (b"<!DOCTYPE html>", "the tar is damaged"),
        (whole[:700], "the tar is damaged"),
        (bytes(10240), "the tar holds no plates"),
    ):
        tar.write_bytes(content)
        with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: {problem}"):
            read(deposit)
    tar.unlink()
    with pytest.raises(InputError, match=r"^GSE117156_RAW\.tar: there is no such file"):
        read(deposit)
    metadata.write_bytes(b"")
    with pytest.raises(InputError, match=r"^GSE117156_metadata\.txt\.gz: the file is empty"):
        read(deposit)


def test_the_generator_depends_on_its_arguments_alone(deposit, tmp_path):
    again = geo_tree.write_plates(tmp_path / "again", wells=6, genes=12)
    for name in (plates.ARCHIVE, plates.METADATA, "filelist.txt"):
        assert (deposit.suppl / name).read_bytes() == (again.suppl / name).read_bytes()
    on_its_own = tmp_path / "samples" / "GSM3272nnn" / "GSM3272411" / "suppl" / SECOND
    assert on_its_own.read_bytes() == unpacked(deposit.suppl / plates.ARCHIVE)[SECOND]
