"""The study: its configuration, the settings it asks for, their runs, and the tables made of them."""
