"""The commands of the benchmark's steps; running a method and making its environment are with the methods."""

from pathlib import Path

import typer

from zipo.shared.json_arguments import Json, JsonList

# every import below costs time at start-up, so each command imports what it runs
steps = typer.Typer()


@steps.command()
def molecules(data: Path, training: Path, held_out: Path, share: float, seed: int) -> None:
    """Split the molecules of a data set into training (.h5ad) and held-out counts (.npz)."""
    from scipy.sparse import save_npz

    from zipo.datasets.formats import h5ad
    from zipo.datasets.prepared import read
    from zipo.datasets.thinning import thinned
    from zipo.shared.atomic_files import atomic_write

    kept, rest = thinned(read(data), share, seed)
    with atomic_write(held_out) as part:
        save_npz(part, rest)
    with atomic_write(training) as part:
        h5ad.write(kept, part, "lzf")


@steps.command()
def permute(data: Path, target: Path, seed: int) -> None:
    """Permute each gene within cell types."""
    import anndata as ad

    from zipo.datasets.formats import h5ad
    from zipo.metrics.shared.permutation import permuted
    from zipo.shared.atomic_files import atomic_write

    with atomic_write(target) as part:
        h5ad.write(permuted(ad.read_h5ad(data), seed), part, "lzf")


@steps.command()
def scores(row: Json, runs: JsonList, target: Path) -> None:
    """Score the runs of a method on a data set; see zipo.benchmark.scores.scores_of."""
    from zipo.benchmark.scores import scores_of
    from zipo.shared.tables import write_parquet

    write_parquet(scores_of(row, runs), target)


@steps.command()
def scores_table(parquet: Path, tsv: Path, files: list[Path]) -> None:
    """Gather the scores of all methods and data sets."""
    import pandas as pd

    from zipo.shared.tables import write_parquet, write_tsv

    table = pd.concat(map(pd.read_parquet, files), ignore_index=True)
    write_parquet(table, parquet)
    write_tsv(table, tsv)


@steps.command()
def leaderboard(benchmark: Json, scores: Path, parquet: Path, tsv: Path, page: Path) -> None:
    """The leaderboard as a table and as a page; `benchmark` holds title, reference, data sets' and rows' facts."""
    import pandas as pd

    from zipo.benchmark.leaderboard import leaderboard
    from zipo.benchmark.page import write_page
    from zipo.shared.tables import write_parquet, write_tsv

    table = leaderboard(pd.read_parquet(scores), benchmark["reference"], benchmark["controls"])
    write_parquet(table, parquet)
    write_tsv(table, tsv)
    write_page(table, benchmark, page)


@steps.command()
def benchmark_views(zeros: Path, places: Path, runs: JsonList) -> None:
    """What figures show of one run of each method: zeros by mean expression, and latents in two dimensions."""
    from zipo.benchmark.views import places_of, zeros_of
    from zipo.shared.tables import write_parquet

    write_parquet(zeros_of(runs), zeros)
    write_parquet(places_of(runs), places)
