"""Whatever would keep the output from being written is refused before anything is trained, and leaves nothing."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from tests.contract.conftest import CELLS, COUNTS, GENES, OPTIONS, annotated, state
from zipo import ZiPo
from zipo.datasets.formats import hdf5
from zipo.datasets.formats.h5ad import check_writable
from zipo.datasets.formats.hdf5 import create_hdf5
from zipo.datasets.raw_counts import CountsInData, counts_of
from zipo.model import slots
from zipo.model.output import check_room, write, write_denoised
from zipo.shared.errors import InputError


def put(place, name, value):
    def change(adata):
        getattr(adata, place)[name] = value

    return change


def of_cells(*values):
    return [*values, *["x"] * (CELLS - len(values))]


def twice(adata):
    adata.obs = pd.concat([adata.obs, adata.obs[["age"]]], axis=1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (put("obs", "mixed", of_cells(1, None)), r"obs\['mixed'\]: .* a column of int and str with gaps; make it text"),
        (put("obs", "day", pd.date_range("2026", periods=CELLS)), r"obs\['day'\]: .* \(datetime64\[ns\]\)"),
        (put("obs", "lists", [[1]] * CELLS), r"obs\['lists'\]: .* a column of list; "),
        (put("obs", "_index", 1), r"obs\['_index'\]: cannot be written to an .h5ad \('_index' is a reserved name"),
        (put("obs", 3, 1), r"obs\[3\]: cannot be written to an .h5ad \(.*Should be str"),
        (
            twice,
            r"(counts: obs has several columns named 'age'; rename|"
            r"obs: cannot be written to an .h5ad \(Found repeated column names: \['age'\])",
        ),
        (put("var", "mixed", [1, "x"] * 5), r"var\['mixed'\]: .* a column of int and str; "),
        (
            put("uns", "set", {"a": {"b": {1, 2}}}),
            r"uns\['set'\]\['a'\]\['b'\]: an .h5ad cannot keep this \(set\); make",
        ),
        (put("uns", "tuple", (1, 2)), r"uns\['tuple'\]: .* \(tuple\)"),
        (put("uns", "when", pd.Timestamp(0)), r"uns\['when'\]: .* \(Timestamp\)"),
        (put("uns", "objects", np.array([1, "x"], object)), r"uns\['objects'\]: .* \(object\)"),
        (put("layers", "a/b", COUNTS), r"layers\['a/b'\]: in an .h5ad a name has no '/'; rename it"),
        (put("obsm", "a/b", COUNTS), r"obsm\['a/b'\]: in an .h5ad a name has no '/'"),
        (put("layers", "odd", COUNTS.astype(object)), r"layers\['odd'\]: .* \(object\)"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_an_h5ad_cannot_keep_is_named(model, tmp_path, monkeypatch, change, problem):
    monkeypatch.setattr(ZiPo, "predictions", None)
    adata = annotated()
    change(adata)
    before = state(adata)
    for call in (
        lambda: write_denoised(model, adata, tmp_path / "out.h5ad"),
        lambda: check_room(
            adata, tmp_path / "out.h5ad", slots.slots(rates=False), latents=2
        ),  # as the command line does
    ):
        with pytest.raises(InputError, match=f"^{problem}") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    assert state(adata) == before


def test_text_with_gaps_is_written_as_anndata_writes_it(model, tmp_path):
    adata = annotated()
    adata.obs["gaps"], adata.obs["nothing"] = of_cells(None, np.nan), [None] * CELLS
    adata.obs["nullable"] = pd.array(of_cells(None), "string")
    adata.obs["whole"] = pd.array([None, *range(CELLS - 1)], "Int64")
    adata.var["gaps"] = ["a", None] * 5
    adata.obsm["table"] = pd.DataFrame({"gaps": of_cells(None)}, index=adata.obs_names)
    adata.raw.var["gaps"] = [None, "b"] * 10
    adata.uns["table"] = pd.DataFrame({"gaps": ["a", None]}, index=["x", "y"])
    adata.uns["none"] = None
    before = state(adata)
    write_denoised(model, adata, tmp_path / "out.h5ad")
    assert state(adata) == before
    result = ad.read_h5ad(tmp_path / "out.h5ad")
    for table, given in ((result.obs, adata.obs), (result.var, adata.var), (result.raw.var, adata.raw.var)):
        for name in given:
            values = [None if pd.isna(value) else value for value in table[name]]
            assert values == [None if pd.isna(value) else value for value in given[name]], name
    assert list(result.obsm["table"]["gaps"].isna()) == [True] + [False] * (CELLS - 1)
    assert list(result.uns["table"]["gaps"].cat.categories) == ["a"]


def test_room_is_needed_for_all_that_is_written(model, tmp_path, monkeypatch):
    given = annotated()
    given.layers["more"], given.obsm["much"] = np.ones((CELLS, GENES)), np.ones((CELLS, 25_000))
    write_denoised(model, given, tmp_path / "out.h5ad", rates=True)
    size = (tmp_path / "out.h5ad").stat().st_size
    (tmp_path / "out.h5ad").unlink()
    assert size > 4e6

    for free, enough in ((1.1 * size, True), (0.9 * size, False)):
        usage = shutil.disk_usage(tmp_path)._replace(free=int(free))
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda folder, usage=usage: usage)
            if enough:
                check_room(given, tmp_path / "new" / "out.h5ad", slots.slots(rates=True), latents=2)
                continue
            patched.setattr(ZiPo, "predictions", None)
            with pytest.raises(
                InputError, match=r"out.h5ad: about 5\.\d MB are needed, but its disk has 4\.\d MB left"
            ):
                write_denoised(model, given, tmp_path / "out.h5ad", rates=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("matrix", [csr_matrix, np.asarray])
@pytest.mark.parametrize("backed", [False, True])
def test_the_size_of_x_is_that_of_the_file(tmp_path, matrix, backed):
    many = np.random.default_rng(0).poisson(0.4, (3000, 400)).astype(np.float32)
    adata = ad.AnnData(matrix(many))
    adata.write_h5ad(tmp_path / "in.h5ad", compression="lzf")
    size = (tmp_path / "in.h5ad").stat().st_size
    adata = ad.read_h5ad(tmp_path / "in.h5ad", backed="r" if backed else None)
    check_writable(adata, tmp_path / "out.h5ad", 0)
    usage = shutil.disk_usage(tmp_path)
    for factor in (0.9, 1.15):
        shutil_usage = usage._replace(free=int(factor * size))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(shutil, "disk_usage", lambda folder, result=shutil_usage: result)
            if factor > 1:
                check_writable(adata, tmp_path / "out.h5ad", 0)
            else:
                with pytest.raises(InputError, match="are needed, but its disk has"):
                    check_writable(adata, tmp_path / "out.h5ad", 0)


def test_a_folder_is_no_output(model, tmp_path, monkeypatch):
    monkeypatch.setattr(ZiPo, "predictions", None)
    (tmp_path / "out.h5ad").mkdir()
    with pytest.raises(InputError, match=r"out\.h5ad: this is a folder, but the output is a file"):
        write_denoised(model, annotated(), tmp_path / "out.h5ad")


LIMITED = """
import resource, sys
from zipo import output
output.check_room = lambda *given, **named: None  # else it would be refused beforehand
from zipo.cli import main
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
main()
"""


def test_a_disk_that_fills_up_ends_with_one_sentence(model, tmp_path):
    given = annotated()
    given.obsm["much"] = np.random.default_rng(0).random((CELLS, 25_000))
    given.write_h5ad(tmp_path / "in.h5ad")
    model.save(tmp_path / "model")
    command = [sys.executable, "-c", LIMITED, "4500000", "apply", "model", "in.h5ad", "out.h5ad"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ)
    reason = os.strerror(errno.EFBIG)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[1:] == [
        f"error: out.h5ad: cannot be written ({reason}); make room, or let its folder be written to, and run again"
    ]
    assert sorted(os.listdir(tmp_path)) == ["in.h5ad", "model"]


@contextmanager
def files_up_to(size):
    """Within the context no file of this process grows beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.4, 0.6, 0.8, 0.99])
def test_a_file_that_cannot_be_written_to_the_end_is_closed_all_the_same(tmp_path, share):
    def fill(name):
        with create_hdf5(tmp_path / name) as (file, _):
            for number in range(5):
                file.create_dataset(f"{number}/x", data=np.arange(20_000) % 97, chunks=(1000,), compression="lzf")
                ad.io.write_elem(file, f"{number}/tables", {str(at): annotated().obs for at in range(5)})

    fill("whole.h5")
    failure = None
    with files_up_to(int(share * (tmp_path / "whole.h5").stat().st_size)):
        try:
            fill("part.h5")
        except OSError as error:
            failure = error.errno
    assert failure == errno.EFBIG


def test_hdf5_reads_again_what_the_disk_did_not_take(tmp_path):
    with files_up_to(100), hdf5._Target(tmp_path / "x", "w+b") as target:
        for start, byte in ((0, b"a"), (90, b"b"), (95, b"c"), (200, b"d")):
            target.seek(start)
            assert target.write(byte * 20) == 20
        result = bytearray(230)
        target.seek(0)
        assert target.readinto(result) == 230
        assert result == b"a" * 20 + bytes(70) + b"b" * 5 + b"c" * 20 + bytes(85) + b"d" * 20 + bytes(10)
        with pytest.raises(OSError, match="File too large"):
            target.check()


@pytest.mark.filterwarnings("ignore")
def test_what_is_asked_of_the_model_is_looked_at_first(model, tmp_path, zipo, monkeypatch):
    """A model whose training diverged, and one of other genes, write nothing."""
    adata = annotated()
    source = CountsInData(adata[:, ::-1], counts_of(adata[:, ::-1], "counts"))
    with pytest.raises(InputError, match="the genes are not those of the training cells"):
        write(model, source, tmp_path / "out.h5ad", slots.slots(rates=False))
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(ZiPo, "fresh_network", None)
    adata.uns["slash/name"] = 1  # anndata makes a group of it, and so do we
    adata.write_h5ad(tmp_path / "in.h5ad")
    (tmp_path / "out.h5ad").mkdir()
    code, _, err = zipo("denoise", tmp_path / "in.h5ad", tmp_path / "out.h5ad", *OPTIONS)
    assert (code, "this is a folder" in err) == (2, True)
