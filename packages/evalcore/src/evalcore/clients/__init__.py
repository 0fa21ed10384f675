"""Calling models: one module per wire dialect without I/O (`wire_*`), and the edge that sends."""
