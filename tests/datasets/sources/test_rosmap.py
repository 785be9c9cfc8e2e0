"""ROSMAP from a stand-in of Synapse's client: exact round trips, and refusals that leave nothing half-written."""

import csv
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import io
from scipy.sparse import coo_matrix, csr_matrix

from zipo.datasets.sources import rosmap
from zipo.datasets.sources.rosmap import SynapseSource
from zipo.shared.errors import InputError

SOURCE = SynapseSource(kind="synapse", counts="syn18686381", genes="syn18686382", cells="syn18686372")
TOKEN = "a token with view and download rights"
COUNTS = np.random.default_rng(2).poisson(0.6, size=(5, 7))
GENES = ["FO538757.2", "AP006222.2", "HLA-A", "MT-ND1", "7SK", "RP11-206L10.9", "NOC2L"]
CELLS = ["AAACCTGGTACAGACG.1", "AAACCTGTCCCTTGTG.1", "AAACCTGGTACAGACG.2", "AAACGGGCAACTGGCC.48", "AAACGGGCATTTCAGG.48"]
NAMES = {
    "syn18686381": "filtered_count_matrix.mtx",
    "syn18686382": "filtered_gene_row_names.txt",
    "syn18686372": "filtered_column_metadata.txt",
}
METADATA = pd.DataFrame(
    {
        "TAG": CELLS,
        "projid": ["11409232", "11409232", "02100034", "02100034", "11336574"],
        "tsne1": np.arange(5) / 2,
        "tsne2": np.arange(5) / -4,
        "pre.cluster": [2, 2, 10, 3, 2],
        "broad.cell.type": ["Ex", "Ast", "Ex", "Mic", "Per"],
        "Subcluster": ["Ex0", "Ast1", "Ex0", "Mic0", "NA"],
    }
)


class SynapseAuthenticationError(Exception):
    """As in synapseclient.core.exceptions."""


class SynapseUnmetAccessRestrictions(Exception):
    """As in synapseclient.core.exceptions."""


class Synapse:
    """As synapseclient.Synapse 4.14, with the parameters of its that may be used."""

    def __init__(self, *, silent: bool | None = None):
        self.silent = silent
        self.token: str | None = None

    def login(self, email: str | None = None, silent: bool = False, authToken: str | None = None) -> None:
        if authToken != TOKEN:
            raise SynapseAuthenticationError("No valid authentication credentials provided.\nCheck the token.")
        assert silent
        self.token = authToken


@dataclass
class Deposit:
    """What Synapse keeps, by its identifiers, and what is wrong with a file."""

    content: dict[str, bytes]
    problems: dict[str, str]

    def file_class(self):
        """synapseclient.models.File, for this deposit."""
        content, problems = self.content, self.problems

        @dataclass
        class File:
            id: str
            path: str | None = None
            file_handle: SimpleNamespace | None = None

            def get(self, include_activity: bool = False, *, synapse_client: Synapse) -> "File":
                """Download into the folder `path`, which becomes the path of the file."""
                assert synapse_client.token == TOKEN
                assert synapse_client.silent
                problem, data = problems.get(self.id), content[self.id]
                if problem == "restricted":
                    raise SynapseUnmetAccessRestrictions("\nThis entity has access restrictions.\nPlease visit it.\n")
                if problem == "read only":  # the client warns, and leaves the path as it was
                    self.file_handle = SimpleNamespace(content_md5=None)
                    return self
                self.file_handle = SimpleNamespace(content_md5=hashlib.md5(data).hexdigest())
                if problem == "no path":
                    self.path = None
                    return self
                os.makedirs(self.path)
                target = Path(self.path).resolve() / NAMES[self.id]
                if problem == "cut off":
                    target.with_suffix(".synapse_download_1").write_bytes(data[:9])
                    raise OSError(28, "No space left on device")
                target.write_bytes(data[:-1] if problem == "damaged" else data)
                self.path = str(target)
                return self

        return File


def files(folder: Path, field: str = "integer", quote: str = "") -> dict[str, bytes]:
    """The three files in the format of the deposit, by identifier."""
    folder.mkdir()
    counts, genes, cells = (folder / name for name in NAMES.values())
    with counts.open("wb") as file:
        io.mmwrite(file, coo_matrix(COUNTS.T), field=field)
    genes.write_text("".join(f"{quote}{gene}{quote}\n" for gene in GENES))
    quoting = csv.QUOTE_NONNUMERIC if quote else csv.QUOTE_MINIMAL
    METADATA.to_csv(cells, sep="\t", index=False, quoting=quoting)
    return {identifier: (folder / name).read_bytes() for identifier, name in NAMES.items()}


@pytest.fixture
def deposit(tmp_path, monkeypatch) -> Deposit:
    """A deposit behind the stand-in, and a token that opens it."""
    deposit = Deposit(files(tmp_path / "synapse"), {})
    client, models = ModuleType("synapseclient"), ModuleType("synapseclient.models")
    client.Synapse, client.models, models.File = Synapse, models, deposit.file_class()
    monkeypatch.setitem(sys.modules, "synapseclient", client)
    monkeypatch.setitem(sys.modules, "synapseclient.models", models)
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", TOKEN)
    return deposit


def fetch(tmp_path: Path) -> Path:
    """Fetch as the study does; the folder of the files."""
    (manifest,) = SOURCE.inputs(tmp_path)
    rosmap.fetch_files(SOURCE, manifest.parent, manifest)
    return manifest.parent


def refused(tmp_path: Path, message: str) -> list[str]:
    """What a fetch that is refused with this message leaves behind."""
    with pytest.raises(InputError, match=f"^{message}$") as caught:
        fetch(tmp_path)
    assert "\n" not in str(caught.value)
    folder = SOURCE.download(tmp_path).parent
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


@pytest.mark.parametrize(("field", "quote"), [("integer", ""), ("real", '"')])
def test_counts_genes_and_cells_come_back_exactly(tmp_path, deposit, field, quote):
    deposit.content |= files(tmp_path / "again", field, quote)
    folder = fetch(tmp_path)
    assert folder == tmp_path / "syn18686381"
    adata, checksums = SOURCE.read(tmp_path)
    assert isinstance(adata.X, csr_matrix)
    assert adata.X.dtype == np.float32
    assert adata.X.nnz == np.count_nonzero(COUNTS)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert list(adata.var_names) == GENES
    assert list(adata.obs_names) == CELLS
    assert list(adata.obs.columns) == ["cell_type", "batch", "subcluster"]
    assert adata.obs["cell_type"].tolist() == ["Ex", "Ast", "Ex", "Mic", "Per"]
    assert adata.obs["batch"].tolist() == ["11409232", "11409232", "02100034", "02100034", "11336574"]
    assert adata.obs["subcluster"].tolist() == ["Ex0", "Ast1", "Ex0", "Mic0", np.nan]
    assert (adata.obs.dtypes == "category").all()
    assert checksums == {NAMES[key]: hashlib.sha256(data).hexdigest() for key, data in deposit.content.items()}


def test_the_manifest_lists_the_files_with_their_bytes_and_checksums(tmp_path, deposit):
    folder = fetch(tmp_path)
    rows = [line.split("\t") for line in (folder / "manifest.tsv").read_text().splitlines()]
    assert rows == [
        ["file", "bytes", "sha256"],
        *([NAMES[key], str(len(all_)), hashlib.sha256(all_).hexdigest()] for key, all_ in deposit.content.items()),
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["manifest.tsv", *NAMES.values()])
    assert all((folder / NAMES[key]).read_bytes() == data for key, data in deposit.content.items())


ACCESS = r"does your account have access to it\?"
PROBLEMS = {
    "restricted": r"{id}: Synapse did not deliver {name} \(SynapseUnmetAccessRestrictions: This entity has access "
    rf"restrictions\. Please visit it\.\); {ACCESS}",
    "cut off": rf"{{id}}: Synapse did not deliver {{name}} \(OSError: \[Errno 28\] No space left on device\); {ACCESS}",
    "read only": rf"{{id}}: Synapse delivered no {{name}}; {ACCESS}",
    "no path": rf"{{id}}: Synapse delivered no {{name}}; {ACCESS}",
    "damaged": "{id}: {name} has md5 {actual}, but Synapse says {expected}; fetch it again",
}


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(("problem", "message"), PROBLEMS.items())
def test_a_file_that_does_not_come_is_named_and_nothing_half_written_stays(tmp_path, deposit, problem, message, at):
    identifier = list(NAMES)[at]
    data = deposit.content[identifier]
    md5 = {"actual": hashlib.md5(data[:-1]).hexdigest(), "expected": hashlib.md5(data).hexdigest()}
    deposit.problems[identifier] = problem
    left = refused(tmp_path, message.format(id=identifier, name=NAMES[identifier], **md5))
    assert left == sorted(list(NAMES.values())[:at])
    folder = SOURCE.download(tmp_path).parent
    assert all((folder / NAMES[key]).read_bytes() == deposit.content[key] for key in list(NAMES)[:at])
    deposit.problems.clear()
    assert sorted(path.name for path in fetch(tmp_path).iterdir()) == sorted(["manifest.tsv", *NAMES.values()])


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_nothing_is_tried(tmp_path, deposit, token, monkeypatch):
    monkeypatch.setitem(sys.modules, "synapseclient", None)
    if token is None:
        monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    else:
        monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", token)
    message = "Synapse: SYNAPSE_AUTH_TOKEN is not set; create a personal access token with view and download rights"
    assert refused(tmp_path, message) == []


def test_a_token_that_does_not_open_synapse(tmp_path, deposit, monkeypatch):
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", "expired")
    message = (
        r"Synapse: no login with the token in SYNAPSE_AUTH_TOKEN \(SynapseAuthenticationError: No valid "
        r"authentication credentials provided\. Check the token\.\); create another"
    )
    assert refused(tmp_path, message) == []


def test_without_the_client_its_installation_is_named(tmp_path, deposit, monkeypatch):
    monkeypatch.setitem(sys.modules, "synapseclient", None)  # importing it fails
    assert refused(tmp_path, r"Synapse: its client is not installed; run: pip install \.\[rosmap\]") == []


def edited(old: str, new: str):
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("at", "change", "problem"),
    [
        (0, lambda text: text[: text.rindex("\n", 0, -1) + 1], "the file ends with line .* it is truncated"),
        (0, edited("\n7 5 ", "\n5 7 "), "line [23], beside {1} and {2}: the matrix is 5 genes x 7 cells, but 7 genes"),
        (1, edited("NOC2L\n", ""), "line [23], beside {1} and {2}: the matrix is 7 genes x 5 cells, but 6 genes and"),
        (1, edited("NOC2L", "7SK"), "'7SK' occurs more than once; names must be unique"),
        (1, lambda text: "", r"the file is empty \(0 bytes\)"),
        (2, edited("TAG", "cell"), ", line 1: no column 'TAG', which must name the cells; there are cell, projid, "),
        (2, edited(CELLS[1], CELLS[0]), r"'AAACCTGGTACAGACG\.1' occurs more than once; names must be unique"),
    ],
)
def test_files_that_contradict_are_refused(tmp_path, deposit, at, change, problem):
    folder = fetch(tmp_path)
    names = list(NAMES.values())
    path = folder / names[at]
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before
    named = folder / names[0] if "beside" in problem else path
    with pytest.raises(InputError, match=rf"^{named}(: )?{problem.format(*names)}"):
        rosmap.read_folder(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\t", ";"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: "".join(f"{number or ''}\t{line}" for number, line in enumerate(text.splitlines(keepends=True))),
        lambda text: text.removeprefix("TAG"),
        lambda text: text.removeprefix("TAG\t"),
        lambda text: text.replace("\n", "\t\n"),
        lambda text: text.replace("broad.cell.type", "Broad cell type"),
    ],
)
def test_a_table_of_cells_in_another_form_is_the_same(tmp_path, deposit, change):
    folder = fetch(tmp_path)
    before = rosmap.read_folder(folder)
    path = folder / NAMES["syn18686372"]
    path.write_bytes(change(path.read_text()).encode())
    after = rosmap.read_folder(folder)
    pd.testing.assert_frame_equal(after.obs, before.obs)
    assert after.uns["remarks"] == before.uns["remarks"] == []


@pytest.mark.parametrize(
    ("change", "missing", "remark"),
    [
        (edited("projid", "project"), {"batch": 5}, "there is no column 'projid'; batch missing"),
        (edited("broad.cell.type", "x"), {"cell_type": 5}, "there is no column 'broad.cell.type'; cell_type missing"),
        (edited("\tMic0", ""), dict.fromkeys(["cell_type", "batch", "subcluster"], 1), "fields than others, of which"),
    ],
)
def test_labels_that_are_not_there_cost_nothing_else(tmp_path, deposit, change, missing, remark):
    folder = fetch(tmp_path)
    path = folder / NAMES["syn18686372"]
    path.write_text(change(path.read_text()))
    adata = rosmap.read_folder(folder)
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert list(adata.obs_names) == CELLS
    expected = {"cell_type": 0, "batch": 0, "subcluster": 0} | missing
    expected["subcluster"] = expected["subcluster"] + 1  # of the table itself
    obs = adata.obs.reindex(columns=list(expected))
    assert obs.isna().sum().to_dict() == expected
    assert len(adata.uns["remarks"]) == 1
    assert remark in adata.uns["remarks"][0]


def test_an_entry_that_is_there_twice_is_refused(tmp_path, deposit):
    folder = fetch(tmp_path)
    path = folder / NAMES["syn18686381"]
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], last, last, ""]))
    gene, cell, _ = last.split()
    where = f"lines {len(lines)} and {len(lines) + 1} are about the same entry, gene {gene} of cell {cell};"
    with pytest.raises(InputError, match=f"^{path}: {where}"):
        rosmap.read_folder(folder)
