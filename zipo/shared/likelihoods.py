"""Likelihoods by name, and what each is capable of; free of torch, so that a study can be planned without it.

To add one, add a line here and, unless it only combines what is there, the class of its base distribution to `BASES`
in zipo.engine.likelihoods.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Capabilities of a likelihood; all else asks for these, never for its name."""

    base: str
    """Distribution without zero inflation: its name in `zipo.engine.likelihoods.BASES`."""
    overdispersed: bool = False
    """Whether the base has an extra parameter beside its rates, which the network's dispersion head predicts."""
    zero_inflated: bool = False
    """Whether a point mass at zero is mixed with the base."""


FAMILIES = {
    "poisson": Family("poisson"),
    "nb": Family("nb", overdispersed=True),
    "zip": Family("poisson", zero_inflated=True),
    "zinb": Family("nb", overdispersed=True, zero_inflated=True),
}
