"""Prompting, calling, scoring and leaderboard merging, shared by evalhook and evalcli."""
