"""What a training run is, as plain data that goes into the run folder's config.json. Torch-free."""
from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from ..errors import ConfigError
from ..fields import is_finite, shown
from ..model.precision import PRECISIONS

__all__ = ["CONFIG_VERSION", "PRESETS", "TrainConfig", "architecture_for"]

CONFIG_VERSION = 1

PRESETS: dict[str, dict[str, dict]] = {
    "glow": {
        "tiny": {"levels": 2, "steps": 2, "width": 16},
        "small": {"levels": 3, "steps": 8, "width": 128},
        "medium": {"levels": 3, "steps": 12, "width": 192},
        "large": {"levels": 3, "steps": 32, "width": 512},
    },
    "glow-plus": {
        "tiny": {"levels": 2, "steps": 2, "width": 16, "split_width": 16, "input_bound": 4.0},
        "small": {"levels": 3, "steps": 8, "width": 128, "input_bound": 4.0, "axes": "principal-all"},
        "medium": {"levels": 3, "steps": 12, "width": 192, "input_bound": 4.0, "axes": "principal-all"},
        "large": {"levels": 3, "steps": 32, "width": 512, "input_bound": 4.0, "axes": "principal-all"},
    },
    "realnvp": {
        "tiny": {"levels": 2, "width": 8, "blocks": 1},
        "small": {"levels": 2, "width": 32, "blocks": 2},
        "medium": {"levels": 3, "width": 64, "blocks": 4},
        "large": {"levels": 3, "width": 128, "blocks": 8},
    },
    "nice": {
        "tiny": {"depth": 4, "width": 32, "hidden": 1},
        "small": {"depth": 4, "width": 500, "hidden": 2},
        "medium": {"depth": 4, "width": 1000, "hidden": 4},
        "large": {"depth": 6, "width": 2000, "hidden": 5},
    },
}


def architecture_for(system: str, preset: str, shape: tuple[int, int, int], **overrides) -> dict:
    """The architecture of a preset for pictures of (C, H, W), with as many levels as the size allows.

    Raises:
        ConfigError: for an unknown system or preset, or a size that the system cannot take.
    """
    if system not in PRESETS:
        raise ConfigError(f"Unknown architecture {shown(system)}; choose from {', '.join(PRESETS)}.")
    if preset not in PRESETS[system]:
        raise ConfigError(f"Unknown preset {shown(preset)}; choose from {', '.join(PRESETS[system])}.")
    options = {**PRESETS[system][preset], **overrides}
    if "levels" in options:
        halvings = min((size & -size).bit_length() - 1 for size in shape[1:])
        possible = halvings if system.startswith("glow") else halvings + 1
        if possible < 1:
            raise ConfigError(
                f"Glow halves the picture at every level, so {shape[2]}×{shape[1]} must be even; choose another --size."
            )
        if "levels" not in overrides or type(options["levels"]) is int:
            options["levels"] = min(options["levels"], possible)
    return {"system": system, "shape": list(shape), **options}


@dataclass(frozen=True)
class TrainConfig:
    """All that decides the outcome of a run. ``steps`` is also the horizon of the learning-rate schedule."""

    architecture: dict
    steps: int = 20_000
    batch: int = 64
    learning_rate: float = 1.5e-3
    warm_up: int = 200
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    flip: bool = False
    jitter: bool = False
    """Whether each picture is cut anew from its source at each visit, moved a little (:mod:`flowcore.data.jitter`)."""
    precision: str = "auto"
    """Of the coupling networks while training: one of :data:`flowcore.model.precision.PRECISIONS`. A run folder holds which of
    the two it became where the run began, so that it goes on in the same numbers on another machine."""
    memory: str = "store"
    """"store" the activations of a step, or "invert": compute them again from what they led to, in less memory."""
    seed: int = 0
    log_every: int = 20
    evaluate_every: int = 1000
    evaluate_pictures: int = 500
    checkpoint_every: int = 500
    keep_every: int = 0
    """The averaged weights are kept for good every so many steps, a file each; 0 for never."""
    sample_temperature: float = 0.7
    name: str = "untitled"
    title: str = ""
    command: str = ""
    data: dict = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    """Names of the classes of a conditional model, by number."""
    version: int = CONFIG_VERSION

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "log_every", "evaluate_every", "evaluate_pictures", "checkpoint_every"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value < 2**53:
                raise ConfigError(f"Training: {name.replace('_', ' ')} must be a whole number of at least 1, not {shown(value)}.")
        if type(self.keep_every) is not int or not 0 <= self.keep_every < 2**53:
            raise ConfigError(f"Training: keep every must be a whole number, 0 for never, not {shown(self.keep_every)}.")
        for name in ("warm_up", "seed"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value < 2**64:
                raise ConfigError(f"Training: {name.replace('_', ' ')} must be a whole number of at least 0, not {shown(value)}.")
        for name in ("weight_decay", "ema_decay", "sample_temperature"):
            if not is_finite(value := getattr(self, name)) or value < 0:
                raise ConfigError(f"Training: {name.replace('_', ' ')} must be a number of at least 0, not {shown(value)}.")
        for name in ("name", "title", "command"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(f"Training: {name} must be text, not {shown(getattr(self, name))}.")
        if not isinstance(self.architecture, dict) or not isinstance(self.data, dict):
            raise ConfigError("Training: architecture and data must be objects with entries.")
        if not isinstance(self.classes, list) or not all(isinstance(name, str) for name in self.classes):
            raise ConfigError("Training: classes must be a list of names.")
        for name in ("flip", "jitter"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"Training: {name} is true or false, not {shown(getattr(self, name))}.")
        if self.memory not in ("store", "invert"):
            raise ConfigError(f"Training: memory is 'store' or 'invert', not {shown(self.memory)}.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"Training: precision is {', '.join(map(repr, PRECISIONS))}, not {shown(self.precision)}.")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if not is_finite(value) or value <= 0:
                raise ConfigError(f"Training: {name.replace('_', ' ')} must be a positive number, not {shown(value)}.")

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> TrainConfig:
        """Raises ConfigError for another version, or unknown or missing entries."""
        if not isinstance(values, dict) or values.get("version") != CONFIG_VERSION:
            raise ConfigError("The run's config.json is of another version of Flow Explorer, so it cannot be resumed.")
        if "precision" not in values and isinstance(values.get("reduced_precision"), bool):
            # Of runs from before a processor was asked: they were in bfloat16 on all of them.
            values = {**values, "precision": "bfloat16" if values["reduced_precision"] else "float32"}
            del values["reduced_precision"]
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(f"The run's config.json has an unknown entry '{unknown[0]}'.")
        try:
            config = cls(**values)
        except TypeError as error:
            raise ConfigError(f"The run's config.json is incomplete: {error}.") from None
        shape = config.architecture.get("shape")
        sides = isinstance(shape, list) and len(shape) == 3 and all(type(side) is int and 0 < side < 2**20 for side in shape)
        if not sides or not isinstance(config.architecture.get("system"), str):
            raise ConfigError("The run's config.json is damaged: its architecture names no system, or no shape of pictures.")
        return config
