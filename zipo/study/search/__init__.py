"""The search for hyper-parameters: its space, its workers, their common journal, and its trials as a table."""
