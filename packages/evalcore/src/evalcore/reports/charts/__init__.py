"""Figures -> charts as SVG text: whole by themselves, coloured anew by a page's stylesheet. Pure."""
