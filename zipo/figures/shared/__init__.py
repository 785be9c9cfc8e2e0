"""Parts that figures share: style, panels, colours, and the page of a figure."""
