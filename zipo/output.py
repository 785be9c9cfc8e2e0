"""Public name of `zipo.model.output`."""

from zipo.model.output import write_denoised

__all__ = ["write_denoised"]
