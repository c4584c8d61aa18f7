"""The column for figure 6: which matrix, its angle or its step, and h · w · log |det W|."""

from __future__ import annotations

import numpy as np

from flow_explorer.i18n import tr
from flow_explorer.theory.panels.base import Panel, number
from flow_explorer.theory.panels.picture import PictureChoice
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Label
from flowcore.theory.convolution import apply, log_det, permutation, rotation
from flowcore.theory.masking import squeeze

__all__ = ["ConvolutionPanel"]


class ConvolutionPanel(Panel):
    """The determinant of W, and what it adds to log p(x)."""

    figure = "convolution"

    def build(self) -> None:
        self.heading(tr("Matrix"))
        self.control("kind", "angle", "step")
        self.error = Label("", "warning", wrap=True)
        self.body.addWidget(self.error)
        self.picture = PictureChoice(self.controller)
        self.heading(tr("Picture"))
        self.body.addWidget(self.picture)
        self.heading(tr("Log-determinant"))
        self.row("det", "det W")
        self.row("log_abs", "log |det W|", tr("Of a learned W it is the sum of the logarithms on the diagonal of U.") + "\nΣ s")
        self.row("places", tr("places, h · w"))
        self.row("log_det", "h · w · log |det W|", tr("What this layer adds to log p(x)."), total=True)
        self.heading(tr("At the picture's middle"))
        self.row("largest", tr("largest weight of the row"))
        self.row("x_there", tr("its channel of x"))
        self.row("rest", tr("all other channels' part"))
        self.row("z_there", tr("channel of z"), "z = Σ wⱼ xⱼ", total=True)

    def show_state(self, state: TheoryState) -> None:
        part = state.convolution
        self.form.show(part)
        self.picture.show_picture(part.picture)
        glows = self.controller.glows
        x = self.controller.pictures.get(part.picture, glows.side).transpose(2, 0, 1) / 256.0 - 0.5
        learned = glows.step(part.step) if part.kind == "learned" else None
        if learned is not None:
            x, weight = squeeze(x), learned.weight
        else:
            weight = rotation(part.angle) if part.kind == "rotation" else permutation()
        sentence = glows.error if part.kind == "learned" and learned is None else ""
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        height, width = x.shape[1:]
        row = min(part.channel, len(weight) - 1)
        there = x[:, height // 2, width // 2]
        most = int(np.abs(weight[row]).argmax())
        z = float(apply(weight, x[:, height // 2 : height // 2 + 1, width // 2 : width // 2 + 1])[row, 0, 0])
        main = float(weight[row, most] * there[most])
        self.set(
            det=number(float(np.linalg.det(weight))), log_abs=number(float(np.linalg.slogdet(weight)[1]), 4),
            places=f"{height} · {width} = {height * width:,}",
            log_det=(number(log_det(weight, height, width), 1, tr("nat")), "b"),
            largest=number(float(weight[row, most])),
            x_there=f"x{_low(most + 1)} = {number(float(there[most]))}", rest=number(z - main),
            z_there=(f"z{_low(row + 1)} = {number(z)}", "z"),
        )  # fmt: skip
        self.rows["largest"].label.setText(tr("largest weight of row {n}", n=row + 1))


def _low(value: int) -> str:
    return str(value).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
