"""Data sets: where counts come from, how they are read, checked and filtered."""
