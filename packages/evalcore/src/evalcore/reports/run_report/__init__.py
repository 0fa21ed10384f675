"""What a run's replies show, as the prompt library publishes it: REPORT.md, summary.json and charts. Pure."""
