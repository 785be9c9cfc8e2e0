"""The myeloma deposit (Ledergor 2018, GSE117156, doi 10.1038/s41591-018-0269-2): 384-well plates in one tar.

A plate is a dense table of some 28,000 genes x 384 wells. One is read at a time, straight from the tar, and made
sparse before the next: all of them dense would be 11 GB.
"""

import re
import tarfile
from collections.abc import Collection
from pathlib import Path

import anndata as ad
import pandas as pd
from scipy.sparse import csr_matrix, vstack

from zipo.datasets.formats.label_table import counted
from zipo.datasets.geo.gene_rows import GeneRows
from zipo.datasets.geo.plate import header_of, read_plate, unpacked
from zipo.datasets.geo.wells import describe, read_wells
from zipo.datasets.remarks import with_remarks
from zipo.shared.errors import InputError

ACCESSION = "GSE117156"
ARCHIVE, METADATA = f"{ACCESSION}_RAW.tar", f"{ACCESSION}_metadata.txt.gz"
TABLE = re.compile(r"[^.].*\.(txt|tsv|tab|csv)(\.gz)?", re.IGNORECASE)  # what a member that may be a plate is called
BATCH = re.compile(r"_AB[0-9]+")  # the amplification batch in the name of a member, which then is a plate


def read_plates(tar: Path, metadata: Path, expected: list[str] | None, samples: Collection[str] = ()) -> ad.AnnData:
    """The counts (wells x genes) of all plates in the order of the tar, empty wells included.

    `expected` names the plates that must be in the tar; those of `samples`, which are accessions, may be there too,
    and any if `expected` is None. obs has batch (the amplification batch), experiment, subject, condition, tissue and
    number_of_cells; uns["remarks"] lists what of these could not be read, and files that were passed over.
    Raises InputError naming the plate, and the line and the gene in it, where the deposit contradicts itself or a
    well is not in the metadata.
    """
    table, remarks = read_wells(metadata)
    counts: list[csr_matrix] = []
    wells: dict[str, str] = {}  # the plate of each well
    genes = GeneRows()
    try:
        with tarfile.open(tar, "r:") as archive:
            members, more = _members(archive, expected, samples, tar.name)
            remarks += more
            for name, member in members.items():
                place = f"{tar.name}: {name}"
                text = unpacked(archive.extractfile(member).read(), name, place)  # type: ignore[union-attr]
                if not BATCH.search(name) and not table.index.isin(header_of(text)).any():
                    remarks.append(f"{place}: none of its columns is a well of {metadata.name}; it is passed over")
                    continue
                names, rows, plate = read_plate(text, place)
                for well in names:
                    if well in wells:
                        raise InputError(
                            f"{place}, line 1: well {well!r} is also in {wells[well]}; fetch the tar again"
                        )
                    if well not in table.index:
                        raise InputError(
                            f"{place}, line 1: well {well!r} is not in {metadata.name}, which must name every well; "
                            "fetch both again"
                        )
                    wells[well] = name
                counts.append(genes.aligned(plate, rows, name, place))
    except FileNotFoundError as error:
        raise InputError(f"{tar.name}: there is no such file in {tar.parent}; fetch it") from error
    except tarfile.TarError as error:
        raise InputError(f"{tar.name}: the tar is damaged ({error}); fetch it again") from error
    if not counts:
        raise InputError(f"{tar.name}: the tar holds no plates; fetch it again")
    beyond = [well for well in table.index if well not in wells]
    if beyond:
        remarks.append(f"{metadata.name}: wells in no plate of {tar.name}: {counted(beyond, len(table))}")
    obs, more = describe(table.loc[list(wells)], metadata.name)
    for plate in counts:
        plate.resize(plate.shape[0], len(genes.names))  # spike-ins of later plates
    adata = ad.AnnData(vstack(counts, format="csr"), obs=obs, var=pd.DataFrame(index=genes.names))
    return with_remarks(adata, [*remarks, *genes.remarks(tar.name), *more])


def _members(
    archive: tarfile.TarFile, expected: list[str] | None, samples: Collection[str], place: str
) -> tuple[dict[str, tarfile.TarInfo], list[str]]:
    """The members that may be plates, by name without their folder, and remarks.

    Raises InputError where a plate is missing, occurs twice, or belongs to another series.
    """
    members: dict[str, tarfile.TarInfo] = {}
    others = []
    for member in archive:
        name = member.name.rsplit("/", 1)[-1]
        if not member.isfile() or name.startswith("."):
            continue
        if not TABLE.fullmatch(name):
            others.append(name)
        elif name in members:
            raise InputError(f"{place}: the tar holds {name} twice; fetch it again")
        else:
            members[name] = member
    remarks = []
    if others:
        remarks.append(f"{place}: files that are no tables, which are passed over: {counted(others)}")
    if expected is None:
        return members, remarks
    lacking = sorted(name for name in set(expected) - set(members) if TABLE.fullmatch(name))
    beyond = sorted(name for name in set(members) - set(expected) if name.partition("_")[0] not in samples)
    for problem, names in (("lacks", lacking), ("holds unexpectedly", beyond)):
        plates = [name for name in names if BATCH.search(name)]
        if plates:
            raise InputError(
                f"{place}: the tar {problem} {', '.join(plates[:3])}{' ...' if len(plates) > 3 else ''} "
                f"({len(plates)} of {len(expected)} plates of the series); fetch it again"
            )
    if lacking:
        remarks.append(f"{place}: files of the series that the tar lacks: {counted(lacking)}")
    return members, remarks
