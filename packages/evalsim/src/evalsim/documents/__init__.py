"""Documents that are made, not collected; each holds what stands on its pages, for who simulates a reader."""
