"""The method itself, on torch alone."""
