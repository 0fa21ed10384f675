"""Strict readers of values: each reads a whole text, or a value at one place of it, or nothing.

All of them read *plain* text (`scoring.plain_text`): lower case, single blanks, plain quotes and dashes.
Each takes a text and a place, and returns what stands there and where it ends.
"""
