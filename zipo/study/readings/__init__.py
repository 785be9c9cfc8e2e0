"""Readings of what the paper leaves open: settings, verdicts and classes of the claims under each."""
