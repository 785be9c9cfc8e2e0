"""ROSMAP (Mathys 2019, doi 10.1038/s41586-019-1195-2) from Synapse, for those with access.

Access is granted by the data's owners; a personal access token then stands in SYNAPSE_AUTH_TOKEN.
"""

import hashlib
import os
import shutil
from pathlib import Path

import anndata as ad
import pandas as pd

from zipo.datasets.catalogue import SynapseSource
from zipo.datasets.labels import MISSING
from zipo.datasets.manifest import write_manifest
from zipo.datasets.matrix_market import read_matrix_market
from zipo.datasets.text import opened, rows
from zipo.errors import InputError

TOKEN = "SYNAPSE_AUTH_TOKEN"
COUNTS, GENES, CELLS = "filtered_count_matrix.mtx", "filtered_gene_row_names.txt", "filtered_column_metadata.txt"
CELL_COLUMNS = {"broad.cell.type": "cell_type", "projid": "batch", "Subcluster": "subcluster"}


def fetch_files(source: SynapseSource, folder: Path, manifest: Path) -> None:
    """Download the three files with synapseclient, check their md5, and list them in the manifest.

    Raises InputError without a token or the client, and where the token or a file is refused, or a file is damaged.
    """
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
        raise InputError(f"Synapse: no login with the token in {TOKEN} ({_said(error)}); create another") from error
    folder.mkdir(parents=True, exist_ok=True)
    names = {COUNTS: source.counts, GENES: source.genes, CELLS: source.cells}
    for name, identifier in names.items():
        _download(File, client, identifier, folder / name)
    write_manifest(manifest, [folder / name for name in names])


def _download(file_class, client, identifier: str, target: Path) -> None:
    """One file of Synapse under its own name, whole or not at all."""
    part = target.with_name(f"{target.name}.synapse")  # a folder: the client names the file itself
    try:
        try:
            entity = file_class(id=identifier, path=str(part)).get(synapse_client=client)
        except Exception as error:
            raise InputError(
                f"{identifier}: Synapse did not deliver {target.name} ({_said(error)}); does your account have access "
                "to it?"
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


def _said(error: Exception) -> str:
    """What the client says, which can be several lines, on one."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def read_folder(folder: Path) -> ad.AnnData:
    """The counts (cells x genes), with cell_type, batch (the donor) and subcluster in obs.

    Raises InputError naming the file where a column is missing, a name occurs twice, or the files do not fit together.
    """
    with opened(folder / GENES) as file:
        genes = [line.strip().strip('"') for line in file if line.strip()]
    header, *found = rows(folder / CELLS)
    missing = [column for column in ("TAG", *CELL_COLUMNS) if column not in header]
    if missing:
        raise InputError(f"{folder / CELLS}: no column {missing[0]!r}; there are {', '.join(header)}")
    cells = pd.DataFrame(found, columns=header).set_index("TAG")
    for path, names in ((folder / GENES, pd.Index(genes)), (folder / CELLS, cells.index)):
        if not names.is_unique:
            raise InputError(f"{path}: {names[names.duplicated()][0]!r} occurs more than once; names must be unique")
    counts = read_matrix_market(folder / COUNTS, len(genes), len(cells), f"{GENES} and {CELLS}")
    obs = cells[list(CELL_COLUMNS)].rename(columns=CELL_COLUMNS)
    obs = obs.where(~obs.isin(MISSING)).astype("category")
    obs.index.name = None
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=genes))
