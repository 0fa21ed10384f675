"""The commands of evalhook: serve, check, publish."""
