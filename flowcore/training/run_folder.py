"""The run folder: config.json, metrics.jsonl, last and best checkpoint, those that were kept, samples/. Torch-free."""
from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from .. import plain_json
from ..atomic import replacing
from ..errors import CheckpointError, ConfigError, DataError
from ..regular import open_regular, read_regular
from .config import TrainConfig

__all__ = ["RunFolder"]

MOST_CONFIG = 4 * 2**20
MOST_LINE = 64 * 1024
"""Bytes of a line of metrics that are looked at together."""


class RunFolder:
    """A training run on disk. Every file is replaced as a whole, so a kill at any moment leaves a folder to resume from."""

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.config_path = self.path / "config.json"
        self.metrics_path = self.path / "metrics.jsonl"
        self.last = self.path / "last.safetensors"
        self.best = self.path / "best.safetensors"
        self.samples = self.path / "samples"

    def kept(self, step: int) -> Path:
        """Where the averaged weights of a step are kept for good: step-000500.safetensors."""
        return self.path / f"step-{step:06d}.safetensors"

    def create(self, config: TrainConfig) -> None:
        """Make the folder and write its configuration.

        Raises:
            ConfigError: if there is a run already, or the folder cannot be written.
        """
        if self.config_path.exists():
            raise ConfigError(f"'{self.path}' already holds a run; continue it with --resume, or choose another --out.")
        try:
            self.samples.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"The run folder '{self.path}' cannot be written: {error.strerror or error}.") from None
        self.write_config(config)

    def write_config(self, config: TrainConfig) -> None:
        """Replace config.json, for a new run or one whose horizon moves.

        Raises:
            ConfigError: if it cannot be written.
        """
        try:
            with replacing(self.config_path) as temporary:
                temporary.write_text(json.dumps(config.to_dict(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"The run folder '{self.path}' cannot be written: {error.strerror or error}.") from None

    def config(self) -> TrainConfig:
        """Raises CheckpointError or ConfigError if there is no readable run here."""
        try:
            text = read_regular(self.config_path, MOST_CONFIG)
            return TrainConfig.from_dict(plain_json.loads(text))
        except FileNotFoundError:
            raise CheckpointError(f"'{self.path}' holds no run to resume (no config.json).") from None
        except (OSError, ValueError, RecursionError):
            raise CheckpointError(f"The run's config.json in '{self.path}' cannot be read.") from None

    @property
    def is_gone(self) -> bool:
        """Whether the run was deleted, or moved elsewhere."""
        try:
            self.config_path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # a server that does not answer just now
            return False
        return False

    def tidy(self) -> None:
        """Remove what a killed process was in the middle of writing."""
        names = (self.config_path.name, self.metrics_path.name, self.last.name, self.best.name)
        leftovers = [path for name in (*names, "step-*.safetensors") for path in self.path.glob(f".{name}.*.part")]
        for path in [*leftovers, *self.samples.glob(".*.part*")]:
            with contextlib.suppress(OSError):
                path.unlink()

    def log(self, *lines: dict) -> None:
        """Append lines to the metrics, all of them or none.

        Raises:
            DataError: if the disk is full or the folder is gone.
        """
        text = memoryview("".join(json.dumps(line) + "\n" for line in lines).encode())
        try:
            file = os.open(self.metrics_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            try:
                end = os.lseek(file, 0, os.SEEK_END)
                try:
                    while text:
                        text = text[os.write(file, text) :]
                except OSError:
                    os.ftruncate(file, end)
                    raise
            finally:
                os.close(file)
        except OSError as error:
            raise DataError(f"The run's metrics cannot be written to '{self.metrics_path}': {error.strerror or error}.") from None

    def metrics(self) -> list[dict]:
        """All whole lines logged so far, each with its ``step``; what is no such line is passed over, as one cut off by a crash.

        Raises:
            DataError: if the file cannot be read.
        """
        try:
            file = os.fdopen(open_regular(self.metrics_path), "rb")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"The run's metrics '{self.metrics_path}' cannot be read: {error.strerror or error}.") from None
        lines = []
        with file:
            while line := file.readline(MOST_LINE):
                try:
                    values = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(values, dict) and type(values.get("step")) is int and 0 <= values["step"] < 2**53:
                    lines.append(values)
        return lines

    def forget_after(self, step: int) -> None:
        """Drop the metrics of steps that the last checkpoint does not know of: they will be made again.

        Raises:
            DataError: if the disk is full or the folder cannot be written.
        """
        kept = [line for line in self.metrics() if line["step"] <= step]
        if not self.metrics_path.exists():
            return
        try:
            with replacing(self.metrics_path) as temporary:
                temporary.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        except OSError as error:
            raise DataError(f"The run's metrics cannot be written to '{self.metrics_path}': {error.strerror or error}.") from None

