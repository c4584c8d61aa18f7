"""Flow Explorer: the person's side of the project (window, engine process, command line)."""

import sys  # built in; __future__ is a file, and would be looked for in the current folder

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and sys.path:
    # `python -m flow_explorer`, and torchrun's, put the current folder first: a json.py that lies there, among pictures that
    # came from anywhere, would be run in place of Python's own. While Python looks for the module, this is how it says so.
    del sys.path[0]

from flowcore import __version__

__all__ = ["__version__"]
