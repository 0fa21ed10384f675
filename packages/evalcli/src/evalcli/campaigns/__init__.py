"""Campaigns: many runs (component x model) planned, shared out over workers, and published together."""
