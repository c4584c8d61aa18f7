"""What the person chose in the training workspace, as plain data: no Qt, no mathematics."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import platformdirs

from flow_explorer.cli.train import PRESETS, SYSTEMS
from flowcore.errors import ConfigError
from flowcore.model.card import SYSTEM_NAMES
from flowcore.model.precision import PRECISIONS

__all__ = [
    "PAGES", "SIZES", "STEPS", "Form", "TrainingState", "default_name", "free_folder", "preset_steps", "runs_folder",
    "system_title",
]  # fmt: skip

SIZES = (8, 16, 24, 28, 32, 48, 64, 96, 128)
"""Sides of the pictures that are offered; 0 stands for the pictures' own."""
PAGES = ("new", "runs")
MEMORY = ("store", "invert")
STEPS = (1, 10_000_000)
SMOOTHING = (0.0, 0.99)


def system_title(system: str) -> str:
    """The name that a person reads."""
    return SYSTEM_NAMES.get(system, system)


def preset_steps(preset: str) -> int:
    """How long a preset trains where nobody says."""
    return int(PRESETS[preset]["steps"])


def runs_folder() -> Path:
    """Where new runs go by default."""
    home = os.environ.get("FLOW_EXPLORER_HOME")
    data = Path(home) / "data" if home else Path(platformdirs.user_data_dir("flow-explorer", appauthor=False))
    return data / "runs"


@dataclass(frozen=True)
class Form:
    """A run that has not been started.

    Raises:
        ConfigError: for a value out of range.
    """

    data: str = ""
    system: str = SYSTEMS[0]
    preset: str = "small"
    size: int = 32
    steps: int = field(default_factory=lambda: preset_steps("small"))
    conditional: bool = False
    memory: str = "store"
    name: str = ""
    folder: str = ""
    precision: str = PRECISIONS[0]
    jitter: bool = False

    def __post_init__(self) -> None:
        choices = {"system": SYSTEMS, "preset": tuple(PRESETS), "memory": MEMORY, "precision": PRECISIONS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                words = ", ".join(allowed)
                raise ConfigError(f"A run's {name} cannot be {getattr(self, name)!r}: choose one of {words}.")
        for name, low, high in (("size", 0, 1024), ("steps", *STEPS)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"A run's {name} must be a whole number from {low:,} to {high:,}, not {value!r}.")
        for name in ("data", "name", "folder"):
            if not isinstance(getattr(self, name), str):
                raise ConfigError(f"A run's {name} must be a text.")
        if not isinstance(self.conditional, bool):
            raise ConfigError("Whether a run learns by class is a yes or a no.")
        if not isinstance(self.jitter, bool):
            raise ConfigError("Whether a run cuts its pictures anew is a yes or a no.")

    def changed(self, name: str, value: Any) -> Form:
        """After a change; another preset brings its number of steps."""
        if getattr(self, name) == value:
            return self
        more = {"steps": preset_steps(value)} if name == "preset" and value in PRESETS else {}
        return replace(self, **{name: value}, **more)

    def arguments(self) -> list[str]:
        """What `flow-explorer train` is told, but for where to write."""
        words = ["--data", self.data, "--architecture", self.system, "--preset", self.preset]
        words += ["--steps", str(self.steps), "--memory", self.memory, "--precision", self.precision]
        if self.size:
            words += ["--size", str(self.size)]
        if self.conditional:
            words += ["--conditional"]
        if self.jitter:
            words += ["--jitter"]
        if self.name.strip():
            words += ["--name", self.name.strip()]
        return words

    def target(self) -> Path:
        """The run folder that would be written: a free name below where runs go."""
        parent = Path(self.folder).expanduser() if self.folder.strip() else runs_folder()
        return free_folder(parent, self.name.strip() or default_name(self))


def default_name(form: Form) -> str:
    """A name for who gave none: the data's and the system's."""
    words = Path(form.data).name if form.data else "run"
    return f"{Path(words).stem or 'run'} {system_title(form.system)}"


def free_folder(parent: Path, name: str) -> Path:
    """``parent/name`` as every file system takes it, with a number behind where that is taken."""
    plain = re.sub(r"[^\w.]+", "-", name).strip("-.")[:60].lower() or "run"
    path, number = parent / plain, 1
    while path.exists():
        number += 1
        path = parent / f"{plain}-{number}"
    return path


@dataclass(frozen=True)
class TrainingState:
    """The form, what is looked at, and how. ``selected`` are run folders: several are compared.

    Raises:
        ConfigError: for a value out of range.
    """

    form: Form = field(default_factory=Form)
    page: str = "runs"
    selected: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Run folders, or folders of them, that were opened beside the usual one."""
    logarithmic: bool = False
    smoothing: float = 0.6
    by_time: bool = False

    def __post_init__(self) -> None:
        if self.page not in PAGES:
            raise ConfigError(f"The training workspace has no page {self.page!r}.")
        low, high = SMOOTHING
        if not isinstance(self.smoothing, int | float) or not low <= self.smoothing <= high:
            raise ConfigError(f"The smoothing must be a number from {low} to {high}, not {self.smoothing!r}.")
        for name in ("selected", "folders"):
            if not all(isinstance(entry, str) for entry in getattr(self, name)):
                raise ConfigError(f"The training workspace's {name} must be paths.")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        known = {entry.name: values[entry.name] for entry in fields(cls) if entry.name in values}
        try:
            stored = known.pop("form", {})
            form = Form(**{entry.name: stored[entry.name] for entry in fields(Form) if entry.name in stored})
            for name in ("selected", "folders"):
                if name in known:
                    known[name] = tuple(known[name])
            return cls(form=form, **known)
        except TypeError as error:
            raise ConfigError("The training workspace's settings are damaged.") from error
