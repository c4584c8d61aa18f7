"""From two piles of pictures to a way between them: the classes they are of, their z, and the map that fits."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..data.thinned import check_sets
from ..errors import ConfigError, NonFiniteError
from ..fast import accelerate
from ..model.codec import class_log_probs_job, double_of, label_tensor, to_pixels
from ..model.flow import Flow
from ..model.labels import Label, single
from ..work import beside, finish
from .translation import ByClass, ByMap, ByPair, FlowTranslation
from .translation_methods import method

__all__ = ["Side", "encode_pile", "encode_pile_job", "likeliest_job", "way_job"]

ASKED = 24
"""Pictures of a pile that are asked which class they are likeliest under."""

Told = Callable[[int, int, int], None]
Once = Callable[[Hashable, Generator[Any, None, Any]], Generator[Any, None, Any]]


@dataclass(frozen=True, eq=False)
class Side:
    """One pile, with what a sentence calls it."""

    title: str
    pictures: np.ndarray
    """uint8 (N, H, W, C)."""
    names: Sequence[str] = ()
    """Of the pictures."""
    label: Label = ()
    """The class that it is of, where that is known."""
    number: int = 0
    """Tells two readings of the same pictures apart."""


def likeliest_job(flow: Flow, pictures: np.ndarray) -> Generator[None, None, Label]:
    """The class under which most of `ASKED` pictures, evenly spread over (N, H, W, C), are likeliest; () without classes."""
    if not flow.num_classes:
        return ()
    votes: Counter[int] = Counter()
    for picture in pictures[:: max(1, len(pictures) // ASKED)][:ASKED]:
        votes[int((yield from class_log_probs_job(flow, picture)).argmax())] += 1
    return single(votes.most_common(1)[0][0])


def encode_pile_job(
    flow: Flow, side: Side, label: Label = (), size: int = 64, at_once: bool = False,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Generator[None, None, np.ndarray]:  # fmt: skip
    """A pile's z (N, D) float32 at the bin centres, ``size`` pictures together; by float64 where float32 does not reach.

    ``at_once`` shares a batch among threads, and yields between batches alone.

    Raises:
        NonFiniteError: naming a picture that has no finite z.
    """
    parts = [np.zeros((0, flow.num_dims), np.float32)]
    for start in range(0, len(side.pictures), size):
        pictures = side.pictures[start : start + size]
        for model in (flow, double_of(flow)):
            z = yield from _encoded(model, pictures, label, at_once)
            broken = ~np.isfinite(z).all(1)
            if not broken.any():
                break
        else:
            row = start + int(broken.argmax())
            name = side.names[row] if side.names else f"Picture {row + 1} of {side.title}"
            raise NonFiniteError(f"{name} has no finite z under this model; take it out of the pile.")
        parts.append(z)
        tell(start + len(pictures), len(side.pictures))
    return np.concatenate(parts)


def _encoded(model: Flow, pictures: np.ndarray, label: Label, at_once: bool) -> Generator[None, None, np.ndarray]:
    labels = label_tensor(model, [label] * len(pictures)) if model.num_classes else None
    fast, x = accelerate(model), to_pixels(pictures, model)
    if at_once:
        yield
        try:
            with torch.no_grad():
                z, _ = fast.encode(x, labels)
        except NonFiniteError:
            return np.full((len(pictures), model.num_dims), np.nan, np.float32)
    else:
        z, _ = yield from fast.encode_steps(x, labels)
    return z.float().cpu().numpy()


def encode_pile(flow: Flow, pictures: np.ndarray, label: Label = ()) -> np.ndarray:
    """:func:`encode_pile_job` in one go, on all threads: uint8 (N, H, W, C) -> (N, D) float32."""
    return finish(encode_pile_job(flow, Side("the pile", pictures), label, at_once=True))


def _each_time(_key: Hashable, steps: Generator[Any, None, Any]) -> Generator[Any, None, Any]:
    return (yield from steps)


def way_job(
    name: str, flow: Flow, sides: Sequence[Side], flow_to: Flow | None = None, *, size: int = 64, at_once: bool = False,
    tell: Told = lambda _side, _done, _total: None, once: Once = _each_time,
) -> Generator[Any, None, FlowTranslation]:  # fmt: skip
    """The way of a method (`ways.METHODS`) from the first side's pictures to the second's.

    ``flow_to`` is the second flow of a pair, which needs no piles. ``tell(side, done, total)`` says how far a side's encoding is.
    ``once(key, steps)`` may keep what steps return: keys are ("label", flow, side) and ("latents", flow, side, label).

    Raises:
        ConfigError: where the flow or the piles are not what the method needs.
        NonFiniteError: naming a picture that has no finite z.
    """
    how = method(name)
    if how.needs == "pair":
        if flow_to is None:
            raise ConfigError("This method needs the two flows of a pair.")
        if list(flow_to.event_shape) != list(flow.event_shape):
            raise ConfigError("The two flows of the pair see pictures of different sizes; train both at one size.")
        return ByPair(flow, flow_to)
    if len(sides) < 2:
        raise ConfigError("This method needs both piles.")

    def label_of(side: Side) -> Generator[Any, None, Label]:
        return side.label or (yield from once(("label", id(flow), side.number), likeliest_job(flow, side.pictures)))

    if how.needs == "classes":
        if not flow.num_classes:
            raise ConfigError("This model knows no classes; choose mean shift or transport.")
        first, second = (yield from label_of(sides[0])), (yield from label_of(sides[1]))
        if first == second:
            raise ConfigError("Both piles are of one class under this model, so nothing would change; choose two classes.")
        return ByClass(flow, first, second)
    check_sets(sides[0].pictures, sides[1].pictures, [side.title for side in sides])
    label, z = (yield from label_of(sides[0])), []
    for index, side in enumerate(sides):
        steps = encode_pile_job(flow, side, label, size, at_once, lambda done, total, index=index: tell(index, done, total))
        z.append((yield from once(("latents", id(flow), side.number, label), steps)))
    change = yield from beside(lambda _told: how.fit(*z))
    return ByMap(flow, change, label)
