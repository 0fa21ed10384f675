"""A job's calls and their scoring: what is called when, and what came of it."""
