"""What a run leaves behind as it goes: metrics, checkpoints, samples. In the writing process alone.

A disk that is full does not end a training that took days: it is said, what was written before stays whole, and the next
occasion tries again. A run folder that was deleted or moved away is a wish to end, and is not made anew.
"""
from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError, DataError, FlowError, NonFiniteError
from ..model.checkpoint import save
from ..model.codec import decode_batch
from ..model.evaluation import bits_per_dim, held_out_summary
from ..model.flow import Flow
from ..pictures import images
from .config import TrainConfig
from .run_folder import RunFolder
from .trainer import Trainer

__all__ = ["Progress", "Record", "sample_sheet"]

SHEET = 80
"""About how many pictures a sheet of a conditional model has, and at most how many classes it shows."""


@dataclass(frozen=True)
class Progress:
    """One logged step, for whoever watches."""

    step: int
    steps: int
    bpd: float
    held_out_bpd: float | None
    seconds: float
    pictures_per_second: float
    skipped: int = 0


class Record:
    """The run folder's keeper. ``on_notice`` is given a sentence for whatever a person should know; the run goes on."""

    def __init__(
        self,
        trainer: Trainer,
        folder: RunFolder,
        validation=None,
        on_progress: Callable[[Progress], None] | None = None,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self.trainer, self.folder, self.on_progress = trainer, folder, on_progress
        self.notice = on_notice or (lambda sentence: None)
        self.validation = validation if validation is not None and len(validation.pictures) else None
        self._unwritten: list[dict] = []
        self._skipped = trainer.skipped
        self._since = time.perf_counter()

    def write(self, recent: Sequence[tuple[Tensor, Tensor]], saving: bool, last: bool, keeping: bool = False) -> None:
        """After a step: a line of metrics for the ``recent`` (bpd, gradient norm), evaluation if it is due, a checkpoint.

        ``keeping`` writes the averaged weights too, in a file that no later step replaces.

        Raises:
            DataError: if the run folder is gone.
            CheckpointError: if the ``last`` checkpoint cannot be written.
        """
        self.check()
        if last and self.is_due():  # whoever asked to stop may not wait for the evaluation
            self._attempt(lambda: self.trainer.save_last(self.folder))
        if recent:
            held_out = self.evaluate() if self.is_due() else None
            line = self._line(recent, held_out)
            self.log(line)
            if self.on_progress is not None:
                self.on_progress(self._progress(line, len(recent), held_out))
            self._since = time.perf_counter()
        if keeping:
            self._attempt(self._keep)
        if saving:
            self.save_last(needed=last)

    def _line(self, recent: Sequence[tuple[Tensor, Tensor]], held_out: float | None) -> dict:
        """A line of metrics: means over the steps since the one before."""
        trainer = self.trainer
        bpd, norm = (torch.stack(list(values)).nanmean().item() for values in zip(*recent, strict=True))
        line = {
            "step": trainer.step,
            "seconds": round(trainer.seconds, 3),
            "loss": bpd if math.isfinite(bpd) else None,
            "bpd": bpd if math.isfinite(bpd) else None,
            "gradient_norm": norm if math.isfinite(norm) else None,
            "learning_rate": trainer.learning_rate(trainer.step - 1),
            "skipped": trainer.skipped,
        }
        if held_out is not None:
            line["held_out_bpd"] = held_out
        return line

    def _progress(self, line: dict, steps: int, held_out: float | None) -> Progress:
        config = self.trainer.config
        rate = steps * config.batch / max(time.perf_counter() - self._since, 1e-9)
        bpd = math.nan if line["bpd"] is None else line["bpd"]
        return Progress(self.trainer.step, config.steps, bpd, held_out, self.trainer.seconds, rate, line["skipped"])

    def check(self) -> None:
        """Raise DataError if the run folder is gone."""
        if self.folder.is_gone:
            raise DataError(
                f"The run folder '{self.folder.path}' was deleted or moved away, so the training stopped at step "
                f"{self.trainer.step:,}."
            )

    def is_due(self) -> bool:
        """Whether the held-out pictures are to be looked at after this step."""
        trainer, config = self.trainer, self.trainer.config
        now = trainer.step % config.evaluate_every == 0 or trainer.step == config.steps
        return self.validation is not None and now

    def evaluate(self) -> float | None:
        """Held-out bpd of the averaged weights; keeps the best, and a sheet of the same fixed z's.

        None if it is not finite, or nothing was held out.
        """
        trainer, config = self.trainer, self.trainer.config
        if self.validation is None:
            return None
        count = config.evaluate_pictures
        labels = self.validation.labels[:count] if self.validation.labels is not None else None
        held = self.validation.pictures[:count]
        try:
            bpd = bits_per_dim(trainer.average, held, labels, seed=config.seed).bpd
            if not math.isfinite(bpd):
                raise NonFiniteError("The held-out bits per dimension are not finite.")
            if bpd < trainer.best:
                self._attempt(lambda: self._save_best(bpd, held, labels))
            self._attempt(self._save_sheet)
        except NonFiniteError as error:
            self.notice(f"Step {trainer.step:,} could not be measured on the held-out pictures, and goes on: {error}")
            return None
        return bpd

    def _save_best(self, bpd: float, held: np.ndarray, labels: np.ndarray | None) -> None:
        card = self.trainer.card(held_out_summary(self.trainer.average, held, labels))
        save(self.folder.best, self.trainer.average, card)
        self.trainer.best = bpd

    def _keep(self) -> None:
        save(self.folder.kept(self.trainer.step), self.trainer.average, self.trainer.card())

    def _save_sheet(self) -> None:
        try:
            sheet = sample_sheet(self.trainer.average, self.trainer.config)
        except NonFiniteError:
            return  # early weights may not sample yet
        self.folder.samples.mkdir(exist_ok=True)
        images.save_png(self.folder.samples / f"{self.trainer.step:07d}.png", sheet)

    def log(self, line: dict) -> None:
        """Append to the metrics; what cannot be written is kept for the next time."""
        skipped = line["skipped"] - self._skipped
        if skipped:
            self._skipped = line["skipped"]
            steps = "1 step" if skipped == 1 else f"{skipped:,} steps"
            self.notice(f"{steps} up to step {line['step']:,} had a gradient that is not finite and changed nothing.")
        first_failure = not self._unwritten
        self._unwritten.append(line)
        try:
            self.folder.log(*self._unwritten)
        except DataError as error:
            self.check()
            if first_failure:
                self.notice(f"{error} Training goes on, and tries again.")
        else:
            self._unwritten = []

    def save_last(self, needed: bool) -> None:
        """The checkpoint that resuming takes up. Raises CheckpointError if it cannot be written and is ``needed``."""
        if needed:
            self.trainer.save_last(self.folder)
        else:
            self._attempt(lambda: self.trainer.save_last(self.folder))

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except NonFiniteError:
            raise
        except (FlowError, OSError) as error:
            self.check()
            sentence = str(error) if isinstance(error, FlowError) else f"The run folder cannot be written: {error}."
            kept = " The checkpoint before it is whole." if isinstance(error, CheckpointError) else ""
            self.notice(f"{sentence}{kept} Training goes on, and tries again.")


def sample_sheet(flow: Flow, config: TrainConfig) -> np.ndarray:
    """The same z's at every step, decoded, as one picture (H, W, C): four by four of them.

    Of a conditional model a row a class, the same z all down a column: what is the class's, and what is the z's, is seen
    at once.
    """
    if not flow.num_classes:
        z = flow.sample(16, config.sample_temperature, seed=config.seed)
        return images.grid(list(decode_batch(flow, z.cpu().numpy())), columns=4)
    classes = min(flow.num_classes, SHEET)
    columns = min(8, max(2, SHEET // classes))
    z = flow.sample(columns, config.sample_temperature, seed=config.seed).cpu().numpy()
    rows = [decode_batch(flow, z, torch.full((columns,), number)) for number in range(classes)]
    return images.grid(np.concatenate(rows), columns)
