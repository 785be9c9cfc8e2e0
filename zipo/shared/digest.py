"""Digest of all that a result depends on: a stored result is used again only if its digest is the same."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(files: Iterable[Path], values: Any) -> str:
    """SHA-256, in hexadecimal digits, of the contents of files and of values that JSON knows."""
    result = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for file in files:
        with file.open("rb") as opened:
            result.update(hashlib.file_digest(opened, "sha256").digest())
    return result.hexdigest()
