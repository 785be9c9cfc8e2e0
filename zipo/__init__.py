"""ZiPo: a deep autoencoder that denoises single-cell counts, and the study of it."""

from importlib.metadata import version

__version__ = version("zipo")


def __getattr__(name: str):
    # torch costs seconds to load; planning, tables and figures never need it
    if name == "ZiPo":
        from zipo.estimator import ZiPo

        return ZiPo
    raise AttributeError(f"module 'zipo' has no attribute {name!r}")
