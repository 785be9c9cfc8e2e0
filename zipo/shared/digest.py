"""What a result hangs on, in one digest: a result of another digest is not the one that is asked for."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(files: Iterable[Path], values: Any) -> str:
    """SHA-256, in hexadecimal digits, of the contents of files and of values that JSON knows."""
    found = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for file in files:
        with file.open("rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()
