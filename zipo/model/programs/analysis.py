"""Gene programs of a trained model in the cells of a data set: tables to read, and slots for scanpy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.raw_counts import check_anndata, counts_of
from zipo.model.alignment import aligned
from zipo.model.estimator import ZiPo
from zipo.model.programs.contributions import MIN_CELLS, Contributions, contributions
from zipo.model.programs.gene_sets import LEADING, check_names, over_representation, read_gmt
from zipo.model.programs.groups import expression_by, groups_of, means_by
from zipo.model.programs.matching import stability
from zipo.shared.errors import InputError

VARM, OBSM, UNS = "zipo_programs", "X_programs", "zipo_programs"
GENES = ["program", "rank", "gene", "contribution", "sign", "expressed_in", "seen_there"]


@dataclass
class Programs:
    """Gene programs, the strongest first."""

    summary: pd.DataFrame
    """A row per program: program, neuron, strength, genes (how many contribute), active_in (the group of the highest
    mean activity), activity (that mean), set and q_value of the set with the lowest, and what `stability` has."""
    genes: pd.DataFrame
    """A row per program and gene that contributes, by size: program, rank, gene, contribution, sign (+ for genes that
    are high where the program is active), expressed_in (the group in which the gene is highest), seen_there (share of
    the group's cells that have it)."""
    activity: pd.DataFrame
    """(groups, programs) mean activity, in standard deviations over all cells."""
    sets: pd.DataFrame | None
    """A row per program and gene set with genes in common, see `over_representation`; None without sets."""
    stability: pd.DataFrame | None
    """A row per program, see `stability`; None without other models."""
    contributions: Contributions
    """The arrays that the tables are made from."""

    @property
    def typical(self) -> pd.Series:
        """Of each group, the program whose mean activity there exceeds that in every other group by most."""
        values = self.activity.to_numpy()
        if len(values) == 1:
            return self.activity.idxmax(axis=1)
        others = np.stack([np.delete(values, row, axis=0).max(axis=0) for row in range(len(values))])
        return pd.Series(self.activity.columns.to_numpy()[(values - others).argmax(axis=1)], self.activity.index)

    def leading(self, program: str, most: int) -> list[str]:
        """The genes with the largest positive contributions to a program, at most so many."""
        place = self.contributions.names.index(program)
        return list(self.contributions.genes[self.contributions.leading(place, most)])


def programs(
    model: ZiPo,
    adata: ad.AnnData,
    *,
    by: str | None = None,
    sets: Mapping[str, Sequence[str]] | PathLike[str] | str | None = None,
    others: Sequence[ZiPo] = (),
    threshold: float = 1e-4,
    min_cells: int = MIN_CELLS,
    min_genes: float = 0.5,
    layer: str | None = None,
) -> Programs:
    """Describe the gene programs of a trained model: which genes, in which cells, and how much hangs on them.

    A program is a neuron of the first layer; `zipo.model.programs.contributions` says what a contribution is. Fills
    varm["zipo_programs"] (genes, programs) with contributions, 0 for genes that the model does not have,
    obsm["X_programs"] (cells, programs) with activities, and uns["zipo_programs"] with names, neurons and strengths in
    the order of the columns. With `inference: refined` programs are what the encoder reads to guess at a cell's
    latents.

    - `adata`: raw counts, of training cells or others; genes are matched by name.
    - `by`: column of obs that groups the cells, as by type; without, Leiden clusters of the latents.
    - `sets`: gene sets to look for among the first 30 genes, by name, or a GMT file.
    - `others`: models of other seeds, to see which programs come back.
    - `threshold`: weights below this share of their neuron's largest are pruned.
    - `min_cells`: genes with a count in fewer cells are not ranked.
    - `min_genes`: share of the model's genes that the data must have.
    - `layer`: where the raw counts are: None for X, a layer, or raw for adata.raw.

    Raises InputError for anything but raw counts, and for columns, sets or models that do not fit.
    """
    check_anndata(adata, "counts")
    known = read_gmt(Path(sets)) if isinstance(sets, PathLike | str) else sets
    counts, _ = aligned(counts_of(adata, "counts", layer), model.genes, min_genes)
    for number, other in enumerate(others, 1):
        if not other.genes.equals(model.genes):
            raise InputError(f"model {number} to compare with: its genes are not the model's; train both on the same")
    groups = groups_of(model, counts, by)
    of_model, *of_others = [
        contributions(each, counts, threshold=threshold, min_cells=min_cells) for each in (model, *others)
    ]
    if known is not None:
        check_names(known, of_model.genes[of_model.ranked])
    stable = stability(of_model, of_others) if others else None
    activity = means_by(of_model.activity, groups).set_axis(of_model.names, axis=1)
    result = Programs(
        summary=_summary(of_model, activity),
        genes=_genes(of_model, *expression_by(counts, groups)),
        activity=activity,
        sets=None if known is None else _sets(of_model, known),
        stability=stable,
        contributions=of_model,
    )
    if result.sets is not None:
        best = result.sets.drop_duplicates("program")[["program", "set", "q_value"]]
        result.summary = result.summary.merge(best, how="left", on="program")
    if stable is not None:
        result.summary = result.summary.merge(stable, how="left", on="program")
    fill(adata, of_model)
    return result


def fill(adata: ad.AnnData, of_model: Contributions) -> None:
    """Fill the slots of an AnnData; genes are matched by name, and adata.raw's that X lacks are left out."""
    places = of_model.genes.get_indexer(adata.var_names.astype(object))
    varm = np.zeros((adata.n_vars, len(of_model.names)), np.float32)
    varm[places >= 0] = of_model.contribution[places[places >= 0]]
    adata.varm[VARM] = varm
    adata.obsm[OBSM] = of_model.activity
    adata.uns[UNS] = {
        "names": np.array(of_model.names, dtype=object),
        "neuron": of_model.neuron,
        "strength": of_model.strength,
    }


def _summary(of_model: Contributions, activity: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "program": of_model.names,
            "neuron": of_model.neuron,
            "strength": of_model.strength,
            "genes": (of_model.contribution != 0).sum(axis=0),
            "active_in": activity.idxmax().to_numpy(),
            "activity": activity.max().to_numpy(),
        }
    )


def _genes(of_model: Contributions, means: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    highest = means.to_numpy().argmax(axis=0)
    expressed_in = means.index.to_numpy()[highest]
    seen_there = seen.to_numpy()[highest, np.arange(len(highest))]
    tables = []
    for name, column in zip(of_model.names, of_model.contribution.T, strict=True):
        order = np.argsort(-np.abs(column), kind="stable")[: np.count_nonzero(column)]
        values = column[order]
        tables.append(
            pd.DataFrame(
                {
                    "program": name,
                    "rank": np.arange(1, len(order) + 1),
                    "gene": of_model.genes[order],
                    "contribution": values,
                    "sign": np.where(values > 0, "+", "-"),
                    "expressed_in": expressed_in[order],
                    "seen_there": seen_there[order],
                },
                columns=GENES,
            )
        )
    return pd.concat(tables, ignore_index=True)


def _sets(of_model: Contributions, sets: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    genes = of_model.genes
    leading = {name: list(genes[of_model.leading(place, LEADING)]) for place, name in enumerate(of_model.names)}
    return over_representation(leading, sets, list(genes[of_model.ranked]))
