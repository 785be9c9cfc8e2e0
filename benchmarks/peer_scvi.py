"""Training speed of scVI at its defaults (zinb, 128 hidden, 10 latents, batches of 128), in scVI's environment."""

import json
import resource
import sys
import time
import warnings
from itertools import pairwise
from statistics import median

import anndata as ad
import scvi
import torch
from lightning.pytorch.callbacks import Callback
from scipy.sparse import load_npz

EPOCHS = 6  # the first is not timed


class Clock(Callback):
    """Notes when epochs end."""

    def __init__(self):
        self.ends = []

    def on_train_epoch_end(self, *_):
        self.ends.append(time.perf_counter())


warnings.filterwarnings("ignore")
torch.set_num_threads(int(sys.argv[2]))
scvi.settings.seed = 1
adata = ad.AnnData(load_npz(sys.argv[1]))
scvi.model.SCVI.setup_anndata(adata)
clock = Clock()
model = scvi.model.SCVI(adata)
model.train(
    max_epochs=EPOCHS,
    train_size=1.0,
    accelerator="cpu",
    callbacks=[clock],
    enable_progress_bar=False,
    logger=False,
)
epoch = median(end - start for start, end in pairwise(clock.ends))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in KiB
print(json.dumps({"cells_per_second": adata.n_obs / epoch, "peak_mb": peak}))
