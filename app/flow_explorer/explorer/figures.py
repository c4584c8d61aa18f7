"""How the figures of a picture are said: one place, so that a slot and the inspector use the same words."""

from __future__ import annotations

from flow_explorer.i18n import tr

__all__ = ["LIKELIER", "TYPICALITY", "bpd_tip", "percent"]

LIKELIER = (
    "How many of the pictures kept back from training are less likely than this one, in percent.\n"
    "High likelihood is not quality: plain pictures are often the likeliest of all."
)
TYPICALITY = (
    "How ordinary this likelihood is among the pictures kept back from training, in percent:\n"
    "100 in their middle, 0 when it is lower, or higher, than any of theirs. 2 · min(F, 1 − F)"
)


def bpd_tip() -> str:
    """The tooltip of bits per dimension."""
    return tr("How many bits a number of the picture costs under the model; fewer is likelier.\n"
              "−log₂ p(x) / (height × width × channels), at the bytes' bin centres")


def percent(value: float | None) -> str:
    """A percentage, or that there is none."""
    return tr("not known") if value is None else f"{value:.0f} %"
