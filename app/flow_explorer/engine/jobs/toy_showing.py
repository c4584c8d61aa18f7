"""Which arrays a frame of the toy lab holds: only those of views that are switched on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

import numpy as np

from flowcore.plane.frames import ToyFrames
from flowcore.plane.views import ToyViews, density_contours

from .toy_session import Session

__all__ = ["fine_maps", "gradient_data", "measure", "point_arrays", "quick_maps", "run_points"]


def run_points(session: Session, views: Iterable[str], turn: int | None = None) -> Generator[None, None, dict[str, np.ndarray]]:
    """Points of all flows of a run at one moment, an entry at a time: yields between them."""
    arrays: dict[str, np.ndarray] = {}
    for entry in session.entries:
        if entry.number:
            yield
        arrays |= entry.named(point_arrays(entry.frames, views, turn))
    return arrays


def measure(session: Session) -> Generator[None, None, None]:
    """Measure every flow of a run on the same held-out points, a piece at a time."""
    for entry in session.entries:
        yield from session.race.measure(entry.racer)


def point_arrays(frames: ToyFrames, views: Iterable[str], turn: int | None = None) -> dict[str, np.ndarray]:
    """Points of all views; in the frame number ``turn`` of a stream samples always, beside them the rest by turns."""
    wanted = {"samples", "prior", "grid"}.intersection(views)
    if turn is not None and len(wanted) > 1:
        every = 3 if "samples" in wanted else 2
        wanted -= {name for place, name in enumerate(("prior", "grid")) if turn % every != place}
    if {"samples", "grid"} <= wanted:
        arrays = dict(zip(("samples", "grid"), frames.samples_and_grid(), strict=True))
        wanted -= set(arrays)
    else:
        arrays = {}
    return arrays | {name: getattr(frames, name)() for name in sorted(wanted)}


def quick_maps(
    frames: ToyFrames, more: ToyViews, views: Iterable[str], resolution: int, layers: bool = True
) -> Generator[None, None, dict[str, np.ndarray]]:
    """What changes a few times a second, coarse, a piece at a time: yields between the pieces. Without ``layers`` the points on
    their way through the layers are left out, and the outline of a prior that learns."""
    arrays: dict[str, np.ndarray] = {}
    if "density" in views:
        arrays["heat"] = yield from _map(frames.heat_part, resolution, frames.chunk)
        if "contours" in views:
            arrays["contours"] = density_contours(arrays["heat"], frames.trainer.density.bounds)
    if "stretch" in views:
        arrays["stretch"] = yield from _map(more.log_det_part, resolution, frames.chunk)
    if layers:
        arrays["layers"] = frames.layers()
        outline = frames.outline()
        if outline is not None:
            arrays["outline"] = outline
    if "displacement" in views:
        arrays["displacement"] = more.displacement()
    return arrays


def _map(part: Callable[[int, int], np.ndarray], resolution: int, chunk: int) -> Generator[None, None, np.ndarray]:
    """A map (resolution, resolution) of parts (at most chunk cells from a start on), with a yield after each."""
    parts = []
    for start in range(0, resolution**2, chunk):
        parts.append(part(resolution, start))
        yield
    return np.concatenate(parts).reshape(resolution, resolution)


def fine_maps(
    frames: ToyFrames, more: ToyViews, views: Iterable[str], resolution: int
) -> Generator[None, None, dict[str, np.ndarray]]:
    """The maps at rest, a piece at a time: yields between the pieces."""
    arrays: dict[str, np.ndarray] = {}
    for name, view, part in (("heat", "density", frames.heat_part), ("stretch", "stretch", more.log_det_part)):
        if view not in views:
            continue
        arrays[name] = yield from _map(part, resolution, frames.chunk)
    if "heat" in arrays and "contours" in views:
        arrays["contours"] = density_contours(arrays["heat"], frames.trainer.density.bounds)
        yield
    if "displacement" in views:
        arrays["displacement"] = more.displacement()
    return arrays


def gradient_data(more: ToyViews) -> dict[str, Any]:
    """The layers' gradient norms at the last step, where there are any.

    Whether or not they are looked at: they cost next to nothing, and a curve is of use only with its beginning.
    """
    found = more.gradient_norms()
    return {} if found is None else {"gradient_names": found[0], "gradient_norms": found[1].tolist()}
