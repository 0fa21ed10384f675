"""A prompt library's leaderboards -> what its readers see: the data of all pages, and `index.json`. Pure."""
