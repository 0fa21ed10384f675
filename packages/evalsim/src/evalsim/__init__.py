"""The simulated outside world. Imported by the demo, the tests and the benchmarks only."""
