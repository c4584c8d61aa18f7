"""Layers and a prior, composed: z = f(x), x = f⁻¹(z), and the density that follows exactly."""
from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..bijections import Bijection, Split
from ..devices import full_float32
from ..errors import ConfigError, NonFiniteError, UntrainedError
from ..modules import Modules
from ..work import finish
from .priors import StandardPrior, standard_draw, standard_log_prob
from .temperature import by_level

__all__ = ["Flow", "Level", "Step"]


@dataclass(frozen=True)
class Level:
    """One level's place in the flat z: ``z[:, start:stop]`` reshapes to (N, *shape). Finest first."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True)
class Step:
    """The state after one layer: its name, the features that still flow (N, *), this layer's log-det (N,) on the way to z, and
    the eps of the levels that are out of the flow there, finest first."""

    name: str
    h: Tensor
    log_det: Tensor | None
    factored: tuple[Tensor, ...] = ()


class Flow(Bijection):
    """An invertible model of x with exact likelihood: log p(x) = log π(f(x)) + log |det ∂f/∂x|.

    ``x`` is (N, *event_shape). Pictures are in pixel units, [0, 256): an 8-bit value v stands at its bin centre v + 0.5, and
    a decoded x becomes a byte by rounding down. ``z`` is flat, (N, D): the whitened eps of every level, finest first, so
    that temperature, walks and directions mean the same for an encoded photo as for a sample.

    Args:
        layers: bijections in the order of encoding; a :class:`~flowcore.bijections.Split` factors half of the channels out.
        prior: of the features that remain.
        event_shape: of x, without the batch.
        architecture: what :func:`flowcore.model.systems.build` needs to make this flow again.
    """

    initialised_flag: Tensor

    def __init__(
        self,
        layers: Iterable[Bijection],
        prior: StandardPrior,
        event_shape: Sequence[int],
        architecture: dict | None = None,
        split_shapes: Sequence[tuple[int, ...]] = (),
    ) -> None:
        super().__init__()
        if not isinstance(prior, StandardPrior):
            raise ConfigError(
                f"A flow's prior is a flowcore StandardPrior or one derived from it, not {type(prior).__name__}: it whitens, and "
                "draws the same numbers on every device; for independent Gaussians take StandardPrior(shape)."
            )
        self.layers = Modules(layers)
        self.prior = prior
        self.event_shape = tuple(event_shape)
        self.architecture = dict(architecture or {})
        self.num_dims = math.prod(self.event_shape)
        self.num_classes = getattr(prior, "classes", 0)
        self.register_buffer("initialised_flag", torch.zeros((), dtype=torch.bool))
        self._before_learning: tuple[int, ...] | None = None
        self.levels = self._make_levels([*split_shapes, prior.shape])

    def _make_levels(self, shapes: Sequence[tuple[int, ...]]) -> list[Level]:
        levels, start = [], 0
        for number, shape in enumerate(shapes):
            stop = start + math.prod(shape)
            levels.append(Level(f"level {number + 1}", tuple(shape), start, stop))
            start = stop
        splits = sum(isinstance(layer, Split) for layer in self.layers)
        if start != self.num_dims or len(levels) != splits + 1:
            raise ConfigError(f"The levels hold {start} numbers where x has {self.num_dims}; a flow must keep them all.")
        return levels

    # -- the passes ---------------------------------------------------------------------------------------------

    def encode_steps(self, x: Tensor, label: Tensor | None = None) -> Generator[Step, None, tuple[Tensor, Tensor]]:
        """Encode one layer at a time: yields a :class:`Step` after each, returns ``(z, log_det)``."""
        self.check_event(x)
        if torch.is_grad_enabled():
            self.expect_learning()
        h, factored, log_det = x, [], x.new_zeros(x.shape[0])
        for name, layer in self.named_layers():
            h, term = layer.encode_through(h, factored)
            log_det = log_det + term
            yield Step(name, h, term, tuple(factored))
        z, term = self.prior.whiten(h, label)
        yield Step("prior", z, term, tuple(factored))
        return self.gather([*factored, z]), log_det + term

    def decode_steps(self, z: Tensor, label: Tensor | None = None) -> Generator[Step, None, Tensor]:
        """Decode one layer at a time: yields a :class:`Step` after each (log_det None), returns x."""
        self.check_decodable(z)
        *factored, top = self.parts(z)
        h = self.prior.unwhiten(top, label)
        yield Step("prior", h, None, tuple(factored))
        for name, layer in reversed(list(self.named_layers())):
            h = layer.decode_through(h, factored)
            yield Step(name, h, None, tuple(factored))
        return h

    def parts(self, z: Tensor) -> list[Tensor]:
        """z (N, D) by levels, each (N, *its shape), finest first."""
        return [z[:, level.start : level.stop].reshape(-1, *level.shape) for level in self.levels]

    def gather(self, parts: Sequence[Tensor]) -> Tensor:
        """The inverse of :meth:`parts`."""
        flat = [part.flatten(1) for part in parts]
        return torch.cat(flat, 1) if len(flat) > 1 else flat[0]

    def encode(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (N, *event_shape) -> z (N, D), log_det (N,) in nats.

        Raises:
            NonFiniteError: naming the first layer whose result is not finite (not checked while training).
        """
        z, log_det = finish(self.encode_steps(x, label))
        if not self.training and not (torch.isfinite(log_det).all() and torch.isfinite(z).all()):
            self._blame(self.encode_steps(x, label), "encoding")
        return z, log_det

    def decode(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """z (N, D) -> x (N, *event_shape).

        Raises:
            UntrainedError: if the flow has seen no data yet.
            NonFiniteError: naming the first layer whose result is not finite (not checked while training).
        """
        x = finish(self.decode_steps(z, label))
        if not (self.training or torch.compiler.is_compiling()) and not torch.isfinite(x).all():
            self._blame(self.decode_steps(z, label), "decoding")
        return x

    def forward(self, x: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return self.encode(x, label)

    # -- densities ----------------------------------------------------------------------------------------------

    def base_log_prob(self, z: Tensor) -> Tensor:
        """log π(z) of whitened z (N, D) -> (N,), nats: the standard density of every level."""
        top = self.levels[-1]
        result = self.prior.log_prob(z[:, top.start :].reshape(-1, *top.shape))
        if top.start:
            result = result + standard_log_prob(z[:, : top.start], self.prior.kind).sum(1)
        return result

    def log_prob(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        """log p(x) (N,) in nats; of pictures, the density over pixel units."""
        z, log_det = self.encode(x, label)
        return self.base_log_prob(z) + log_det

    def bits_per_dim(self, log_prob: Tensor) -> Tensor:
        """−log p(x) / (D · ln 2): for pictures in pixel units this is the usual bits per dimension."""
        return -log_prob / (self.num_dims * math.log(2))

    # -- sampling -----------------------------------------------------------------------------------------------

    def base_sample(self, seed: int, index: int) -> np.ndarray:
        """The ``index``-th whitened z of a seed, (D,) float32: a function of the two alone, on any device."""
        return self._numbered(1, seed, index)[0]

    def _numbered(self, count: int, seed: int, first: int) -> np.ndarray:
        """Each row from a stream of its own, keyed by seed and number. One generator is set from key to key, since making one
        takes ten times as long as the draw."""
        source = np.random.Philox(key=[seed % 2**64, 0])
        rng, state = np.random.Generator(source), source.state
        key = [seed % 2**64, 0]
        state["buffer"] = state["buffer"].tolist()
        # Lists are taken too, and sooner, but numpy's stubs name arrays alone.
        state["state"] = {"counter": [0, 0, 0, 0], "key": key}  # pyright: ignore[reportGeneralTypeIssues]
        rows = np.empty((count, self.num_dims), np.float32)
        top = self.levels[-1].start
        for number in range(count):
            key[1] = (first + number) % 2**64
            if max(key) < 2**63:
                source.state = state
            else:  # such a key is what numpy takes it for
                rng = np.random.Generator(np.random.Philox(key=key))
            if top:
                rows[number, :top] = standard_draw(rng, top, self.prior.kind)
            rows[number, top:] = self.prior.draw(rng)
        return rows

    def sample(self, count: int, temperature: float | Iterable[float] = 1.0, seed: int = 0, first: int = 0) -> Tensor:
        """``count`` draws of z (count, D), numbers ``first`` and on of ``seed``; decode them for pictures.

        ``temperature`` is one number for all levels or one a level, the finest first; what a model's card proposes is
        :func:`flowcore.model.card.default_temperature`.
        """
        z = torch.from_numpy(self._numbered(count, seed, first)).to(self.device, self.dtype)
        return self.temper(z, temperature)

    def draw(self, count: int, rng: np.random.Generator, temperature: float | Iterable[float] = 1.0) -> Tensor:
        """``count`` draws of z (count, D) from a generator that goes on, all at once: for estimates over many.

        Other numbers than :meth:`sample`'s, and the same on every device.
        """
        top = self.levels[-1].start
        rows = self.prior.draw_many(rng, count)
        if top:
            fine = standard_draw(rng, count * top, self.prior.kind).reshape(count, top)
            rows = np.concatenate([fine, rows], 1)
        return self.temper(torch.from_numpy(rows).to(self.device, self.dtype), temperature)

    def temper(self, z: Tensor, temperature: float | Iterable[float]) -> Tensor:
        """The same z at another temperature; one number, or one a level (finest first).

        Raises:
            ConfigError: for another number of temperatures, or one that is not finite or below 0.
        """
        temperature = by_level(temperature, len(self.levels))
        *finer, top = self.parts(z)
        scaled = [part * t for part, t in zip(finer, temperature[:-1], strict=True)]
        return self.gather([*scaled, self.prior.temper(top, temperature[-1])])

    # -- the rest -----------------------------------------------------------------------------------------------

    @property
    def initialised(self) -> bool:
        """False until :meth:`initialise` has seen data, trained weights were loaded, or an optimiser has made a step."""
        self._note_learning()
        return bool(self.initialised_flag)

    def expect_learning(self) -> None:
        """Told at each pass that a gradient may come of: if the weights change after the first, it was by training."""
        if self._before_learning is None:
            self._before_learning = self._versions()

    def _note_learning(self) -> None:
        if self._before_learning not in (None, self._versions()):
            self.initialised_flag.fill_(True)

    def _versions(self) -> tuple[int, ...]:
        return tuple(parameter._version for parameter in self.parameters())

    def __getstate__(self) -> dict:
        """A copy counts its weights' changes anew; what has been learned so far stands in the flag."""
        self._note_learning()
        return {**self.__dict__, "_before_learning": None}

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        self._note_learning()
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._before_learning = None

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Data-dependent initialisation from a first batch (Glow, section 3.1); does nothing the second time, or once trained."""
        if self.initialised:
            return
        self.check_event(x)
        h = x
        for _, layer in self.named_layers():
            layer.initialise(h)
            h = layer.encode_through(h, [])[0]
        self.initialised_flag.fill_(True)

    def named_layers(self) -> Iterator[tuple[str, Bijection]]:
        """(name, layer) in the order of encoding, the name telling number and kind."""
        for number, layer in enumerate(self.layers):
            yield f"{number + 1} {type(layer).__name__}", layer

    def _apply(self, fn, recurse: bool = True):
        super()._apply(fn, recurse)
        if self.device.type == "cuda":
            full_float32()
        return self

    @property
    def device(self) -> torch.device:
        return self.initialised_flag.device

    @property
    def dtype(self) -> torch.dtype:
        for parameter in self.parameters():
            return parameter.dtype
        return torch.get_default_dtype()

    def check_event(self, x: Tensor) -> None:
        """Raise ConfigError if x is no batch of what this flow works on."""
        if tuple(x.shape) == self.event_shape:
            raise ConfigError(f"This model works on batches: give a single input as x[None], of shape {(1, *x.shape)}.")
        if tuple(x.shape[1:]) != self.event_shape:
            wanted, got = (" × ".join(map(str, shape)) for shape in (self.event_shape, x.shape[1:]))
            raise ConfigError(f"This model works on {wanted} values, not on {got}.")
        self._check_dtype(x)

    def check_decodable(self, z: Tensor) -> None:
        """Raise UntrainedError if there is nothing to decode with yet, ConfigError if z is no batch of this flow's."""
        if torch.compiler.is_compiling():  # a graph cannot ask
            return
        if not self.initialised:
            raise UntrainedError("This model has not been trained yet, so it has nothing to show; train it first.")
        if z.dim() != 2 or z.shape[1] != self.num_dims:
            raise ConfigError(f"This model's z has {self.num_dims} numbers a picture, not {tuple(z.shape)[1:]}.")
        self._check_dtype(z)

    def _check_dtype(self, values: Tensor) -> None:
        own = next((parameter.dtype for parameter in self.parameters()), values.dtype)
        if values.dtype != own:
            own, given = (str(dtype).removeprefix("torch.") for dtype in (own, values.dtype))
            raise ConfigError(f"This model computes in {own}, and was given {given}: convert it by .to(torch.{own}).")

    def _blame(self, steps: Generator[Step, None, object], act: str) -> None:
        for step in steps:
            if not torch.isfinite(step.h).all() or (step.log_det is not None and not torch.isfinite(step.log_det).all()):
                raise NonFiniteError(f"While {act}, layer '{step.name}' gave a value that is not finite.", step.name)
        raise NonFiniteError(f"While {act}, a sum over the layers was not finite.", "sum")
