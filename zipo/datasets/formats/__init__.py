"""File formats of counts and of labels: one reader each."""
