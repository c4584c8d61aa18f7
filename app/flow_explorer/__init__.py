"""Flow Explorer: the person's side of the project (window, engine process, command line)."""

from __future__ import annotations

from flowcore import __version__

__all__ = ["__version__"]
