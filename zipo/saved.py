"""Public names of a model's folder: `save` and `load`."""

from zipo.model.estimator import ZiPo
from zipo.model.saved import save

__all__ = ["load", "save"]
load = ZiPo.load
