"""The commands of the benchmark's steps, but for those that run a method, which are in zipo.benchmark.methods_cli."""

from pathlib import Path

import typer

from zipo.shared.required_options import FloatOption, IntOption, JsonListOption, JsonOption, PathOption, TextOption

# every import below costs time at start-up, so each command imports what it runs; what it imports is also what its
# rule depends on (zipo.study.import_closure)
steps = typer.Typer()


@steps.command()
def molecules(
    data: PathOption, training: PathOption, held_out: PathOption, share: FloatOption, seed: IntOption
) -> None:
    """Split the molecules of a data set at random into training (.h5ad) and held-out counts (.npz)."""
    from scipy.sparse import save_npz

    from zipo.datasets.formats import h5ad
    from zipo.datasets.prepared import read
    from zipo.datasets.thinning import thinned
    from zipo.shared.atomic_files import atomic_write

    training_counts, held_out_counts = thinned(read(data), share, seed)
    with atomic_write(held_out) as part:
        save_npz(part, held_out_counts)
    with atomic_write(training) as part:
        h5ad.write(training_counts, part, "lzf")


@steps.command()
def permute(data: PathOption, target: PathOption, seed: IntOption) -> None:
    """Permute the counts of each gene among the cells of a type."""
    import anndata as ad

    from zipo.datasets.formats import h5ad
    from zipo.metrics.shared.permutation import permuted
    from zipo.shared.atomic_files import atomic_write

    with atomic_write(target) as part:
        h5ad.write(permuted(ad.read_h5ad(data), seed), part, "lzf")


@steps.command()
def rarefy(data: PathOption, target: PathOption, cell_type: TextOption, seed: IntOption) -> None:
    """Keep so few cells of a type that they are 1 % of all."""
    import anndata as ad

    from zipo.datasets.formats import h5ad
    from zipo.metrics.shared.rare_type import rarefied
    from zipo.shared.atomic_files import atomic_write

    with atomic_write(target) as part:
        h5ad.write(rarefied(ad.read_h5ad(data), cell_type, seed), part, "lzf")


@steps.command()
def scores(row: JsonOption, runs: JsonListOption, target: PathOption) -> None:
    """Score the runs of a method on a data set; see zipo.benchmark.scores.scores_of."""
    from zipo.benchmark.scores import scores_of
    from zipo.shared.tables import write_parquet

    write_parquet(scores_of(row, runs), target)


@steps.command()
def scores_table(parquet: PathOption, tsv: PathOption, files: list[Path]) -> None:
    """Gather the scores of all methods and data sets."""
    import pandas as pd

    from zipo.shared.tables import write_parquet, write_tsv

    table = pd.concat(map(pd.read_parquet, files), ignore_index=True)
    write_parquet(table, parquet)
    write_tsv(table, tsv)


@steps.command()
def leaderboard(
    benchmark: JsonOption,
    scores: PathOption,
    parquet: PathOption,
    tsv: PathOption,
    ranks: PathOption,
    facts: PathOption,
    page: PathOption,
) -> None:
    """The leaderboard as a table, as ranks over data sets and as a page.

    `benchmark` holds title, reference, data sets' and rows' facts, which `facts` keeps beside the tables.
    """
    import json

    import pandas as pd

    from zipo.benchmark import ranks as of_ranks
    from zipo.benchmark.leaderboard import leaderboard
    from zipo.benchmark.page import write_page
    from zipo.shared.atomic_files import atomic_write
    from zipo.shared.tables import write_parquet, write_tsv

    table = leaderboard(pd.read_parquet(scores), benchmark["reference"], benchmark["controls"])
    places = of_ranks.ranks(table, benchmark["controls"])
    write_parquet(table, parquet)
    write_tsv(table, tsv)
    write_tsv(places, ranks)
    with atomic_write(facts) as part:
        part.write_text(json.dumps(benchmark, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_page(table, places, benchmark, page)


@steps.command()
def benchmark_views(zeros: PathOption, places: PathOption, runs: JsonListOption) -> None:
    """What figures show of one run of each method: zeros by mean expression, and latents in two dimensions."""
    from zipo.benchmark.views import tsne_coordinates, zeros_of
    from zipo.shared.tables import write_parquet

    write_parquet(zeros_of(runs), zeros)
    write_parquet(tsne_coordinates(runs), places)
