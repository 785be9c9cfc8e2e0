"""The manifest of a download: its files with their checksums, written once all of them are complete."""

import csv
from pathlib import Path

from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.atomic_files import atomic_write


def write_manifest(manifest: Path, files: list[Path]) -> None:
    """Write name, bytes and sha256 of each file."""
    with atomic_write(manifest) as part, part.open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows.writerow(["file", "bytes", "sha256"])
        rows.writerows([path.name, path.stat().st_size, sha256_of(path)] for path in files)


def checksums(manifest: Path) -> dict[str, str]:
    """sha256 of each file by name."""
    with manifest.open(newline="") as file:
        return {row["file"]: row["sha256"] for row in csv.DictReader(file, delimiter="\t")}
