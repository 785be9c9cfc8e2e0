"""Writes both deposits of the paper as GEO keeps them: the same folders, names and formats, with invented counts.

The bytes depend on the arguments alone. The counts are drawn, written and packed in chunks, so that a deposit of
full size takes minutes; the true matrices are returned for tests to compare with.
"""

import gzip
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

LIVER, MYELOMA = "GSE125188", "GSE117156"
TISSUES = ("blood", "spleen", "liver")
FIRST_SAMPLE = {LIVER: 3567114, MYELOMA: 3272410}
FIRST_PLATE, FIRST_WELL = 3058, 76000
TIME = 1531958400  # 2018-07-19, of every member of the tar
EXPERIMENTS = ("study01_hip01_BMPC", "study01_MM03_BMPC#1", "study01_SMM02_postRx_circPC", "study01_MGUS04_circPC#2")
METADATA_COLUMNS = (
    "well",
    "Experiment_ID",
    "Amp_batch_ID",
    "Well_coordinates",
    "plate_ID",
    "Seq_batch_ID",
    "Number_of_cells",
)
MARS_GENES = ("CD79A", "IGLC2;IGLC3", "NEVERSEEN1", "ERCC-00002")
LIVER_GENES = ("RP11-34P13.3", "FAM138A", "MALAT1", "SLC35E2", "SLC35E2")
CHUNK = 1000  # cells drawn at once


@dataclass(frozen=True)
class LiverDeposit:
    """Where the liver deposit is, and what is in it; `groups` and `subsets` are identities by barcode."""

    suppl: Path
    soft: Path
    counts: csr_matrix  # cells x genes
    barcodes: list[str]
    gene_ids: list[str]
    symbols: list[str]
    groups: dict[str, str]
    subsets: dict[str, dict[str, str]]


@dataclass(frozen=True)
class PlatesDeposit:
    """Where the myeloma deposit is, and what is in it; `experiments`, `batches` and `cells` go by well."""

    suppl: Path
    soft: Path
    counts: csr_matrix  # wells x genes
    wells: list[str]
    genes: list[str]
    members: list[str]
    experiments: list[str]
    batches: list[str]
    cells: list[int]


def write_liver(
    root: Path, *, cells: int = 90, genes: int = 40, density: float = 0.1, seed: int = 1, level: int = 9
) -> LiverDeposit:
    """Write GSE125188 under `root`: a matrix (genes x cells) sorted by cell, names, identities, the SOFT file.

    Two genes share a symbol, every ninth gene has no counts, every tenth cell has no identity.
    """
    rng = np.random.default_rng(seed)
    suppl = _folder(root, LIVER, "suppl")
    gene_ids = [f"ENSG{243485 + 13 * i:011d}" for i in range(genes)]
    symbols = [*LIVER_GENES, *(f"GENE{i}" for i in range(len(LIVER_GENES), genes))][:genes]
    library = np.arange(cells) * 9 // cells
    within = np.arange(cells) - np.searchsorted(library, library)  # each library uses the same sequences
    barcodes = [f"{_sequence(int(i))}-{k + 1}" for i, k in zip(within, library, strict=True)]
    cluster = rng.integers(1, 10, size=cells)
    groups = {barcode: str(cluster[i]) for i, barcode in enumerate(barcodes) if i % 10 != 9}
    subsets = {
        subset: {barcode: f"{subset}{1 + i % 3}" for i, barcode in enumerate(barcodes) if i % 4 == at and i % 10 != 9}
        for at, subset in enumerate(("ASC", "B", "Mo", "NKT"))
    }

    write_gzip(suppl / f"{LIVER}_CD45+_genes.tsv.gz", _rows(zip(gene_ids, symbols, strict=True)), level)
    write_gzip(suppl / f"{LIVER}_CD45+_barcodes.tsv.gz", _rows((barcode,) for barcode in barcodes), level)
    for name, table in {"CD45+": groups, **subsets}.items():
        header = [("Barcode", "Group")]
        write_gzip(suppl / f"{LIVER}_{name}_cell_identities.tsv.gz", _rows([*header, *table.items()]), level)
    counts = vstack(list(_draw(rng, cells, genes, density)), format="csr")
    write_gzip(suppl / f"{LIVER}_CD45+_matrix.mtx.gz", _matrix_market(counts), level)

    files = [path.name for path in sorted(suppl.iterdir())]
    samples = [(f"donor {1 + k // 3} {TISSUES[k % 3]}", None) for k in range(8)] + [("donor 4 liver", None)]
    soft = _soft(root, LIVER, "Heterogeneity of liver-resident immune cells", files, samples)
    return LiverDeposit(suppl, soft, counts, barcodes, gene_ids, symbols, groups, subsets)


def write_plates(
    root: Path,
    *,
    plates: int = 3,
    wells: int = 384,
    genes: int = 30,
    density: float = 0.1,
    seed: int = 1,
    level: int = 9,
) -> PlatesDeposit:
    """Write GSE117156 under `root`: plates (genes x wells) on their own and in a tar, metadata, list, SOFT file.

    Every ninth gene has no counts; the last well of a plate is empty, without cells or counts.
    """
    rng = np.random.default_rng(seed)
    suppl = _folder(root, MYELOMA, "suppl")
    symbols = [*MARS_GENES, *(f"GENE{i}" for i in range(len(MARS_GENES), genes))][:genes]
    names = [f"WMC{FIRST_WELL + i:07d}" for i in range(plates * wells)]
    accessions = [f"GSM{FIRST_SAMPLE[MYELOMA] + i}" for i in range(plates)]
    batches = [f"AB{FIRST_PLATE + i}" for i in range(plates)]
    members = [f"{accession}_{batch}.txt.gz" for accession, batch in zip(accessions, batches, strict=True)]
    counts = []
    with tarfile.open(suppl / f"{MYELOMA}_RAW.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for at, (accession, member) in enumerate(zip(accessions, members, strict=True)):
            plate = vstack(list(_draw(rng, wells, genes, density)), format="csr")
            plate.data[plate.indptr[wells - 1] :] = 0
            plate.eliminate_zeros()
            counts.append(plate)
            file = _folder(root, accession, "suppl") / member
            write_gzip(file, [plate_text(plate, names[at * wells : (at + 1) * wells], symbols)], level)
            add_member(archive, member, file.read_bytes())

    experiments = [EXPERIMENTS[at % len(EXPERIMENTS)] for at in range(plates) for _ in range(wells)]
    cells = [int(well != wells - 1) for _ in range(plates) for well in range(wells)]
    lines = [(*METADATA_COLUMNS, "")]
    for i, name in enumerate(names):
        at, well = divmod(i, wells)
        place = (f"{'ABCDEFGHIJKLMNOP'[well // 24 % 16]}{well % 24 + 1}", f"P{FIRST_PLATE + at}", "SB30")
        lines.append((name, experiments[i], batches[at], *place, str(cells[i]), ""))
    write_gzip(suppl / f"{MYELOMA}_metadata.txt.gz", _rows(lines), level)
    write_file_list(suppl)

    samples = list(zip(batches, members, strict=True))
    files = [f"{MYELOMA}_RAW.tar", f"{MYELOMA}_metadata.txt.gz"]
    soft = _soft(root, MYELOMA, "Plasma cell heterogeneity in symptomatic and asymptomatic myeloma", files, samples)
    batch_of_wells = [batches[i // wells] for i in range(plates * wells)]
    return PlatesDeposit(
        suppl, soft, vstack(counts, format="csr"), names, symbols, members, experiments, batch_of_wells, cells
    )


def write_gzip(path: Path, chunks: Iterable[bytes], level: int = 9) -> None:
    """A gzip whose bytes depend on the content alone: no name, no time."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", level, raw, mtime=0) as file:
        for chunk in chunks:
            file.write(chunk)


def add_member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to a tar as GEO does, with a fixed time."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), TIME
    archive.addfile(member, io.BytesIO(content))


def write_file_list(suppl: Path) -> None:
    """The filelist.txt of a folder with a RAW.tar."""
    tar = suppl / f"{MYELOMA}_RAW.tar"
    rows = [("#Archive/File", "Name", "Time", "Size", "Type")]
    rows += [("Archive", tar.name, "12/06/2018 03:02:42", str(tar.stat().st_size), "TAR")]
    with tarfile.open(tar) as archive:
        rows += [("File", member.name, "07/16/2018 10:32:04", str(member.size), "TXT") for member in archive]
    (suppl / "filelist.txt").write_bytes(b"".join(_rows(rows)))


def plate_text(counts: csr_matrix, wells: list[str], genes: list[str]) -> bytes:
    """A plate's table (genes x wells), tab-separated, without a corner cell; counts is wells x genes."""
    digits, written = _digits(counts.T.toarray())
    tabs = np.full((*digits.shape[:2], 1), ord("\t"), dtype=np.uint8)
    text = np.concatenate([tabs, digits], axis=2)
    keep = np.concatenate([np.ones(tabs.shape, dtype=bool), written], axis=2)
    ends = np.cumsum(keep.sum(axis=(1, 2))).tolist()
    fields = text[keep].tobytes()
    rows = [gene.encode() + fields[start:end] for gene, start, end in zip(genes, [0, *ends], ends, strict=False)]
    return "\t".join(wells).encode() + b"\n" + b"\n".join(rows) + b"\n"


def _draw(rng: np.random.Generator, cells: int, genes: int, density: float) -> Iterator[csr_matrix]:
    """Counts of some cells after others (cells x genes), their shares of nonzero entries skewed between genes."""
    detected = rng.gamma(0.3, size=genes) + 1e-3
    detected[::9] = 0
    for _ in range(30):  # a share above one is cut, and the others take its excess
        detected = np.minimum(detected * density * genes / detected.sum(), 0.95)
    detected = detected.astype(np.float32)
    for start in range(0, cells, CHUNK):
        detections = rng.random((min(CHUNK, cells - start), genes), dtype=np.float32) < detected
        starts = np.concatenate([[0], np.cumsum(detections.sum(axis=1))]).astype(np.int32)
        columns = np.nonzero(detections)[1].astype(np.int32)
        yield csr_matrix(
            (rng.geometric(0.4, size=len(columns)).astype(np.int32), columns, starts), shape=detections.shape
        )


def _matrix_market(counts: csr_matrix) -> Iterator[bytes]:
    """MatrixMarket text (genes x cells) in chunks; within a cell, genes go backwards as 10x wrote them."""
    cells, genes = counts.shape
    yield f"%%MatrixMarket matrix coordinate integer general\n%\n{genes} {cells} {counts.nnz}\n".encode()
    for start in range(0, cells, CHUNK):
        part = counts[start : start + CHUNK]
        cell = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
        order = np.lexsort((-part.indices, cell))
        pieces = []
        for numbers, separator in ((part.indices[order] + 1, " "), (cell + start + 1, " "), (part.data[order], "\n")):
            digits, written = _digits(numbers)
            mark = np.full((len(numbers), 1), ord(separator), dtype=np.uint8)
            pieces.append((np.hstack([digits, mark]), np.hstack([written, np.ones(mark.shape, dtype=bool)])))
        text, keep = (np.hstack(part) for part in zip(*pieces, strict=True))
        yield text[keep].tobytes()


def _digits(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The digits of whole numbers along a new last axis, as ASCII, and which of them are written."""
    width = len(str(int(numbers.max(initial=0))))
    left = numbers[..., None].astype(np.int32) // (10 ** np.arange(width - 1, -1, -1, dtype=np.int32))
    written = left > 0
    written[..., -1] = True
    return (left % 10 + ord("0")).astype(np.uint8), written


def _soft(root: Path, accession: str, title: str, files: list[str], samples: list[tuple[str, str | None]]) -> Path:
    """The family SOFT file; a sample is a title and the name of its file. One + is quoted, as GEO may do."""
    base = "ftp://ftp.ncbi.nlm.nih.gov/geo"
    names = [f"GSM{FIRST_SAMPLE[accession] + i}" for i in range(len(samples))]
    lines = ["^DATABASE = GeoMiame", "!Database_name = Gene Expression Omnibus (GEO)"]
    lines += [f"^SERIES = {accession}", f"!Series_title = {title}", f"!Series_geo_accession = {accession}"]
    lines += [f"!Series_sample_id = {name}" for name in names]
    for file in files:
        quoted = file.replace("+", "%2B") if "genes" in file else file
        lines.append(f"!Series_supplementary_file = {base}/series/{accession[:-3]}nnn/{accession}/suppl/{quoted}")
    lines += ["!Series_platform_id = GPL18573", "^PLATFORM = GPL18573", "!Platform_organism = Homo sapiens"]
    for name, (label, file) in zip(names, samples, strict=True):
        url = f"{base}/samples/{name[:-3]}nnn/{name}/suppl/{file}" if file else "NONE"
        lines += [f"^SAMPLE = {name}", f"!Sample_title = {label}", f"!Sample_geo_accession = {name}"]
        lines += [f"!Sample_supplementary_file_1 = {url}", f"!Sample_series_id = {accession}"]
    path = _folder(root, accession, "soft") / f"{accession}_family.soft.gz"
    write_gzip(path, ["\n".join([*lines, ""]).encode()])
    return path


def _folder(root: Path, accession: str, kind: str) -> Path:
    group = "series" if accession.startswith("GSE") else "samples"
    folder = root / group / f"{accession[:-3]}nnn" / accession / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _rows(rows: Iterable[tuple[str, ...]]) -> list[bytes]:
    return ["".join("\t".join(row) + "\n" for row in rows).encode()]


def _sequence(number: int) -> str:
    """A different sequence of 16 bases for every number, scattered by a multiplication that is one-to-one."""
    number = number * 2654435761 % 4**16
    return "".join("ACGT"[number >> 2 * i & 3] for i in range(16))
