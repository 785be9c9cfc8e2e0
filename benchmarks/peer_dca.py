"""Training speed of DCA at its defaults (nb-conddisp, 64-32-64, batches of 32), in DCA's environment.

DCA's last release is of 2021: what it takes from Keras and two packages that it hardly uses is put back first.
"""

import json
import resource
import sys
import time
import types
from statistics import median
from typing import ClassVar

import anndata as ad
import keras
import scanpy as sc
import tensorflow as tf
from scipy.sparse import load_npz

EPOCHS = 4  # the first is not timed


def put_back() -> None:
    """Make `import dca` and its training work with Keras 2.15."""
    from keras.src.engine import base_layer

    base_layer.InputSpec = keras.layers.InputSpec
    named = {"keras.objectives": keras.losses, "keras.engine": types.ModuleType("keras.engine")}
    named |= {"keras.engine.topology": base_layer, "keras.engine.base_layer": base_layer}
    for name, contents in (("kopt", ["CompileFN", "test_fn"]), ("hyperopt", ["fmin", "tpe", "hp", "Trials"])):
        named[name] = types.ModuleType(name)
        vars(named[name]).update(dict.fromkeys(contents))
    sys.modules.update(named)
    tf.compat.v1.disable_eager_execution()
    tf.compat.v1.keras.backend.set_session = lambda session: None
    keras.optimizers.RMSprop = keras.optimizers.legacy.RMSprop


class Clock(keras.callbacks.EarlyStopping):
    """Seconds of each epoch, without its validation; in the place of a callback of DCA's, as it takes no others."""

    epochs: ClassVar[list[float]] = []

    def on_epoch_begin(self, *_):
        self.started = time.perf_counter()
        self.epochs.append(0.0)

    def on_train_batch_end(self, *_):
        self.epochs[-1] = time.perf_counter() - self.started


put_back()
tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[2]))
tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[2]))
from dca.api import dca  # noqa: E402

sys.modules["dca.train"].EarlyStopping = Clock
adata = ad.AnnData(load_npz(sys.argv[1]))
sc.pp.filter_genes(adata, min_counts=1)  # DCA refuses genes without counts
dca(adata, mode="latent", epochs=EPOCHS, threads=int(sys.argv[2]), verbose=False)
trained = 0.9 * adata.n_obs  # the rest validates
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts in KiB
print(json.dumps({"cells_per_second": trained / median(Clock.epochs[1:]), "peak_mb": peak}))
