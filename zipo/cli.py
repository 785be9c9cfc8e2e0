"""The command line: commands for data of one's own, and those of `zipo study`, each one step of the workflow."""

import atexit
import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from zipo.benchmark import cli as of_benchmark
from zipo.benchmark import methods_cli as of_methods
from zipo.commands import cli as of_tool
from zipo.shared.errors import InputError
from zipo.shared.json_arguments import Json, object_option
from zipo.shared.wording import used_by

# every import below costs time at start-up, so each command imports what it runs
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
study = typer.Typer(no_args_is_help=True)
app.add_typer(of_tool.app)
app.add_typer(of_methods.app)
app.add_typer(study, name="study")
study.add_typer(of_methods.steps)
study.add_typer(of_benchmark.steps)


@app.callback()
def _zipo(context: typer.Context) -> None:
    """ZiPo: a deep autoencoder that denoises single-cell counts, and the study of it."""
    context.with_resource(used_by("command line"))


@study.callback()
def _study(context: typer.Context) -> None:
    """Steps of a study; Snakemake runs them."""
    context.with_resource(used_by("study"))


@study.command()
def fetch(
    source: Annotated[dict, object_option("The source, as in config/datasets.yaml.")],
    target: Annotated[Path, typer.Option(help="The file that the source's download makes.")],
    settings: Annotated[dict, object_option("Settings of the study that decide what is fetched.")],
    connections: Annotated[int, typer.Option(help="Connections at once to one host.")],
    update_lock: Annotated[bool, typer.Option("--update-lock", help="Record what a download is now.")] = False,
) -> None:
    """Download what a source of raw counts is read from, and check it."""
    from pydantic import TypeAdapter

    from zipo.datasets.catalogue import AnySource
    from zipo.datasets.source import Fetching
    from zipo.shared.validation import check

    fetching = check(TypeAdapter(Fetching), settings, "settings")
    fetching = replace(fetching, connections=connections, update_lock=update_lock)
    check(TypeAdapter(AnySource), source, "source").fetch(target, fetching)


@study.command()
def prepare(
    name: Annotated[str, typer.Option(help="Name of the data set in the catalogue.")],
    dataset: Annotated[dict, object_option("The data set, as in config/datasets.yaml.")],
    downloads: Annotated[Path, typer.Option(help="Folder of the downloads.")],
    target: Annotated[Path, typer.Option(help="The .h5ad to write.")],
) -> None:
    """Read, check and filter a data set."""
    from pydantic import TypeAdapter

    from zipo.datasets.catalogue import Dataset
    from zipo.datasets.prepare import prepare
    from zipo.shared.validation import check

    prepare(name, check(TypeAdapter(Dataset), dataset, f"data set {name}"), downloads, target)


@study.command()
def train(
    data: Path,
    setting: Json,
    target: Path,
    latents: Path,
    seeds: str,
    thresholds: str,
    device: str,
    threads: int,
    kept: Path,
    every: float,
    code: list[Path],
) -> None:
    """Train a setting over seeds; seeds and thresholds are lists joined by commas.

    Finished seeds and, each `every` seconds, checkpoints are kept in a folder; `code` are the files that the numbers
    hang on.
    """
    from zipo.engine.checkpoints import Stopped
    from zipo.study.block import run_block

    numbers = [int(seed) for seed in seeds.split(",")]
    shares = [float(threshold) for threshold in thresholds.split(",")]
    try:
        run_block(data, setting, numbers, shares, device, threads, target, latents, kept, code, every)
    except Stopped:
        print("stopped as asked; the same command goes on from the checkpoint", file=sys.stderr)
        sys.exit(1)


@study.command()
def runs_table(study: str, settings: Json, parquet: Path, tsv: Path, files: list[Path]) -> None:
    """Gather the rows of all runs; `settings` maps settings to their names and the experiments that share them."""
    from zipo.shared.tables import write_parquet, write_tsv
    from zipo.study.runs_table import runs_table

    table = runs_table(study, settings, files)
    write_parquet(table, parquet)
    write_tsv(table, tsv)


@study.command()
def tune_worker(
    tuning: Json, data: Path, journal: Path, target: Path, device: str, threads: int, code: list[Path]
) -> None:
    """Work on the trials of a search until all are finished; `code` are the files that a trial's result hangs on."""
    from zipo.shared.signals import sigterm_as_interrupt
    from zipo.study.search.space import Tuning
    from zipo.study.search.worker import work

    with sigterm_as_interrupt():  # a cancelled job gives its trial back at once
        work(Tuning(**tuning), data, code, journal, device, threads, target)


@study.command()
def tune_summary(
    study: str, tuning: Json, journal: Path, search: Path, parquet: Path, tsv: Path, best: Path, pictures: Path
) -> None:
    """The trials of a search as a table, the hyper-parameters of the best, and pictures of how it went.

    `search` is what a worker wrote; the names of the pictures begin with `pictures`.
    """
    import pandas as pd

    from zipo.figures.shared import search as drawn
    from zipo.figures.shared import style
    from zipo.shared.tables import write_parquet, write_tsv
    from zipo.study.search import trials
    from zipo.study.search.space import Tuning

    asked = Tuning(**tuning)
    found = trials.finished_search(asked, journal, search.read_text().strip())
    table = trials.trials_table(study, asked, found)
    write_parquet(table, parquet)
    write_tsv(table, tsv)
    trials.write_best(trials.best_of(asked, table), best)
    style.write(drawn.draw_history(table), table, pictures.with_name(f"{pictures.name}-history"))
    shares = trials.importances(found)
    style.write(
        drawn.draw_importances(shares),
        pd.DataFrame({"hyper-parameter": shares.keys(), "share": shares.values()}),
        pictures.with_name(f"{pictures.name}-importances"),
    )


@study.command()
def table_1(target: Path, files: list[Path]) -> None:
    """Table I: the size of each data set before and after filters."""
    from zipo.shared.tables import write_tsv
    from zipo.study.table_1 import table_1

    write_tsv(table_1(files), target)


@study.command()
def provenance(runs: Path, target: Path) -> None:
    """Hardware, versions, time and memory of the runs."""
    import pandas as pd

    from zipo.shared.tables import write_tsv
    from zipo.study.provenance import provenance

    write_tsv(provenance(pd.read_parquet(runs)), target)


@study.command()
def totals(target: Path, files: list[Path]) -> None:
    """Library sizes of cells and totals of genes of the data sets, for figure 2."""
    from zipo.shared.tables import write_parquet
    from zipo.study.totals import totals

    write_parquet(totals(files), target)


@study.command()
def embed(embeddings: Path, clusters: Path, seed: int, runs: Annotated[list[str], typer.Argument()]) -> None:
    """t-SNE and clusters of latents; each run is given as data set file=latents file."""
    from zipo.shared.tables import write_parquet
    from zipo.study.latent_space import embed

    pairs = [(Path(data), Path(latents)) for data, latents in (run.split("=") for run in runs)]
    places, scores = embed(pairs, seed)
    write_parquet(places, embeddings)
    write_parquet(scores, clusters)


@study.command()
def figure(
    name: str, study: Json, sizes: Path, stem: Path, files: Annotated[list[Path] | None, typer.Argument()] = None
) -> None:
    """Draw one figure, as PNG, PDF, the numbers behind it and a page; tables are known by their files' names.

    `sizes` is Table I.
    """
    import pandas as pd

    from zipo.figures import load
    from zipo.figures.shared import style
    from zipo.figures.shared.caption import write_figure_page

    module = load(name)
    tables = {file.stem: pd.read_parquet(file) for file in files or []}
    style.write(module.draw(tables, study), module.numbers(tables, study), stem)
    write_figure_page(module, tables, pd.read_csv(sizes, sep="\t"), stem)


@study.command()
def page(target: Path, title: str, caption: str, sources: list[Path]) -> None:
    """A page of the report from tables, pictures and texts, one below the other."""
    from zipo.shared.page import content, paragraph, write_page

    write_page(target, title, "\n".join([paragraph(caption), *map(content, sources)]))


@study.command()
def claims(study: Json, catalogue: Path, tsv: Path, page: Path, files: list[Path]) -> None:
    """Decide the paper's claims, as a table and as a page; tables are known by their files' names."""
    from zipo.shared.tables import write_tsv
    from zipo.study.claims.page import write_page
    from zipo.study.claims.tables import read_tables
    from zipo.study.claims.verdicts import decide
    from zipo.study.config import load_claims

    table = decide(read_tables(files), study, load_claims(catalogue))
    write_tsv(table, tsv)
    write_page(table, study["title"], page)


@study.command()
def check(files: list[Path], config: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE")] = None) -> None:
    """Check a study's file or files as Snakemake's --configfile and --config take them, and count what it would run."""
    from zipo.study.check import check

    print(check(files, config or []))


@study.command()
def schemas(folder: Path) -> None:
    """Write the JSON schemas of the configuration files."""
    from zipo.study.config import write_schemas

    write_schemas(folder)


def main() -> None:
    """Run a command; input that will not do ends with one sentence and exit code 2."""
    # pictures go into files: a notebook's backend, which its cells hand on, is not to be had here
    os.environ["MPLBACKEND"] = "Agg"
    # A start makes objects by the hundred thousand, and they stay: searching them for garbage, on the way and at the
    # end, took a quarter of a short command's time.
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
