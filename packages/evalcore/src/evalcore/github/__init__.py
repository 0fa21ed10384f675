"""GitHub, through PyGithub: pull requests, reports, tokens."""
