"""What zipo did not write is never replaced, whichever command is to write there, and under whichever name."""

import os
import shutil
from types import SimpleNamespace

import anndata as ad
import h5py
import pytest

from tests.commands.conftest import SMALL
from zipo.commands import programs, settings
from zipo.commands.outputs import checkpoints_beside
from zipo.datasets.formats.hdf5 import mark
from zipo.model.estimator import ZiPo

TWO = ("--trials", 1, "--epochs", 1, "--set", "batch_size=32")


@pytest.fixture(scope="module")
def written(cells, tmp_path_factory):
    """A folder with counts in.h5ad, and a model trained on them; read only."""
    folder = tmp_path_factory.mktemp("written")
    cells.write_h5ad(folder / "in.h5ad")
    ZiPo(encoder="8-4", batch_size=32, max_epochs=1, device="cpu").fit(cells).save(folder / "model")
    return folder


@pytest.fixture
def here(written, tmp_path, monkeypatch):
    """A copy of that folder to work in, with a note and another sample."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "in.h5ad", tmp_path / "sample2.h5ad")
    (tmp_path / "note.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (
            "denoise in.h5ad sample2.h5ad",
            "sample2.h5ad: exists, and is not as zipo wrote it; remove it, or give another",
        ),
        ("apply model in.h5ad sample2.h5ad", "sample2.h5ad: exists, and is not as zipo wrote it"),
        ("example sample2.h5ad", "sample2.h5ad: exists, and is not as zipo wrote it"),
        ("denoise in.h5ad in.h5ad", "in.h5ad: this is the file of the counts itself; give OUT another name"),
        ("apply model in.h5ad ./in.h5ad", "in.h5ad: this is the file of the counts itself; give OUT another name"),
        ("denoise in.h5ad out.h5ad --log in.h5ad", "this is the file of the counts itself; give --log another name"),
        ("denoise in.h5ad out.h5ad --log note.txt", "--log note.txt: exists and is no log of zipo"),
        ("denoise in.h5ad out.h5ad --log model/model.json", "is no log of zipo"),
        ("denoise in.h5ad out.h5ad --log out.h5ad", "out.h5ad: both OUT and --log would be written there"),
        ("denoise in.h5ad out.h5ad --model out.h5ad", "out.h5ad: both OUT and --model would be written there"),
        (
            "denoise in.h5ad out.h5ad --model in.h5ad",
            "this is the file of the counts itself; give --model another name",
        ),
        ("denoise in.h5ad out.h5ad --model note.txt", "note.txt: exists and is no model"),
        ("denoise in.h5ad new/out.h5ad --model new", "new/out.h5ad: lies in new, which is for a model alone"),
        ("denoise in.h5ad out.h5ad --model new --log new/log", "new/log: lies in new, which is for a model alone"),
        ("denoise in.h5ad out.h5ad --model .", ".: a model is kept in a folder of its own; name one within this"),
        ("fit in.h5ad in.h5ad", "this is the file of the counts itself; give MODEL another name"),
        ("fit in.h5ad new", "new: exists and is no model"),
        ("fit in.h5ad foreign", "foreign: exists and is no model"),
        ("fit in.h5ad other --log other", "other: both MODEL and --log would be written there"),
        ("tune in.h5ad --output in.h5ad", "this is the file of the counts itself; give --output another name"),
        (
            "tune in.h5ad --output note.txt",
            "exists, and is not as zipo wrote it; remove it, or give another by --output",
        ),
        ("tune in.h5ad --output mine.json", "mine.json: exists, and is not as zipo wrote it"),
        ("tune in.h5ad --log in.h5ad", "this is the file of the counts itself; give --log another name"),
        (
            "programs model --tsv in.h5ad",
            "in.h5ad: exists, and is not as zipo wrote it; remove it, or give another by --tsv",
        ),
        ("programs model --tsv model/model.json", "exists, and is not as zipo wrote it"),
        ("programs model --tsv /dev/null", "/dev/null: this is a device or a pipe, but the output is a file"),
        ("denoise in.h5ad s3://bucket/out.h5ad", "this is an address, but results are written to this computer"),
    ],
)
def test_what_zipo_did_not_write_is_not_replaced(here, zipo, monkeypatch, command, problem):
    monkeypatch.setattr(ZiPo, "fresh_network", None)  # training is an error
    (here / "new").mkdir()
    (here / "foreign").mkdir()
    (here / "foreign" / "model.json").write_text("{}")
    (here / "mine.json").write_text('{"encoder": "8-4", "max_epochs": 5}')
    if "fit in.h5ad new" in command:
        (here / "new" / "mine").touch()
    before = contents(here)
    code, _, err = zipo(*command.split())
    assert (code, err.count("\n")) == (2, 1)
    assert problem in err
    assert contents(here) == before


def test_links_to_the_counts_are_the_counts(here, zipo):
    with h5py.File("in.h5ad", "r+") as file:
        mark(file)  # a result of ours as counts
    os.link("in.h5ad", "hard.h5ad")
    os.symlink("in.h5ad", "soft.h5ad")
    before = contents(here)
    for source, target in (("in", "hard"), ("in", "soft"), ("soft", "in"), ("soft", "hard")):
        code, _, err = zipo("denoise", f"{source}.h5ad", f"{target}.h5ad")
        assert (code, err.count("\n")) == (2, 1)
        assert f"{target}.h5ad: this is the file of the counts itself" in err
    assert contents(here) == before


def test_a_model_behind_a_link_is_replaced_there(here, zipo):
    (here / "scratch").mkdir()
    os.symlink("scratch/model", "linked")
    for seed in (1, 2):
        assert zipo("fit", "in.h5ad", "linked", *SMALL, "--seed", seed)[0] == 0
        assert ZiPo.load(here / "scratch" / "model").seed == seed
        assert os.readlink("linked") == "scratch/model"
        assert os.listdir("scratch") == ["model"]
    assert checkpoints_beside(here / "linked") == (here / "scratch" / "model.checkpoints").resolve()


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("linked", "linked: this is a link that leads back to itself; remove it, or give another name"),
        ("unmounted/model", "unmounted does not exist; make that folder, or give another"),
        ("note.txt", "linked: exists and is no model; name another folder, or remove it"),
    ],
)
def test_a_link_that_leads_to_no_place_for_a_model_is_refused(here, zipo, monkeypatch, link, problem):
    monkeypatch.setattr(ZiPo, "fresh_network", None)  # training is an error
    os.symlink(link, "linked")
    code, _, err = zipo("fit", "in.h5ad", "linked")
    assert (code, err.count("\n")) == (2, 1)
    assert problem in err
    assert os.readlink("linked") == link


def test_an_output_behind_a_link_is_written_where_there_is_room(here, zipo, monkeypatch):
    (here / "scratch").mkdir()
    os.symlink("scratch/1.h5ad", "out.h5ad")
    folders = []
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: folders.append(folder) or SimpleNamespace(free=10**9))
    for _ in range(2):
        assert zipo("apply", "model", "in.h5ad", "out.h5ad")[0] == 0
        assert (os.readlink("out.h5ad"), os.listdir("scratch")) == ("scratch/1.h5ad", ["1.h5ad"])
    assert "denoised" in ad.read_h5ad("scratch/1.h5ad").layers
    assert set(folders) == {(here / "scratch").resolve()}


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("out.h5ad", "out.h5ad: this is a link that leads back to itself; remove it, or give another name"),
        ("unmounted/1.h5ad", "unmounted does not exist; make that folder, or give another"),
        ("sample2.h5ad", "out.h5ad: exists, and is not as zipo wrote it; remove it, or give another"),
        ("model/out.h5ad", "out.h5ad: lies in model, which is for a model alone"),
        ("new/out.h5ad", "new/out.part.h5ad: exists, and is not as zipo wrote it, but out.h5ad is written under this"),
    ],
)
def test_a_link_that_leads_to_no_place_for_an_output_is_refused(here, zipo, monkeypatch, link, problem):
    monkeypatch.setattr(ZiPo, "fresh_network", None)  # training is an error
    (here / "new").mkdir()
    shutil.copy("in.h5ad", "new/out.part.h5ad")
    os.symlink(link, "out.h5ad")
    before = contents(here)
    code, _, err = zipo("denoise", "in.h5ad", "out.h5ad", "--model", "model")
    assert (code, err.count("\n")) == (2, 1)
    assert problem in err
    assert (contents(here), os.readlink("out.h5ad")) == (before, link)


def test_what_zipo_wrote_is_replaced_until_someone_else_writes_it(here, zipo):
    for seed in (1, 2):
        assert (
            zipo("denoise", "in.h5ad", "out.h5ad", *SMALL, "--model", "model", "--log", "log", "--seed", seed)[0] == 0
        )
    assert ad.read_h5ad("out.h5ad").uns["zipo"]["seed"] == 2
    assert (here / "log").read_text().count("out.h5ad: written") == 2
    assert zipo("apply", "model", "in.h5ad", "out.h5ad")[0] == 0
    ad.read_h5ad("out.h5ad").write_h5ad("out.h5ad")  # now with the user's clusters, say
    code, _, err = zipo("apply", "model", "in.h5ad", "out.h5ad")
    assert code == 2
    assert "out.h5ad: exists, and is not as zipo wrote it" in err
    (here / "out.h5ad").write_bytes(b"")  # as mktemp makes it
    assert zipo("apply", "model", "in.h5ad", "out.h5ad", "--log", "/dev/null")[0] == 0


def test_tables_and_settings_of_zipo_are_replaced(here, zipo):
    for _ in range(2):
        assert zipo("tune", "in.h5ad", "--output", "best.json", *TWO)[0] == 0
        assert zipo("programs", "model", "--tsv", "programs.tsv")[0] == 0
    assert settings.is_written(here / "best.json")
    assert programs.is_written(here / "programs.tsv")
    (here / "best.json").write_text((here / "best.json").read_text() + "\n")  # edited by hand
    (here / "programs.tsv").write_text("gene\tweight\n")
    before = contents(here)
    assert zipo("tune", "in.h5ad", "--output", "best.json", *TWO)[0] == 2
    assert zipo("programs", "model", "--tsv", "programs.tsv")[0] == 2
    assert contents(here) == before


def test_a_model_beside_other_files_is_not_replaced(here, zipo):
    (here / "model" / "notes.txt").write_text("mine")
    before = contents(here)
    code, _, err = zipo("fit", "in.h5ad", "model", *SMALL)
    assert code == 2
    assert "model: holds notes.txt beside a model; name another folder, or move that away" in err
    assert contents(here) == before


@pytest.mark.parametrize("name", ["new.part", "new.earlier", "new.checkpoints"])
def test_folders_that_a_fit_uses_for_a_while_are_free(here, zipo, name):
    (here / name).mkdir()
    (here / name / "mine.txt").write_text("mine")
    before = contents(here)
    assert zipo("fit", "in.h5ad", "new", *SMALL)[0] == 2
    assert contents(here) == before


def test_the_name_that_is_written_first_is_free(here, zipo):
    shutil.copy("in.h5ad", "x.part.h5ad")
    before = contents(here)
    code, _, err = zipo("denoise", "x.part.h5ad", "x.h5ad", *SMALL)
    assert code == 2
    assert "x.h5ad: is written as x.part.h5ad, the file of the counts; give OUT another name" in err
    code, _, err = zipo("denoise", "in.h5ad", "x.h5ad", *SMALL)
    assert code == 2
    assert "x.part.h5ad: exists, and is not as zipo wrote it, but x.h5ad is written under this name first" in err
    assert contents(here) == before
    (here / "x.part.h5ad").write_bytes((here / "in.h5ad").read_bytes()[:5000])  # of a process that was killed
    assert zipo("denoise", "in.h5ad", "x.h5ad", *SMALL)[0] == 0
    assert not (here / "x.part.h5ad").exists()


def test_pictures_replace_none_but_earlier_ones(here, zipo, monkeypatch):
    monkeypatch.setattr("zipo.shared.embedding.tsne", lambda latents, seed: latents[:, :2])
    assert zipo("apply", "model", "in.h5ad", "out.h5ad")[0] == 0
    for _ in range(2):
        assert zipo("plot", "out.h5ad", "new/pictures")[0] == 0
    (here / "mine").mkdir()
    (here / "mine" / "latent.png").write_text("mine")
    before = contents(here)
    for folder, problem in (
        ("mine", "mine/latent.png: exists, and is not as zipo wrote it; remove it, or give another folder"),
        ("note.txt", "note.txt: this is a file, but pictures go to a folder"),
        ("note.txt/pictures", "note.txt is a file"),
    ):
        code, _, err = zipo("plot", "out.h5ad", folder)
        assert (code, problem in err) == (2, True)
    assert contents(here) == before
