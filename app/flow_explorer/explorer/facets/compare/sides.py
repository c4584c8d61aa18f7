"""One side of the comparison: which model it is, what is asked of it, and what has come. Without Qt."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.compare import ComparePage, DecodeSame, PictureRead, ReadPicture, Shares
from flow_explorer.engine.requests.explorer import BitsAt, OnePicture, PagePart
from flow_explorer.explorer.facets.compare.state import Side
from flow_explorer.explorer.facets.layers.names import level_name, signed
from flow_explorer.explorer.figures import TYPICALITY, bpd_tip, percent
from flow_explorer.explorer.model import Model, figures, open_model
from flow_explorer.i18n import tr
from flowcore.errors import CheckpointError, FlowError
from flowcore.model.card import run_checkpoints
from flowcore.model.labels import Label

__all__ = ["Apart", "Reading", "Row", "SideLink", "apart", "open_side", "rows", "run_of", "sees", "side_of",
           "size_differs"]  # fmt: skip


@dataclass(frozen=True)
class Apart:
    """How far two pictures are apart."""

    picture: np.ndarray
    """|one − other|, uint8 (H, W, C), so much stronger that the largest is white."""
    strength: float
    most: int
    """Grey levels."""
    mean: float


def apart(one: np.ndarray, other: np.ndarray) -> Apart:
    """The absolute difference of two pictures uint8 (H, W, C)."""
    moved = np.abs(one.astype(np.int16) - other.astype(np.int16))
    most = int(moved.max())
    strength = 255 / most if most else 1.0
    return Apart(np.round(moved * strength).astype(np.uint8), strength, most, float(moved.mean()))


def side_of(path: str) -> Side:
    """The side that a chosen name, file or folder means: a checkpoint in a run folder is that run, at that place."""
    file = Path(path)
    if file.is_file() and (file.parent / "config.json").is_file():
        return Side(str(file.parent), file.name)
    return Side(path)


def run_of(path: Path) -> Path | None:
    """The run folder that a checkpoint lies in, or from which it was opened and kept; None for any other file."""
    folders = (path.parent, path.parent.parent)
    return next((folder for folder in folders if (folder / "config.json").is_file() and run_checkpoints(folder)[0]), None)


def open_side(side: Side, checkpoints: list[tuple[int, Path]]) -> Model:
    """The model of a side that names one; raises `CheckpointError` in one sentence."""
    chosen = next((path for _, path in checkpoints if path.name == side.checkpoint), None)
    return open_model(side.path if chosen is None else str(chosen))


def size_differs(model: Model, this: Model) -> str:
    """Why a model cannot stand beside the open one, in a sentence; "" where it can."""
    if (model.height, model.width, model.channels) == (this.height, this.width, this.channels):
        return ""
    return tr("“{model}” sees pictures of {size}, and “{this}” of {other}: choose a model of the same size.",
              model=model.title, size=sees(model), this=this.title, other=sees(this))  # fmt: skip


def sees(model: Model) -> str:
    """How large, and whether in colour."""
    size = f"{model.width}×{model.height}"
    return tr("{size} in colour", size=size) if model.channels == 3 else tr("{size} in grey", size=size)


@dataclass
class Reading:
    """What the model makes of the picture."""

    of: tuple[str, np.ndarray] | None = None
    """The model's path and the picture."""
    bpd: float | None = None
    z: np.ndarray | None = None
    label: Label = ()
    redrawn: np.ndarray | None = None
    drawn: int = 0
    shares: tuple[float, ...] = ()
    """Before the first level, then a level each, the finest first; empty until they have come."""


@dataclass
class Decoded:
    """What the z is to the model."""

    picture: np.ndarray | None = None
    bpd: float | None = None


@dataclass
class SideLink:
    """Keeps one side's results equal to what is wanted of it."""

    which: str
    client: Any
    on_change: Callable[[], None]
    model: Model | None = None
    problem: str = ""
    """Why there is no model, though one is named."""
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)
    """(steps, file) of a run folder; empty for anything else."""
    unread: list[str] = field(default_factory=list)
    """Why others of it cannot be read."""
    is_open_model: bool = False
    reading: Reading = field(default_factory=Reading)
    decoded: Decoded = field(default_factory=Decoded)
    page: list[np.ndarray | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A checkpoint that is passed over in a drag is shown as far as it came, and not finished.
        self.query = Query(self.client, self.on_change, yields=True)
        self._listed: tuple[str, int] | None = None
        self._opened: tuple[tuple, Model] | None = None

    @property
    def error(self) -> str:
        return self.problem or self.query.error

    def resolve(self, side: Side, this: Model) -> None:
        """Find the model that the state names; `this` is the open one."""
        before, stamp = self._described()
        self.problem, self.is_open_model = "", False
        self._list(side.path)
        try:
            if side.path:
                self.model = self._open(side)
                self.problem = size_differs(self.model, this)
            else:
                self.is_open_model = self.which == "left"
                self.model = this if self.is_open_model else None
        except FlowError as error:
            self.problem = str(error)
        if self.problem:
            self.model = None
        after, now = self._described()
        # What another checkpoint of the same run has made stands until this one's has come; what another model made does not.
        if before != after and (before is None or after is None or before[1] != after[1] or before[0].parent != after[0].parent):
            self.want(None)
            self.reading, self.decoded, self.page = Reading(), Decoded(), []
        elif before is not None and after is not None and before[0] == after[0] and stamp != now:
            self.query.forget()  # a run in training has replaced the file

    def _described(self) -> tuple[tuple[Path, Any] | None, object]:
        """The model's file and architecture, and of which moment a file is that was chosen here."""
        stamp = None if self._opened is None or self._opened[1] is not self.model else self._opened[0][2]
        return None if self.model is None else (self.model.path, self.model.card.get("architecture")), stamp

    def _list(self, path: str) -> None:
        folder = Path(path) if path else None
        try:
            changed = folder.stat().st_mtime_ns if folder is not None and folder.is_dir() else 0
        except OSError:
            changed = 0
        if (path, changed) != self._listed:
            self._listed = (path, changed)
            self.checkpoints, self.unread = run_checkpoints(path) if changed else ([], [])

    def _open(self, side: Side) -> Model:
        """The same object while file and choice are the same: its card is not read at every step of a drag."""
        if self._opened is not None:
            key, model = self._opened
            if key == (side, self._listed, _stamp(model.path)):
                return model
        model = open_side(side, self.checkpoints)
        self._opened = ((side, self._listed, _stamp(model.path)), model)
        return model

    @property
    def place(self) -> int:
        """Which of the checkpoints it is; -1 where there are none."""
        model = self.model
        return next((place for place, (_, path) in enumerate(self.checkpoints) if model and path == model.path), -1)

    def want(self, request: ReadPicture | DecodeSame | ComparePage | None) -> None:
        """From now on this is wanted of the model, None for nothing."""
        if isinstance(request, ReadPicture):
            of = (request.model, request.picture)
            self.query.want(request, lambda answer, _newest: self._read(answer, of))
        elif isinstance(request, DecodeSame):
            self.query.want(request, self._decoded)
        elif request is None:
            self.query.want(None)
        else:
            if self.query.asks(request):
                self.page = (self.page + [None] * request.count)[: request.count]
            self.query.want(request, self._sampled)

    def _read(self, answer: PictureRead | Shares, of: tuple[str, np.ndarray]) -> None:
        if isinstance(answer, PictureRead):
            self.reading = Reading(of, answer.bpd, np.array(answer.z), answer.label, np.array(answer.redrawn), answer.drawn)
        else:
            self.reading.shares = (answer.before, *answer.levels)

    def _decoded(self, answer: OnePicture | BitsAt, _newest: bool) -> None:
        if isinstance(answer, OnePicture):
            self.decoded = Decoded(np.array(answer.picture))
        else:
            self.decoded.bpd = answer.bpd

    def _sampled(self, part: PagePart, _newest: bool) -> None:
        for place, picture in enumerate(part.pictures, part.first):
            if place < len(self.page):
                self.page[place] = np.array(picture)


@dataclass(frozen=True)
class Row:
    """One line of figures, or, without any, what the lines below it are."""

    name: str
    left: str = ""
    right: str = ""
    apart: str = ""
    """The right one less the left one."""
    tip: str = ""


def rows(look: str, sides: list[SideLink]) -> list[Row]:
    """The figures of both sides; one that is still to come is "…", one that a side does not have "–"."""
    wrong = [side.model is None or bool(side.error) for side in sides]
    if look == "z":
        return [_row(tr("Bits per dimension"), [side.decoded.bpd for side in sides], bpd_tip(), 3, wrong)]
    bpds = [side.reading.bpd for side in sides]
    whole = [None if side.model is None or bpd is None else bpd * side.model.width * side.model.height * side.model.channels
             for side, bpd in zip(sides, bpds, strict=True)]  # fmt: skip
    tip = tr("What storing the picture would cost with this model's probabilities.\n−log₂ p(x)")
    left, right = ("–" if side.model is None or side.error
                   else "…" if bpd is None else percent(figures(side.model.card, bpd).typicality)
                   for side, bpd in zip(sides, bpds, strict=True))  # fmt: skip
    found = [_row(tr("Bits per dimension"), bpds, bpd_tip(), 3, wrong), _row(tr("Bits in all"), whole, tip, 0, wrong),
             Row(tr("Typicality"), left, right, "", tr(TYPICALITY)), Row(tr("By level"))]  # fmt: skip
    counts = [side.model.levels if side.model is not None else 0 for side in sides]
    tip = tr("What the layers and the prior of a level add to the bits per dimension; all of them add up to it.\n"
             "−(Σ log |det| + log π(ε)) / (D log 2)")  # fmt: skip
    for place in range(1 + max(counts)):
        shares = [side.reading.shares[place] if place < len(side.reading.shares) else None for side in sides]
        lacking = [place > count or none for count, none in zip(counts, wrong, strict=True)]
        found.append(_row(level_name(place, max(counts)) if place else tr("Before level 1"), shares, tip, 3, lacking))
    return found


def _row(name: str, values: list[float | None], tip: str, decimals: int, lacking: list[bool]) -> Row:
    texts = ["–" if none else "…" if value is None else f"{value:,.{decimals}f}".replace("-", "−")
             for value, none in zip(values, lacking, strict=True)]  # fmt: skip
    left, right = values
    known = "" if left is None or right is None or any(lacking) else signed(right - left, decimals)
    return Row(name, texts[0], texts[1], known, tip)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise CheckpointError(tr("{path} cannot be opened: {why}.", path=path, why=error.strerror or error)) from error
    return status.st_mtime_ns, status.st_size
