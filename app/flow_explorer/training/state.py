"""What the person chose in the training workspace, as plain data: no Qt, no mathematics."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs

from flow_explorer.cli.train import PRESETS, SYSTEMS
from flowcore.data.jitter import AMOUNTS
from flowcore.fields import Setting, check, choice, flag, number, read, several, text, to_dict, whole
from flowcore.model.card import SYSTEM_NAMES
from flowcore.model.precision import PRECISIONS

__all__ = [
    "PAGES", "SIZES", "STEPS", "Form", "TrainingState", "default_name", "free_folder", "preset_steps", "runs_folder",
    "system_title",
]  # fmt: skip

SIZES = (8, 16, 24, 28, 32, 48, 64, 96, 128)
"""Sides of the pictures that are offered; 0 stands for the pictures' own."""
PAGES = ("new", "runs")
STEPS = (1, 10_000_000)
SMOOTHING = (0.0, 0.99)
PATHS_MAX = 100_000
_OWNER = "The training workspace's"
_PATH = Setting("text", low=0, high=4096)
_SYSTEM_HELP = {
    "glow-plus": "Glow that first gives every grey level the room it needs: far more likelihood for the same time.\n"
    "y = F(⌊x⌋ + T(x − ⌊x⌋)), then Glow",
    "glow": "Mixes channels by invertible 1×1 convolutions; the sharpest of the three.\ny = W x, then affine couplings",
    "realnvp": "Affine couplings under checkerboard and channel masks.\ny = x · exp(s) + t",
    "nice": "Additive couplings, one scaling at the end; quick, and the oldest.\ny = x + m(x)",
}
_SYSTEM_WORDS = {
    name: (SYSTEM_NAMES.get(name, name), _SYSTEM_HELP.get(name, SYSTEM_NAMES.get(name, name))) for name in SYSTEMS
}
_PRESET_WORDS = {
    "tiny": "For trying things out: minutes.", "small": "An evening on a computer without a graphics card.",
    "medium": "A night.", "large": "A graphics card, and days.",
}  # fmt: skip
_MEMORY = {
    "store": ("Store", "Keep what each layer computed: quicker."),
    "invert": ("Invert", "Compute it again from the output: a third slower, far less memory."),
}
_PRECISION_WORDS = {"auto": "whichever is quicker", "bfloat16": "bfloat16", "float32": "float32"}


def _path(value: Any) -> str:
    return _PATH.legal(value, "A run's folder")


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

    data: str = text("", 4096, low=0, act="Pictures")
    system: str = choice(SYSTEMS[0], _SYSTEM_WORDS, "System", columns=3 if len(SYSTEMS) == 3 else 2, act="Flow")
    preset: str = choice(
        "small", {name: (name.capitalize(), _PRESET_WORDS.get(name, "")) for name in PRESETS}, "Size of the model",
        columns=2 if len(PRESETS) > 4 else 4, compact=True,
    )  # fmt: skip
    size: int = whole(32, 0, 1024, act="Size of the pictures")
    steps: int = whole(preset_steps("small"), *STEPS, "Steps", "Updates of the weights; also where the learning rate ends.")
    conditional: bool = flag(
        False, "Learn by class", "One model of all classes that can be asked for each.\np(x | y), with a prior π(z | y)"
    )
    memory: str = choice("store", _MEMORY, "Memory", compact=True)
    name: str = text("", 4096, low=0, act="Name")
    folder: str = text("", 4096, low=0, act="Where runs go")
    precision: str = choice(
        PRECISIONS[0], _PRECISION_WORDS, "Precision",
        "The numbers that the couplings' networks compute in. Everything that must be exact stays in float32.", menu=True,
    )  # fmt: skip
    jitter: bool = flag(
        False, "Move pictures a little",
        "Cut each picture anew from its source whenever it is seen: more to learn from few pictures.\n"
        f"Up to {AMOUNTS[0]:g} pixels, {100 * AMOUNTS[2]:g} % of its size, {AMOUNTS[3]:g}°.",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self, "A run's")

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

    form: Form = Form()
    page: str = choice("runs", PAGES)
    selected: tuple[str, ...] = several((), _path, PATHS_MAX)
    folders: tuple[str, ...] = several((), _path, PATHS_MAX)
    """Run folders, or folders of them, that were opened beside the usual one."""
    logarithmic: bool = flag(False)
    smoothing: float = number(0.6, *SMOOTHING)
    by_time: bool = flag(False)

    def __post_init__(self) -> None:
        check(self, _OWNER)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingState:
        """The opposite of ``to_dict``; what is unknown is left out, what is missing takes its default.

        Raises:
            ConfigError: for a value out of range.
        """
        return read(cls, values, _OWNER)
