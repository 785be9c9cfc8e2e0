"""What several methods share: scaling by library sizes, a transform of counts, the choice of a size."""
