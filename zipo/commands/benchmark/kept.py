"""What earlier calls of `zipo benchmark` left in its folder, to be used again where all that it depends on is alike."""

import json
from pathlib import Path

from zipo.shared.atomic_files import atomic_write


class Kept:
    """Digests of what files were made from, in kept.json of a folder; see `zipo.shared.digest`."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "kept.json"
        self.digests: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}

    def has(self, file: Path, digest: str) -> bool:
        """Whether a file is there and was made from what has this digest."""
        return file.exists() and self.digests.get(self._name(file)) == digest

    def add(self, file: Path, digest: str) -> None:
        """Note that a file was made from what has this digest."""
        self.digests[self._name(file)] = digest
        with atomic_write(self.file) as part:
            part.write_text(json.dumps(self.digests, indent=2) + "\n")

    def _name(self, file: Path) -> str:
        """The file's path within the folder, which may be moved."""
        return str(file.relative_to(self.file.parent))
