"""Scoring: answers in, numbers out, by deterministic Python alone."""
