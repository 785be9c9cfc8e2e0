"""The page of a figure in the report: the picture, what it shows of which runs, and the numbers behind it."""

from pathlib import Path
from types import ModuleType

import pandas as pd

from zipo.figures.shared.comparison import select
from zipo.shared.page import content, folded, paragraph, write_page


def write_figure_page(module: ModuleType, tables: dict[str, pd.DataFrame], sizes: pd.DataFrame, stem: Path) -> None:
    """Write the page of a figure beside its picture, whole or absent; `sizes` is Table I of the study."""
    number = stem.name.removeprefix("figure-").lstrip("0")
    body = content(stem.with_name(f"{stem.name}.png")) + paragraph(module.caption)
    if ran := what_ran(module, tables, sizes):
        body += paragraph(f"What was run: {ran}")
    numbers = folded("The numbers behind it", content(stem.with_name(f"{stem.name}.tsv")))
    write_page(stem.with_name(f"{stem.name}.html"), f"Figure {number}: {module.title}", body + numbers)


def what_ran(module: ModuleType, tables: dict[str, pd.DataFrame], sizes: pd.DataFrame) -> str:
    """The data sets behind a figure with their cells, genes, and seeds or trials; empty for a figure of none."""
    if "runs" in tables:
        parts = [select(tables["runs"], experiment) for experiment in module.experiments]
    else:
        parts = list(tables.values())
    sentences = []
    for size in sizes.itertuples():
        dataset_parts = [part[part["dataset"] == size.dataset] for part in parts]
        if any(map(len, dataset_parts)):
            counts = [f"{size.cells_after:,} cells", f"{size.genes_after:,} genes"]
            for kind in ("seed", "trial"):
                count = max(part[kind].nunique() if kind in part else 0 for part in dataset_parts)
                counts += [f"{count} {kind}{'s' * (count != 1)}"] if count else []
            sentences.append(f"{size.title}: {', '.join(counts)}.")
    return " ".join(sentences)
