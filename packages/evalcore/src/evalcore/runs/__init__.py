"""A run: its plan, its folder of stored replies, its record, and the leaderboard of records."""
