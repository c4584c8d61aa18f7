"""Any picture of pile A as its counterpart in pile B, and back: encode, change what must change, decode.

Three ways to say what must change: an affine map of z (:mod:`flowcore.latents.transport`), the class of a conditional flow, and
a second flow that shares the first one's prior. Each is a bijection of pictures, since a flow is one in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..devices import on_host
from ..errors import ConfigError, NonFiniteError
from ..fast import accelerate
from ..model.codec import as_label, double_of, from_pixels, label_tensor, to_pixels
from ..model.flow import Flow
from ..model.labels import Label, between, to_array
from ..work import finish
from .transport import AffineMap

__all__ = [
    "CYCLE_BOUND",
    "ByClass",
    "ByMap",
    "ByPair",
    "FlowTranslation",
    "Translated",
    "Translation",
    "translate",
    "translate_followed",
    "translate_steps",
]  # fmt: skip

CYCLE_BOUND = 1e-3
"""Share of the range by which a picture may differ after A → B → A in float32; where it is more, float64 is taken."""


HALVINGS = 12
"""How often a strength is halved where float64 does not find back."""


class Translation(Protocol):
    """x (N, C, H, W) in pixel units, floats, at a strength: 0 leaves a picture as it is, 1 is the whole way."""

    def there(self, x: Tensor, strength: float) -> Tensor:
        """A's picture as B's."""
        ...

    def back(self, y: Tensor, strength: float) -> Tensor:
        """What :meth:`there` made ``y`` of."""
        ...


class FlowTranslation:
    """What all ways share: encode by A's flow under A's label, move z, decode by B's flow under B's label.

    Subclasses say which flows, which labels and which move. Each verb has a twin, ``…_steps``, that yields between layers so
    that other work can go there.
    """

    flow: Flow

    @property
    def flow_to(self) -> Flow:
        """The flow that decodes; as a rule the one that encodes."""
        return self.flow

    label: Label
    """The class that A's pictures are taken under; () for none."""

    def label_at(self, strength: float) -> Label:
        """The class that holds what was translated at a strength; beyond B's class, B's."""
        return self.label

    def holds(self, strength: float) -> bool:
        """Whether a class holds it exactly: nothing beyond B's does."""
        return True

    def label_from(self, model: Flow, count: int) -> Tensor | None:
        """What A's pictures are taken under."""
        return _labels(model, self.label, count)

    def label_to(self, model: Flow, count: int, strength: float) -> Tensor | None:
        """What B's are taken under, at a strength."""
        return self.label_from(model, count)

    def move(self, z: np.ndarray, strength: float) -> np.ndarray:
        """A's z (N, D) as B's."""
        return z

    def unmove(self, z: np.ndarray, strength: float) -> np.ndarray:
        """What :meth:`move` made ``z`` of."""
        return z

    @torch.no_grad()
    def there(self, x: Tensor, strength: float) -> Tensor:
        """A's picture as B's."""
        return finish(self.there_steps(x, strength, at_once=True))

    @torch.no_grad()
    def back(self, y: Tensor, strength: float) -> Tensor:
        """What :meth:`there` made ``y`` of."""
        return finish(self.back_steps(y, strength, at_once=True))

    def there_steps(self, x: Tensor, strength: float, at_once: bool = False) -> Generator[None, None, Tensor]:
        """:meth:`there` in steps; ``at_once`` shares a batch among threads instead."""
        first, second = _like(self.flow, x), _like(self.flow_to, x)
        z = yield from _encode(first, x, self.label_from(first, len(x)), at_once)
        z = _changed(z, lambda rows: self.move(rows, strength))
        return (yield from _decode(second, z, self.label_to(second, len(x), strength), at_once))

    def back_steps(self, y: Tensor, strength: float, at_once: bool = False) -> Generator[None, None, Tensor]:
        """:meth:`back` in steps."""
        first, second = _like(self.flow, y), _like(self.flow_to, y)
        z = yield from _encode(second, y, self.label_to(second, len(y), strength), at_once)
        z = _changed(z, lambda rows: self.unmove(rows, strength))
        return (yield from _decode(first, z, self.label_from(first, len(y)), at_once))


@dataclass(frozen=True)
class ByMap(FlowTranslation):
    """z is moved by an affine map. A conditional flow's pictures are taken under ``label``."""

    flow: Flow
    change: AffineMap
    label: Label = ()

    def move(self, z: np.ndarray, strength: float) -> np.ndarray:
        return self.change.apply(z, strength)

    def unmove(self, z: np.ndarray, strength: float) -> np.ndarray:
        return self.change.invert(z, strength)


@dataclass(frozen=True)
class ByClass(FlowTranslation):
    """Encoded under one class of a conditional flow, decoded under another; at a strength below 1 between them, above 1 beyond.

    Between and beyond, the prior's locations and log-scales go in a straight line through those of the two classes.
    """

    flow: Flow
    label: Label
    b: Label

    def label_at(self, strength: float) -> Label:
        return between(self.label, self.b, min(strength, 1.0))

    def holds(self, strength: float) -> bool:
        return strength <= 1

    def label_to(self, model: Flow, count: int, strength: float) -> Tensor | None:
        if 0 <= strength <= 1:
            return _labels(model, between(self.label, self.b, strength), count)
        ends = to_array([self.label, self.b], model.num_classes)
        assert ends is not None  # only a model with classes has a label at both ends
        weights = np.eye(model.num_classes)[ends] if ends.ndim == 1 else ends
        return as_label(model, np.tile((1 - strength) * weights[0] + strength * weights[1], (count, 1)))


@dataclass(frozen=True)
class ByPair(FlowTranslation):
    """Encoded by pile A's flow, decoded by pile B's. There is no way in between: its strength is 1.

    Raises:
        ConfigError: for flows whose z is not of the same shape, level by level, or for another strength.
    """

    flow_a: Flow
    flow_b: Flow
    label = ()

    def __post_init__(self) -> None:
        if [level.shape for level in self.flow_a.levels] != [level.shape for level in self.flow_b.levels]:
            raise ConfigError("The two flows of a pair must share one prior: their z has levels of different shapes.")

    @property
    def flow(self) -> Flow:  # type: ignore[override]
        return self.flow_a

    @property
    def flow_to(self) -> Flow:
        return self.flow_b

    def move(self, z: np.ndarray, strength: float) -> np.ndarray:
        if strength != 1.0:
            raise ConfigError(f"Between the two flows of a pair there is no way: the strength is 1, not {strength:g}.")
        return z

    unmove = move


def _encode(model: Flow, x: Tensor, label: Tensor | None, at_once: bool) -> Generator[None, None, Tensor]:
    fast = accelerate(model)
    if at_once:
        return fast.encode(x, label)[0]
    z = (yield from fast.encode_steps(x, label))[0]
    if not torch.isfinite(z).all():
        model.encode(x, label)
        raise NonFiniteError("While encoding, a value was not finite.")
    return z


def _decode(model: Flow, z: Tensor, label: Tensor | None, at_once: bool) -> Generator[None, None, Tensor]:
    fast = accelerate(model)
    if at_once:
        return fast.decode(z, label)
    x = yield from fast.decode_steps(z, label)
    if not torch.isfinite(x).all():
        model.decode(z, label)
        raise NonFiniteError("While decoding, a value was not finite.")
    return x


def _changed(z: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    return torch.from_numpy(np.asarray(change(on_host(z).numpy()))).to(z.device, z.dtype)


def _like(flow: Flow, x: Tensor) -> Flow:
    return double_of(flow) if x.dtype == torch.float64 else flow


def _labels(flow: Flow, label: Label, count: int) -> Tensor | None:
    return label_tensor(flow, [label] * count) if flow.num_classes else None


@dataclass(frozen=True)
class Translated:
    """A picture's counterpart, with the proof that it is one."""

    picture: np.ndarray
    """uint8 (H, W, C)."""
    exact: Tensor
    """The same before rounding, (1, C, H, W) in pixel units, float32 or float64."""
    cycle_error: float
    """Largest difference after A → B → A in floating point, as a share of the range of 256 levels."""
    precise: bool
    """Whether float32 was not enough, so that float64 was taken."""
    strength: float = 1.0
    """At which it was taken."""


def translate(flow: Flow, way: Translation, picture: np.ndarray, strength: float = 1.0) -> Translated:
    """One picture uint8 (H, W, C), as ``flow`` sees it, taken there and, to prove it, back again.

    Raises:
        NonFiniteError: if it cannot be followed in float64 either.
    """
    return finish(translate_steps(flow, way, picture, strength))


def translate_followed(flow: Flow, way: Translation, picture: np.ndarray, strength: float = 1.0) -> Translated:
    """:func:`translate`, at the largest of strength, strength / 2, … from which float64 finds back within `CYCLE_BOUND`.

    A picture unlike all that the model knows (white noise to a model of faces) has a z so far out that the way from there
    overflows what numbers can follow. A way without a strength (a pair's) is taken as it is.

    Raises:
        NonFiniteError: if no strength can be followed.
    """
    tried = [strength / 2**halvings for halvings in range(HALVINGS + 1)] if not isinstance(way, ByPair) else [strength]
    best = failure = None
    for each in tried:
        try:
            found = translate(flow, way, picture, each)
        except NonFiniteError as error:
            failure = error
            continue
        if best is None or found.cycle_error < best.cycle_error:
            best = found
        if best.cycle_error <= CYCLE_BOUND:
            break
    if best is None:
        assert failure is not None
        raise failure
    return best


def translate_steps(flow: Flow, way: Translation, picture: np.ndarray, strength: float) -> Generator[None, None, Translated]:
    """:func:`translate`, yielding between layers where the way can (a :class:`FlowTranslation`)."""
    result = None
    for model in (flow, double_of(flow)):
        # Not held open across a yield: others' work goes there.
        with torch.no_grad():
            x = to_pixels(picture[None], model)
        try:
            y = yield from _there(way, x, strength)
            error = ((yield from _back(way, y, strength)) - x).abs().max().item() / 256
        except NonFiniteError:
            if model.dtype == torch.float64:
                raise
            continue
        if result is None or error < result.cycle_error:
            result = Translated(from_pixels(y)[0], y.detach(), error, model.dtype == torch.float64, strength)
        if result.cycle_error <= CYCLE_BOUND:
            break
    return result


def _there(way: Translation, x: Tensor, strength: float) -> Generator[None, None, Tensor]:
    if isinstance(way, FlowTranslation):
        return (yield from _without_gradients(way.there_steps(x, strength)))
    with torch.no_grad():
        return way.there(x, strength)


def _back(way: Translation, y: Tensor, strength: float) -> Generator[None, None, Tensor]:
    if isinstance(way, FlowTranslation):
        return (yield from _without_gradients(way.back_steps(y, strength)))
    with torch.no_grad():
        return way.back(y, strength)


def _without_gradients(steps: Generator[None, None, Tensor]) -> Generator[None, None, Tensor]:
    """Each of the steps without gradients, and the setting as it was wherever other work can go."""
    while True:
        try:
            with torch.no_grad():
                next(steps)
        except StopIteration as stop:
            return stop.value
        yield
