"""Documents as inputs: looked at, read once, and kept."""
