"""Calling models: what all providers share, one folder for each wire dialect, and the edge that sends."""
