"""Maximum-likelihood training of x -> z: configuration, the loop, and the run folder that it writes."""
from __future__ import annotations

from .config import PRESETS, TrainConfig, architecture_for
from .loop import TrainingProgress, train
from .processes import Processes
from .run_folder import RunFolder

__all__ = ["PRESETS", "Processes", "RunFolder", "TrainConfig", "TrainingProgress", "architecture_for", "train"]
