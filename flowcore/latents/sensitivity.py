"""What moves when something moves: ∂z/∂x and ∂x/∂z along chosen directions, exactly, without ever forming a Jacobian.

A direction is carried through the layers beside the values it belongs to (forward-mode differentiation, the chain rule one layer
at a time), which costs a few passes of the flow however many numbers z has. The direction of a pixel is each of its colour
channels in turn, that of a place in z each of its numbers; what is shown of them is the root of the sum of squares, so that
neither a colour nor a sign has to be chosen.
"""
from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
import torch.autograd.forward_ad as forward
from torch import Tensor

from ..bijections import Bijection, Split, VariationalDequantisation
from ..devices import on_host
from ..errors import ConfigError, NonFiniteError
from ..model.codec import double_of, to_pixels
from ..model.flow import Flow, Level
from ..work import finish

__all__ = ["Moved", "Reached", "decode_along", "encode_along", "level_map", "map_shape", "moved_by", "moved_by_job", "reached_by",
           "reached_by_job", "region"]  # fmt: skip

AT_ONCE = {"cpu": 2, "cuda": 32, "mps": 8}
"""Directions carried together: so few on a processor that a layer of theirs lets other work in soon."""


@dataclass(frozen=True)
class Moved:
    """How much each place of each level's z moves as a region of the picture does."""

    maps: tuple[np.ndarray, ...]
    """One a level, the finest first, float32 (h, w): √Σ (∂z/∂x)² over the place's numbers and the picture's channels, in standard
    deviations of z a grey level."""
    shares: tuple[float, ...]
    """Each level's part of the sum of squares over all levels; they add up to 1."""


@dataclass(frozen=True)
class Reached:
    """How much each pixel moves as one place of a level's z does."""

    map: np.ndarray
    """float32 (H, W): √Σ (∂x/∂z)² over the pixel's channels and the place's numbers, in grey levels a standard deviation."""
    fraction: float
    """How many of the place's numbers are in it, 0 to 1. Before it is 1 the map is an unbiased estimate (of its square)."""


# -- directions through the layers --------------------------------------------------------------------------------------


def _along(act: Callable[[Tensor], Tensor | tuple[Tensor, ...]], h: Tensor, direction: Tensor) -> tuple:
    """``act(h)`` and its derivative along ``direction``; for an act with several results a tuple of each."""
    # Opened and closed within one layer: between layers other work may want derivatives of its own.
    with torch.no_grad(), forward.dual_level():
        made = act(forward.make_dual(h, direction))
        parts = [forward.unpack_dual(part) for part in (made if isinstance(made, tuple) else (made,))]
    values = tuple(part.primal for part in parts)
    moved = tuple(part.primal.new_zeros(part.primal.shape) if part.tangent is None else part.tangent for part in parts)
    return (values, moved) if isinstance(made, tuple) else (values[0], moved[0])


def _encode_layer_along(layer: Bijection, h: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    if isinstance(layer, VariationalDequantisation):
        # It encodes by a search, value by value: the derivative is one over that of its inverse, which is closed.
        with torch.no_grad():
            z, _ = layer.encode(h)
        _, slope = _along(layer.decode, z, torch.ones_like(z))
        return z, direction / slope
    return _along(lambda value: layer.encode(value)[0], h, direction)


def encode_along(
    flow: Flow, x: Tensor, direction: Tensor, label: Tensor | None = None
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """x and a direction at it, (N, *event_shape) each -> z and ∂z/∂x · direction, (N, D) each; yields after every layer.

    Where x is in a grey level matters, which one it is does not count as a movement: a layer that looks at the byte alone is
    constant within it, as finite differences inside a bin say as well.
    """
    flow.check_event(x)
    h, moving = x, direction
    parts: list[tuple[Tensor, Tensor]] = []
    for _, layer in flow.named_layers():
        if isinstance(layer, Split):
            (h, eps), (moving, moved) = _along(lambda value, layer=layer: layer.factor_out(value)[:2], h, moving)
            parts.append((eps.flatten(1), moved.flatten(1)))
        else:
            h, moving = _encode_layer_along(layer, h, moving)
        yield
    z, moved = _along(lambda value: flow.prior.whiten(value, label)[0], h, moving)
    parts.append((z.flatten(1), moved.flatten(1)))
    return torch.cat([z for z, _ in parts], 1), torch.cat([moved for _, moved in parts], 1)


def decode_along(
    flow: Flow, z: Tensor, direction: Tensor, label: Tensor | None = None
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """z and a direction at it, (N, D) each -> x and ∂x/∂z · direction, (N, *event_shape) each; yields after every layer.

    Raises:
        ConfigError: if z is not of this flow's size.
    """
    if z.dim() != 2 or z.shape[1] != flow.num_dims:
        raise ConfigError(f"This model's z has {flow.num_dims} numbers a picture, not {tuple(z.shape)[1:]}.")
    parts = list(zip(flow.parts(z), flow.parts(direction), strict=True))
    h, moving = _along(lambda value: flow.prior.unwhiten(value, label), *parts.pop())
    yield
    for _, layer in reversed(list(flow.named_layers())):
        if isinstance(layer, Split):
            h, moving = (torch.cat([kept, eps], 1) for kept, eps in zip((h, moving), parts.pop(), strict=True))
        h, moving = _along(layer.decode, h, moving)
        yield
    return h, moving


# -- places ---------------------------------------------------------------------------------------------------------------


def map_shape(flow: Flow, level: Level) -> tuple[int, int, int]:
    """(C, h, w): how a level's numbers lie over the picture. A flat z of all pixels (NICE) lies as the pixels do.

    Raises:
        ConfigError: for a flow of points.
    """
    if len(level.shape) == 3:
        return level.shape  # type: ignore[return-value]
    if len(flow.event_shape) == 3 and level.stop - level.start == flow.num_dims:
        return flow.event_shape  # type: ignore[return-value]
    raise ConfigError("The z of a model of points has no places in a picture.")


def level_map(flow: Flow, level: Level, squares: np.ndarray) -> np.ndarray:
    """Squares (D,) of z's numbers -> float32 (h, w): the root of their sum at each of the level's places."""
    own = squares[level.start : level.stop].reshape(map_shape(flow, level))
    return np.sqrt(own.sum(0)).astype(np.float32)


def region(height: int, width: int, row: int, column: int, radius: float) -> np.ndarray:
    """bool (height, width): the pixels whose centre is at most ``radius`` from that of pixel (row, column), itself always.

    Raises:
        ConfigError: for a pixel outside of the picture.
    """
    if not (0 <= row < height and 0 <= column < width):
        raise ConfigError(f"There is no pixel in row {row}, column {column} of a picture of {width}×{height}.")
    rows, columns = np.ogrid[:height, :width]
    return (rows - row) ** 2 + (columns - column) ** 2 <= max(radius, 0.0) ** 2 + 1e-9


# -- the two questions ------------------------------------------------------------------------------------------------------


def moved_by_job(
    flow: Flow, picture: np.ndarray, where: np.ndarray, label: Tensor | None = None
) -> Generator[None, None, Moved]:
    """Which z move as a region of a picture does: uint8 (H, W, C) and bool (H, W) -> :class:`Moved`.

    All pixels of the region change together, each channel by itself. Yields after every layer.

    Raises:
        ConfigError: if the picture is not of the flow's size, or the region is empty.
        NonFiniteError: if a derivative is not finite.
    """
    where = np.asarray(where, bool)
    to_pixels(np.asarray(picture)[None], flow)  # a picture of another size is the plainer word
    if where.shape != tuple(flow.event_shape[1:]) or not where.any():
        raise ConfigError("The region whose movement is asked for holds no pixel of the picture.")
    for model in (flow, double_of(flow)):
        channels = model.event_shape[0]
        x = to_pixels(np.asarray(picture)[None], model)
        squares = torch.zeros(model.num_dims, dtype=torch.float64)
        spot = torch.from_numpy(where.astype(np.float32)).to(x)
        for start, stop in _chunks(model, channels):
            direction = x.new_zeros(stop - start, *model.event_shape)
            direction[range(stop - start), range(start, stop)] = spot
            several = x.expand(stop - start, *x.shape[1:]).contiguous()
            _, moved = yield from encode_along(model, several, direction, _repeat(label, stop - start, model))
            squares += on_host(moved).square().sum(0)
        if torch.isfinite(squares).all():
            values = squares.numpy()
            energy = np.array([values[level.start : level.stop].sum() for level in model.levels])
            shares = energy / energy.sum() if energy.sum() > 0 else np.full(len(energy), 1 / len(energy))
            return Moved(tuple(level_map(model, level, values) for level in model.levels), tuple(shares.tolist()))
    raise NonFiniteError("How z moves with this pixel is not a finite number under this model.")


def reached_by_job(
    flow: Flow, z: np.ndarray, level: int, row: int, column: int, channel: int | None = None, label: Tensor | None = None
) -> Generator[Reached | None, None, Reached]:
    """Which pixels one place of a level's z moves, or with ``channel`` one of its numbers: z (D,) -> :class:`Reached`.

    Yields after every layer: None, or what is known so far. A place's numbers are taken through a random rotation, so that
    those asked first speak for all of them; once all have been asked the map is exact, whatever the rotation.

    Raises:
        ConfigError: if there is no such place, or no such number.
        NonFiniteError: if a derivative is not finite.
    """
    model = double_of(flow) if z.dtype == np.float64 else flow
    if not 0 <= level < len(model.levels):
        raise ConfigError(f"This model has {len(model.levels)} levels, so there is no level {level + 1}.")
    own = model.levels[level]
    channels, height, width = map_shape(model, own)
    if not (0 <= row < height and 0 <= column < width) or (channel is not None and not 0 <= channel < channels):
        has = f"The {own.name} has {height}×{width} places of {channels} numbers"
        raise ConfigError(f"{has}; the one asked for is not among them.")
    numbers = own.start + (np.arange(channels) * height + row) * width + column
    if channel is not None:
        numbers = numbers[channel : channel + 1]
    directions = torch.zeros(len(numbers), model.num_dims, dtype=torch.float64)
    directions[:, torch.from_numpy(numbers)] = _rotation(len(numbers))
    at = torch.from_numpy(np.array(z)).to(model.device, model.dtype)[None]
    squares = torch.zeros(model.event_shape[1:], dtype=torch.float64)
    for start, stop in _chunks(model, len(numbers)):
        direction = directions[start:stop].to(at)
        several = at.expand(stop - start, -1).contiguous()
        _, moved = yield from decode_along(model, several, direction, _repeat(label, stop - start, model))
        squares += on_host(moved).square().sum((0, 1))
        if not torch.isfinite(squares).all():
            raise NonFiniteError("How the picture moves with this z is not a finite number under this model.")
        fraction = stop / len(numbers)
        known = Reached((squares / fraction).sqrt().numpy().astype(np.float32), fraction)
        if fraction < 1:
            yield known
    return known


def moved_by(flow: Flow, picture: np.ndarray, where: np.ndarray, label: Tensor | None = None) -> Moved:
    """:func:`moved_by_job` in one go."""
    return finish(moved_by_job(flow, picture, where, label))


def reached_by(
    flow: Flow, z: np.ndarray, level: int, row: int, column: int, channel: int | None = None, label: Tensor | None = None
) -> Reached:
    """:func:`reached_by_job` in one go."""
    return finish(reached_by_job(flow, z, level, row, column, channel, label))


def _chunks(flow: Flow, count: int) -> list[tuple[int, int]]:
    size = AT_ONCE.get(flow.device.type, 2)
    return [(start, min(start + size, count)) for start in range(0, count, size)]


def _repeat(label: Tensor | None, count: int, model: Flow) -> Tensor | None:
    return None if label is None else label.to(model.device).expand(count, *label.shape[1:])


def _rotation(count: int) -> Tensor:
    """An orthogonal matrix (count, count), the same each time."""
    generator = torch.Generator().manual_seed(0)
    return torch.linalg.qr(torch.randn(count, count, dtype=torch.float64, generator=generator))[0].T
