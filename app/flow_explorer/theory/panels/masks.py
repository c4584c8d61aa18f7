"""The column for figure 5: the mask, the steps, the picture."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QHBoxLayout

from flow_explorer.i18n import tr
from flow_explorer.theory.figures.masks import SIDE
from flow_explorer.theory.panels.base import Panel, number
from flow_explorer.theory.panels.picture import PictureChoice
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Button
from flowcore.theory.masking import steps_of, walk

__all__ = ["MasksPanel"]


class MasksPanel(Panel):
    """Numbers of the whole picture: what is copied, what has changed, the log-determinant."""

    figure = "masks"

    def build(self) -> None:
        self.back = Button(tr("Back"), tooltip=tr("Half a step back.") + "\nLeft")
        self.on = Button(tr("Step"), "primary", icon="step", tooltip=tr("Half a step on: copy, or affine.") + "\nSpace")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.on, 1)
        row.addWidget(self.back, 1)
        self.body.addLayout(row)
        self.heading(tr("Mask"))
        self.control("mask")
        self.picture = PictureChoice(self.controller)
        self.heading(tr("Picture"))
        self.body.addWidget(self.picture)
        self.heading(tr("So far"))
        self.row("copied", tr("copied by every step so far"))
        self.row("changed", tr("transformed at least once"))
        self.row("all", tr("numbers, {side} × {side} × 3", side=SIDE), total=True)
        self.row("log_det", tr("log-determinant"), tr("Σ log β over all steps and all transformed numbers."))
        self.row("each", tr("a number, on average"))
        self.on.clicked.connect(lambda: self.controller.walk_mask(1))
        self.back.clicked.connect(lambda: self.controller.walk_mask(-1))

    def changed(self, name: str, value: Any, dragging: bool) -> None:
        self.controller.set_mask(value)

    def show_state(self, state: TheoryState) -> None:
        part = state.masks
        self.form.show(part)
        self.picture.show_picture(part.picture)
        self.on.setEnabled(part.phase < 2 * steps_of(part.mask))
        self.back.setEnabled(part.phase > 0)
        masked = walk(self.controller.pictures.get(part.picture, SIDE), part.mask, part.phase)
        done, count = int(masked.done.sum()), masked.done.size
        self.set(
            copied=f"{count - done:,}", changed=(f"{done:,}", "b"), all=f"{count:,}",
            log_det=number(masked.log_det, 1, tr("nat")), each=number(masked.log_det / count, 3, tr("nat")),
        )  # fmt: skip
