"""An evaluation from the command line: planned, run, resumed, finished."""
