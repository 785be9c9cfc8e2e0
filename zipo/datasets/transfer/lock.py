"""The lock file: size and sha256 of every downloaded file at its first fetch, which later fetches must match."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError
from zipo.shared.locks import exclusive_lock

COLUMNS = ("file", "bytes", "sha256", "recorded")
COMMENT = "# Recorded at the first fetch of each file, and verified at every later one.\n"


class Entry(NamedTuple):
    """Record of one file."""

    size: int
    """Bytes."""
    sha256: str
    """Checksum, as 64 hexadecimal digits."""
    recorded: date
    """Day (UTC) on which these bytes were first fetched."""


class Lock:
    """A lock file, tab-separated with one row a file, in the order of the names; comments may stand on top."""

    def __init__(self, path: Path, update: bool = False) -> None:
        self.path = path
        self.update = update  # take what differs as the new truth

    def entry(self, name: str) -> Entry | None:
        """The record of a file; None if there is none."""
        return self._read()[1].get(name)

    def check(self, name: str, size: int, sha256: str) -> None:
        """Record a file that is new; raise InputError if it differs from what is recorded, or update that."""
        if self._settled(name, size, sha256):
            return  # nothing to write, so that the lock may stand in a folder that cannot be written to
        with exclusive_lock(self.path.with_name(f"{self.path.name}.busy")):
            if not self._settled(name, size, sha256):  # another process may have recorded it just now
                comments, entries = self._read()
                today = datetime.now(UTC).date()
                self._write(comments, entries | {name: Entry(size, sha256, today)})

    def _settled(self, name: str, size: int, sha256: str) -> bool:
        known = self.entry(name)
        if known is None:
            return False
        if known[:2] == (size, sha256):
            return True
        if self.update:
            return False
        raise InputError(
            f"{name}: sha256 {sha256} ({size:,} bytes) differs from {known.sha256} ({known.size:,} bytes), which "
            f"{self.path} records since {known.recorded}; if the file is expected to have changed, run again with "
            "--update-lock (in a study: snakemake --config update_lock=true)"
        )

    def _read(self) -> tuple[str, dict[str, Entry]]:
        """The comments on top, and the entries; InputError names the line that will not do."""
        if not self.path.exists():
            return COMMENT, {}
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        top = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
        entries: dict[str, Entry] = {}
        for number, line in enumerate(lines[top:] or [""], start=top + 1):
            fields = line.rstrip("\r\n").split("\t")
            problem = _problem(fields, entries, is_header=number == top + 1)
            if problem:
                raise InputError(f"{self.path}, line {number}: {problem}; correct the line or remove it")
            if number > top + 1:
                entries[fields[0]] = Entry(int(fields[1]), fields[2], date.fromisoformat(fields[3]))
        return "".join(lines[:top]), entries

    def _write(self, comments: str, entries: dict[str, Entry]) -> None:
        rows = [COLUMNS, *((name, *map(str, entry)) for name, entry in sorted(entries.items()))]
        with atomic_write(self.path) as part:
            part.write_text(comments + "".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def _problem(fields: list[str], entries: dict[str, Entry], is_header: bool) -> str | None:
    """Description of what is wrong with a line; None if nothing is."""
    if is_header:
        return None if fields == [*COLUMNS] else f"the header must be {', '.join(COLUMNS)}, separated by tabs"
    if len(fields) != len(COLUMNS):
        return f"{len(fields)} columns where {len(COLUMNS)} are expected ({', '.join(COLUMNS)}, separated by tabs)"
    name, size, sha256, recorded = fields
    if not name:
        return "the file has no name"
    if name in entries:
        return f"{name} stands here a second time"
    if not re.fullmatch(r"[0-9]+", size):
        return f"bytes is {size!r} where a whole number is expected"
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        return f"sha256 is {sha256!r} where 64 hexadecimal digits are expected"
    try:
        date.fromisoformat(recorded)
    except ValueError:
        return f"recorded is {recorded!r} where a date such as 2026-01-31 is expected"
    return None
