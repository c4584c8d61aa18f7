"""Train a flow on a density of the plane, step by step, so that one can watch it learn."""
from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import densities
from .errors import NonFiniteError
from .models import build
from .networks import MLP
from .toy_config import FLOWS, ToyConfig
from .toy_snapshot import pack, unpack

__all__ = ["FLOWS", "HELD_OUT", "Loss", "ToyConfig", "ToyTrainer", "run"]

HELD_OUT = 10_000
"""How many held-out points the final loss is measured on."""

WARM_UP = 50
AVERAGE_DECAY = 0.99
CLIP_NORM = 20.0
FIRST_LAYER_GAIN = 4.0
_PIECE = 2048
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
    run ends. The batch of a step is drawn by (seed, step) alone, so a run continues exactly from a snapshot and does
    not depend on what is looked at between two steps.

    Raises:
        ConfigError: through :class:`ToyConfig`.
    """

    def __init__(self, config: ToyConfig, device: str | torch.device = "cpu") -> None:
        self.config = config
        self.density = densities.get(config.density)
        self.device = torch.device(device)
        self.step_count = 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.flow = build(config.architecture)
        _sharpen(self.flow)
        self.flow.to(self.device).train()
        self.flow.initialise(self.draw(4096, _TRAIN_KEY, 0))
        self.average = copy.deepcopy(self.flow).eval().requires_grad_(False)
        self._parameters = list(self.flow.parameters())
        self._averages = list(self.average.parameters())
        self._optimizer = torch.optim.Adam(self._parameters, lr=config.learning_rate, betas=_BETAS, fused=True)
        self._held_out: tuple[Tensor, Tensor] | None = None

    # -- training -----------------------------------------------------------------------------------------------

    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.config.learning_rate * min(1.0, (self.step_count + 1) / WARM_UP)
        if self.config.horizon is not None:
            done = min(1.0, self.step_count / self.config.horizon)
            rate *= 0.5 * (1.0 + math.cos(math.pi * done))
        return rate

    def adjust(self, learning_rate: float | None = None, batch: int | None = None) -> None:
        """Change the learning rate or the batch from the next step on; everything else stays."""
        changes = {"learning_rate": learning_rate, "batch": batch}
        self.config = replace(self.config, **{k: v for k, v in changes.items() if v is not None})

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
        x = self.draw(self.config.batch, _TRAIN_KEY, self.step_count + 1)
        loss = -self.flow.log_prob(x).mean()
        value = loss.item()
        if not math.isfinite(value):
            raise NonFiniteError(
                f"The loss of step {self.step_count + 1:,} is not a finite number: a smaller learning rate helps.", "loss"
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, CLIP_NORM)
        self._optimizer.param_groups[0]["lr"] = self.learning_rate()
        self._optimizer.step()
        self.step_count += 1
        decay = min(AVERAGE_DECAY, self.step_count / (10.0 + self.step_count))
        with torch.no_grad():
            torch._foreach_lerp_(self._averages, self._parameters, 1.0 - decay)
        return value

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
            points = self.density.sample(HELD_OUT, rng)
            truth = np.empty(HELD_OUT)
            for start in range(0, HELD_OUT, _PIECE):
                truth[start : start + _PIECE] = self.density.log_prob(points[start : start + _PIECE])
                yield
            self._held_out = torch.from_numpy(points.astype(np.float32)).to(self.device), torch.from_numpy(truth)
        points, truth = (part[:count] for part in self._held_out)
        pieces = []
        for part in points.split(_PIECE):
            with torch.no_grad():
                pieces.append(self.average.log_prob(part).double().cpu())
            yield
        excess = truth - torch.cat(pieces)
        error = float(excess.std()) / math.sqrt(len(excess))
        return Loss(self.density.entropy + float(excess.mean()), error, len(excess))

    # -- keeping ------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole run as safetensors bytes: weights, their average, the optimiser, the step and the configuration."""
        groups = {"raw": self.flow.state_dict(), "average": self.average.state_dict()}
        states = [self._optimizer.state.get(parameter, {}) for parameter in self._parameters]
        for name in ("exp_avg", "exp_avg_sq"):
            groups[name] = {str(i): state[name] for i, state in enumerate(states) if name in state}
        return pack(self.config, self.step_count, groups)

    def restore(self, data: bytes) -> None:
        """Take up a run that :meth:`snapshot` gave; it continues exactly as the first would have.

        Raises:
            CheckpointError: if the bytes are no snapshot, or one of a flow of another shape. Nothing is changed then.
        """
        config, step, groups = unpack(data, self.flow, len(self._parameters))
        self.config, self.step_count = config, step
        self.density = densities.get(config.density)
        self._held_out = None
        self.flow.load_state_dict(groups["raw"])
        self.average.load_state_dict(groups["average"])
        self._optimizer.state.clear()
        for i, parameter in enumerate(self._parameters):
            if str(i) in groups["exp_avg"]:
                self._optimizer.state[parameter] = {
                    "step": torch.tensor(float(step), device=self.device),
                    "exp_avg": groups["exp_avg"][str(i)].to(self.device).clone(),
                    "exp_avg_sq": groups["exp_avg_sq"][str(i)].to(self.device).clone(),
                }

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
        """The card of this run's model, for :func:`flowcore.checkpoint.save`."""
        loss = self.held_out()
        return {
            "name": f"{self.config.density}-{self.config.flow}",
            "title": f"{self.density.title} (toy)",
            "system": self.config.flow,
            "data": {
                "name": self.density.title, "licence": "CC0-1.0", "credit": "",
                "note": "Points drawn from a density of the plane.",
            },
            "nll": loss.nll, "nll_standard_error": loss.standard_error, "nll_count": loss.count,
            "entropy": self.density.entropy, "steps": self.step_count, "training_seconds": seconds,
            "parameters": sum(parameter.numel() for parameter in self._parameters),
            "toy": self.config.to_dict(), "default_temperature": 1.0, "default_seed": self.config.seed,
        }  # fmt: skip


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
    flow: str = "realnvp",
    steps: int = 2000,
    seed: int = 0,
    *,
    depth: int | None = None,
    width: int | None = None,
    learning_rate: float | None = None,
    batch: int | None = None,
    device: str | torch.device = "cpu",
    out: str | Path | None = None,
    on_progress: Callable[[int, int, float], object] | None = None,
) -> dict:
    """Train for ``steps``, the learning rate falling along a cosine, and measure.

    ``on_progress(step, steps, loss)`` is called about four times a second; ``out`` names a PNG to draw the result to.
    Returns ``nll`` and its ``standard_error`` over ``count`` held-out points, the density's ``entropy`` (all in nats)
    and the ``seconds`` that training took.

    Raises:
        ConfigError: for a setting out of range.
        NonFiniteError: if training breaks down.
        PictureError: if ``out`` cannot be written.
    """
    chosen = {"depth": depth, "width": width, "learning_rate": learning_rate, "batch": batch}
    settings = {name: value for name, value in chosen.items() if value is not None}
    trainer = ToyTrainer(ToyConfig(density=density, flow=flow, seed=seed, horizon=steps, **settings), device)
    started = told = time.perf_counter()
    for done in range(1, steps + 1):
        loss = trainer.step()
        now = time.perf_counter()
        if on_progress is not None and (now - told > 0.25 or done == steps):
            told = now
            on_progress(done, steps, loss)
    seconds = time.perf_counter() - started
    result = trainer.held_out()
    if out is not None:
        from .image_writing import save_png
        from .toy_picture import draw

        save_png(out, draw(trainer))
    return {
        "density": density, "flow": flow, "steps": steps, "seed": seed, "nll": result.nll,
        "standard_error": result.standard_error, "entropy": trainer.density.entropy, "count": result.count,
        "seconds": seconds,
    }  # fmt: skip
