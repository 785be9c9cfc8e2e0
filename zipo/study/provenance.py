"""Provenance of a study: hardware, versions, time and memory, summed up from its runs table."""

import pandas as pd

COLUMNS = ("device", "threads", "python", "torch", "zipo", "git_commit")


def provenance(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of name and value: runs and how they ended, hardware, versions, commits, time and memory."""
    statuses = runs["status"].value_counts()
    rows = [
        ("settings", runs["setting"].nunique()),
        ("runs", len(runs)),
        *((f"runs that are {status}", count) for status, count in statuses.items()),
        *((name, ", ".join(map(str, sorted(runs[name].unique())))) for name in COLUMNS),
        ("training, hours in all", round(runs["seconds"].sum() / 3600, 3)),
        ("longest run, minutes", round(runs["seconds"].max() / 60, 2)),
        ("epochs in all", int(runs["epochs"].sum())),
        ("peak memory of a job, MB", round(runs["peak_memory_mb"].max())),
    ]
    return pd.DataFrame(rows, columns=["name", "value"])
