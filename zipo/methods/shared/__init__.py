"""What several methods share: the scaling of counts by library sizes."""
