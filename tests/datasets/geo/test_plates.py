"""The myeloma deposit: exact round trips, and refusals that name the plate, the line and the gene."""

import gzip
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.datasets import geo_tree
from zipo.datasets.geo import plates
from zipo.shared.errors import InputError

FIRST, SECOND, THIRD = "GSM3272410_AB3058.txt.gz", "GSM3272411_AB3059.txt.gz", "GSM3272412_AB3060.txt.gz"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """The deposit as generated, with plates of 384 wells; read only."""
    return geo_tree.write_plates(tmp_path_factory.mktemp("geo"))


@pytest.fixture
def deposit(tmp_path):
    """A smaller deposit of one's own, to spoil."""
    return geo_tree.write_plates(tmp_path, wells=6, genes=12)


def read(deposit, expected=None, samples=()):
    return plates.read_plates(deposit.suppl / plates.ARCHIVE, deposit.suppl / plates.METADATA, expected, samples)


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
        (field(5, 3, "9" * 20), r"line 5: gene 'ERCC-00002' has 1e\+20 counts in well 'WMC0076008'"),
        (field(5, 3, "nan"), "line 5: gene 'ERCC-00002' has 'nan' in well 'WMC0076008', no whole number"),
        (field(5, 3, "inf"), "line 5: gene 'ERCC-00002' has inf counts in well 'WMC0076008'"),
        (field(5, 3, "1e-1"), "line 5: gene 'ERCC-00002' has '1e-1' in well 'WMC0076008', no whole number"),
        (field(5, 6, ""), "line 5: gene 'ERCC-00002' has 5 counts for 6 wells"),
        (field(5, 3, "-2"), "line 5: gene 'ERCC-00002' has -2 counts in well 'WMC0076008'"),
        (field(5, 3, "99999999"), "line 5: gene 'ERCC-00002' has 99999999 counts in well 'WMC0076008'"),
        (field(5, 3, "1\t1"), "line 5: gene 'ERCC-00002' has 7 counts for 6 wells"),
        (replaced(5, "ERCC-00002\t1"), "line 5: gene 'ERCC-00002' has 1 counts for 6 wells"),
        (replaced(5, ""), "line 5: gene '' has 0 counts for 6 wells"),
        (replaced(2, "CD79A\t0\t0"), "line 2: 3 fields, but the 6 wells need a gene and theirs"),
        (field(5, 0, "OTHER"), f"gene 'OTHER', one of 1, is in {SECOND} but not in {FIRST}; all plates must have"),
        (field(2, 0, "OTHER"), f"gene 'OTHER', one of 1, is in {SECOND} but not in {FIRST}; all plates must have"),
        (lambda lines: lines[:-2], f"gene 'GENE10', one of 2, is in {FIRST} but not in {SECOND}; all plates must have"),
        (lambda lines: [*lines, "NEW" + "\t0" * 6], f"gene 'NEW', one of 1, is in {SECOND} but not in {FIRST}; all"),
        (lambda lines: [*lines, "ERCC2" + "\t0" * 6], f"gene 'ERCC2', one of 1, is in {SECOND} but not in {FIRST};"),
        (field(5, 0, "CD79A"), "line 5: gene 'CD79A' occurs more than once"),
        (field(1, 2, "WMC0076006"), "line 1: well 'WMC0076006' occurs more than once"),
        (field(1, 2, "WMC0076001"), f"line 1: well 'WMC0076001' is also in {FIRST}"),
        (lambda lines: lines[:1], "the file is empty"),
        (b"", "the file is empty"),
        (b"<!DOCTYPE html>", "the gzip is damaged .*Not a gzipped file"),
        (gzip.compress(b"a\tb\nc\t1\t2\n", mtime=0)[:-6], "the gzip is damaged"),
    ],
)
def test_a_bad_plate_is_named_with_line_and_gene(deposit, change, message):
    repack(deposit, GSM3272411_AB3059=change)
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: {SECOND}[,:] {message}.*fetch the tar again"):
        read(deposit)


def test_plates_must_be_those_of_the_series(deposit):
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: the tar holds unexpectedly {SECOND} \(1 of 2"):
        read(deposit, expected=[FIRST, THIRD])
    adata = read(deposit, expected=[FIRST, THIRD], samples=["GSM3272411"])  # a sample of the series, without a file
    assert (adata.X != read(deposit).X).nnz == 0
    repack(deposit, GSM3272411_AB3059=None)
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: the tar lacks {SECOND} \(1 of 3 plates"):
        read(deposit, expected=[FIRST, SECOND, THIRD])


def same(deposit, before, remarks=()):
    """Read the deposit; counts, names and metadata must be those from before, and these remarks be there."""
    after = read(deposit)
    assert list(after.obs_names) == list(before.obs_names)
    assert list(after.var_names) == list(before.var_names)
    np.testing.assert_array_equal(after.X.toarray(), before.X.toarray())
    pd.testing.assert_frame_equal(after.obs, before.obs)
    for remark, expected in zip(after.uns["remarks"], remarks, strict=True):
        assert expected in remark


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [f"{line}\t" for line in lines],
        lambda lines: [f"{line}\t\t" for line in lines],
        lambda lines: [lines[0], *(f"{line}\t" for line in lines[1:])],
        lambda lines: [f"{lines[0]}\t", *lines[1:]],
        lambda lines: [f"\t{lines[0]}\t", *(f"{line}\t" for line in lines[1:])],
        lambda lines: ["\t".join(f'"{name}"' for name in line.split("\t")) for line in lines],
        lambda lines: [f"{line}\r" for line in lines],
        lambda lines: [*lines, "", ""],
        lambda lines: [f"\ufeff{lines[0]}", *lines[1:]],
        lambda lines: [line.replace("\t", ",") for line in lines],
        lambda lines: [line.replace("\t", "  ") for line in lines],
        lambda lines: [lines[0], *(re.sub(r"\t([0-9]+)", r"\t\1.0", line) for line in lines[1:])],
    ],
)  # fmt: skip
def test_a_plate_in_another_form_is_the_same(deposit, change):
    before = read(deposit)
    repack(deposit, GSM3272411_AB3059=change)
    same(deposit, before)


def test_counts_as_r_writes_large_ones_are_read(deposit):
    repack(deposit, GSM3272411_AB3059=field(5, 3, "1e+05"))
    assert read(deposit).X[8, 3] == 100_000


@pytest.mark.parametrize("order", [slice(None, 0, -1), [3, 2, 1, *range(4, 13)]])
def test_rows_in_another_order_are_aligned_by_name(deposit, order):
    before = read(deposit)
    repack(deposit, GSM3272411_AB3059=lambda lines: [lines[0], *np.array(lines)[order]])
    same(
        deposit,
        before,
        [f"another order than the first plate, which are aligned by name: 1 of 3, the first is '{SECOND}'"],
    )


@pytest.mark.parametrize("plate", [0, 1, 2])
def test_spike_ins_that_a_plate_lacks_are_zero_there(deposit, plate):
    before = read(deposit)
    counts = before.X.toarray()
    counts[6 * plate : 6 * plate + 6, before.var_names == "ERCC-00002"] = 0
    name = (FIRST, SECOND, THIRD)[plate]
    repack(deposit, **{name.partition(".")[0]: lambda lines: [*lines[:4], *lines[5:]]})
    after = read(deposit)
    assert sorted(after.var_names) == sorted(before.var_names)
    np.testing.assert_array_equal(after[:, before.var_names].X.toarray(), counts)
    (remark,) = after.uns["remarks"]
    assert remark.endswith(f"taken as zero there: 1 of 3, the first is '{name}', without ERCC-00002")


def add(deposit, members, folder="", first=False) -> None:
    """Put the plates under a folder, and further members behind or before them."""
    tar = deposit.suppl / plates.ARCHIVE
    content = {f"{folder}{name}": packed for name, packed in unpacked(tar).items()}
    with tarfile.open(tar, "w") as archive:
        for name, packed in (members | content if first else content | members).items():
            geo_tree.add_member(archive, name, packed)


@pytest.mark.parametrize("folder", ["./", "suppl/", "./a/b/"])
def test_plates_in_a_folder_are_plates(deposit, folder):
    before = read(deposit)
    add(deposit, {f"{folder}.DS_Store": b"x", f"{folder}._{FIRST}": b"x"}, folder)
    after = read(deposit, expected=[FIRST, SECOND, THIRD])
    assert (after.X != before.X).nnz == 0
    assert after.uns["remarks"] == []
    add(deposit, {SECOND: b"x"})
    with pytest.raises(InputError, match=rf"^GSE117156_RAW\.tar: the tar holds {SECOND} twice"):
        read(deposit)


PEAKS = gzip.compress(b"chr\tstart\tend\nchr1\t10\t20\nchr1\t30\t40\n", mtime=0)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("name", "content", "remark"),
    [
        ("GSM3272999_KHM1B_H3K4me2.bw", b"\x26\xfc\x8f\x88" + bytes(600), "no tables, which are passed over: 1, the"),
        (
            "GSM3272999_KHM1B.bedGraph.gz",
            PEAKS,
            "no tables, which are passed over: 1, the first is 'GSM3272999_KHM1B.bed",
        ),
        (
            "GSM3272999_KHM1B_peaks.txt.gz",
            PEAKS,
            "KHM1B_peaks.txt.gz: none of its columns is a well of GSE117156_metadata",
        ),
    ],
)
def test_tracks_in_the_tar_are_no_plates(deposit, name, content, remark, first):
    before = read(deposit)
    add(deposit, {name: content}, first=first)
    same(deposit, before, [remark])
    assert read(deposit, expected=[FIRST, SECOND, THIRD, name]).n_obs == 18


def test_a_file_of_the_series_that_is_no_plate_may_be_missing(deposit):
    adata = read(deposit, expected=[FIRST, SECOND, THIRD, "GSM3272999_peaks.txt.gz", "GSM3272999_KHM1B.bw"])
    (remark,) = adata.uns["remarks"]
    assert remark.endswith("files of the series that the tar lacks: 1, the first is 'GSM3272999_peaks.txt.gz'")


def test_a_plate_without_metadata_is_refused(deposit):
    edit_metadata(deposit, lambda lines: [line for line in lines if "AB3059" not in line])
    message = (
        rf"^GSE117156_RAW\.tar: {SECOND}, line 1: well 'WMC0076006' is not in GSE117156_metadata\.txt\.gz, which must"
    )
    with pytest.raises(InputError, match=message):
        read(deposit)


@pytest.mark.parametrize(
    "content", [b"", gzip.compress(b"notes\n", mtime=0), gzip.compress(b"Well_coordinates\tx\nA1\t1\n", mtime=0)]
)
def test_metadata_that_name_no_wells_are_refused(deposit, content):
    (deposit.suppl / plates.METADATA).write_bytes(content)
    with pytest.raises(
        InputError, match=r"^GSE117156_metadata\.txt\.gz(: the file is empty|, line 1: no column 'well')"
    ):
        read(deposit)


def test_missing_and_damaged_files_are_named(deposit):
    tar, metadata = deposit.suppl / plates.ARCHIVE, deposit.suppl / plates.METADATA
    complete = tar.read_bytes()
    for content, problem in (
        (b"", "the tar is damaged"),
        (b"<!DOCTYPE html>", "the tar is damaged"),
        (complete[:700], "the tar is damaged"),
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
