"""May two sets of runs be compared, and has anything changed (docs/scoring.md)?"""
