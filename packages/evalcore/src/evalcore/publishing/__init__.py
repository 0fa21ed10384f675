"""Where results go: commits, pull requests, and the words that stand there."""
