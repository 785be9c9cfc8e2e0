"""What `zipo check` does with its options, and `zipo denoise --check` beside its own training."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anndata as ad

from zipo.commands.progress import Reporter
from zipo.commands.worth import figure
from zipo.commands.worth.measuring import TRAININGS, OnTraining, measure
from zipo.commands.worth.worth import Worth
from zipo.model import targets
from zipo.shared.errors import InputError
from zipo.shared.tables import write_tsv

HEADER = "gene\tmean\theld_out\texplained\tstandard_error\t"


def check_targets(report: Path | None, picture: Path | None) -> None:
    """Raise InputError unless a report and a figure can be written, in place of nothing but what zipo wrote."""
    if report is not None:
        targets.check_replaceable(report, is_report, "another by --report")
    if picture is not None:
        if picture.suffix != ".png":
            raise InputError(f"{picture}: the figure is a .png; give --figure a name that ends so")
        targets.check_replaceable(picture, figure.is_written, "another by --figure")


def measured(
    adata: ad.AnnData, parameters: dict[str, Any], reporter: Reporter, *, preset: str, **keywords: Any
) -> Worth:
    """What denoising is worth on counts, with progress."""
    reporter.say(f"holding out a tenth of the molecules: {TRAININGS} trainings, one of them on permuted counts")
    return measure(adata, preset, reported(reporter), **keywords, **parameters)


def reported(reporter: Reporter) -> OnTraining:
    """Progress of trainings, numbered in their order."""
    number = 0

    @contextmanager
    def on_training(counts: str, epochs: int) -> Iterator[Callable[[int, float], None]]:
        nonlocal number
        number += 1
        reporter.say(f"training {number} of {TRAININGS}, on {counts}")
        with reporter.epochs(epochs) as on_epoch:
            yield on_epoch

    return on_training


def write(worth: Worth, report: Path | None, picture: Path | None) -> None:
    """Write the table of genes and the figure, where they are asked for."""
    if report is not None:
        write_tsv(worth.genes.rename_axis("gene").reset_index(), report)
    if picture is not None:
        figure.write(figure.of_worth(worth), picture)


def is_report(file: Path) -> bool:
    """Whether `write` has written this table."""
    with file.open("rb") as stream:
        return stream.read(len(HEADER)) == HEADER.encode()
