"""Refusals of files and folders that zipo does not read, recognised by their contents: what they are, what to do."""

import re
import shlex
import zipfile
import zlib
from pathlib import Path
from typing import NoReturn

import h5py

from zipo.shared.errors import InputError
from zipo.shared.wording import words

HDF5 = b"\x89HDF\r\n\x1a\n"
GZIP = b"\x1f\x8b"
PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head")
UNPACKED_BY = {b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
R_OBJECT = (b"RDX2\n", b"RDX3\n", b"X\n\x00\x00\x00", b"A\n2\n", b"A\n3\n")
TABLES = {b"PAR1": "parquet", b"ARROW1": "feather", b"FEA1": "feather"}
ADDRESS = re.compile(r"([a-z][a-z0-9+]*):/+(?=[^/])", re.IGNORECASE)  # pathlib makes one slash of two
HEAD = 512  # bytes that tell what a file is


def refuse_unreadable(path: Path) -> None:
    """Raise InputError if a file is missing, may not be read, is empty, or of a kind that only other programs read."""
    refuse_absent(path)
    if path.is_dir():
        hint = words(python="", command_line="", study="; only format 10x_mtx is a folder")
        raise InputError(f"{path}: this is a folder, but a file was expected{hint}")
    if not path.is_file():
        raise InputError(f"{path}: this is a pipe or a device, but a file was expected; write its contents to a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); fetch or write it again")
    refuse_foreign(path)


def refuse_absent(path: Path) -> None:
    """Raise InputError for a path where nothing is, an address of the web or of a cloud, and what may not be read."""
    if address := ADDRESS.match(str(path)):
        name = f"{address[1]}://{str(path)[address.end() :]}"
        fetch = {"s3": "aws s3 cp", "gs": "gcloud storage cp"}.get(address[1].lower(), "curl -LO")
        also = words(python="", command_line="", study="; or give it as url, with its sha256")
        raise InputError(
            f"{name}: this is an address, but a file on this computer is needed; fetch it first, as by `{fetch}`"
            f"{also if address[1].lower().startswith('http') else ''}"
        )
    try:
        if path.exists():
            if path.is_dir():
                next(path.iterdir(), None)
            elif path.is_file():
                path.open("rb").close()
            return
    except PermissionError:
        raise InputError(f"{path}: may not be read (permission denied); have its owner allow it, or copy it") from None
    remedy = " or folder; correct the path to the counts"
    in_study = "; fetch it, or correct the path in config/datasets.yaml"
    raise InputError(f"{path}: no such file{words(python=remedy, command_line=remedy, study=in_study)}")


def refuse_foreign(path: Path) -> None:
    """Raise InputError for a file of a kind that zipo does not read, and say what to do with it."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    quoted = shlex.quote(str(path))
    refuse_page(head, path)
    if head.startswith(b"PK\x03\x04"):
        _refuse_zip(path)
    for magic, command in UNPACKED_BY.items():
        if head.startswith(magic):
            raise InputError(f"{path}: a compressed file that zipo does not read; unpack it first: {command} {quoted}")
    if head[257:262] == b"ustar":
        raise InputError(f"{path}: a tar archive, not data; unpack it first: tar -xf {quoted}")
    for magic, kind in TABLES.items():
        if head.startswith(magic):
            raise InputError(
                f"{path}: a {kind} table, which zipo does not read; write it as text, in Python by "
                f"pandas.read_{kind}({str(path)!r}).to_csv('counts.csv')"
            )
    if head.startswith(GZIP):
        inside = _unzipped(head)
        if inside.startswith(HDF5):
            unpack = f"gunzip {quoted}" if path.suffix == ".gz" else f"gunzip -c {quoted} > unpacked{path.suffix}"
            raise InputError(f"{path}: an HDF5 file within gzip, which cannot be read in place; unpack it: {unpack}")
        if inside[257:262] == b"ustar":
            raise InputError(f"{path}: a tar archive, not data; unpack it first: tar -xzf {quoted}")
        head = inside
    if head.startswith(R_OBJECT):
        raise InputError(
            f"{path}: an object of R, which zipo does not read; in R, DropletUtils::write10xCounts('counts', matrix) "
            "writes its matrix of counts as a folder that zipo reads"
        )


def refuse_foreign_hdf5(file: h5py.File, path: Path) -> None:
    """Raise InputError for an HDF5 file that is neither .h5ad nor loom nor a matrix of 10x."""
    if "mod" in file and file.attrs.get("encoding-type", "MuData") == "MuData":
        modalities = list(file["mod"])
        name = next((name for name in ("rna", "RNA", "gex") if name in modalities), (modalities or ["rna"])[0])
        raise InputError(
            f"{path}: a MuData file with the modalities {', '.join(modalities)}; write out the one with the counts: "
            f"mudata.read({str(path)!r})[{name!r}].write_h5ad('{name}.h5ad')"
        )
    if {"assays", "cell.names"} <= set(file):
        raise InputError(
            f"{path}: an .h5Seurat file, which zipo does not read; in R, SeuratDisk::Convert({str(path)!r}, "
            "dest = 'h5ad') makes an .h5ad of it"
        )
    if {"barcode_idx", "feature_idx"} <= set(file) or {"barcode", "gene", "umi"} <= set(file):
        raise InputError(
            f"{path}: the molecules of Cell Ranger, not its counts; give filtered_feature_bc_matrix.h5, which lies "
            "beside it"
        )


def refuse_folder(folder: Path, expected: str) -> NoReturn:
    """Raise InputError for a folder without a matrix.mtx; `expected` is what could be given."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if any((folder / name).exists() for name in (".zgroup", "zarr.json", ".zattrs", ".zmetadata")):
        raise InputError(
            f"{folder}: a zarr store, which zipo does not read; write it as .h5ad: "
            f"anndata.read_zarr({str(folder)!r}).write_h5ad({folder.with_suffix('.h5ad').name!r})"
        )
    below = [name for name in names if has_matrix(folder / name)]
    if below:
        raise InputError(f"{folder}: a folder without a matrix.mtx, but {', '.join(below)} in it has one; give that")
    matrices = [name for name in names if name.endswith((".mtx", ".mtx.gz"))]
    if matrices:
        raise InputError(
            f"{folder}: a folder without a matrix.mtx; should {matrices[0]} be it, rename it, and the names of genes "
            "and cells beside it to features.tsv and barcodes.tsv"
        )
    raise InputError(f"{folder}: a folder without a matrix.mtx; {expected}")


def has_matrix(folder: Path) -> bool:
    """Whether this is a folder with a matrix as 10x names it; hidden files, as macOS leaves them, are none."""
    try:
        return folder.is_dir() and any(
            path.name.endswith(("matrix.mtx", "matrix.mtx.gz")) and not path.name.startswith(".")
            for path in folder.iterdir()
        )
    except PermissionError:
        return False


def _refuse_zip(path: Path) -> NoReturn:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        names = []
    if any(name.startswith("xl/") for name in names):
        raise InputError(f"{path}: an Excel workbook; save its sheet of counts as .csv, and give that")
    if names and all(name.endswith(".npy") for name in names):
        raise InputError(
            f"{path}: arrays of NumPy, which have no names; write them as .h5ad, with names of cells and genes, by "
            "anndata.AnnData(matrix, obs, var).write_h5ad('counts.h5ad')"
        )
    holds = f" with {names[0]}" if len(names) == 1 else ""
    raise InputError(f"{path}: a zip archive{holds}, not data; unpack it first: unzip {shlex.quote(str(path))}")


def refuse_page(start: bytes, path: Path) -> None:
    """Raise InputError for a file that begins like a web page."""
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        raise InputError(f"{path}: this is a web page, not data; look at it in a browser, and fetch the file again")


def _unzipped(start: bytes) -> bytes:
    """The first bytes of what a gzip holds; none if it is damaged, which its reader tells."""
    try:
        return zlib.decompressobj(wbits=31).decompress(start, HEAD)
    except zlib.error:
        return b""
