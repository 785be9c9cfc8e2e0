"""What several metrics share: the case they score, chunks of cells, distributions, ranks, permuted counts."""
