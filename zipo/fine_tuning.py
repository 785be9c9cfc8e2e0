"""Public name of `zipo.model.fine_tuning`."""

from zipo.model.alignment import Alignment, aligned
from zipo.model.fine_tuning import fine_tuned

__all__ = ["Alignment", "aligned", "fine_tuned"]
