"""What `zipo programs MODEL COUNTS` prints and writes: gene programs in the cells of a data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pandas as pd

from zipo.commands import program_figure
from zipo.commands.programs import how_to_read
from zipo.commands.progress import Reporter
from zipo.datasets.formats.hdf5 import mark
from zipo.figures.shared import style
from zipo.model import targets
from zipo.model.alignment import aligned_with_all
from zipo.model.estimator import ZiPo
from zipo.model.programs import analysis, gene_sets, matching
from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv

if TYPE_CHECKING:
    from zipo.commands.actions import CountsOptions

# first columns, which tell the tables beside --tsv FILE from files of others
TABLES = {
    "": analysis.GENES,
    "summary": ["program", "neuron", "strength"],
    "activity": ["group"],
    "sets": gene_sets.COLUMNS,
    "stability": matching.COLUMNS,
}
AGAINST = 3
"""Genes that are printed of those that are low where a program is active."""


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Options that say how programs are described, and where that goes."""

    by: str | None
    sets: Path | None
    others: Sequence[Path]
    threshold: float
    min_cells: int
    min_genes: float
    top: int
    programs: int
    tsv: Path | None
    figure: Path | None
    out: Path | None

    def check(self) -> None:
        """Raise InputError unless sets can be read, and results written without replacing files of others."""
        if self.sets is not None:
            gene_sets.read_gmt(self.sets)
        if self.tsv is not None:
            for name, columns in TABLES.items():
                targets.check_replaceable(beside(self.tsv, name), starting_with(columns), "another by --tsv")
        if self.figure is not None:
            if self.figure.suffix.removeprefix(".") not in style.FORMATS:
                raise InputError(f"{self.figure}: a picture is expected, .png or .pdf; give a name that ends so")
            for kind in (*style.FORMATS, "tsv"):
                picture = self.figure.with_suffix(f".{kind}")
                targets.check_replaceable(picture, _drawn_before, "another by --figure")
        if self.out is not None:
            targets.check_file(self.out)


def report(folder: Path, counts: "CountsOptions", options: ReportOptions) -> None:
    """Describe the programs of a model in some cells: print them, and write tables, picture and an .h5ad as asked."""
    counts.check({"--tsv": options.tsv, "--figure": options.figure, "--out": options.out})
    options.check()
    model, others = ZiPo.load(folder, "cpu"), [ZiPo.load(other, "cpu") for other in options.others]
    reporter = Reporter()
    with counts.hint_at_counts():
        source, alignment = aligned_with_all(counts.read(reporter), model.genes, options.min_genes)
        reporter.say(alignment.message)
        if source.left_out:
            reporter.say(source.left_out)
        programs = analysis.programs(
            model,
            source.counts,
            by=options.by,
            sets=options.sets,
            others=others,
            threshold=options.threshold,
            min_cells=options.min_cells,
        )
    if note := how_to_read(model):
        reporter.say(note)
    if options.tsv is not None:
        for name, table in tables(programs).items():
            write_tsv(table, beside(options.tsv, name))
    if options.figure is not None:
        shown = program_figure.numbers(programs)
        style.write(program_figure.draw(shown), shown, options.figure.with_suffix(""))
    if options.out is not None:
        data = source.data.to_memory() if source.data.isbacked else source.data
        analysis.fill(data, programs.contributions)
        with atomic_write(options.out) as part:
            data.write_h5ad(part)
            with h5py.File(part, "r+") as file:
                mark(file)
    for line in in_lines(programs, options.top, options.programs):  # last, as its reader may be gone, as `head` is
        print(line)


def tables(programs: analysis.Programs) -> dict[str, pd.DataFrame]:
    """The tables to write, by what their names have beside that of the file."""
    activity = programs.activity.rename_axis("group").reset_index()
    all_tables = {
        "": programs.genes,
        "summary": programs.summary,
        "activity": activity,
        "sets": programs.sets,
        "stability": programs.stability,
    }
    return {name: table for name, table in all_tables.items() if table is not None}


def in_lines(programs: analysis.Programs, top: int, most: int) -> list[str]:
    """A line for each group with the program that is typical of it, then one for each of the strongest programs."""
    summary = programs.summary.set_index("program")
    lines = ["typical of each group:"]
    for group, name in programs.typical.items():
        lines.append(f"  {group}: {_described(programs, summary, name, top, programs.activity.loc[group, name])}")
    lines.append(f"the strongest of {len(summary)} programs:" if len(summary) > most else "all programs:")
    for name in summary.index[:most]:
        row = summary.loc[name]
        described = _described(programs, summary, name, top, row["activity"])
        lines.append(f"  {described}, most active in {row['active_in']}")
    if programs.stability is not None:
        stable = int(programs.stability["stable"].sum())
        lines.append(f"{stable} of {len(summary)} programs come back in the other models")
    return lines


def _described(programs: analysis.Programs, summary: pd.DataFrame, name: str, top: int, activity: float) -> str:
    """A program in one line: where it stands, its genes, the gene set it is nearest to, and whether it is stable."""
    row = summary.loc[name]
    text = f"{name} ({activity:+.1f} sd): {', '.join(programs.leading(name, top)) or 'no gene is high'}"
    place = programs.contributions.names.index(name)
    column = programs.contributions.contribution[:, place]
    if low := [programs.contributions.genes[gene] for gene in column.argsort()[:AGAINST] if column[gene] < 0]:
        text += f"; low: {', '.join(low)}"
    if "set" in row and isinstance(row["set"], str):
        text += f"; {row['set']} (q = {row['q_value']:.1g})"
    if "stable" in row:
        text += "; stable" if row["stable"] else "; unstable"
    return text


def beside(file: Path, name: str) -> Path:
    """The path of a table beside a file: programs.tsv, programs.sets.tsv."""
    return file.with_name(f"{file.stem}.{name}{file.suffix}") if name else file


def starting_with(columns: Sequence[str]) -> Callable[[Path], bool]:
    """A test whether a file is a table whose first columns are these."""

    def test(file: Path) -> bool:
        with file.open("rb") as stream:
            return stream.readline(1000).decode(errors="replace").rstrip("\r\n").split("\t")[: len(columns)] == columns

    return test


def _drawn_before(file: Path) -> bool:
    """Whether a picture, or the table beside it, is one that zipo drew: the table says so."""
    table = file.with_suffix(".tsv")
    return table.is_file() and table.read_bytes().startswith(program_figure.FIRST_COLUMNS)
