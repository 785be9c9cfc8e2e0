"""Table I: the size of each data set before and after filters, beside the paper's."""

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
    """Differences of a filtered data set from the paper's Table I and remarks on its files, as one sentence."""
    paper, after = pedigree["paper"], pedigree["after"]
    differences = []
    if paper and after["genes"] != paper["genes"]:
        differences.append(f"{after['genes']:,} genes where the paper has {paper['genes']:,}")
    if paper and round(after["nonzero_share"], 4) != round(paper["nonzero_share"], 4):
        differences.append(f"{after['nonzero_share']:.2%} nonzero where the paper has {paper['nonzero_share']:.2%}")
    return "; ".join([*differences, *pedigree.get("remarks", [])])
