"""A made-up year of a prompt library: leaderboards as they would be, of models of known quality."""
