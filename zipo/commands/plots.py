"""Pictures of an output of `zipo denoise` or `zipo apply`: training, latents, zeros."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from zipo.commands.worth import figure as worth_figure
from zipo.commands.worth.names import CHECK, EXPLAINED
from zipo.commands.zeros import EXPECTED, MEAN, OBSERVED
from zipo.datasets.formats.hdf5 import open_hdf5
from zipo.figures.shared import style
from zipo.figures.shared.cell_types import legend_beside, of_types
from zipo.model import slots, targets
from zipo.shared.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REMEDY = "give what `zipo denoise` or `zipo apply` wrote"
# which tell the tables beside the pictures from files of others
FIRST_COLUMNS = {
    "training": b"epoch\t",
    "latent": b"cell\tx\ty\t",
    "zeros": b"gene\tmean\tobserved\texpected",
    "check": b"gene\tmean\texplained\tdoubtful",
}
CURVES = ("training_loss", "validation_loss", "validation_nll")  # of the history
FEWEST = 3  # cells that t-SNE needs
CELLS = 20_000  # with more, t-SNE takes minutes, and a picture shows no more
PANELS = 4  # columns of obs that are shown if none are named
LEVELS = 30  # a column with more is no grouping of cells


def plot(output: Path, folder: Path, colours: list[str], seed: int = 1) -> list[Path]:
    """Draw training.png, latent.png, zeros.png and, if it was checked what denoising is worth, check.png.

    Each has a .pdf and a .tsv beside it; returns the PNGs.

    `colours` are columns of obs, those that group cells if there are none. Raises InputError unless `zipo denoise`,
    `zipo apply` or zipo.pp.denoise filled the slots of the file, and for a column that obs lacks.
    """
    adata = _read_results(output)
    if missing := [name for name in colours if name not in adata.obs]:
        columns = ", ".join(map(str, adata.obs.columns))
        raise InputError(f"--colour {missing[0]}: no column of obs; there are {columns}")
    history = pd.DataFrame(adata.uns[slots.ABOUT]["history"])
    history.insert(0, "epoch", range(1, len(history) + 1))
    with_zeros = {MEAN, OBSERVED, EXPECTED} <= set(adata.var)
    with_check = with_zeros and CHECK in adata.uns and EXPLAINED in adata.var and EXPLAINED in adata.obs
    _check_folder(folder, ["training", "latent", *["zeros"] * with_zeros, *["check"] * with_check])
    places = embedded(adata, colours or groupings(adata.obs), seed)
    pictures = {
        "training": (draw_training(history, adata.uns[slots.ABOUT]["training"]), history),
        "latent": (draw_latent(places, adata.n_obs), places),
    }
    if with_zeros:
        genes = zeros(adata.var)
        pictures["zeros"] = (draw_zeros(genes), genes)
    if with_check:
        pictures["check"] = drawn_check(adata)
    for name, (figure, numbers) in pictures.items():
        style.write(figure, numbers, folder / name)
    return [folder / f"{name}.png" for name in pictures]


def _read_results(output: Path) -> ad.AnnData:
    """The file in backed mode; InputError unless zipo filled its slots."""
    if not output.exists():
        raise InputError(f"{output}: no such file; {REMEDY}")
    with open_hdf5(output):
        try:
            adata = ad.read_h5ad(output, backed="r")
        except Exception as error:  # anndata raises many kinds
            raise InputError(f"{output}: no .h5ad that anndata can read ({error}); {REMEDY}") from None
    try:
        about = adata.uns[slots.ABOUT]
        complete = set(CURVES) <= set(about["history"]) and "best_epoch" in about["training"]
    except (LookupError, TypeError):
        complete = False
    if not complete or latent_slot() not in adata.obsm:
        raise InputError(f"{output}: holds no results of zipo; {REMEDY}")
    if library_slot() not in adata.obs:
        raise InputError(f"{output}: its obs lacks {library_slot()!r}, which zipo fills; {REMEDY}")
    if adata.n_obs < FEWEST:
        raise InputError(f"{output}: {adata.n_obs} cells are too few for pictures; keep {FEWEST} at least")
    return adata


def _check_folder(folder: Path, names: list[str]) -> None:
    """Raise InputError unless pictures can be written to the folder without replacing files that zipo did not write."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: this is a file, but pictures go to a folder; give another name")
    for name in names:
        earlier = [file for kind in (*style.FORMATS, "tsv") if (file := folder / f"{name}.{kind}").exists()]
        table = folder / f"{name}.tsv"
        if earlier and not (table.is_file() and table.read_bytes().startswith(FIRST_COLUMNS[name])):
            raise InputError(f"{earlier[0]}: exists, and is not as zipo wrote it; remove it, or give another folder")
    targets.check_folder_of(next(path for path in (folder, *folder.absolute().parents) if path.exists()) / "pictures")


def latent_slot() -> str:
    """Name of the latents in obsm."""
    return slots.LATENT.split("/")[1]


def library_slot() -> str:
    """Name of the library sizes in obs."""
    return slots.LIBRARY.split("/")[1]


def groupings(obs: pd.DataFrame) -> list[str]:
    """The first columns of obs that group cells: no numbers, and from two to LEVELS levels."""
    columns = [name for name in obs if not _is_numeric(obs[name]) and 1 < obs[name].nunique() <= LEVELS]
    return columns[:PANELS]


def embedded(adata: ad.AnnData, columns: list[str], seed: int) -> pd.DataFrame:
    """t-SNE of the latents of all cells, or of CELLS drawn at random: cell, x, y, then these columns and the
    library size. A column that is itself called cell, x or y, as places in a tissue are, becomes obs.x."""
    from zipo.shared.embedding import tsne

    drawn = np.arange(adata.n_obs)
    if adata.n_obs > CELLS:
        drawn = np.sort(np.random.default_rng(seed).choice(adata.n_obs, CELLS, replace=False))
    x, y = tsne(adata.obsm[latent_slot()][drawn], seed).T
    annotations = adata.obs.iloc[drawn][list(dict.fromkeys([*columns, library_slot()]))]
    places = pd.DataFrame({"cell": annotations.index, "x": x, "y": y})
    others = annotations.reset_index(drop=True).rename(columns={name: f"obs.{name}" for name in places})
    return pd.concat([places, others], axis=1)


def zeros(var: pd.DataFrame) -> pd.DataFrame:
    """A row per gene: mean count, and the shares of zeros that were observed and that the model expects."""
    columns = {"mean": var[MEAN], "observed": var[OBSERVED], "expected": var[EXPECTED]}
    return pd.DataFrame({"gene": var.index} | {name: column.to_numpy() for name, column in columns.items()})


def drawn_check(adata: ad.AnnData) -> "tuple[Figure, pd.DataFrame]":
    """The figure of what denoising is worth, and a row per gene: mean count, explained share, whether to doubt it."""
    state = adata.uns[CHECK]
    genes = pd.DataFrame({"mean": adata.var[MEAN], "explained": adata.var[EXPLAINED]}, index=adata.var_names)
    genes["doubtful"] = genes.index.isin(state["doubtful_genes"])
    cells = adata.obs[EXPLAINED].to_numpy(float)
    return worth_figure.draw(state, genes, cells), genes.rename_axis("gene").reset_index()


def draw_training(history: pd.DataFrame, training: dict[str, Any]) -> "Figure":
    """Losses of training and validation cells by epoch, and the epoch whose weights were kept."""
    style.use()
    figure, grid = style.grid(1, 2)
    epochs, best_epoch = history["epoch"], training["best_epoch"]
    marker = {"marker": "o", "markersize": 3} if len(history) < 40 else {}
    for ax, curves, label in (
        (
            grid[0, 0],
            {"training": "training_loss", "validation": "validation_loss"},
            "Loss with penalties (nats per entry)",
        ),
        (grid[0, 1], {"validation": "validation_nll"}, "NLL (nats per entry)"),
    ):
        for place, (name, column) in enumerate(curves.items()):
            colour = f"C{place if len(curves) > 1 else 1}"
            ax.plot(epochs, history[column], color=colour, label=f"{name} cells", **marker)
        if best_epoch:
            ax.axvline(best_epoch, color="0.4", linestyle=":", label=f"weights kept (epoch {best_epoch})")
        if style.logarithmic(history[list(curves.values())].to_numpy().ravel()):
            ax.set_yscale("log")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="Epoch", ylabel=label)
        ax.legend(fontsize="x-small")
    return figure


def draw_latent(places: pd.DataFrame, cells: int) -> "Figure":
    """A panel per column: groups in colour-blind safe colours, numbers on a scale of brightness."""
    style.use()
    columns = list(places.columns[3:])
    figure, grid = style.grid(1, len(columns))
    figure.set_size_inches(5.2 * len(columns), 4)
    number = f"{len(places):,} of {cells:,} cells" if len(places) < cells else f"{cells:,} cells"
    size = float(np.clip(8000 / len(places), 1, 12))
    options = {"s": size, "linewidth": 0, "rasterized": True}
    for ax, name in zip(grid[0], columns, strict=True):
        if _is_numeric(places[name]):
            points = ax.scatter(places["x"], places["y"], c=places[name], cmap="viridis", **options)
            figure.colorbar(points, ax=ax, shrink=0.8)
        else:
            grouped, palette = of_types(places[["x", "y"]].assign(cell_type=places[name]))
            ax.scatter(places["x"], places["y"], c=grouped["cell_type"].map(palette).tolist(), **options)
            legend_beside(ax, palette, title="")
        ax.grid(visible=False)
        ax.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
        ax.set_title("library size (counts)" if name == columns[-1] else name, loc="left", fontsize="small")
    figure.suptitle(f"Latent variables of {number}", fontsize="medium")
    return figure


def draw_zeros(genes: pd.DataFrame) -> "Figure":
    """Shares of zeros: by mean count, and expected against observed."""
    style.use()
    figure, grid = style.grid(1, 2)
    by_mean, agreement = grid[0]
    options = {"s": 5, "linewidth": 0, "alpha": 0.6, "rasterized": True}
    counted = genes[genes["mean"] > 0].sort_values("mean")
    by_mean.scatter(counted["mean"], 100 * counted["observed"], color="0.45", label="counted", **options)
    by_mean.scatter(counted["mean"], 100 * counted["expected"], color="C1", label="expected by ZiPo", **options)
    curve = np.geomspace(counted["mean"].min(), counted["mean"].max(), 200)
    by_mean.plot(curve, 100 * np.exp(-curve), color="C0", label="Poisson of that mean")
    by_mean.set(xscale="log", xlabel="Mean count of the gene", ylabel="Cells without a count (%)")
    by_mean.legend(fontsize="x-small", markerscale=3)
    agreement.scatter(100 * genes["observed"], 100 * genes["expected"], color="C1", **options)
    agreement.axline((0, 0), slope=1, color="k", linewidth=0.8)
    distance = (genes["observed"] - genes["expected"]).abs().mean()
    agreement.set(xlabel="Counted zeros (%)", ylabel="Expected zeros (%)")
    agreement.set_title(f"mean distance {100 * distance:.2f} points", loc="left", fontsize="small")
    return figure


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
