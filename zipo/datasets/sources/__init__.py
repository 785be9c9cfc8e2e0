"""Sources of raw counts: where each is had from, and how it is read."""
