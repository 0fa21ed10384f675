"""Git, at the edge: the only part that runs it, with time limits, fixed settings and a clean environment.

Imports stand with their modules, not here: `command` is needed wherever a commit is read, GitPython
(`objects`, `clone`) only by what works with a clone, and loading it takes longer than a short command.
"""
