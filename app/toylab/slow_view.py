"""Slow motion on screen: points on the left, the four captions with what each adds on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app import theme
from app.i18n import tr
from app.toylab.layers import between
from app.toylab.panel import Panel
from app.toylab.race_view import Cover
from app.toylab.slow_motion import SlowMotion
from app.widgets import Card, Label
from app.widgets.plot import Bundle, Cloud, Plot

if TYPE_CHECKING:
    from app.toylab.controller import ToyController

__all__ = ["SlowView", "magnified"]

REACH = 4.2


def magnified(before: np.ndarray, after: np.ndarray, wanted: float = 0.35) -> tuple[np.ndarray, float]:
    """Where arrows from ``before`` to ``after`` (n, 2) end when drawn a whole number of times as long, and that number.

    It is chosen so that the 90th percentile of the lengths is about ``wanted``; a step moves points too little to see.
    """
    moved = after - before
    typical = float(np.quantile(np.linalg.norm(moved, axis=1), 0.9)) if len(moved) else 0.0
    factor = float(max(1, min(10_000, round(wanted / typical)))) if typical > 1e-9 else 1.0
    if factor > 20:
        digits = 10 ** (len(str(int(factor))) - 1)
        factor = float(round(factor / digits) * digits)
    return before + moved * np.float32(factor), factor


class _Stage(QWidget):
    """A caption with its sentence and figures; the one that is on stands out."""

    def __init__(self, name: str, words: str, formula: str) -> None:
        super().__init__()
        self.title, self.words, self.figures = Label(name, "strong"), Label(words, "muted", wrap=True), Label("", "")
        self.formula = Label(formula, "muted")
        self._on = False
        top = QHBoxLayout()
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(self.formula)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 12, 8)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.words)
        layout.addWidget(self.figures)
        theme.changed.connect(self.update)

    def show_on(self, on: bool, figures: str) -> None:
        """Whether it is the stage on screen, and its figures ("" while they are not known)."""
        if figures != self.figures.text():
            self.figures.setText(figures)
        self.figures.setVisible(bool(figures))
        if on != self._on:
            self._on = on
            self.update()
        self.setAccessibleName(f"{self.title.text()}: {figures or self.words.text()}")

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        if not self._on:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent", 0.12))
        painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(QRectF(0, 8, 3, self.height() - 16), 1.5, 1.5)


class _Norms(QWidget):
    """The gradient's length layer by layer, as bars."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Length of the gradient, layer by layer"))
        self.setToolTip(self.accessibleName() + "\n‖∂L/∂θₖ‖")
        self._norms = np.empty(0)
        self._share = 0.0
        theme.changed.connect(self.update)

    def show_norms(self, norms: np.ndarray, share: float) -> None:
        """Bars, grown to a share of their length."""
        self._norms, self._share = norms, share
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(200, 84)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        font = QFont(self.font())
        font.setPixelSize(theme.SMALL_PIXELS)
        painter.setFont(font)
        ground, count = self.height() - 18, len(self._norms)
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.drawLine(QPointF(0, ground + 0.5), QPointF(self.width(), ground + 0.5))
        if not count or not self._norms.max() > 0:
            return
        slot = self.width() / count
        for index, norm in enumerate(self._norms):
            height = (ground - 4) * float(norm / self._norms.max()) * self._share
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.b))
            painter.drawRoundedRect(QRectF(index * slot + 0.15 * slot, ground - height, 0.7 * slot, height), 2, 2)
            if slot > 14:
                painter.setPen(QColor(tones.muted))
                painter.drawText(QRectF(index * slot, ground + 2, slot, 16), Qt.AlignmentFlag.AlignCenter, f"{index + 1}")
        words = tr("layer, from x to z")
        if QFontMetricsF(font).horizontalAdvance(words) < self.width():
            painter.setPen(QColor(tones.muted))
            painter.drawText(QRectF(0, 0, self.width(), 14), Qt.AlignmentFlag.AlignRight, words)


class _PointsPanel(Panel):
    """Where the points are at this moment of the stage."""

    def __init__(self) -> None:
        super().__init__(tr("One step"), "")
        self.plot = Plot(tr("Points of the step"), REACH)
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        turn = np.linspace(0, 2 * np.pi, 97)
        self.rings = Bundle("z", 1.0, 0.55)
        self.rings.set_lines(np.stack([r * np.stack([np.cos(turn), np.sin(turn)], 1) for r in (1.0, 2.0, 3.0)]))
        self.arrows = Bundle("text", 1.2, 0.6)
        self.points = Cloud("a", 4.0, 0.9)
        for item in (self.rings, self.arrows, self.points):
            self.plot.box.addItem(item)
        self.add(self.plot)

    def show_run(self, run: object) -> bool:
        """The slow view draws it instead."""
        return False


class SlowView(Cover):
    """Covers the panels while slow motion is on."""

    def __init__(self, controller: ToyController, motion: SlowMotion, parent: QWidget) -> None:
        super().__init__(parent)
        self._controller, self._motion = controller, motion
        self.panel = _PointsPanel()
        self.stages = [
            _Stage(tr("1 Forward"), tr("The batch flows through the layers to z."), "z = f(x)"),
            _Stage(tr("2 Log-det"), tr("How likely z is, and how much space was stretched on the way, add up to the loss."),
                   "L = − log π(z) − log |det ∂f/∂x|"),
            _Stage(tr("3 Gradient"), tr("Backwards through the layers: how the loss changes with the weights of each."), "∂L/∂θ"),
            _Stage(tr("4 Update"), tr("The weights go a small step downhill, and samples move with them."),
                   "θ ← θ − η · Adam(∂L/∂θ)"),
        ]  # fmt: skip
        self.norms = _Norms()
        side = Card(margin=12)
        for stage in self.stages:
            side.body.addWidget(stage)
            if stage is self.stages[2]:
                side.body.addWidget(self.norms)
        side.body.addStretch(1)
        self.note = Label("", "muted", wrap=True)
        side.body.addWidget(self.note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.panel, 6)
        layout.addWidget(side, 5)
        self._drawn: tuple[object, ...] | None = None
        self._reach = REACH

    def draw(self) -> bool:
        """Draw the moment; whether anything changed."""
        motion = self._motion
        moved = motion.tick()
        detail = motion.detail
        mark = (detail.id if detail else None, motion.stage, motion.gone, theme.current().name, self._controller.playing)
        mark += (motion.sentence,)
        if mark == self._drawn:
            return moved
        self._drawn = mark
        self.panel.title.setText(tr("Step {n}", n=f"{detail.data['step']:,}") if detail else tr("One step"))
        if self._controller.playing:
            note = tr("Pause stays at this moment; Step goes to the next stage.")
        else:
            note = tr("Play goes on from here; Step goes to the next stage.")
        self.note.setText(motion.sentence or note)
        if detail is None:
            return True
        self._draw_points(detail.arrays, motion.stage, motion.fraction)
        self._draw_figures(detail, motion.stage, motion.fraction)
        return True

    def _draw_points(self, arrays: dict[str, np.ndarray], stage: int, fraction: float) -> None:
        panel, path = self.panel, arrays["path"]
        far = min(8.0, float(np.ceil(2 * np.quantile(np.abs(path), 0.99)) / 2))
        if far > self._reach:  # only ever wider: a frame that breathes would look like motion of the points
            self._reach = far
            panel.plot.set_reach(far)
        lines = np.empty((0, 2, 2))
        if stage == 0:
            position = fraction * (len(path) - 1)
            points, tone = between(path, position), theme.mix(theme.current().a, theme.current().z, fraction)
            note = tr("the batch, after {n} of {count} layers", n=int(position + 1e-6), count=len(path) - 1)
        elif stage in (1, 2):
            points, tone, note = path[-1], theme.current().z, tr("the batch in z; rings at 1, 2, 3 standard deviations")
        else:
            ends, factor = magnified(arrays["before"], arrays["after"])
            points = arrays["before"] + (ends - arrays["before"]) * np.float32(fraction)
            lines = np.stack([arrays["before"], points], 1)
            tone, note = theme.current().b, tr("samples, their way drawn {k} times as long", k=f"{factor:,.0f}")
        panel.rings.setVisible(stage < 3)
        color = QColor(tone)
        color.setAlphaF(0.9)
        panel.points.color = color
        panel.points.set_points(points)
        panel.arrows.set_lines(lines)
        panel.note.setText(note)

    def _draw_figures(self, detail: object, stage: int, fraction: float) -> None:
        data, arrays = detail.data, detail.arrays
        share = 1 - (1 - fraction) ** 3
        prior, log_det = data["prior_term"], data["log_det_term"]
        whole = stage > 1 or (stage == 1 and fraction >= 1)
        loss = data["loss"] if whole else prior + share * log_det
        figures = [
            tr("{n} layers", n=len(arrays["path"]) - 1),
            f"{prior:.3f} {'+' if log_det >= 0 else '−'} {abs(log_det) * (1 if whole else share):.3f} = {loss:.3f} nat",
            tr("length {n} over all weights", n=f"{data['norm']:.3g}")
            + (tr(", cut to {n}", n=f"{data['norm'] * data['scale']:.3g}") if data["scale"] < 1 else ""),
            tr("learning rate {rate}: new weights at step {n}", rate=f"{data['learning_rate']:.2g}", n=f"{data['step']:,}"),
        ]
        for index, widget in enumerate(self.stages):
            widget.show_on(index == stage, figures[index] if index <= stage else "")
        self.norms.show_norms(arrays["norms"], 0.0 if stage < 2 else share if stage == 2 else 1.0)
