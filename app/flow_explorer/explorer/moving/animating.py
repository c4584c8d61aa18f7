"""How an animation of the Explorer is to be saved: its format, size and pace."""

from __future__ import annotations

from dataclasses import dataclass

from flow_explorer.animation_saving import AnimationSaver, MakeAnimation
from flowcore.pictures.animation import FORMATS

__all__ = ["FPS", "SIZES", "Animated", "AnimationSaver", "MakeAnimation"]

SIZES = (1, 2, 4, 8, 16)
"""How many times larger than the model's pictures an animation can be."""
FPS = (5, 8, 10, 12, 15, 20, 24, 25, 30, 50, 60)


@dataclass(frozen=True)
class Animated:
    """How an animation is to be saved."""

    suffix: str = ".gif"
    scale: int = 8
    fps: float = 15.0
    back: bool = True
    """Whether the way back follows."""

    def __post_init__(self) -> None:
        if self.suffix not in FORMATS:
            raise ValueError(f"no animation ends in {self.suffix!r}")
