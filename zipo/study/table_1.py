"""Table I: the data sets before and after filters, beside what the paper has."""

from pathlib import Path

import pandas as pd

from zipo.datasets.prepared import read_pedigree

PAPER = ("cells", "genes", "nonzero_share")


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
