"""The training loop: the same in every process that takes part, with one of them writing the run folder."""
from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import Tensor

from ..data.stream import StreamedPictures
from ..errors import DataError, NonFiniteError, ProcessError
from ..folder_lock import FolderLock
from ..model.precision import has_bfloat16
from .config import TrainConfig
from .processes import Processes
from .record import Progress, Record, sample_sheet
from .run_folder import RunFolder
from .seen import difference, number_of, of_data
from .trainer import PATIENCE, Trainer

if TYPE_CHECKING:
    from ..data.picture_set import Pictures

__all__ = ["Progress", "Trainer", "sample_sheet", "train"]


def train(
    config: TrainConfig,
    data,
    run_folder,
    validation=None,
    resume: bool = False,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], int] | None = None,
    on_notice: Callable[[str], None] | None = None,
    processes: Processes | None = None,
    start_from: str | os.PathLike | None = None,
    labels: np.ndarray | None = None,
) -> Trainer:
    """Train a flow on pictures by maximum likelihood, writing a run folder as it goes.

    Args:
        data: pictures (N, H, W, C) uint8, or what has them as ``pictures`` and their ``labels`` (N,) or None beside them.
        labels: of ``data`` (N,), where that is an array.
        validation: the same as ``data``, an array only where there are no classes; for held-out bpd and for choosing the best
            checkpoint; never the test set.
        run_folder: where to write.
        resume: take up the run that is there; its own config decides, save for ``steps`` within the horizon.
        should_stop: asked after every step; when it is not 0, the run is saved and the loop returns. Of several processes
            any one's answer stops all, and the largest is in the trainer's ``stopped``.
        on_notice: given a sentence where something went wrong that the run survives: a step skipped, a disk full.
        processes: those that share the work, each of which calls this with the same data; ``config.batch`` pictures a step
            are all of theirs together. The writer alone touches the run folder, and calls ``on_progress``.
        start_from: a checkpoint of the same architecture whose weights a new run begins with, on whatever pictures.

    Raises:
        FlowError: with a sentence, if data, configuration or disk do not allow it, another process trains in the folder, or the
            folder was deleted.
        NonFiniteError: if training diverged (100 steps in a row without a finite gradient).
        ProcessError: if another process ended. What there was is saved, where the writer still can.
    """
    folder = RunFolder(run_folder)
    processes = processes or Processes()
    data = _Pictures(data, labels) if isinstance(data, np.ndarray) else data
    validation = _Pictures(validation) if isinstance(validation, np.ndarray) else validation
    channels, height, width = config.architecture["shape"]
    if len(data.pictures) == 0 or tuple(data.pictures.shape[1:]) != (height, width, channels):
        raise DataError(f"The data holds {data.pictures.shape} where {height}×{width}×{channels} pictures are needed.")
    held_out = 0 if validation is None else len(validation.pictures)
    if not (processes.agrees(number_of(data)) and processes.agrees(held_out)):
        raise DataError("The processes of this run do not see the same pictures: give each machine the same data.")
    tell = on_notice or (lambda sentence: None)
    lock = FolderLock(folder.path)
    try:
        if resume:
            processes.alone(lambda: lock.take(tell))
            held = folder.config().to_dict() if processes.writer else {}
            config = TrainConfig.from_dict(processes.tell(held))
        seen = of_data(data, bool(config.classes))
        told = difference(config.data.get("seen"), seen)
        if told:
            tell(told)
        config = replace(config, data={**config.data, "seen": seen})
        trainer = Trainer(config, device, processes)
        if config.precision == "bfloat16" and not has_bfloat16(trainer.device):
            imitated = trainer.config.precision == "bfloat16"
            how = "has to imitate bfloat16, so float32 would be quicker" if imitated else "trains in float32, not in bfloat16"
            tell(f"This device ({trainer.device}) {how}.")
        if resume:
            if processes.tell(folder.last.exists()):
                trainer.resume(folder)
            if processes.writer:
                folder.tidy()
                folder.forget_after(trainer.step)
                written = folder.config()
                if config.precision == "auto":
                    folder.write_config(trainer.config)
                elif written.data != config.data:
                    folder.write_config(replace(written, data=config.data))
        else:
            processes.alone(lambda: _begin(trainer, folder, lock, start_from, tell))
        record = Record(trainer, folder, validation, on_progress, on_notice)
        try:
            _run(trainer, data.pictures, data.labels, record, should_stop)
        except ProcessError:
            # Every process stands between two steps. On a GPU an unfinished sum would keep a copy waiting for ever.
            if processes.writer and processes.backend == "gloo" and trainer.step:
                record.save_last(needed=False)
            raise
        except DataError:  # pictures that are streamed can no longer be read
            if processes.writer and trainer.step:
                record.save_last(needed=False)
            raise
        return trainer
    finally:
        lock.release()


def _begin(
    trainer: Trainer, folder: RunFolder, lock: FolderLock, start_from: str | os.PathLike | None, tell: Callable[[str], None]
) -> None:
    """Make the folder of a new run and hold it, in the writer."""
    if start_from is not None:
        trainer.start_from(start_from)
    with contextlib.suppress(OSError):  # creating it says why it cannot be made
        folder.path.mkdir(parents=True, exist_ok=True)
    lock.take(tell)
    folder.create(trainer.config)


class _Pictures(NamedTuple):
    pictures: np.ndarray
    labels: np.ndarray | None = None


def _run(
    trainer: Trainer,
    pictures: Pictures,
    labels: np.ndarray | None,
    record: Record,
    should_stop: Callable[[], int] | None,
) -> None:
    config, processes = trainer.config, trainer.processes
    recent: list[tuple[Tensor, Tensor]] = []
    clock = time.perf_counter()
    # Where asking waits for no device, every step is asked; else those that are logged, which wait anyway.
    prompt = trainer.device.type == "cpu"
    if isinstance(pictures, StreamedPictures):  # streamed from disk: those of the coming steps are decoded meanwhile
        rows = processes.rows(config.batch)
        pictures.follow(
            lambda step: trainer.batch_indices(step, len(pictures))[rows], trainer.step, lambda step: trainer.moves(step, rows)
        )
    while trainer.step < config.steps:
        trainer.initialise(pictures, labels)
        recent.append(trainer.train_step(*trainer.make_batch(pictures, labels, trainer.step)))
        now = time.perf_counter()
        trainer.seconds += now - clock
        clock = now
        trainer.stopped = processes.agree(int(should_stop()) if should_stop else 0)
        last = trainer.step == config.steps or bool(trainer.stopped)
        saving = last or trainer.step % config.checkpoint_every == 0
        keeping = config.keep_every > 0 and trainer.step % config.keep_every == 0
        logging = last or record.is_due() or trainer.step % config.log_every == 0
        if (prompt or logging or saving or keeping) and trainer.has_diverged:
            raise NonFiniteError(
                f"Training diverged: {PATIENCE} steps in a row had no finite gradient; lower the learning rate."
            )
        if logging or saving or keeping:
            processes.alone(partial(record.write, recent if logging else [], saving, last, keeping))
        if logging:
            recent = []
        if trainer.stopped:
            return
