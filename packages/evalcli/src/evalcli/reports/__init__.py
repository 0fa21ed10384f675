"""What the commands print of results."""
