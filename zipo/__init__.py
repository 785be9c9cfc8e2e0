"""ZiPo: a deep autoencoder that denoises single-cell counts, and the study of it."""

import os
from importlib import import_module
from typing import Any

from zipo.shared.errors import InputError

__all__ = ["InputError", "ZiPo", "check", "pp", "programs"]

# torch's threads spin for milliseconds while they wait for one that another process keeps from running: on two cores
# beside two busy processes a small file took six times as long as with this limit, and alone no less. OpenMP reads it
# when torch is loaded; what a user has set stays.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def __getattr__(name: str) -> Any:
    # it takes a tenth of a short command's time to look up
    if name == "__version__":
        from importlib.metadata import version

        return version("zipo")
    # torch costs seconds to load; planning, tables and figures never need it
    if name == "ZiPo":
        return import_module("zipo.model.estimator").ZiPo
    if name == "check":
        return import_module("zipo.commands.worth.api").check
    if name == "programs":
        return import_module("zipo.model.programs.analysis").programs
    if name in ("fine_tuning", "output", "pp", "saved"):
        return import_module(f"zipo.{name}")
    raise AttributeError(f"module 'zipo' has no attribute {name!r}")
