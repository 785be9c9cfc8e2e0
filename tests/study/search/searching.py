"""A small search for hyper-parameters, and trials that train in no time."""

from pathlib import Path

import numpy as np
import pandas as pd

from zipo.study.search import worker as tune
from zipo.study.search.space import Tuning
from zipo.study.search.trials import finished_search, trials_table

SPACE = {"encoders": ["16-8-4", "8-4", "16-4"], "dataset": "toy"}
SHARED = {"batch_size": 64, "max_epochs": 3, "learning_rate_decay": 1}


def search(folder: Path, data: Path, **options) -> pd.DataFrame:
    """The trials of a search by one worker of this process."""
    tuning = Tuning(**SPACE | {"set": SHARED, "trials": 12} | options)
    tune.work(tuning, data, [], folder / "trials.journal", "cpu", 1, folder / "worker.txt", beat=60, grace=0.05)
    name = (folder / "worker.txt").read_text().strip()
    return trials_table("s", tuning, finished_search(tuning, folder / "trials.journal", name))


def pretend(monkeypatch, value, epochs: int = 3) -> list[dict]:
    """Let trials train in no time: `value(setting, epoch)` is the validation NLL; returns the settings as they run."""
    asked: list[dict] = []

    def run(adata, setting, seed, thresholds, device, on_epoch):
        asked.append(setting)
        for epoch in range(1, epochs + 1):
            on_epoch(epoch, value(setting, epoch))
        row = dict.fromkeys(tune.RECORDED, 0.0) | {"status": "ok", "epochs": epochs, "setting": setting["id"]}
        return None, row | {"validation_nll": value(setting, epochs)}, []

    monkeypatch.setattr(tune, "run", run)
    return asked


def by_penalty(setting: dict, epoch: int) -> float:
    """A validation NLL that is lowest at alpha_z = 0.1."""
    return 1 + np.log(setting["alpha_z"] / 0.1) ** 2 + 1 / epoch
