"""Leaderboard files, the runs in them, and what of runs may be published there."""
