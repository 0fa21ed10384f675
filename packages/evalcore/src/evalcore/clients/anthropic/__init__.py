"""The Anthropic dialect: the Messages API."""
