"""Edits of a list of layers: each gives another list, or the same one where it does nothing. No Qt."""

from __future__ import annotations

from dataclasses import replace

from flowcore.plane.layers import MAX_LAYERS, LayerSpec, fresh_id

__all__ = ["Layers", "added", "flipped", "frozen", "moved", "removed"]

Layers = tuple[LayerSpec, ...]


def added(layers: Layers, kind: str, after: int) -> Layers:
    """A layer of ``kind`` after the place ``after``. A coupling copies what the one before it changes."""
    if len(layers) >= MAX_LAYERS:
        return layers
    spec = LayerSpec(kind, "x" if kind in ("additive", "affine", "spline") else "", id=fresh_id(layers))
    before = next((other for other in reversed(layers[: after + 1]) if other.is_coupling), None)
    if before is not None and before.copies == spec.copies:
        spec = spec.flipped()
    return (*layers[: after + 1], spec, *layers[after + 1 :])


def removed(layers: Layers, place: int) -> Layers:
    """Without the layer at ``place``; the last one stays."""
    if len(layers) < 2 or not 0 <= place < len(layers):
        return layers
    return layers[:place] + layers[place + 1 :]


def moved(layers: Layers, place: int, to: int) -> Layers:
    """The layer at ``place`` taken out and put in at ``to``."""
    if not 0 <= place < len(layers) or not 0 <= to < len(layers):
        return layers
    rest = layers[:place] + layers[place + 1 :]
    return (*rest[:to], layers[place], *rest[to:])


def flipped(layers: Layers, place: int) -> Layers:
    """The coupling at ``place`` copies the other coordinate."""
    return _with(layers, place, layers[place].flipped())


def frozen(layers: Layers, place: int, on: bool) -> Layers:
    """The layer at ``place`` keeps its weights, or learns again."""
    return _with(layers, place, replace(layers[place], frozen=on))


def _with(layers: Layers, place: int, spec: LayerSpec) -> Layers:
    return (*layers[:place], spec, *layers[place + 1 :])
