"""Scores of the benchmark: the metrics of each run, in one table."""

import json
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd
from scipy.sparse import csr_matrix, load_npz

from zipo import metrics
from zipo.benchmark.running.launch import Result, arrays
from zipo.metrics.shared.case import Case, OtherDonors
from zipo.shared.errors import InputError

COLUMNS = {
    "study": "string",
    "dataset": "string",
    "method": "string",
    "parameters": "string",
    "kind": "string",
    "split": "int64",
    "seed": "int64",
    "metric": "string",
    "value": "float64",
    "seconds": "float64",
    "peak_mb": "float64",
    "status": "string",
    "reason": "string",
}


def read_scores(file: Path) -> pd.DataFrame:
    """A table of scores, .parquet or .tsv, with the columns COLUMNS; InputError if it is none."""
    try:
        if file.suffix == ".parquet":
            table = pd.read_parquet(file)
        else:
            table = pd.read_csv(
                file, sep="\t", na_values=["NA"], keep_default_na=False, float_precision="round_trip", low_memory=False
            )
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot be read as a table of scores ({error}); expected that of a study") from None
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(
            f"{file}: there is no column {missing[0]!r}; expected the scores.tsv or scores.parquet of a study, made by "
            "this version of zipo"
        )
    return table[list(COLUMNS)].astype(COLUMNS)


def case_of(data: ad.AnnData, folder: Path, split: int, **rest: Any) -> Case:
    """The case of a successful run on a data set, for the metrics; `rest` are further fields of the case.

    The split is the seed of what metrics draw at random, which is hence the same for all methods.
    """
    by_name = arrays(folder)
    latent, size = by_name.pop("latent", None), by_name.get("size")
    answer = ad.AnnData(obs=data.obs[[]], var=data.var[[]])
    if size is not None and size.ndim == 1:
        answer.var["size"] = by_name.pop("size")
    for name, values in by_name.items():
        answer.layers[name] = values
    if latent is not None:
        answer.obsm["latent"] = latent
    result = Result.read(folder)
    return Case.of(data, answer, seed=split, seconds=result.seconds, peak_mb=result.peak_mb, **rest)


def scores_of(row: dict, runs: list[dict]) -> pd.DataFrame:
    """A row for each run and metric, with the columns COLUMNS; an unsuccessful run has one, without a metric.

    `row` holds study, dataset, method and, if there are counts of other donors, their file; each run its folder, the
    kind and file of its counts (.h5ad), their share of the molecules, held-out counts (.npz), split and seed.
    """
    rows = []
    for run in runs:
        result = Result.read(Path(run["folder"]))
        identity = {name: row[name] for name in ("study", "dataset", "method")}
        identity |= {name: run[name] for name in ("kind", "split", "seed")}
        identity |= {"parameters": json.dumps(result.parameters), "seconds": result.seconds, "peak_mb": result.peak_mb}
        identity |= {"status": result.status, "reason": result.reason}
        values: dict[Any, float] = {None: float("nan")}
        if result.status == "ok":
            values = dict(metrics.scores(_case_of_run(run, row["other_donors"])))
        rows += [identity | {"metric": metric, "value": value} for metric, value in values.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def _case_of_run(run: dict, other_donors: str) -> Case:
    """The case of a run; permuted counts and those with a rare type have no held-out molecules."""
    data = ad.read_h5ad(run["counts"])
    rest: dict[str, Any] = {"kind": run["kind"]}
    if run["held_out"]:
        rest |= {"held_out": csr_matrix(load_npz(run["held_out"])), "training_share": run["share"]}
    if other_donors:
        rest["other_donors"] = OtherDonors.of(ad.read_h5ad(other_donors), data)
    return case_of(data, Path(run["folder"]), run["split"], **rest)
