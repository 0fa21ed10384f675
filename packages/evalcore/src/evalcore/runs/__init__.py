"""A run: its plan, its folder of kept replies, its record, and the leaderboard of records."""
