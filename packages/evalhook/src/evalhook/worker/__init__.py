"""The job that runs: taken, executed, published."""
