"""Training speed of DCA at its defaults (nb-conddisp, 64-32-64, batches of 32), in DCA's environment."""

import json
import resource
import sys
import time
from pathlib import Path
from runpy import run_path
from statistics import median
from typing import ClassVar

import anndata as ad
import keras
import scanpy as sc
from scipy.sparse import load_npz

EPOCHS = 4  # the first is not timed


class Clock(keras.callbacks.EarlyStopping):
    """Seconds of each epoch, without its validation; in the place of a callback of DCA's, as it takes no others."""

    epochs: ClassVar[list[float]] = []

    def on_epoch_begin(self, *_):
        self.started = time.perf_counter()
        self.epochs.append(0.0)

    def on_train_batch_end(self, *_):
        self.epochs[-1] = time.perf_counter() - self.started


method = run_path(str(Path(__file__).resolve().parents[1] / "zipo" / "methods" / "dca.py"))
method["put_back"](int(sys.argv[2]))
from dca.api import dca  # noqa: E402

sys.modules["dca.train"].EarlyStopping = Clock
adata = ad.AnnData(load_npz(sys.argv[1]))
sc.pp.filter_genes(adata, min_counts=1)  # DCA refuses genes without counts
dca(adata, mode="latent", epochs=EPOCHS, threads=int(sys.argv[2]), verbose=False)
trained = 0.9 * adata.n_obs  # the rest validates
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in KiB
print(json.dumps({"cells_per_second": trained / median(Clock.epochs[1:]), "peak_mb": peak}))
