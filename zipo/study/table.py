"""The runs table, from the rows that the training jobs wrote, and Table I of the data sets."""

import json
from pathlib import Path

import h5py
import pandas as pd
from anndata.io import read_elem

from zipo.digest import digest
from zipo.whole import set_aside

PAPER = ("cells", "genes", "nonzero_share")


def runs_table(study: str, settings: dict[str, dict], files: list[Path]) -> pd.DataFrame:
    """All rows, a row a setting and seed; `settings` gives the experiments and the name of each setting."""
    rows = [row for file in files for row in _rows(file)]
    table = pd.DataFrame(rows)
    table.insert(0, "study", study)
    table.insert(1, "experiments", [",".join(settings[setting]["experiments"]) for setting in table["setting"]])
    table.insert(2, "variant", [settings[setting]["name"] for setting in table["setting"]])
    return table.sort_values(["setting", "seed"], ignore_index=True)


def _rows(file: Path) -> list[dict]:
    """The rows that a job wrote; InputError if the file is damaged."""
    try:
        runs = json.loads(file.read_text())
        for run in runs:
            if run["sha256"] != digest([], {name: run[name] for name in ("row", "history")}):
                raise ValueError("its checksum is that of other rows")
        return [run["row"] for run in runs]
    except (ValueError, KeyError, TypeError) as error:
        set_aside(file, str(error))


def table_1(files: list[Path]) -> pd.DataFrame:
    """Table I: size, density and median library of each data set before and after filters, beside the paper's."""
    rows = []
    for file in files:
        pedigree = read_pedigree(file)
        row = {name: pedigree[name] for name in ("id", "title", "tissue", "reference")}
        for stage in ("before", "after"):
            row |= {f"{name}_{stage}": value for name, value in pedigree[stage].items()}
        row |= {f"{name}_paper": pedigree["paper"].get(name) for name in PAPER}
        row |= {"remark": _remark(pedigree), "sha256": ",".join(pedigree["sha256"].values())}
        rows.append(row)
    return pd.DataFrame(rows).rename(columns={"id": "dataset"})


def _remark(pedigree: dict) -> str:
    """Where the filtered data set differs from the paper's Table I, and what its files left open, in words."""
    paper, found = pedigree["paper"], pedigree["after"]
    differences = []
    if paper and found["genes"] != paper["genes"]:
        differences.append(f"{found['genes']:,} genes where the paper has {paper['genes']:,}")
    if paper and round(found["nonzero_share"], 4) != round(paper["nonzero_share"], 4):
        differences.append(f"{found['nonzero_share']:.2%} nonzero where the paper has {paper['nonzero_share']:.2%}")
    return "; ".join([*differences, *pedigree.get("remarks", [])])


def read_pedigree(file: Path) -> dict:
    """uns["dataset"] of a data set file, without reading its counts."""
    with h5py.File(file) as h5:
        return read_elem(h5["uns/dataset"])
