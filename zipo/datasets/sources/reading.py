"""Reading the raw counts of any source, with the checksums of the files they come from."""

from pathlib import Path

import anndata as ad

from zipo.datasets.catalogue import FileSource, GeoSource, ScanpySource, SimulatedSource, Source, WheelSource
from zipo.datasets.sources import bundled, files, rosmap, simulated, wheel
from zipo.datasets.sources.geo import series as geo
from zipo.datasets.sources.locations import folder_of, inputs, path_of
from zipo.datasets.transfer.integrity import sha256_of
from zipo.datasets.transfer.manifest import checksums


def read(source: Source, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
    """The counts (cells x genes), and the sha256 of each file by name; downloads are there already."""
    if isinstance(source, SimulatedSource):
        return simulated.simulate(source), {}
    if isinstance(source, ScanpySource):
        path = bundled.path(source)
        return bundled.read(path, source), {path.name: sha256_of(path)}
    if isinstance(source, WheelSource):
        (path,) = inputs(source, downloads)
        return wheel.read(path, source), {path.name: source.sha256}
    if isinstance(source, FileSource):
        path = path_of(source, downloads)
        adata = files.read_file(path, source)
        return adata, {file.name: sha256_of(file) for file in files.files_of(path, source)}
    (manifest,) = inputs(source, downloads)
    folder = folder_of(source, downloads)
    if isinstance(source, GeoSource):
        return geo.read_series(source.accession, folder), checksums(manifest)
    return rosmap.read_folder(folder), checksums(manifest)
