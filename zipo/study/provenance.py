"""What a study ran on and what it cost, told by its runs table."""

import pandas as pd

KINDS = ("device", "threads", "python", "torch", "zipo", "git_commit")


def provenance(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of name and value: runs and how they ended, hardware, versions, commits, time and memory."""
    ended = runs["status"].value_counts()
    rows = [
        ("settings", runs["setting"].nunique()),
        ("runs", len(runs)),
        *((f"runs that are {status}", count) for status, count in ended.items()),
        *((name, ", ".join(map(str, sorted(runs[name].unique())))) for name in KINDS),
        ("training, hours in all", round(runs["seconds"].sum() / 3600, 3)),
        ("longest run, minutes", round(runs["seconds"].max() / 60, 2)),
        ("epochs in all", int(runs["epochs"].sum())),
        ("peak memory of a job, MB", round(runs["peak_memory_mb"].max())),
    ]
    return pd.DataFrame(rows, columns=["name", "value"])
