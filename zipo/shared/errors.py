"""The error for whoever can mend it: one sentence of what is wrong, where, what was expected, what to do."""


class InputError(ValueError):
    """Counts, a file or a configuration that cannot be used as it is."""


class NotFitted(InputError, AttributeError):
    """A model is asked for what only a trained one has."""
