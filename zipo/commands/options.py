"""Arguments and options that commands for a user's own data share, with their help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zipo.presets import PRESETS
from zipo.shared.likelihoods import FAMILIES

if TYPE_CHECKING:
    FamilyName = str  # a literal of names that are known at run time is no type to it
    PresetName = str
else:
    FamilyName = Literal[tuple(FAMILIES)]
    PresetName = Literal[PRESETS]


COUNTS = "Raw counts: .h5ad, 10x .h5, .loom, a folder with matrix.mtx, or a table (.csv, .tsv, .txt, also .gz)."
In = Annotated[Path, typer.Argument(metavar="IN", help=COUNTS, show_default=False)]
Out = Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="The .h5ad to write.", show_default=False)]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.", show_default=False)]
Layer = Annotated[str | None, typer.Option(help="Where an .h5ad (raw, or a layer) or .loom has its raw counts.")]
GenesIn = Annotated[Literal["rows", "columns"] | None, typer.Option(help="Where a table has its genes.")]
Genes = Annotated[
    str | None, typer.Option(metavar="N|FILE", help="So many of the most variable genes, or those a file names. [all]")
]
Covariate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="Column of obs that the model is to know, as a batch; NAME:number, NAME:category; repeat."
    ),
]
Batch = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=LEVEL", help="Denoise all cells as if of this level of a covariate; repeat."),
]
Preset = Annotated[
    PresetName,
    typer.Option(
        help="Values of what is not given: what denoises best, the same faster, the paper's, or for gene programs."
    ),
]
Likelihood = Annotated[
    FamilyName | None,
    typer.Option(help="Distribution of the counts. [by the preset]", show_default=False),
]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs at most. [by the number of cells]")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any parameter of zipo.ZiPo; repeat.")
]
Settings = Annotated[Path | None, typer.Option(metavar="FILE", help="Parameters that `zipo tune` wrote.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same file.")]
On = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where to compute.")]
Empty = Annotated[Literal["refuse", "keep"], typer.Option(help="What to do with cells that have no counts.")]
EmptyOfModel = Annotated[
    Literal["refuse", "keep"] | None,
    typer.Option(help="What to do with cells that have no counts. [as the model was trained]", show_default=False),
]
MinGenes = Annotated[
    float, typer.Option(metavar="SHARE", min=0, max=1, help="Share of the model's genes that the data must have.")
]
Rates = Annotated[bool, typer.Option("--rates", help="Write layers['rates'] too: l mu, without zero inflation.")]
StandardErrors = Annotated[
    bool, typer.Option("--standard-errors", help="Write layers['denoised_se'] and obsm['X_zipo_se'] too.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from where the same command was interrupted.")]
Log = Annotated[Path | None, typer.Option(metavar="FILE", help="Also write all messages, with times, to this file.")]
