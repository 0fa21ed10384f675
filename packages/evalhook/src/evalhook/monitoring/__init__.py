"""Observers of jobs: live progress and its events, logs, metrics, and notifications on GitHub."""
