"""The tables that decide claims, with columns that claims need beside those of the files."""

from pathlib import Path

import pandas as pd

from zipo.parameters import Parameters
from zipo.study.claims.fields import SCORES, SHAPE

RUN = ["dataset", "setting", "seed"]
"""Columns that tell runs apart."""


def read_tables(files: list[Path]) -> dict[str, pd.DataFrame]:
    """Tables by the names of their Parquet files: runs and totals, and clusters and trials where the study has them."""
    tables = {file.stem: pd.read_parquet(file) for file in files}
    tables["runs"] = with_measures(tables["runs"], tables.pop("clusters", None))
    if "trials" in tables:
        tables["trials"] = with_shape(tables["trials"])
    return tables


def with_measures(runs: pd.DataFrame, clusters: pd.DataFrame | None) -> pd.DataFrame:
    """The runs table with more numbers of each run.

    `first_layer_share`: the first layer's weights, of all that are trained. Silhouette, ARI and NMI of `clusters`, NaN
    for runs whose latents were not looked at.
    """
    share = runs["first_layer"] * runs["genes"] / runs["weights"]
    runs = runs.assign(first_layer_share=share)
    return runs if clusters is None else runs.merge(clusters[RUN + SCORES], how="left", on=RUN, validate="1:1")


def with_shape(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials table with first_layer, latents and depth of each encoder, without trials that never had one."""
    trials = trials.dropna(subset=["encoder"])
    shapes = [Parameters(encoder=encoder).encoder_shape for encoder in trials["encoder"]]
    return trials.assign(**{column: [shape[column] for shape in shapes] for column in SHAPE})
