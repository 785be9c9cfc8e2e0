"""What `zipo benchmark` does: one method file on data sets of the catalogue, beside the stored scores of others."""
