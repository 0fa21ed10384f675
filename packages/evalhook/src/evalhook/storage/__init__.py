"""What lies in the state directory, how long, and whether there is room for more."""
