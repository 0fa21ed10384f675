"""Numbers: means, sampling, confidence intervals, permutation tests, power."""
