"""Records -> what readers see, whoever shows it: rankings with ranks that hold. Pure."""
