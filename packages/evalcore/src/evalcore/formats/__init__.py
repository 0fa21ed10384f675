"""Strict readers of JSON, YAML and Markdown."""
