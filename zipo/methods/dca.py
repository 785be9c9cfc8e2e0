"""DCA: a deep count autoencoder.

Its last release, of 2021, needs parts of Keras that are gone, and two packages that it hardly uses: `put_back` provides
them before it is imported.
"""

import os
import sys
import types

import anndata as ad
from scipy.sparse import csr_matrix

name = "dca"
env = "dca"
parameters = {"ae_type": "nb-conddisp", "epochs": 300}
seeded = True
keeps_library = True
scale = "means of its likelihood times the cell's size factor: counts as they are"
source = "Eraslan 2019, doi 10.1038/s41467-018-07931-2, dca 0.3.4"
imports = ("tensorflow", "keras", "scanpy")


def denoise(counts: ad.AnnData, *, seed: int, ae_type: str, epochs: int) -> ad.AnnData:
    """DCA's means in layers["denoised"] and ["rates"], its NB sizes in layers["size"], latents in obsm["latent"].

    `ae_type` is nb-conddisp, or zinb-conddisp, which adds layers["zero_probability"] and takes it off the means.
    """
    threads = int(os.environ["OMP_NUM_THREADS"])
    put_back(threads)
    from dca.api import dca
    from dca.io import normalize

    data = ad.AnnData(csr_matrix(counts.X).toarray(), obs=counts.obs[[]], var=counts.var[[]])
    net = dca(data.copy(), ae_type=ae_type, epochs=epochs, random_state=seed, verbose=False, return_model=True)
    # as DCA prepares them; its own return_info feeds the denoised values back into the network
    normalize(data, filter_min_counts=False)
    inputs = {"count": data.X, "size_factors": data.obs["size_factors"].to_numpy()}
    denoised = counts.copy()
    denoised.layers["rates"] = net.model.predict(inputs)
    denoised.layers["denoised"] = denoised.layers["rates"]
    denoised.layers["size"] = net.extra_models["dispersion"].predict(data.X)
    if "pi" in net.extra_models:
        zero = net.extra_models["pi"].predict(data.X)
        denoised.layers["zero_probability"] = zero
        denoised.layers["denoised"] = denoised.layers["rates"] * (1 - zero)
    denoised.obsm["latent"] = net.encoder.predict(inputs)
    denoised.uns["likelihood"] = ae_type.split("-")[0]
    return denoised


def put_back(threads: int) -> None:
    """Make `import dca` and its training work with Keras 2.15, and its seed fix the result."""
    import keras
    import tensorflow as tf
    from keras.src.engine import base_layer

    base_layer.InputSpec = keras.layers.InputSpec
    modules = {"keras.objectives": keras.losses, "keras.engine": types.ModuleType("keras.engine")}
    modules |= {"keras.engine.topology": base_layer, "keras.engine.base_layer": base_layer}
    for package, contents in (("kopt", ["CompileFN", "test_fn"]), ("hyperopt", ["fmin", "tpe", "hp", "Trials"])):
        modules[package] = types.ModuleType(package)
        vars(modules[package]).update(dict.fromkeys(contents))
    sys.modules.update(modules)
    tf.compat.v1.disable_eager_execution()  # before DCA does, which is after it has set the seed
    tf.compat.v1.keras.backend.set_session = lambda session: None
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.optimizers.RMSprop = keras.optimizers.legacy.RMSprop
