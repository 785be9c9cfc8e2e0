"""ROSMAP (Mathys 2019, doi 10.1038/s41586-019-1195-2) from Synapse, for those with access.

Access is granted by the data's owners; a personal access token then stands in SYNAPSE_AUTH_TOKEN.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from zipo.datasets.source import Fetching, Source
from zipo.shared.errors import InputError
from zipo.shared.section import Form

if TYPE_CHECKING:
    import anndata as ad

TOKEN = "SYNAPSE_AUTH_TOKEN"
COUNTS, GENES, CELLS = "filtered_count_matrix.mtx", "filtered_gene_row_names.txt", "filtered_column_metadata.txt"
# columns of the table of cells, by their names in obs
CELL_COLUMNS = {"cell": "TAG", "cell_type": "broad.cell.type", "batch": "projid", "subcluster": "Subcluster"}
SynapseId = Annotated[str, Form("syn[0-9]+", "an id of Synapse, such as syn18686381")]


class SynapseSource(Source):
    """Files of Synapse under controlled access; see zipo/datasets/sources/rosmap.py.

    Where the environment holds no SYNAPSE_AUTH_TOKEN, a study leaves the data set out and says so.
    """

    kind: Literal["synapse"]
    """Files of Synapse."""
    counts: SynapseId
    """Synapse id of the Matrix Market file of counts, genes x cells."""
    genes: SynapseId
    """Synapse id of the gene names, one a line."""
    cells: SynapseId
    """Synapse id of the table of cells."""

    token = TOKEN

    def download(self, downloads: Path) -> Path:
        """The manifest, which is written beside the three files once they are complete."""
        return downloads / self.counts / "manifest.tsv"

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the three files beside their manifest."""
        fetch_files(self, target.parent, target)

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts, and the checksums of the three files."""
        from zipo.datasets.transfer.manifest import checksums

        manifest = self.download(downloads)
        return read_folder(manifest.parent), checksums(manifest)


def fetch_files(source: SynapseSource, folder: Path, manifest: Path) -> None:
    """Download the three files with synapseclient, check their md5, and list them in the manifest.

    Raises InputError without a token or the client, and where the token or a file is refused, or a file is damaged.
    """
    from zipo.datasets.transfer.manifest import write_manifest

    token = os.environ.get(TOKEN)
    if not token:
        raise InputError(f"Synapse: {TOKEN} is not set; create a personal access token with view and download rights")
    try:
        import synapseclient
        from synapseclient.models import File
    except ImportError:
        raise InputError("Synapse: its client is not installed; run: pip install .[rosmap]") from None
    client = synapseclient.Synapse(silent=True)
    try:
        client.login(authToken=token, silent=True)
    except Exception as error:  # the client raises dozens of kinds, all of them final after its own retries
        raise InputError(f"Synapse: no login with the token in {TOKEN} ({_text_of(error)}); create another") from error
    folder.mkdir(parents=True, exist_ok=True)
    names = {COUNTS: source.counts, GENES: source.genes, CELLS: source.cells}
    for name, identifier in names.items():
        _download(File, client, identifier, folder / name)
    write_manifest(manifest, [folder / name for name in names])


def _download(file_class: Any, client: Any, identifier: str, target: Path) -> None:
    """Download one file of Synapse to `target`, which appears only if it is complete; InputError if it is not."""
    part = target.with_name(f"{target.name}.synapse")  # a folder: the client names the file itself
    try:
        try:
            entity = file_class(id=identifier, path=str(part)).get(synapse_client=client)
        except Exception as error:
            raise InputError(
                f"{identifier}: Synapse did not deliver {target.name} ({_text_of(error)}); does your account have "
                "access to it?"
            ) from error
        # for who may read but not download, the client warns and leaves the path as it was: the folder
        if entity.path is None or not os.path.isfile(entity.path):
            raise InputError(f"{identifier}: Synapse delivered no {target.name}; does your account have access to it?")
        with open(entity.path, "rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        expected = entity.file_handle.content_md5
        if md5 != expected:
            raise InputError(f"{identifier}: {target.name} has md5 {md5}, but Synapse says {expected}; fetch it again")
        os.replace(entity.path, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _text_of(error: Exception) -> str:
    """Kind and message of the client's error, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def read_folder(folder: Path) -> ad.AnnData:
    """The counts (cells x genes), with cell_type, batch (the donor) and subcluster in obs.

    What of these the table of cells does not have is missing, and uns["remarks"] says so. Raises InputError naming
    the file where cells have no names, a name occurs twice, or the files do not fit together.
    """
    import anndata as ad
    import pandas as pd

    from zipo.datasets.formats.label_table import counted, fields_of, is_missing, read_label_table
    from zipo.datasets.formats.matrix_market import read_matrix_market
    from zipo.datasets.remarks import with_remarks

    genes = [name for name in (fields_of(line, "\t")[0] for line in _lines(folder / GENES)) if name]
    table = read_label_table(_lines(folder / CELLS), CELL_COLUMNS, str(folder / CELLS))
    cells = pd.Index(table.names)
    for path, names in ((folder / GENES, pd.Index(genes)), (folder / CELLS, cells)):
        if not names.is_unique:
            raise InputError(f"{path}: {names[names.duplicated()][0]!r} occurs more than once; names must be unique")
    counts = read_matrix_market(folder / COUNTS, len(genes), len(cells), f"{GENES} and {CELLS}")
    obs = pd.DataFrame(table.values, index=cells, columns=table.columns, dtype=object)
    obs = obs.where(obs.notna() & ~obs.map(lambda value: is_missing(str(value)))).astype("category")
    obs.index.name = None
    remarks = [
        f"{CELLS}: there is no column {name!r}; {column} missing"
        for column, name in list(CELL_COLUMNS.items())[1:]
        if column not in obs
    ]
    if table.ragged:
        problem = "rows with more or fewer fields than others, of which nothing is taken but the name"
        remarks.append(f"{CELLS}: {problem}: {counted(table.ragged, len(cells))}")
    return with_remarks(ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes)), remarks)


def _lines(path: Path) -> list[str]:
    """The lines of a text; InputError where it is absent, empty or a web page."""
    from zipo.datasets.formats.foreign import refuse_unreadable
    from zipo.datasets.geo.soft import decoded

    refuse_unreadable(path)
    return decoded(path.read_bytes()).splitlines()
