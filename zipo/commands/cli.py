"""Commands for a user's own data: their arguments, options and help. Each imports what it runs, to start fast.

Typer reads the options of a command from its signature, so that options which commands share stand in each.
"""

from pathlib import Path
from typing import Annotated

import typer

from zipo.commands import programs_cli
from zipo.commands.options import (
    Batch,
    Covariate,
    Empty,
    EmptyOfModel,
    Epochs,
    Genes,
    GenesIn,
    In,
    Layer,
    Likelihood,
    Log,
    MinGenes,
    Model,
    On,
    Out,
    Preset,
    Rates,
    Resume,
    Seed,
    Set,
    Settings,
    StandardErrors,
)
from zipo.presets import DEFAULT

app = typer.Typer()


@app.command()
def example(target: Out) -> None:
    """Fetch counts to try things on: human pancreas, 1,937 cells with their types in obs["cell_type"] (Baron 2016)."""
    from zipo.datasets.example import write_example
    from zipo.model.targets import check_file

    check_file(target)
    write_example(target)


@app.command()
def denoise(
    source: In,
    target: Out,
    preset: Preset = DEFAULT,
    likelihood: Likelihood = None,
    genes: Genes = None,
    covariate: Covariate = None,
    batch: Batch = None,
    seed: Seed = 1,
    device: On = "auto",
    epochs: Epochs = None,
    assignments: Set = None,
    settings: Settings = None,
    rates: Rates = False,
    standard_errors: StandardErrors = False,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the trained model in this folder.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Measure, as `zipo check` does, what denoising is worth, and write it too.")
    ] = False,
    layer: Layer = None,
    genes_in: GenesIn = None,
    empty_cells: Empty = "refuse",
    resume: Resume = False,
    log: Log = None,
) -> None:
    """Train on raw counts and write them denoised: layers["denoised"], latents in obsm["X_zipo"].

    What is not given is by the preset, sizes and epochs by the numbers of cells and genes. uns["zipo"] tells what each
    slot means.
    """
    from zipo.commands.stopping import stopping

    with stopping() as stop:
        from zipo.commands import actions

        actions.denoise(
            actions.CountsOptions(source, layer, genes_in, genes),
            actions.FitOptions(
                preset=preset,
                likelihood=likelihood,
                epochs=epochs,
                covariates=covariate,
                assignments=assignments,
                settings=settings,
                seed=seed,
                device=device,
                empty_cells=empty_cells,
                resume=resume,
            ),
            target=target,
            folder=model,
            batch=batch or [],
            rates=rates,
            standard_errors=standard_errors,
            check=check,
            log=log,
            stop=stop,
        )


@app.command()
def check(
    source: In,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a row per gene here, as .tsv.")] = None,
    figure: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it here, as .png.")] = None,
    preset: Preset = DEFAULT,
    likelihood: Likelihood = None,
    genes: Genes = None,
    covariate: Covariate = None,
    seed: Seed = 1,
    device: On = "auto",
    epochs: Epochs = None,
    assignments: Set = None,
    settings: Settings = None,
    layer: Layer = None,
    genes_in: GenesIn = None,
    empty_cells: Empty = "refuse",
    log: Log = None,
) -> None:
    """Say what denoising is worth on raw counts: hold out a tenth of the molecules, and predict them from the rest.

    Two models are trained, one of them on permuted counts. The predictions are compared with gene means, with counts
    that are not denoised, and with PCA.
    """
    from zipo.commands.stopping import stopping

    with stopping():
        from zipo.commands import actions

        actions.check(
            actions.CountsOptions(source, layer, genes_in, genes),
            actions.FitOptions(
                preset=preset,
                likelihood=likelihood,
                epochs=epochs,
                covariates=covariate,
                assignments=assignments,
                settings=settings,
                seed=seed,
                device=device,
                empty_cells=empty_cells,
            ),
            report=report,
            picture=figure,
            log=log,
        )


@app.command()
def fit(
    source: In,
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder to keep the model in.", show_default=False)],
    preset: Preset = DEFAULT,
    likelihood: Likelihood = None,
    genes: Genes = None,
    covariate: Covariate = None,
    seed: Seed = 1,
    device: On = "auto",
    epochs: Epochs = None,
    assignments: Set = None,
    settings: Settings = None,
    layer: Layer = None,
    genes_in: GenesIn = None,
    empty_cells: Empty = "refuse",
    resume: Resume = False,
    log: Log = None,
) -> None:
    """Train on raw counts and keep the model, for `zipo apply` and `zipo programs`."""
    from zipo.commands.stopping import stopping

    with stopping() as stop:
        from zipo.commands import actions

        actions.fit(
            actions.CountsOptions(source, layer, genes_in, genes),
            actions.FitOptions(
                preset=preset,
                likelihood=likelihood,
                epochs=epochs,
                covariates=covariate,
                assignments=assignments,
                settings=settings,
                seed=seed,
                device=device,
                empty_cells=empty_cells,
                resume=resume,
            ),
            folder=model,
            log=log,
            stop=stop,
        )


@app.command()
def apply(
    model: Model,
    source: In,
    target: Out,
    batch: Batch = None,
    device: On = "auto",
    rates: Rates = False,
    standard_errors: StandardErrors = False,
    layer: Layer = None,
    genes_in: GenesIn = None,
    empty_cells: EmptyOfModel = None,
    min_genes: MinGenes = 0.5,
    log: Log = None,
) -> None:
    """Denoise counts with a trained model; genes are matched by name, and those that both have are denoised."""
    from zipo.commands.stopping import stopping

    with stopping():
        from zipo.commands import actions

        actions.apply(
            model,
            actions.CountsOptions(source, layer, genes_in),
            target=target,
            batch=batch or [],
            device=device,
            rates=rates,
            standard_errors=standard_errors,
            empty_cells=empty_cells,
            min_genes=min_genes,
            log=log,
        )


@app.command()
def tune(
    source: In,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the best settings go.")] = Path("zipo.json"),
    trials: Annotated[int, typer.Option(min=1, help="Trainings to try.")] = 30,
    preset: Preset = DEFAULT,
    likelihood: Likelihood = None,
    genes: Genes = None,
    covariate: Covariate = None,
    seed: Seed = 1,
    device: On = "auto",
    epochs: Epochs = None,
    assignments: Set = None,
    settings: Settings = None,
    layer: Layer = None,
    genes_in: GenesIn = None,
    empty_cells: Empty = "refuse",
    log: Log = None,
) -> None:
    """Search for the encoder and penalties of the lowest validation loss; print them as options to paste."""
    from zipo.commands.stopping import stopping

    with stopping() as stop:
        from zipo.commands import actions

        actions.tune(
            actions.CountsOptions(source, layer, genes_in, genes),
            actions.FitOptions(
                preset=preset,
                likelihood=likelihood,
                epochs=epochs,
                covariates=covariate,
                assignments=assignments,
                settings=settings,
                seed=seed,
                device=device,
                empty_cells=empty_cells,
            ),
            output=output,
            trials=trials,
            log=log,
            stop=stop,
        )


app.command()(programs_cli.programs)


@app.command()
def plot(
    output: Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What `zipo denoise` or `zipo apply` wrote.")],
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Where the pictures go. [beside OUT]")] = None,
    colour: Annotated[
        list[str] | None,
        typer.Option("--colour", "--color", metavar="NAME", help="Column of obs to colour the latents by; repeat."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the t-SNE.")] = 1,
) -> None:
    """Draw training curves, a t-SNE of the latents, and how well zeros are foretold."""
    from zipo.commands import plots

    for picture in plots.plot(output, folder or output.with_suffix(".plots"), colour or [], seed):
        print(picture)


@app.command()
def benchmark(
    method: Annotated[Path, typer.Argument(metavar="METHOD.py", help="A method file.", show_default=False)],
    datasets: Annotated[
        str, typer.Option(metavar="NAME,...", help="Data sets of the catalogue. [that of the published benchmark]")
    ] = "",
    splits: Annotated[int | None, typer.Option(min=1, help="Splits of the molecules. [as published]")] = None,
    first_split: Annotated[int | None, typer.Option(min=1, help="Number of the first. [as published]")] = None,
    seconds: Annotated[float | None, typer.Option(help="Time limit of a run. [as published]")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of a run. [as published]")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Scores (.tsv, .parquet) to compare with. [those published]")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write into. [benchmark-NAME]")] = None,
) -> None:
    """Run a method of your own on data sets of the benchmark, score it, and rank it among the stored scores of others.

    The same command goes on where it was interrupted, and runs nothing again that is the same.
    """
    from zipo.commands.stopping import stopping

    with stopping() as stop:
        stop.advice = "the same command goes on from here"
        from zipo.commands.benchmark.action import benchmark

        changes = {"splits": splits, "first_split": first_split, "seconds": seconds, "threads": threads}
        names = [name.strip() for name in datasets.split(",") if name.strip()]
        if not benchmark(method, names, changes, against, out):
            raise typer.Exit(1)
