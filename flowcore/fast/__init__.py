"""Fast paths: the numbers of the plain flows, sooner. The layers in ``flowcore.bijections`` remain the definition."""
from __future__ import annotations

from .pictures.flow import FastFlow, accelerate
from .threads import sharing

__all__ = ["FastFlow", "accelerate", "sharing"]
