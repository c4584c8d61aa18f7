"""What colour a picture's point has: by its class, by how likely it is, by how typical."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flow_explorer import theme
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.i18n import tr

__all__ = ["Colouring", "colouring"]

STEPS = 12
"""Tones of a scale."""
CLASSES_NAMED = 12


@dataclass(frozen=True, eq=False)
class Colouring:
    """`bucket` (count,) says which of the `tones` ("#rrggbb") each picture has."""

    tones: list[str]
    bucket: np.ndarray
    names: list[tuple[str, str]] = field(default_factory=list)
    """(tone, words) of a legend of names."""
    ends: tuple[str, str, str] | None = None
    """(what, at the low end, at the high end) of a legend of a scale."""

    @property
    def plain(self) -> bool:
        """Whether colour says nothing."""
        return len(self.tones) == 1


def colouring(data: MapData, how: str, card: dict | None) -> Colouring:
    """The colours of everything on the map; where there is nothing to tell them apart by, all are z's."""
    if how == "class" and data.count and data.class_names:
        tones = [_class_tone(number) for number in range(len(data.class_names))]
        tones.append(theme.current().faint)
        bucket = np.where(data.classes < 0, len(tones) - 1, data.classes)
        present = np.bincount(data.classes[data.classes >= 0], minlength=len(data.class_names))
        order = [int(number) for number in np.argsort(-present, kind="stable") if present[number]]
        names = [(tones[number], str(data.class_names[number])) for number in sorted(order[:CLASSES_NAMED])]
        if len(order) > CLASSES_NAMED:
            names.append((theme.current().faint, tr("and {count} more", count=len(order) - CLASSES_NAMED)))
        return Colouring(tones, bucket, names)
    if how == "bpd" and data.count:
        low, high = np.quantile(data.bpd, [0.02, 0.98])
        return _scale(data.bpd, float(low), float(high), "b", "a", tr("Bits per dimension"), ".2f")
    if how == "typicality" and data.count and card is not None:
        values = data.typicality(card)
        if np.isfinite(values).any():
            return _scale(np.nan_to_num(values), 0.0, 100.0, "warning", "good", tr("Typicality"), ".0f", " %")
    return Colouring([theme.current().z], np.zeros(data.count, np.int64))


def _scale(values: np.ndarray, low: float, high: float, first: str, last: str, what: str, form: str, unit: str = "") -> Colouring:
    tones = theme.current()
    ends = getattr(tones, first), getattr(tones, last)
    places = np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0)
    bucket = np.minimum((places * STEPS).astype(np.int64), STEPS - 1)
    # Through the muted middle: a straight mix of two strong hues is brown.
    shades = []
    for step in range(STEPS):
        t = step / (STEPS - 1)
        middle = tones.muted
        shades.append(theme.mix(ends[0], middle, 2 * t) if t < 0.5 else theme.mix(middle, ends[1], 2 * t - 1))
    return Colouring(shades, bucket, ends=(what, f"{low:{form}}{unit}", f"{high:{form}}{unit}"))


def _class_tone(number: int) -> str:
    """Hues that tell classes apart; beyond twelve they come again."""
    tones = theme.current()
    base = [tones.a, tones.b, tones.good, tones.z, tones.warning, tones.accent]
    ring = number % 12
    if ring < 6:
        return base[ring]
    return theme.mix(base[ring - 6], tones.text, 0.5)
