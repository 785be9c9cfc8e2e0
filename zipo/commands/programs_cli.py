"""`zipo programs`: its arguments, options and help."""

from pathlib import Path
from typing import Annotated

import typer

from zipo.commands.options import GenesIn, Layer, MinGenes, Model


def programs(
    model: Model,
    source: Annotated[
        Path | None, typer.Argument(metavar="COUNTS", help="Cells to describe programs in, as for `zipo apply`.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of obs that groups the cells. [clusters of latents]")
    ] = None,
    sets: Annotated[Path | None, typer.Option(metavar="FILE.gmt", help="Gene sets to look for in programs.")] = None,
    others: Annotated[
        list[Path] | None,
        typer.Option(
            "--with", metavar="MODEL", help="Model of another seed, to see which programs are stable; repeat."
        ),
    ] = None,
    threshold: Annotated[float, typer.Option(help="Prune weights below this share of their neuron's largest.")] = 1e-4,
    min_cells: Annotated[int, typer.Option(min=1, help="Leave out genes with a count in fewer cells.")] = 10,
    top: Annotated[int, typer.Option(min=1, help="Genes to print of each program.")] = 10,
    most: Annotated[int, typer.Option("--programs", min=1, help="Programs to print, the strongest.")] = 20,
    tsv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all genes of all programs here, other tables beside it.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw programs by groups of cells, as .png and .pdf.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.h5ad", help="Write the cells with varm and obsm for scanpy.")
    ] = None,
    layer: Layer = None,
    genes_in: GenesIn = None,
    min_genes: MinGenes = 0.5,
) -> None:
    """Print gene programs: the genes that each neuron of the first layer reads.

    With COUNTS genes are ranked by what they contribute in those cells, and programs described by where they are
    active, by gene sets and by whether they come back in other seeds; without, by their weights alone.
    """
    from zipo.commands import actions
    from zipo.commands.program_report import ReportOptions

    needing = {"--by": by, "--sets": sets, "--with": others, "--figure": figure, "--out": out, "--layer": layer}
    actions.programs(
        model,
        None if source is None else actions.CountsOptions(source, layer, genes_in),
        ReportOptions(
            by=by,
            sets=sets,
            others=others or [],
            threshold=threshold,
            min_cells=min_cells,
            min_genes=min_genes,
            top=top,
            programs=most,
            tsv=tsv,
            figure=figure,
            out=out,
        ),
        [name for name, value in needing.items() if value],
    )
