"""What figures share: one look, panels, colours, and the page of a figure."""
