"""The training loop. Every random act is a function of (seed, step), so a resumed run continues exactly."""
from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from .. import images
from ..checkpoint import TRAINING_PREFIX, load, parameter_count, save
from ..codec import decode_batch
from ..errors import CheckpointError, DataError, NonFiniteError
from ..evaluation import bits_per_dim, held_out_summary
from ..models import build
from ..networks import set_reduced_precision
from .config import TrainConfig
from .run_folder import RunFolder

__all__ = ["Progress", "train", "Trainer"]


@dataclass(frozen=True)
class Progress:
    """One logged step, for whoever watches."""

    step: int
    steps: int
    bpd: float
    held_out_bpd: float | None
    seconds: float
    pictures_per_second: float


class Trainer:
    """Flow, moving average, optimiser and their place in the run; :func:`train` drives it."""

    def __init__(self, config: TrainConfig, device: str | torch.device = "cpu") -> None:
        self.config, self.device = config, torch.device(device)
        torch.manual_seed(config.seed)
        self.flow = build(config.architecture).to(self.device)
        set_reduced_precision(self.flow, config.reduced_precision and self.device.type in ("cpu", "cuda"))
        self.average = copy.deepcopy(self.flow).eval().requires_grad_(False)
        self.parameters = [p for p in self.flow.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.parameters,
            lr=config.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=config.weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )
        self.step = 0
        self.skipped = 0
        self.seconds = 0.0
        self.best = math.inf

    # -- one step -----------------------------------------------------------------------------------------------

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to a hundredth at the horizon."""
        config = self.config
        warm = min(1.0, (step + 1) / max(1, config.warm_up))
        done = min(1.0, step / config.steps)
        return config.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def batch_indices(self, step: int, count: int) -> np.ndarray:
        """Which pictures step number ``step`` sees: each epoch is a permutation seeded by its number."""
        wanted = np.arange(step * self.config.batch, (step + 1) * self.config.batch)
        indices = np.empty(len(wanted), np.int64)
        for epoch in np.unique(wanted // count):
            order = np.random.default_rng([self.config.seed, int(epoch)]).permutation(count)
            here = wanted // count == epoch
            indices[here] = order[wanted[here] % count]
        return indices

    def make_batch(self, pictures: np.ndarray, labels: np.ndarray | None, step: int) -> tuple[Tensor, Tensor | None]:
        """Dequantised pixels (N, C, H, W) in [0, 256), flipped at random where the configuration says so, and labels."""
        indices = self.batch_indices(step, len(pictures))
        block = torch.from_numpy(pictures[indices]).to(self.device).permute(0, 3, 1, 2).float()
        rng = torch.Generator().manual_seed((self.config.seed * 1_000_003 + step) % 2**63)
        noise = torch.rand(block.shape, generator=rng)
        if self.config.flip:
            turned = (torch.rand(len(block), generator=rng) < 0.5).to(self.device)
            block = torch.where(turned[:, None, None, None], block.flip(3), block)
        x = (block + noise.to(self.device)).contiguous(memory_format=torch.channels_last)
        label = None if labels is None else torch.from_numpy(labels[indices].astype(np.int64)).to(self.device)
        return x, label if self.flow.num_classes else None

    def train_step(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """One update; returns bits per dimension and gradient norm, both still on the device."""
        self.flow.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        bpd = self.flow.bits_per_dim(self.flow.log_prob(x, label)).mean()
        bpd.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        if torch.isfinite(norm):
            self.optimiser.step()
            self._update_average()
        else:
            self.skipped += 1
        self.step += 1
        return bpd.detach(), norm

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        averaged = [p for p in self.average.parameters()]
        torch._foreach_lerp_(averaged, [p.detach() for p in self.flow.parameters()], 1 - decay)

    def initialise(self, x: Tensor) -> None:
        """Data-dependent initialisation of both copies, once."""
        if not self.flow.initialised:
            self.flow.initialise(x)
            self.average.load_state_dict(self.flow.state_dict())

    # -- to disk and back ---------------------------------------------------------------------------------------

    def training_tensors(self) -> dict[str, Tensor]:
        tensors = {f"{TRAINING_PREFIX}raw.{name}": p for name, p in self.flow.named_parameters()}
        for name, p in self.flow.named_parameters():
            for key, value in self.optimiser.state.get(p, {}).items():
                tensors[f"{TRAINING_PREFIX}adam.{key}.{name}"] = value
        return tensors

    def resume(self, folder: RunFolder) -> None:
        """Take up where last.safetensors left off.

        Raises:
            CheckpointError: if it cannot be read or is not of this run.
        """
        self.average = load(folder.last, self.device).flow.requires_grad_(False)
        self.flow.load_state_dict(self.average.state_dict())
        named = dict(self.flow.named_parameters())
        try:
            with safe_open(folder.last, framework="pt") as file:
                state = json.loads(file.metadata()["training"])
                keys = set(file.keys())
                for name, p in named.items():
                    p.data.copy_(file.get_tensor(f"{TRAINING_PREFIX}raw.{name}"))
                    values = {}
                    for key in ("step", "exp_avg", "exp_avg_sq"):
                        stored = f"{TRAINING_PREFIX}adam.{key}.{name}"
                        if stored in keys:
                            values[key] = file.get_tensor(stored).to(self.device)
                    if values:
                        self.optimiser.state[p] = values
        except (KeyError, ValueError, OSError) as error:
            raise CheckpointError(f"'{folder.last}' cannot be resumed from: {error}.") from None
        self.step, self.skipped = int(state["step"]), int(state["skipped"])
        self.seconds = float(state["seconds"])
        self.best = math.inf if state["best"] is None else float(state["best"])

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
        }

    def save_last(self, folder: RunFolder) -> None:
        state = {
            "step": self.step,
            "skipped": self.skipped,
            "seconds": self.seconds,
            "best": None if math.isinf(self.best) else self.best,
        }
        save(folder.last, self.average, self.card(), self.training_tensors(), {"training": json.dumps(state)})


def train(
    config: TrainConfig,
    data,
    run_folder,
    validation=None,
    resume: bool = False,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Trainer:
    """Train a flow on pictures by maximum likelihood, writing a run folder as it goes.

    Args:
        data: with ``pictures`` (N, H, W, C) uint8 and ``labels`` (N,) or None.
        validation: the same, for held-out bpd and for choosing the best checkpoint; never the test set.
        run_folder: where to write.
        resume: take up the run that is there; its own config decides, save for ``steps`` within the horizon.
        should_stop: asked after every step; when true, the run is saved and the loop returns.

    Raises:
        FlowError: with a sentence, if data, configuration or disk do not allow it.
        NonFiniteError: if training diverged (100 steps in a row without a finite gradient).
    """
    folder = RunFolder(run_folder)
    pictures, labels = data.pictures, data.labels
    channels, height, width = config.architecture["shape"]
    if len(pictures) == 0 or tuple(pictures.shape[1:]) != (height, width, channels):
        raise DataError(f"The data holds {pictures.shape} where {height}×{width}×{channels} pictures are needed.")
    if resume:
        config = folder.config()
        trainer = Trainer(config, device)
        if folder.last.exists():
            trainer.resume(folder)
        folder.forget_after(trainer.step)
    else:
        trainer = Trainer(config, device)
        folder.create(config)
    _run(trainer, folder, pictures, labels, validation, on_progress, should_stop)
    return trainer


def _run(trainer, folder, pictures, labels, validation, on_progress, should_stop) -> None:
    config = trainer.config
    recent: list[tuple[Tensor, Tensor]] = []
    failed_in_a_row = 0
    previous_skipped = trainer.skipped
    clock = time.perf_counter()
    since_log = time.perf_counter()
    while trainer.step < config.steps:
        x, label = trainer.make_batch(pictures, labels, trainer.step)
        trainer.initialise(x)
        recent.append(trainer.train_step(x, label))
        failed_in_a_row = failed_in_a_row + 1 if trainer.skipped > previous_skipped else 0
        previous_skipped = trainer.skipped
        if failed_in_a_row >= 100:
            raise NonFiniteError("Training diverged: 100 steps in a row had no finite gradient; lower the learning rate.")
        now = time.perf_counter()
        trainer.seconds += now - clock
        clock = now
        stopping = bool(should_stop and should_stop())
        last = trainer.step == config.steps or stopping
        evaluating = validation is not None and len(validation.pictures) and (
            trainer.step % config.evaluate_every == 0 or trainer.step == config.steps
        )
        held_out = _evaluate(trainer, folder, validation) if evaluating else None
        if last or evaluating or trainer.step % config.log_every == 0:
            bpd = torch.stack([b for b, _ in recent]).nanmean().item()
            norm = torch.stack([n for _, n in recent]).nanmean().item()
            now = time.perf_counter()
            rate = len(recent) * config.batch / max(now - since_log, 1e-9)
            since_log, recent = now, []
            line = {
                "step": trainer.step,
                "seconds": round(trainer.seconds, 3),
                "loss": bpd,
                "bpd": bpd,
                "gradient_norm": norm if math.isfinite(norm) else None,
                "learning_rate": trainer.learning_rate(trainer.step - 1),
                "skipped": trainer.skipped,
            }
            if not math.isfinite(bpd):
                line["loss"] = line["bpd"] = None
            if held_out is not None:
                line["held_out_bpd"] = held_out
            folder.log(line)
            if on_progress is not None:
                on_progress(Progress(trainer.step, config.steps, bpd, held_out, trainer.seconds, rate))
        if last or trainer.step % config.checkpoint_every == 0:
            trainer.save_last(folder)
        if stopping:
            return


def _evaluate(trainer: Trainer, folder: RunFolder, validation) -> float:
    """Held-out bpd of the averaged weights; keeps the best, and a sheet of the same fixed z's."""
    config = trainer.config
    count = config.evaluate_pictures
    labels = validation.labels[:count] if validation.labels is not None else None
    held = validation.pictures[:count]
    bpd = bits_per_dim(trainer.average, held, labels, seed=config.seed).bpd
    if bpd < trainer.best:
        trainer.best = bpd
        save(folder.best, trainer.average, trainer.card(held_out_summary(trainer.average, held, labels)))
    if not trainer.average.num_classes:
        try:
            z = trainer.average.sample(16, config.sample_temperature, seed=config.seed)
            sheet = images.grid(list(decode_batch(trainer.average, z.cpu().numpy())), columns=4)
            images.save_png(folder.samples / f"{trainer.step:07d}.png", sheet)
        except NonFiniteError:
            pass  # early weights may not sample yet; the run goes on
    return bpd

