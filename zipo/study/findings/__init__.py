"""What a study found on the paper's claims, for readers: the published page, and the first page of the report."""
