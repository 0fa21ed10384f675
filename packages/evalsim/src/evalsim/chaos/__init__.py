"""Chaos: the real service as a process, killed at stated and random instants, its outside simulated."""
