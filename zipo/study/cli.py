"""The commands of `zipo study`, each one step of the workflow, and those that check a study's file and its schemas.

A step takes its inputs, outputs and parameters by named options; files of which there may be many stand at its end.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from zipo.benchmark import cli as of_benchmark
from zipo.benchmark import methods_cli as of_methods
from zipo.shared.required_options import FloatOption, IntOption, JsonOption, PathOption, TextOption
from zipo.shared.wording import used_by
from zipo.study import publishing_cli as of_publishing

# every import below costs time at start-up, so each command imports what it runs; what it imports is also what its
# rule depends on (zipo.study.import_closure)
app = typer.Typer(no_args_is_help=True)
app.add_typer(of_methods.steps)
app.add_typer(of_benchmark.steps)
app.add_typer(of_publishing.app)


@app.callback()
def _study(context: typer.Context) -> None:
    """Steps of a study; Snakemake runs them."""
    context.with_resource(used_by("study"))


@app.command()
def fetch(
    source: JsonOption,
    target: PathOption,
    settings: JsonOption,
    connections: IntOption,
    update_lock: Annotated[bool, typer.Option("--update-lock")] = False,
) -> None:
    """Download what a source of raw counts is read from, and check it.

    `settings` are those of the study that decide what is fetched; `connections` is the number at once to one host;
    with `update_lock` the lock file takes what a download is now.
    """
    from dataclasses import replace

    from pydantic import TypeAdapter

    from zipo.datasets.catalogue import AnySource
    from zipo.datasets.source import Fetching
    from zipo.shared.validation import check

    fetching = check(TypeAdapter(Fetching), settings, "settings")
    fetching = replace(fetching, connections=connections, update_lock=update_lock)
    check(TypeAdapter(AnySource), source, "source").fetch(target, fetching)


@app.command()
def prepare(name: TextOption, dataset: JsonOption, downloads: PathOption, target: PathOption) -> None:
    """Read, check and filter a data set of the catalogue."""
    from pydantic import TypeAdapter

    from zipo.datasets.catalogue import Dataset
    from zipo.datasets.prepare import prepare
    from zipo.shared.validation import check

    prepare(name, check(TypeAdapter(Dataset), dataset, f"data set {name}"), downloads, target)


@app.command()
def train(
    data: PathOption,
    setting: JsonOption,
    rows: PathOption,
    latents: PathOption,
    latents_of: Annotated[Literal["first", "all"], typer.Option()],
    seeds: TextOption,
    thresholds: TextOption,
    device: TextOption,
    threads: IntOption,
    kept: PathOption,
    checkpoint_seconds: FloatOption,
    code: list[Path],
) -> None:
    """Train a setting over seeds; seeds and thresholds are lists joined by commas.

    Rows of the runs table go to `rows`, latents of the first seed or of all to `latents`, finished seeds and
    checkpoints to the folder `kept`; `code` are the files of the package that the numbers depend on.
    """
    from zipo.engine.checkpoints import Stopped
    from zipo.study.block import run_block

    try:
        run_block(
            data,
            setting,
            [int(seed) for seed in seeds.split(",")],
            [float(threshold) for threshold in thresholds.split(",")],
            device=device,
            threads=threads,
            rows_file=rows,
            latents_file=latents,
            latents_of=latents_of,
            kept=kept,
            code=code,
            checkpoint_seconds=checkpoint_seconds,
        )
    except Stopped:
        print("stopped as asked; the same command goes on from the checkpoint", file=sys.stderr)
        sys.exit(1)


@app.command()
def runs_table(
    study: TextOption, settings: JsonOption, parquet: PathOption, tsv: PathOption, files: list[Path]
) -> None:
    """Gather the rows of all runs; `settings` maps settings to their names and the experiments that share them."""
    from zipo.shared.tables import write_parquet, write_tsv
    from zipo.study.runs_table import runs_table

    table = runs_table(study, settings, files)
    write_parquet(table, parquet)
    write_tsv(table, tsv)


@app.command()
def tune_worker(
    tuning: JsonOption,
    data: PathOption,
    journal: PathOption,
    target: PathOption,
    device: TextOption,
    threads: IntOption,
    code: list[Path],
) -> None:
    """Work on the trials of a search until all are finished; `code` are the files that a trial's result depends on."""
    from zipo.shared.signals import sigterm_as_interrupt
    from zipo.study.search.space import Tuning
    from zipo.study.search.worker import work

    with sigterm_as_interrupt():  # a cancelled job gives its trial back at once
        work(Tuning(**tuning), data, code, journal, device, threads, target)


@app.command()
def tune_summary(
    study: TextOption,
    tuning: JsonOption,
    journal: PathOption,
    search: PathOption,
    parquet: PathOption,
    tsv: PathOption,
    best: PathOption,
    pictures: PathOption,
) -> None:
    """The trials of a search as a table, the hyper-parameters of the best, and pictures of how it went.

    `search` is what a worker wrote; the names of the pictures begin with `pictures`.
    """
    import pandas as pd

    from zipo.figures.shared import search as drawing
    from zipo.figures.shared import style
    from zipo.shared.tables import write_parquet, write_tsv
    from zipo.study.search import trials
    from zipo.study.search.space import Tuning

    space = Tuning(**tuning)
    finished = trials.finished_search(space, journal, search.read_text().strip())
    table = trials.trials_table(study, space, finished)
    write_parquet(table, parquet)
    write_tsv(table, tsv)
    trials.write_best(trials.best_of(space, table), best)
    style.write(drawing.draw_history(table), table, pictures.with_name(f"{pictures.name}-history"))
    shares = trials.importances(finished)
    style.write(
        drawing.draw_importances(shares),
        pd.DataFrame({"hyper-parameter": shares.keys(), "share": shares.values()}),
        pictures.with_name(f"{pictures.name}-importances"),
    )


@app.command()
def table_1(target: PathOption, files: list[Path]) -> None:
    """Table I: the size of each data set before and after filters."""
    from zipo.shared.tables import write_tsv
    from zipo.study.table_1 import table_1

    write_tsv(table_1(files), target)


@app.command()
def provenance(runs: PathOption, target: PathOption) -> None:
    """Hardware, versions, time and memory of the runs."""
    import pandas as pd

    from zipo.shared.tables import write_tsv
    from zipo.study.provenance import provenance

    write_tsv(provenance(pd.read_parquet(runs)), target)


@app.command()
def totals(target: PathOption, files: list[Path]) -> None:
    """Library sizes of cells and totals of genes of the data sets, for figure 2."""
    from zipo.shared.tables import write_parquet
    from zipo.study.totals import totals

    write_parquet(totals(files), target)


@app.command()
def embed(
    embeddings: PathOption, clusters: PathOption, seed: IntOption, runs: Annotated[list[str], typer.Argument()]
) -> None:
    """t-SNE and clusters of latents; each run is given as data set file=latents file."""
    from zipo.shared.tables import write_parquet
    from zipo.study.latent_space import embed

    pairs = [(Path(data), Path(latents)) for data, latents in (run.split("=") for run in runs)]
    places, scores = embed(pairs, seed)
    write_parquet(places, embeddings)
    write_parquet(scores, clusters)


@app.command()
def figure(
    name: TextOption,
    study: JsonOption,
    sizes: PathOption,
    stem: PathOption,
    files: Annotated[list[Path] | None, typer.Argument()] = None,
) -> None:
    """Draw one figure, as PNG, PDF, the numbers behind it and a page; tables are known by their files' names.

    `sizes` is Table I; `stem` is the name of the figure's files without their endings.
    """
    import pandas as pd

    from zipo.figures import load
    from zipo.figures.shared import style
    from zipo.figures.shared.caption import write_figure_page

    module = load(name)
    tables = {file.stem: pd.read_parquet(file) for file in files or []}
    style.write(module.draw(tables, study), module.numbers(tables, study), stem)
    write_figure_page(module, tables, pd.read_csv(sizes, sep="\t"), stem)


@app.command()
def page(target: PathOption, title: TextOption, caption: TextOption, sources: list[Path]) -> None:
    """A page of the report from tables, pictures and texts, one below the other."""
    from zipo.shared.page import content, paragraph, write_page

    write_page(target, title, "\n".join([paragraph(caption), *map(content, sources)]))


@app.command()
def front(
    results: PathOption,
    figures: TextOption,
    target: PathOption,
    files: Annotated[list[Path] | None, typer.Argument()] = None,
) -> None:
    """The report's first page, as HTML that stands within it; tables and pictures are known by their files' names.

    `figures` are the report's, joined by commas.
    """
    from zipo.shared.atomic_files import atomic_write
    from zipo.study.findings.front import front

    with atomic_write(target) as part:
        part.write_text(front(files or [], results, figures.split(",")), encoding="utf-8")


@app.command()
def claims(study: JsonOption, catalogue: PathOption, tsv: PathOption, page: PathOption, files: list[Path]) -> None:
    """Decide the paper's claims, as a table and as a page; tables are known by their files' names."""
    from zipo.shared.tables import write_tsv
    from zipo.study.claims.catalogue import load_claims
    from zipo.study.claims.page import write_page
    from zipo.study.claims.tables import read_tables
    from zipo.study.claims.verdicts import decide

    table = decide(read_tables(files), study, load_claims(catalogue))
    write_tsv(table, tsv)
    write_page(table, study["title"], page)


@app.command()
def readings(
    study: JsonOption,
    catalogue: PathOption,
    parquet: PathOption,
    tsv: PathOption,
    page: PathOption,
    runs: Annotated[Path, typer.Argument()],
) -> None:
    """Decide claims under each reading of what the paper leaves open, as tables and as a page."""
    from zipo.shared.tables import write_parquet, write_tsv
    from zipo.study.claims.catalogue import load_claims
    from zipo.study.claims.tables import read_tables
    from zipo.study.readings.page import write_page
    from zipo.study.readings.verdicts import decide_under_readings, wide

    table = decide_under_readings(read_tables([runs])["runs"], study, load_claims(catalogue))
    write_parquet(table, parquet)
    write_tsv(wide(table), tsv)
    write_page(table, study["title"], page)


@app.command()
def scale(study: JsonOption, readings: PathOption, target: PathOption, runs: Path) -> None:
    """Effects behind the claims by number of cells and width of the network, and what they predict at other sizes."""
    from zipo.study.readings.scale import write_table

    write_table(study, readings, runs, target)


@app.command()
def check(files: list[Path], config: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE")] = None) -> None:
    """Check a study's file or files as Snakemake's --configfile and --config take them, and count what it would run."""
    from zipo.study.check import check

    print(check(files, config or []))


@app.command()
def schemas(folder: Path) -> None:
    """Write the JSON schemas of the configuration files."""
    from zipo.study.schemas import write_schemas

    write_schemas(folder)
