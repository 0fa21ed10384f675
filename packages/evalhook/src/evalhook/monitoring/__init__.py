"""What can be watched: events, live progress, logs, metrics, and who is told how jobs go."""
