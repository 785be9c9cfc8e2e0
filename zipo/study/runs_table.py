"""The runs table of a study, gathered from the files that its training jobs wrote."""

import json
from pathlib import Path

import pandas as pd

from zipo.shared.atomic_files import set_aside
from zipo.shared.digest import digest


def runs_table(study: str, settings: dict[str, dict], files: list[Path]) -> pd.DataFrame:
    """The runs table, a row per setting and seed; `settings` gives the experiments and the variant of each setting."""
    rows = [row for file in files for row in _rows(file)]
    table = pd.DataFrame(rows)
    table.insert(0, "study", study)
    table.insert(1, "experiments", [",".join(settings[setting]["experiments"]) for setting in table["setting"]])
    table.insert(2, "variant", [settings[setting]["variant"] for setting in table["setting"]])
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
