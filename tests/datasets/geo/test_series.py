"""The deposits of GEO, fetched from a server that keeps them as GEO does and misbehaves, and assembled."""

import gzip
import random
import tarfile

import numpy as np
import pytest

from tests.datasets import geo_tree
from tests.datasets.fault_server import Fault, FaultServer
from zipo.datasets.geo import liver, plates
from zipo.datasets.geo import series as geo
from zipo.datasets.geo.soft import soft_path, supplement_path
from zipo.datasets.transfer.fetch import Patience
from zipo.datasets.transfer.integrity import sha256_of
from zipo.datasets.transfer.lock import Lock
from zipo.datasets.transfer.manifest import checksums
from zipo.shared.errors import InputError

pytestmark = pytest.mark.usefixtures("own_connections")

QUICK = Patience(attempts=4, stall=5, backoff=0.01, longest_wait=0.02)
SERIES = (liver.ACCESSION, plates.ACCESSION)


@pytest.fixture
def deposits(tmp_path):
    """Both deposits in a folder, by accession."""
    root = tmp_path / "geo"
    return {
        liver.ACCESSION: geo_tree.write_liver(root, cells=90, genes=40, density=0.2),
        plates.ACCESSION: geo_tree.write_plates(root, plates=2, wells=24, genes=30, density=0.2),
    }


@pytest.fixture
def server(tmp_path, deposits):
    with FaultServer(tmp_path / "geo") as running:
        yield running


def fetched(server, tmp_path, accession):
    """The folder of a series after a fetch."""
    folder = tmp_path / "downloads" / accession
    lock = Lock(tmp_path / "lock.tsv")
    geo.fetch_series(accession, folder, folder / "manifest.tsv", url=server.url, lock=lock, patience=QUICK)
    return folder


@pytest.mark.parametrize("accession", SERIES)
def test_a_series_is_fetched_listed_and_assembled(server, tmp_path, deposits, accession):
    folder = fetched(server, tmp_path, accession)
    adata = geo.read_series(accession, folder)
    deposit = deposits[accession]
    assert (deposit.counts != adata.X).nnz == 0
    names = set(geo.NEEDED[accession] + geo.OPTIONAL[accession]) | {f"{accession}_family.soft.gz"}
    listed = checksums(folder / "manifest.tsv")
    assert set(listed) == names
    assert all(sha256_of(folder / name) == listed[name] for name in names)
    assert {name: Lock(tmp_path / "lock.tsv").entry(name).sha256 for name in names} == listed


@pytest.mark.parametrize("accession", SERIES)
def test_every_file_may_fail_and_still_arrive(server, tmp_path, deposits, accession):
    chance = random.Random(5)
    for file in sorted((tmp_path / "geo").rglob("*.gz")) + sorted((tmp_path / "geo").rglob("*.tar")):
        cut = Fault(cut=chance.randrange(file.stat().st_size))
        faults = [[Fault(times=2, status=503)], [cut, cut], [Fault(body=b"<html>busy</html>")], [Fault(status=429)]]
        server.fail(str(file.relative_to(tmp_path / "geo")), *chance.choice(faults))
    adata = geo.read_series(accession, fetched(server, tmp_path, accession))
    assert (deposits[accession].counts != adata.X).nnz == 0
    assert {request.status for request in server.requests} > {200}


def test_a_file_that_is_not_there_ends_in_one_sentence_and_no_manifest(server, tmp_path):
    server.fail(supplement_path(liver.ACCESSION, liver.BARCODES), Fault(times=None, status=404))
    with pytest.raises(InputError, match=r"barcodes\.tsv\.gz: .*404"):
        fetched(server, tmp_path, liver.ACCESSION)
    assert not (tmp_path / "downloads" / liver.ACCESSION / "manifest.tsv").exists()


def test_an_interrupted_series_goes_on_with_what_is_there(server, tmp_path, deposits):
    server.fail(supplement_path(plates.ACCESSION, plates.ARCHIVE), Fault(times=1, status=404))
    with pytest.raises(InputError, match="404"):
        fetched(server, tmp_path, plates.ACCESSION)
    before = len(server.requests)
    fetched(server, tmp_path, plates.ACCESSION)
    assert len(server.requests) == before + 1


PAGE = b"<!DOCTYPE html><html><title>Are you a person?</title></html>"
REFUSALS = {
    "page": Fault(times=None, body=PAGE, headers={"Content-Type": "text/html"}),
    "403": Fault(times=None, status=403),
    "429": Fault(times=None, status=429, headers={"Retry-After": "0"}),
}


def files_of(accession):
    return [f"{accession}_family.soft.gz", *geo.NEEDED[accession], *geo.OPTIONAL[accession]]


@pytest.mark.parametrize("accession", SERIES)
@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS)
def test_what_the_folders_do_not_give_comes_from_the_other_address(server, tmp_path, deposits, accession, fault):
    for file in (tmp_path / "geo").rglob("*.*"):
        server.fail(str(file.relative_to(tmp_path / "geo")), fault)
    adata = geo.read_series(accession, fetched(server, tmp_path, accession))
    assert (deposits[accession].counts != adata.X).nnz == 0
    answered = [request.path for request in server.requests if "/download/" in request.path and request.status == 200]
    assert [path.partition("&file=")[2].replace("%2B", "+") for path in answered] == files_of(accession)
    assert all(path.startswith(f"/download/?acc={accession}&format=file&file=") for path in answered)


@pytest.mark.parametrize("accession", SERIES)
@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS)
def test_files_put_by_hand_are_taken_where_the_server_gives_none(server, tmp_path, deposits, accession, fault):
    server.otherwise = fault
    folder = tmp_path / "downloads" / accession
    with pytest.raises(InputError) as refusal:
        fetched(server, tmp_path, accession)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(f"{accession}: {server.url}/series/")
    assert f"open {server.url}/series/{accession[:-3]}nnn/{accession}/ in a browser, save " in message
    assert f" unchanged, not unpacked, in {folder}, a folder to be made if it is not there, and run the same" in message
    assert all(name in message for name in files_of(accession))
    assert list(folder.iterdir()) == []

    for name in files_of(accession):
        deposit = deposits[accession]
        (folder / name).write_bytes((deposit.soft if "soft" in name else deposit.suppl / name).read_bytes())
    adata = geo.read_series(accession, fetched(server, tmp_path, accession))
    assert (deposits[accession].counts != adata.X).nnz == 0
    assert set(checksums(folder / "manifest.tsv")) == set(files_of(accession))
    assert all(Lock(tmp_path / "lock.tsv").entry(name) for name in files_of(accession))


def test_a_file_put_by_hand_that_is_not_whole_is_named(server, tmp_path, deposits):
    fetched(server, tmp_path, plates.ACCESSION)
    server.otherwise = Fault(status=403)
    tar = tmp_path / "downloads" / plates.ACCESSION / plates.ARCHIVE
    (tmp_path / "lock.tsv").unlink()
    for content, problem in ((tar.read_bytes()[:-512], "has 9,728 bytes where 10,240 are expected"), (PAGE, "has 60")):
        tar.write_bytes(content)
        with pytest.raises(
            InputError, match=rf"403 .*set aside as {plates.ARCHIVE}\.damaged: {plates.ARCHIVE} {problem}"
        ):
            fetched(server, tmp_path, plates.ACCESSION)
        assert not tar.exists()


@pytest.mark.parametrize("name", [liver.IDENTITIES, liver.SUBSETS["B"]])
@pytest.mark.parametrize("fault", [*REFUSALS.values(), Fault(times=None, status=404), Fault(times=None, body=b"text")])
def test_labels_that_cannot_be_had_cost_nothing_else(server, tmp_path, deposits, name, fault, capsys):
    server.fail(supplement_path(liver.ACCESSION, name), fault)
    server.fail(f"download/{name}", fault)
    folder = fetched(server, tmp_path, liver.ACCESSION)
    (warning,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("warning"))
    assert f"the labels of {name}{' are' if fault.status == 404 else ''}" in warning
    assert warning.endswith(f"save these files in {folder}, remove manifest.tsv there and run again")
    assert name not in checksums(folder / "manifest.tsv")
    adata = geo.read_series(liver.ACCESSION, folder)
    assert (deposits[liver.ACCESSION].counts != adata.X).nnz == 0
    if name == liver.IDENTITIES:
        assert adata.obs["cell_type"].isna().all()
        assert name in adata.uns["remarks"][0]
    for path in deposits[liver.ACCESSION].suppl.glob("*identities*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "manifest.tsv").unlink()
    adata = geo.read_series(liver.ACCESSION, fetched(server, tmp_path, liver.ACCESSION))
    assert dict(adata.obs["cell_type"].dropna()) == deposits[liver.ACCESSION].groups
    assert name in checksums(folder / "manifest.tsv")


def test_labels_are_not_waited_for_one_by_one(server, tmp_path):
    for name in geo.OPTIONAL[liver.ACCESSION]:
        server.fail(supplement_path(liver.ACCESSION, name), Fault(times=None, status=403))
        server.fail(f"download/{name}", Fault(times=None, status=403))
    fetched(server, tmp_path, liver.ACCESSION)
    refused = [request.path for request in server.requests if request.status == 403]
    assert len(refused) == 2 * QUICK.refusals
    assert all("CD45%2B_cell_identities" in path for path in refused)


def test_a_series_that_lists_no_labels_is_fetched_without(server, tmp_path):
    edit_soft(tmp_path, liver.ACCESSION, lambda text: text.replace("_cell_identities", "_cells"))
    adata = geo.read_series(liver.ACCESSION, fetched(server, tmp_path, liver.ACCESSION))
    assert adata.obs["cell_type"].isna().all()


@pytest.mark.parametrize("fault", [*REFUSALS.values(), Fault(times=None, status=404), Fault(body=b"\n")])
def test_the_list_of_files_may_be_absent(server, tmp_path, deposits, fault):
    server.fail(supplement_path(plates.ACCESSION, geo.FILE_LIST), fault)
    adata = geo.read_series(plates.ACCESSION, fetched(server, tmp_path, plates.ACCESSION))
    assert (deposits[plates.ACCESSION].counts != adata.X).nnz == 0


def test_the_other_address_is_that_of_the_server_in_use():
    ncbi = "https://ftp.ncbi.nlm.nih.gov/geo"
    name = "GSE125188_CD45+_matrix.mtx.gz"
    tail = "/geo/download/?acc=GSE125188&format=file&file=GSE125188_CD45%2B_matrix.mtx.gz"
    assert geo._other_address(ncbi, "GSE125188", name) == f"https://www.ncbi.nlm.nih.gov{tail}"
    assert (
        geo._other_address("ftp://ftp.ncbi.nlm.nih.gov/geo", "GSE125188", name) == f"https://www.ncbi.nlm.nih.gov{tail}"
    )
    assert geo._other_address("http://mirror:8000/geo", "GSE125188", name) == f"http://mirror:8000{tail}"


def test_a_tar_of_another_length_than_listed_is_refused(server, tmp_path, deposits):
    archive = deposits[plates.ACCESSION].suppl / plates.ARCHIVE
    archive.write_bytes(archive.read_bytes() + b"\0" * 512)
    with pytest.raises(InputError, match=r"RAW\.tar"):
        fetched(server, tmp_path, plates.ACCESSION)


def test_a_tar_that_lacks_a_plate_is_refused_by_name(server, tmp_path, deposits):
    deposit = deposits[plates.ACCESSION]
    archive = deposit.suppl / plates.ARCHIVE
    with tarfile.open(archive) as old:
        kept = [(m, old.extractfile(m).read()) for m in old.getmembers() if m.name != deposit.members[1]]
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as new:
        for member, content in kept:
            geo_tree.add_member(new, member.name, content)
    geo_tree.write_file_list(deposit.suppl)
    folder = fetched(server, tmp_path, plates.ACCESSION)
    with pytest.raises(InputError, match=deposit.members[1]):
        geo.read_series(plates.ACCESSION, folder)


def edit_soft(tmp_path, accession, change) -> None:
    path = tmp_path / "geo" / soft_path(accession)
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()).decode()).encode()))


def test_a_soft_file_that_lacks_a_sample_is_refused_by_name(server, tmp_path):
    edit_soft(tmp_path, plates.ACCESSION, lambda text: text.rpartition("^SAMPLE")[0])
    with pytest.raises(InputError, match=r"family\.soft\.gz: its series lists GSM3272411, which it does not hold"):
        fetched(server, tmp_path, plates.ACCESSION)


def test_a_series_that_no_longer_lists_its_matrix_is_refused(server, tmp_path):
    edit_soft(tmp_path, liver.ACCESSION, lambda text: text.replace("matrix.mtx", "matrix.rds"))
    with pytest.raises(InputError, match=r"GSE125188: the series does not list GSE125188_CD45\+_matrix\.mtx\.gz"):
        fetched(server, tmp_path, liver.ACCESSION)


def test_empty_wells_are_kept(server, tmp_path):
    adata = geo.read_series(plates.ACCESSION, fetched(server, tmp_path, plates.ACCESSION))
    assert adata.n_obs == 48
    assert int((np.asarray(adata.X.sum(1)).ravel() == 0).sum()) >= 2
