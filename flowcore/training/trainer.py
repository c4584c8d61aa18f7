"""A flow in training: weights, moving average, optimiser and their place in the run.

Every random act is a function of (seed, step, row), so a resumed run continues exactly, with any number of processes.
"""
from __future__ import annotations

import copy
import json
import math
import os
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .. import plain_json
from ..bijections import dequantise
from ..data.rows import visited
from ..errors import CheckpointError, ConfigError, said
from ..fast import accelerate, sharing
from ..model.checkpoint import TRAINING_PREFIX, load, parameter_count, save
from ..model.networks import set_reduced_precision
from ..model.precision import resolve
from ..model.systems import build
from .beginning import carried_over
from .config import TrainConfig
from .noise import dequantisation_noise, flips, jitters
from .processes import Processes
from .run_folder import RunFolder

if TYPE_CHECKING:
    from ..data.picture_set import Pictures

__all__ = ["PATIENCE", "Trainer"]

PATIENCE = 100
"""Steps in a row without a finite gradient after which training has diverged."""

_ADAM = ("step", "exp_avg", "exp_avg_sq")


class _AdamW(torch.optim.AdamW):
    """What torch's own reads where it is fused, and does not declare."""

    grad_scale: Tensor
    found_inf: Tensor


class Trainer:
    """Flow, moving average, optimiser and their place in the run; :func:`flowcore.training.train` drives it.

    Of several ``processes`` each has a trainer of its own, with the same weights: it takes its rows of every batch. Its
    ``config`` is the one given, with the precision that it computes in where that was left to the device.
    """

    def __init__(
        self, config: TrainConfig, device: str | torch.device = "cpu", processes: Processes | None = None
    ) -> None:
        self.device = torch.device(device)
        if self.device.type == "cuda":  # a run that goes on must go on as it would have
            torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        self.processes = processes or Processes()
        if config.batch < self.processes.count:
            raise ConfigError(f"{config.batch} pictures a step are too few for {self.processes.count} processes.")
        # A step waits for the slowest process, so all must have bfloat16.
        reduced = self.processes.agree(int(resolve(config.precision, self.device) == "float32")) == 0
        self.config = config = replace(config, precision="bfloat16" if reduced else "float32")
        torch.manual_seed(config.seed)
        self.flow = build(config.architecture).to(self.device)
        set_reduced_precision(self.flow, reduced)
        self.fast = accelerate(self.flow)
        self.fast.memory = config.memory
        self.average = copy.deepcopy(self.flow).eval().requires_grad_(False)
        self.parameters = [p for p in self.flow.parameters() if p.requires_grad]
        self.fused = self.device.type in ("cpu", "cuda")
        self.optimiser = _AdamW(
            self.parameters,
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=config.weight_decay,
            fused=self.fused,
        )
        self.step = 0
        self.seconds = 0.0
        self.best = math.inf
        self.stopped = 0
        """What ``should_stop`` answered, in whichever process, to end the run before its last step; 0 where it did not."""
        self._initialised = False  # asking the flow would wait for the device
        # Counted on the device, so that a step need not wait for it: all, in a row, and the longest such row.
        self._skips = torch.zeros(3, dtype=torch.int64, device=self.device)
        self._order: dict[int, np.ndarray] = {}

    # -- a batch ------------------------------------------------------------------------------------------------

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to a hundredth at the horizon, which is the configuration's ``steps``."""
        config = self.config
        warm = min(1.0, (step + 1) / max(1, config.warm_up))
        done = min(1.0, step / config.steps)
        return config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def batch_indices(self, step: int, count: int) -> np.ndarray:
        """Which pictures step number ``step`` sees: each epoch is a permutation seeded by its number."""
        wanted = np.arange(step * self.config.batch, (step + 1) * self.config.batch)
        indices = np.empty(len(wanted), np.int64)
        for epoch in np.unique(wanted // count):
            here = wanted // count == epoch
            indices[here] = self._permutation(int(epoch), count)[wanted[here] % count]
        return indices

    def _permutation(self, epoch: int, count: int) -> np.ndarray:
        found = self._order.get(epoch)
        if found is None or len(found) != count:
            found = np.random.default_rng([self.config.seed, epoch]).permutation(count)
            self._order = {number: order for number, order in self._order.items() if number == epoch - 1}
            self._order[epoch] = found
        return found

    def moves(self, step: int, rows: slice) -> np.ndarray | None:
        """How those rows of a step's batch are cut anew, (rows, 4); None where pictures are taken as they are."""
        return jitters(self.config.seed, step, rows) if self.config.jitter else None

    def make_batch(
        self, pictures: Pictures, labels: np.ndarray | None, step: int, rows: slice | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Dequantised pixels (N, C, H, W) in [0, 256), moved and flipped at random where the configuration says so, and labels.

        They are this process's rows of the joined batch, or ``rows``.
        """
        rows = rows or self.processes.rows(self.config.batch)
        indices = self.batch_indices(step, len(pictures))[rows]
        block = self._moved(visited(pictures, indices, self.moves(step, rows))).permute(0, 3, 1, 2).float()
        noise = self._moved(dequantisation_noise(self.config.seed, step, rows, block.shape[1:]))
        if self.config.flip:
            turned = self._moved(flips(self.config.seed, step, rows))
            block = torch.where(turned[:, None, None, None], block.flip(3), block)
        x = dequantise(block, noise).contiguous(memory_format=torch.channels_last)
        label = None if labels is None or not self.flow.num_classes else self._moved(labels[indices].astype(np.int64))
        return x, label

    def _moved(self, array: np.ndarray) -> Tensor:
        """On the device. From pinned memory, a GPU is not waited for."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        pinned = self.device.type == "cuda"
        # Elsewhere a copy that is not waited for may read memory that is somebody else's by then.
        return (tensor.pin_memory() if pinned else tensor).to(self.device, non_blocking=pinned)

    def initialise(self, pictures: Pictures, labels: np.ndarray | None) -> None:
        """Data-dependent initialisation by the joined first batch, once: the writer's, then everybody's."""
        if self._initialised:
            return
        if self.processes.writer and not self.flow.initialised:
            x, _ = self.make_batch(pictures, labels, self.step, slice(0, self.config.batch))
            if torch.isfinite(x).all():  # else the next batch serves; of this one the step will be skipped
                self.flow.initialise(x)
                self.average.load_state_dict(self.flow.state_dict())
        self.share()
        self._initialised = self.flow.initialised

    # -- one step -----------------------------------------------------------------------------------------------

    def train_step(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """One update; returns the joined batch's bits per dimension and gradient norm, both still on the device."""
        bpd = self.gradients(x, label)
        norm = self._update()
        self.step += 1
        return bpd, norm

    def gradients(self, x: Tensor, label: Tensor | None) -> Tensor:
        """Set the parameters' gradients to those of the joined batch's mean bits per dimension, which is returned.

        ``x`` (N, C, H, W) and ``label`` (N,) are this process's rows.
        """
        self.flow.train()
        self.optimiser.zero_grad(set_to_none=True)
        joined = len(x) if self.processes.count == 1 else self.config.batch
        with sharing():
            bpd = self.flow.bits_per_dim(self.fast.log_prob(x, label)).sum() / joined
            bpd.backward()
        bpd = bpd.detach()
        if self.processes.count > 1:
            with_gradient = [(p, p.grad) for p in self.parameters if p.grad is not None]
            *sums, bpd = self.processes.add_up([*(gradient for _, gradient in with_gradient), bpd])
            for (parameter, _), total in zip(with_gradient, sums, strict=True):
                parameter.grad = total
        return bpd

    @torch.no_grad()
    def _update(self) -> Tensor:
        """Clip, step, average; where the gradient is not finite, none of them. Returns the norm before clipping.

        On a GPU nothing here waits for it: the optimiser's kernel itself divides by the clipping factor, in the pass that
        it makes anyway, and leaves everything as it is where told that the gradient is not finite.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.step)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        skipped = ~torch.isfinite(norm)
        self._skips[0] += skipped
        self._skips[1] = (self._skips[1] + 1) * skipped
        self._skips[2] = torch.maximum(self._skips[1], self._skips[2])
        if self.fused:
            self.optimiser.grad_scale = ((norm + 1e-6) / self.config.clip_norm).clamp(min=1.0).float()
            self.optimiser.found_inf = skipped.float()
            self.optimiser.step()
        elif not skipped:
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.config.clip_norm, norm)
            self.optimiser.step()
        self._update_average(skipped)
        return norm

    def _update_average(self, skipped: Tensor) -> None:
        # torch has no public name for the functions on lists that its own optimisers use.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        averaged: list[Tensor] = list(self.average.parameters())
        now = [p.detach() for p in self.flow.parameters()]
        if self.device.type != "cuda":
            if not skipped:
                torch._foreach_lerp_(averaged, now, 1 - decay)  # pyright: ignore[reportPrivateImportUsage]
            return
        difference = torch._foreach_sub(now, averaged)  # pyright: ignore[reportPrivateImportUsage]
        scale = torch.where(skipped, 0.0, 1 - decay)
        torch._foreach_mul_(difference, scale)  # pyright: ignore[reportPrivateImportUsage]
        torch._foreach_add_(averaged, difference)  # pyright: ignore[reportPrivateImportUsage]

    @property
    def skipped(self) -> int:
        """Steps whose gradient was not finite, which changed nothing. Asking waits for the device."""
        return int(self._skips[0])

    @property
    def has_diverged(self) -> bool:
        """Whether :data:`PATIENCE` steps in a row had no finite gradient. Asking waits for the device."""
        return int(self._skips[2]) >= PATIENCE

    # -- to the others, to disk and back ------------------------------------------------------------------------

    def share(self) -> None:
        """Give all processes the writer's state: weights, moving average, optimiser, place in the run."""
        if self.processes.count == 1:
            return
        named = dict(self.flow.named_parameters())
        with_state = [name for name, p in named.items() if self.optimiser.state.get(p)]
        told: list[Any] = [self._state(), with_state]
        state, with_state = self.processes.tell(told)
        self._set_state(state)
        for name in with_state:
            p = named[name]
            if not self.optimiser.state.get(p):
                step = torch.zeros((), dtype=torch.float32, device=self.device if self.fused else "cpu")
                moments = (torch.zeros_like(p), torch.zeros_like(p))
                self.optimiser.state[p] = dict(zip(_ADAM, (step, *moments), strict=True))
        tensors = [*self.flow.state_dict().values(), *self.average.state_dict().values()]
        tensors += [self.optimiser.state[named[name]][key] for name in with_state for key in _ADAM]
        self.processes.broadcast(tensors)

    def training_tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {f"{TRAINING_PREFIX}raw.{name}": p for name, p in self.flow.named_parameters()}
        for name, p in self.flow.named_parameters():
            for key, value in self.optimiser.state.get(p, {}).items():
                tensors[f"{TRAINING_PREFIX}adam.{key}.{name}"] = value
        return tensors

    def _state(self) -> dict:
        return {
            "step": self.step,
            "skipped": self.skipped,
            "seconds": self.seconds,
            "best": None if math.isinf(self.best) else self.best,
        }

    def _set_state(self, state: dict) -> None:
        self.step = int(state["step"])
        self._skips.copy_(torch.tensor([int(state["skipped"]), 0, 0]))
        self.seconds = float(state["seconds"])
        self.best = math.inf if state["best"] is None else float(state["best"])

    def resume(self, folder: RunFolder) -> None:
        """Take up where last.safetensors left off: the writer reads it, and gives it to the others.

        Raises:
            CheckpointError: if it cannot be read or is not of this run.
        """
        if self.processes.writer:
            self._read(folder)
        self.share()

    def start_from(self, path: str | os.PathLike) -> None:
        """Begin with the weights of a checkpoint, its moving average; the optimiser begins anew.

        Raises:
            CheckpointError: if it cannot be read.
            ConfigError: if its weights do not fit this run's architecture.
        """
        other = load(path, self.device).flow
        try:
            names = carried_over(other, self.flow)
        except ConfigError:
            raise ConfigError(f"The run cannot begin with the weights of '{path}', which is of another architecture.") from None
        state = self.flow.state_dict() | {names[name]: tensor for name, tensor in other.state_dict().items()}
        for flow in (self.flow, self.average):
            flow.load_state_dict(state)

    def _read(self, folder: RunFolder) -> None:
        self.average = load(folder.last, self.device).flow.requires_grad_(False)
        self.flow.load_state_dict(self.average.state_dict())
        try:
            with safe_open(folder.last, framework="pt") as file:
                state = plain_json.loads(file.metadata()["training"])
                keys = set(file.keys())
                for name, p in self.flow.named_parameters():
                    p.data.copy_(_of_shape(file.get_tensor(f"{TRAINING_PREFIX}raw.{name}"), p))
                    stored = {key: f"{TRAINING_PREFIX}adam.{key}.{name}" for key in _ADAM}
                    if keys.isdisjoint(stored.values()):
                        continue  # of a parameter that no gradient has reached
                    values = {key: file.get_tensor(at).to(self.device) for key, at in stored.items()}
                    for key in _ADAM[1:]:
                        _of_shape(values[key], p)
                    self.optimiser.state[p] = {**values, "step": values["step"].reshape(())}
            self._set_state(_checked(state))
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError, OSError, SafetensorError) as error:
            raise CheckpointError(f"'{folder.last}' cannot be resumed from: {said(error)}.") from None

    def card(self, held_out: dict | None = None) -> dict:
        """The card of the averaged weights as they are now."""
        channels, height, width = self.flow.event_shape
        return {
            "name": self.config.name,
            "title": self.config.title or self.config.name,
            "system": self.config.architecture["system"],
            "size": [height, width],
            "channels": channels,
            "data": {"name": "", "licence": "", "credit": "", "note": "", **self.config.data},
            "bpd": None,
            "bpd_standard_error": None,
            "bpd_count": None,
            "bpd_split": None,
            "held_out": held_out or {},
            "parameters": parameter_count(self.flow),
            "training_seconds": round(self.seconds, 1),
            "steps": self.step,
            "command": self.config.command,
            "date": date.today().isoformat(),
            "default_temperature": self.config.sample_temperature,
            "default_seed": 0,
            **({"classes": self.config.classes} if self.flow.num_classes else {}),
        }

    def save_last(self, folder: RunFolder) -> None:
        """Write last.safetensors, with all that resuming needs. Raises CheckpointError if it cannot be written."""
        save(folder.last, self.average, self.card(), self.training_tensors(), {"training": json.dumps(self._state())})


def _of_shape(tensor: Tensor, like: Tensor) -> Tensor:
    if tensor.shape != like.shape:
        raise ValueError(f"a tensor is {tuple(tensor.shape)} where {tuple(like.shape)} is needed")
    return tensor


def _checked(state: dict) -> dict:
    """A place in a run as a file tells it. Raises KeyError, TypeError or ValueError where it is none."""
    best = 0.0 if state["best"] is None else state["best"]
    for name, value, kinds in (("step", state["step"], int), ("skipped", state["skipped"], int),
                               ("seconds", state["seconds"], (int, float)), ("best", best, (int, float))):  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, kinds) or not abs(value) < 2**53 or (value < 0 and name != "best"):
            raise ValueError(f"its {name} cannot be")
    return state
