"""The version of the evaluator and of its scoring rules: both are written to every run record."""

__version__ = "0.1.0"

SCORING_VERSION = 3
"""Raised whenever the same replies could give another number."""
