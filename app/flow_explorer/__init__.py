"""Flow Explorer: the person's side of the project (window, engine process, command line)."""

from __future__ import annotations

__version__ = "0.1.0"
