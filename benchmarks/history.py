"""The engine's speed and memory beside plain PyTorch, commit by commit: history.tsv, and pages that quote it.

    python benchmarks/throughput.py --history benchmarks/history.tsv    # measures, and appends a line per shape
    python benchmarks/history.py                                        # writes the pages anew from the latest lines

`make bench` does both. Lines are compared by their ratios, since seconds hang on what else the machine does.
"""

import os
import platform
import re
import sys
from dataclasses import asdict, astuple, dataclass, fields
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles

from page_tables import with_tables

from zipo.benchmark.answers import count, listed
from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError
from zipo.shared.locks import exclusive_lock
from zipo.study.code_version import git_commit

HERE = Path(__file__).resolve().parent
FILE = HERE / "history.tsv"
QUOTED = "zip"  # likelihood of the lines that pages quote
LEAST_ROUNDS = 4  # turns of which quartiles say something
STEADY = 0.25  # spread of a ratio, as a share of it, above which the machine was busy


@dataclass(frozen=True)
class Circumstances:
    """What a ratio hangs on beside shape and likelihood."""

    commit: str
    """Short hash, with + if files differed from it."""
    date: str
    processor: str
    cores: int
    threads: int
    torch: str

    @classmethod
    def now(cls, threads: int) -> "Circumstances":
        """This moment's on this machine, for engines that may take so many threads."""
        commit = re.sub("-dirty$", "+", git_commit())
        return cls(commit, date.today().isoformat(), processor_name(), os.cpu_count() or 1, threads, version("torch"))


@dataclass(frozen=True)
class Line(Circumstances):
    """A line of the history; its fields are the columns, in order."""

    shape: str
    likelihood: str
    rounds: int
    """Turns of each engine, one engine after the other."""
    ratio: float
    """Speed of the engine over that of plain PyTorch: the median over pairs of turns."""
    ratio_low: float
    ratio_high: float
    """Quartiles of the same; what lies between is the spread."""
    memory_ratio: float
    """Peak memory of the engine's process over that of plain PyTorch's."""
    cells_per_second: int
    plain_cells_per_second: int

    @property
    def spread(self) -> float:
        """Width of the middle half of the ratios."""
        return self.ratio_high - self.ratio_low

    @property
    def machine(self) -> tuple:
        """What has to be equal for the lines of a shape to be compared."""
        return self.processor, self.cores, self.threads, self.likelihood

    @property
    def steady(self) -> bool:
        """Whether the spread is small enough for the ratio to be that of the engines, not of what else ran."""
        return self.spread <= STEADY * self.ratio

    def in_words(self) -> str:
        """Ratio, quartiles, commit and date."""
        return f"{self.ratio:.2f} ({self.ratio_low:.2f} to {self.ratio_high:.2f}; {self.commit}, {self.date})"


COLUMNS = [field.name for field in fields(Line)]


def processor_name() -> str:
    """Name of this machine's processor, as its maker gives it where the system knows."""
    about = Path("/proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", about.read_text(), re.MULTILINE) if about.exists() else None
    return model[1].strip() if model else platform.processor() or platform.machine()


def line_of(row: dict, circumstances: Circumstances) -> Line:
    """The line of a row that throughput.py measured."""
    low, _, high = quantiles(row["ratios"], n=4, method="inclusive")
    return Line(
        **asdict(circumstances),
        shape=row["shape"],
        likelihood=row["likelihood"],
        rounds=len(row["ratios"]),
        ratio=round(row["ratio"], 3),
        ratio_low=round(low, 3),
        ratio_high=round(high, 3),
        memory_ratio=round(row["peak_mb"] / row["plain_peak_mb"], 3),
        cells_per_second=round(row["cells_per_second"]),
        plain_cells_per_second=round(row["plain_cells_per_second"]),
    )


def read(file: Path) -> list[Line]:
    """The lines of a history, oldest first; none if there is no file. Raises InputError for any other table."""
    if not file.exists():
        return []
    head, *rows = file.read_text().splitlines() or [""]
    if head.split("\t") != COLUMNS:
        raise InputError(
            f"{file}: its columns are {', '.join(head.split())}, where those of a history were expected, "
            f"{', '.join(COLUMNS)}; rename the file, and a new one is begun"
        )
    lines = []
    for number, row in enumerate(rows, start=2):
        try:
            values = zip(fields(Line), row.split("\t"), strict=True)
            lines.append(Line(*(field.type(value) for field, value in values)))
        except ValueError as error:
            raise InputError(f"{file}, line {number}: no line of a history ({error}); mend or remove it") from None
    return lines


def append(line: Line, file: Path) -> list[Line]:
    """Add a line at the end of a history, which stays whole whatever happens; the lines before it."""
    with exclusive_lock(file.with_name(f"{file.name}.lock")):
        before = read(file)
        text = file.read_text() if file.exists() else "\t".join(COLUMNS)
        with atomic_write(file) as part:
            part.write_text(text.removesuffix("\n") + "\n" + "\t".join(map(str, astuple(line))) + "\n")
    return before


def compared(line: Line, before: list[Line]) -> str:
    """A sentence on a line and the one before it of the same shape, machine and threads."""
    name = f"{line.shape}, {line.likelihood}, {count(line.threads, 'thread')}"
    earlier = [each for each in before if (each.shape, each.machine) == (line.shape, line.machine)]
    if not earlier:
        return f"{name}: {line.in_words()} times plain PyTorch's speed, the first line of this machine"
    last = earlier[-1]
    torch = "" if last.torch == line.torch else f"; torch was {last.torch} and is {line.torch}"
    if last.ratio - line.ratio > max(last.spread, line.spread):
        return (
            f"{name}: the ratio to plain PyTorch's speed fell by more than its spread, "
            f"from {last.in_words()} to {line.in_words()}{torch}"
        )
    return f"{name}: {line.in_words()} times plain PyTorch's speed, after {last.in_words()}{torch}"


def record(row: dict, circumstances: Circumstances, file: Path) -> None:
    """Append the line of a row to a history, and print how it compares with the one before it."""
    line = line_of(row, circumstances)
    print(compared(line, append(line, file)), flush=True)
    if not line.steady:
        print(f"{line.shape}: the turns differ widely; on a quiet machine, or with --threads 1, the ratio says more")


def quoted(lines: list[Line]) -> list[Line]:
    """The lines that pages quote: the latest of each shape, from the machine and threads that were measured last."""
    if not (chosen := [line for line in lines if line.likelihood == QUOTED]):
        raise InputError(f"the history has no line of {QUOTED} yet; run throughput.py with --history first")
    last = chosen[-1]
    latest = {line.shape: line for line in chosen if line.machine == last.machine}
    return list(latest.values())


def table(lines: list[Line]) -> str:
    """A table of lines, in the form of Markdown."""
    rows = [
        f"| {line.shape} | {line.ratio:.1f} | {line.ratio_low:.1f} to {line.ratio_high:.1f} "
        f"| {100 * line.memory_ratio:.0f} % | {line.cells_per_second:,} | {line.commit}, {line.date} |"
        for line in lines
    ]
    head = "| shape | times plain PyTorch's speed | quartiles | of its memory | cells/s | measured |"
    return "\n".join([f"{where(lines)}:", "", head, "|---|---|---|---|---|---|", *rows])


def sentence(lines: list[Line]) -> str:
    """Ratios of lines in one sentence."""
    speeds = listed([f"{line.ratio:.1f} ({line.shape})" for line in lines])
    memory = listed([f"{line.memory_ratio:.2f} ({line.shape})" for line in lines])
    return (
        f"The engine trains at {speeds} times the speed of plain PyTorch,\nwith {memory} times its memory\n"
        f"({where(lines)}; [how it is measured](benchmarks/README.md))."
    )


def where(lines: list[Line]) -> str:
    """Machine, threads and torch of lines."""
    last = lines[-1]
    return f"{last.processor}, {count(last.cores, 'core')}, {count(last.threads, 'thread')}, torch {last.torch}"


def pages(lines: list[Line]) -> dict[Path, dict[str, str]]:
    """What each page quotes of a history, by the names of the marks."""
    chosen = quoted(lines)
    return {HERE / "README.md": {"history": table(chosen)}, HERE.parent / "README.md": {"speed": sentence(chosen)}}


def main() -> None:
    for page, made in pages(read(FILE)).items():
        page.write_text(with_tables(page.read_text(), made))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
