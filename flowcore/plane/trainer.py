"""Train a flow on a density of the plane, step by step, so that one can watch it learn."""
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..devices import on_host
from ..errors import ConfigError, NonFiniteError
from ..fast.points.flat import FlatAdam, FlatParameters
from ..fast.points.flow import PointsFlow
from ..model.networks import MLP
from ..model.passes import SteppedPasses
from ..model.systems import build
from .config import FLOWS, LIVE, ToyConfig
from .continuous import ContinuousFlow
from .matching import Matching, passes, piece
from .schedule import WARM_UP, Schedule, snapshot_schedule
from .snapshot import pack, unpack
from .stack import keep_layers
from .targets import targets as toy_targets

__all__ = ["FLOWS", "HELD_OUT", "Loss", "ToyConfig", "ToyTrainer", "run"]

HELD_OUT = 10_000
"""How many held-out points the final loss is measured on."""

CLIP_NORM = 20.0
FIRST_LAYER_GAIN = 4.0
_PIECE = 2048
_TRUTH_PIECE = 512
"""A long thin spiral is a mixture of thousands: so many points of it are a few milliseconds."""
_BLOCK = 16
"""Steps whose batches are drawn together: drawing is a few dozen small calls, however many points they give."""
_BETAS = (0.9, 0.99)
_HELD_OUT_KEY, _TRAIN_KEY = 1, 2


@dataclass(frozen=True)
class Loss:
    """A held-out loss in nats: ``nll`` ± ``standard_error`` over ``count`` points."""

    nll: float
    standard_error: float
    count: int


class ToyTrainer:
    """A flow of points and the state of its training.

    Adam with a linear warm-up, gradients clipped, and an exponential moving average of the weights, ``average``,
    which is what is shown and measured: it has the calm of a decayed learning rate without needing to know when the
    run ends. The batch of a step is decided by (seed, step, batch size) alone, so a run continues exactly from a
    snapshot and does not depend on what is looked at between two steps.

    All parameters lie in one vector. On the CPU steps and passes are hand-derived (:mod:`flowcore.fast.points.flow`), unless
    ``fast`` is False: then they are autograd's, as they are on other devices, and the same to rounding.

    The layers that an edited list has in common with that of the run ``kept`` begin with its averaged weights. Frozen
    layers keep theirs to the last bit. A continuous flow is trained by flow matching (:mod:`flowcore.plane.matching`), so what
    :meth:`step` returns is then that loss; ``shown`` follows it in fewer steps than ``measured``, and that in fewer than
    ``exact``, which the held-out loss of all points is measured with.

    Raises:
        ConfigError: through :class:`ToyConfig`.
    """

    def __init__(
        self, config: ToyConfig, device: str | torch.device = "cpu", fast: bool = True, kept: ToyTrainer | None = None
    ) -> None:
        self.config = config
        self.density = toy_targets.make(config.target, config.density)
        self.device = torch.device(device)
        self.step_count = 0
        self.schedule = Schedule.begin(*config.live.values(), inherited=kept is not None)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.flow = build(config.architecture)
        _sharpen(self.flow)
        self._take_up(kept)
        self.flow.to(self.device).train()
        self.flow.initialise(self.draw(4096, _TRAIN_KEY, 0))
        self._take_up(kept)  # once more: a scaling that was kept has just been set from the data
        self.average = copy.deepcopy(self.flow).eval().requires_grad_(False)
        self._flat, self._flat_average = FlatParameters(self.flow), FlatParameters(self.average)
        self._adam = FlatAdam(self._flat, _BETAS)
        self.fast = fast and self.device.type == "cpu"
        self._matching = Matching(self.flow, self._flat, self.fast) if isinstance(self.flow, ContinuousFlow) else None
        self._learner = PointsFlow(self.flow, self._flat) if self.fast and self._matching is None else None
        self.shown: SteppedPasses
        self.measured: SteppedPasses
        self.exact: SteppedPasses
        if isinstance(self.average, ContinuousFlow):
            self.shown, self.measured, self.exact = passes(self.average, self._flat_average, self.fast)
        else:
            self.shown = self.measured = self.exact = PointsFlow(self.average, self._flat_average) if self.fast else self.average
        self._frozen = [self._flat.gradient_of(p) for p in self._flat.parameters if not p.requires_grad]
        self._block: tuple[tuple[int, int, int], Tensor] | None = None
        self._held_out: tuple[Tensor, Tensor] | None = None

    def _take_up(self, kept: ToyTrainer | None) -> None:
        if kept is not None and self.config.specs and kept.config.specs:
            keep_layers(self.flow, self.config.specs, kept.average, kept.config.specs)

    # -- training -----------------------------------------------------------------------------------------------

    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.config.learning_rate * min(1.0, (self.step_count + 1) / WARM_UP)
        if self.config.horizon is not None:
            done = min(1.0, self.step_count / self.config.horizon)
            rate *= 0.5 * (1.0 + math.cos(math.pi * done))
        return rate

    def adjust(self, **live: Any) -> None:
        """Change live settings (see ``flowcore.plane.config.LIVE``) from the next step on; everything else stays."""
        if not live.keys() <= set(LIVE):
            raise ConfigError(f"While a run goes on, {', '.join(LIVE)} may change; {', '.join(live.keys() - set(LIVE))} may not.")
        self.config = replace(self.config, **live)
        self.schedule = self.schedule.changed(self.step_count, *self.config.live.values())

    def step(self, count: int = 1) -> float:
        """Take ``count`` steps; returns the last one's loss on its own batch, in nats.

        Raises:
            NonFiniteError: if a loss is not a finite number; the weights are then those of the last good step.
        """
        loss = math.nan
        with torch.enable_grad():
            for _ in range(count):
                loss = self._step()
        return loss

    def _step(self) -> float:
        value = self._gradients(self._batch())
        # A gradient that is not finite changes nothing, so the weights are still those of the last good step.
        if not math.isfinite(value) or not math.isfinite(self._adam.step(self.learning_rate(), CLIP_NORM)):
            raise NonFiniteError(
                f"The loss of step {self.step_count + 1:,} is not a finite number: a smaller learning rate helps.", "loss"
            )
        self.step_count += 1
        decay = min(self.config.averaging, self.step_count / (10.0 + self.step_count))
        with torch.no_grad():
            self._flat_average.values.lerp_(self._flat.values, 1.0 - decay)
        return value

    def _gradients(self, x: Tensor) -> float:
        """The mean loss on x (N, 2); its gradient, 0 where a layer is frozen, is left in the flat vector."""
        if self._matching is not None:
            return self._matching.loss_and_gradients(x, self.config.seed, self.step_count)
        if self._learner is not None:
            loss = self._learner.loss_and_gradients(x)
            for gradient in self._frozen:
                gradient.zero_()
            return loss
        self._flat.clear_gradient()
        loss = -self.flow.log_prob(x).mean()
        if loss.requires_grad:
            loss.backward()
        return loss.item()

    def last_gradients(self) -> dict[str, Tensor] | None:
        """The gradient that the last step used (after clipping), by parameter name; None where there has been no step yet."""
        if float(self._flat.gradient.abs().max()) == 0.0:  # a hundred times as fast as any() is on floats
            return None
        return dict(zip(self._flat.names, self._flat.split(self._flat.gradient), strict=True))

    def _batch(self) -> Tensor:
        """The points of the next step, (batch, 2): the transpose of contiguous columns."""
        block, place = divmod(self.step_count, _BLOCK)
        count = self.config.batch
        key = (self.config.seed, block, count)
        if self._block is None or self._block[0] != key:
            points = self.draw(_BLOCK * count, _TRAIN_KEY, block + 1, count)
            self._block = key, points.view(_BLOCK, count, 2).transpose(1, 2).contiguous()
        return self._block[1][place].t()

    def draw(self, count: int, *key: int) -> Tensor:
        """``count`` points of the density, (count, 2) float32, decided by the run's seed and ``key`` alone."""
        rng = np.random.default_rng([self.config.seed, *key])
        return torch.from_numpy(self.density.sample(count, rng).astype(np.float32)).to(self.device)

    # -- measuring ----------------------------------------------------------------------------------------------

    def held_out(self, count: int = HELD_OUT) -> Loss:
        """The loss −E[log q] of the averaged weights on held-out points, in nats.

        Estimated as entropy + mean(log p − log q): the exact entropy takes the place of the points' own mean of −log p,
        so chance in the points largely cancels and the standard error falls to that of the difference to the best
        possible loss. The points are the same for every run of a density and never trained on.
        """
        steps = self.held_out_steps(count)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value

    def held_out_steps(self, count: int = HELD_OUT) -> Generator[None, None, Loss]:
        """:meth:`held_out` a piece at a time: yields after each, returns the loss of the weights as they were."""
        if self._held_out is None:
            rng = np.random.default_rng([2**40, _HELD_OUT_KEY])
            points = self.density.held_out(HELD_OUT, rng)
            # Of points that came from a file nobody knows the density: their loss is then simply the mean of -log q.
            truth = np.zeros(len(points))
            for start in range(0, len(points) if self.density.known else 0, _TRUTH_PIECE):
                truth[start : start + _TRUTH_PIECE] = self.density.log_prob(points[start : start + _TRUTH_PIECE])
                yield
            self._held_out = torch.from_numpy(points.astype(np.float32)).to(self.device), torch.from_numpy(truth)
        points, truth = (part[:count] for part in self._held_out)
        measured = self.measured if count < HELD_OUT else self.exact
        pieces = []
        for part in points.split(_PIECE if self._matching is None else piece(self.config.width)):
            with torch.no_grad():
                pieces.append(on_host(measured.log_prob(part)))
            yield
        excess = truth - torch.cat(pieces)
        error = float(excess.std()) / math.sqrt(len(excess))
        return Loss((self.density.entropy or 0.0) + float(excess.mean()), error, len(excess))

    # -- keeping ------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole run as safetensors bytes: weights, their average, the optimiser, the step and the configuration."""
        groups = {"raw": self.flow.state_dict(), "average": self.average.state_dict()}
        for name in ("exp_avg", "exp_avg_sq"):
            moments = self._flat.split(getattr(self._adam, name)) if self._adam.count else []
            groups[name] = {str(i): moment for i, moment in enumerate(moments)}
        return pack(self.config, self.step_count, groups, self.schedule)

    def restore(self, data: bytes) -> None:
        """Take up a run that :meth:`snapshot` gave; it continues exactly as the first would have.

        Raises:
            CheckpointError: if the bytes are no snapshot, or one of a flow of another shape. Nothing is changed then.
        """
        config, step, groups = unpack(data, self.flow, len(self._flat.parameters))
        self.config, self.step_count, self.schedule = config, step, snapshot_schedule(data)
        self.density = toy_targets.make(config.target, config.density)
        self._held_out = self._block = None
        self.flow.load_state_dict(groups["raw"])
        self.average.load_state_dict(groups["average"])
        self._adam.count = step if groups["exp_avg"] else 0
        for name in ("exp_avg", "exp_avg_sq"):
            moments = getattr(self._adam, name).zero_()
            for i, moment in enumerate(self._flat.split(moments)):
                if str(i) in groups[name]:
                    moment.copy_(groups[name][str(i)])

    @classmethod
    def from_snapshot(cls, data: bytes, device: str | torch.device = "cpu") -> ToyTrainer:
        """A trainer made from a snapshot alone.

        Raises:
            CheckpointError: if the bytes are no snapshot.
        """
        trainer = cls(unpack(data)[0], device)
        trainer.restore(data)
        return trainer

    def card(self, seconds: float | None = None) -> dict:
        """The card of this run's model, for :func:`flowcore.model.checkpoint.save`."""
        loss = self.held_out()
        return {
            "name": f"{self.density.name}-{self.config.flow}",
            "title": f"{self.density.title} (toy)",
            "system": self.config.flow if self.config.layers is None else "stack",
            "data": {"name": self.density.title, "credit": "", **toy_targets.origin(self.config.target)},
            "nll": loss.nll, "nll_standard_error": loss.standard_error, "nll_count": loss.count,
            "entropy": self.density.entropy, "steps": self.step_count, "training_seconds": seconds,
            "parameters": sum(parameter.numel() for parameter in self._flat.parameters),
            **self._solver(),
            "toy": self.config.to_dict(), "default_temperature": 1.0, "default_seed": self.config.seed,
        }  # fmt: skip


    def _solver(self) -> dict:
        """What a continuous flow's card tells of its integration."""
        if self._matching is None or not isinstance(self.average, ContinuousFlow):
            return {}
        return {"solver": self._matching.solver(self.average, self.draw(512, _HELD_OUT_KEY))}


@torch.no_grad()
def _sharpen(flow: nn.Module) -> None:
    """Let the coupling networks start with bends all over the square, and sharp ones.

    The usual first layer, made for inputs of width 1, bends slowly and near 0 only: eight Gaussians were then told apart
    half as well after as many steps.
    """
    for module in flow.modules():
        if isinstance(module, MLP):
            for parameter in module.hidden[0].parameters():
                parameter.mul_(FIRST_LAYER_GAIN)


def run(
    density: str,
    flow: str | None = None,
    steps: int = 2000,
    seed: int = 0,
    *,
    target: dict | None = None,
    device: str | torch.device = "cpu",
    out: str | Path | None = None,
    on_progress: Callable[[int, int, float], object] | None = None,
    on_step: Callable[[ToyTrainer, float], object] | None = None,
    **settings: Any,
) -> dict:
    """Train for ``steps``, the learning rate falling along a cosine, and measure.

    ``settings`` are further fields of :class:`ToyConfig`; None is the default.
    ``on_progress(step, steps, loss)`` is called about four times a second; ``out`` names a PNG to draw the result to;
    ``on_step(trainer, seconds)`` is called before the first step and after every one, and its own time does not count.
    Returns ``nll`` and its ``standard_error`` over ``count`` held-out points, the density's ``entropy`` (all in nats)
    and the ``seconds`` that training took.

    Raises:
        ConfigError: for a setting out of range.
        NonFiniteError: if training breaks down.
        PictureError: if ``out`` cannot be written.
    """
    chosen = {name: value for name, value in {"flow": flow, **settings}.items() if value is not None}
    trainer = ToyTrainer(ToyConfig(density=density, seed=seed, horizon=steps, target=target, **chosen), device)
    told = time.perf_counter()
    seconds = 0.0
    if on_step is not None:
        on_step(trainer, seconds)
    for done in range(1, steps + 1):
        started = time.perf_counter()
        loss = trainer.step()
        now = time.perf_counter()
        seconds += now - started
        if on_step is not None:
            on_step(trainer, seconds)
        if on_progress is not None and (now - told > 0.25 or done == steps):
            told = now
            on_progress(done, steps, loss)
    result = trainer.held_out()
    if out is not None:
        from ..pictures.image_writing import save_png
        from .picture import draw

        save_png(out, draw(trainer))
    return {
        "density": trainer.density.name, "flow": trainer.config.flow, "steps": steps, "seed": seed, "nll": result.nll,
        "standard_error": result.standard_error, "entropy": trainer.density.entropy, "count": result.count,
        "seconds": seconds,
    }  # fmt: skip
