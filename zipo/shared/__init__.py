"""What all rooms use: errors, files that appear whole, checks of input, tables, pages. It imports no other room."""
