"""Slow motion on screen: points on the left, the four captions with what each adds on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.race.view import Cover
from flow_explorer.toylab.slow.layers import LayersScript
from flow_explorer.toylab.slow.matching import MatchingScript
from flow_explorer.toylab.slow.motion import STAGES, SlowMotion
from flow_explorer.toylab.slow.panel import PointsPanel
from flow_explorer.widgets import Card, Label
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.reading import enlarge

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["SlowView"]

NO_FIGURES = "\u00a0"


class _Stage(QWidget):
    """A caption with its sentence and figures; the one that is on stands out."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.words, self.figures = Label("", "strong"), Label("", "muted", wrap=True), Label("", "")
        self.formula = Label("", "muted")
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
        self.set_unit(1.0)
        theme.changed.connect(self.update)

    def show_caption(self, name: str, words: str, formula: str) -> None:
        """What the stage is called, and what happens in it."""
        for label, text in ((self.title, name), (self.words, words), (self.formula, formula)):
            label.setText(text)

    def set_unit(self, unit: float) -> None:
        """Write it so many times as large as usual."""
        for label in (self.title, self.words, self.figures, self.formula):
            enlarge(label, unit)

    def show_on(self, on: bool, figures: str) -> None:
        """Whether it is the stage on screen, and its figures ("" while they are not known)."""
        # A line of its own before there are figures: captions that move down under the eye cannot be read.
        if (figures or NO_FIGURES) != self.figures.text():
            self.figures.setText(figures or NO_FIGURES)
        if on != self._on:
            self._on = on
            self.update()
        self.setAccessibleName(f"{self.title.text()}: {figures or self.words.text()}")

    def paintEvent(self, _event: QPaintEvent) -> None:
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
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._norms = np.empty(0)
        self._words = ""
        self._share = 0.0
        self.set_unit(1.0)
        theme.changed.connect(self.update)

    def set_unit(self, unit: float) -> None:
        """Draw it so many times as large as usual."""
        self._unit = unit
        self.setMaximumHeight(round(180 * unit))
        self.updateGeometry()
        self.update()

    def show_words(self, name: str, words: str) -> None:
        """What the bars are of."""
        self.setAccessibleName(name)
        self.setToolTip(plain(name + "\n‖∂L/∂θₖ‖"))
        self._words = words

    def show_norms(self, norms: np.ndarray, share: float) -> None:
        """Bars, grown to a share of their length."""
        self._norms, self._share = norms, share
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, round(84 * self._unit))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        font = QFont(self.font())
        unit = self._unit
        font.setPixelSize(round(theme.SMALL_PIXELS * unit))
        painter.setFont(font)
        ground, count = self.height() - 18 * unit, len(self._norms)
        painter.setPen(QPen(QColor(tones.line), 1))
        painter.drawLine(QPointF(0, ground + 0.5), QPointF(self.width(), ground + 0.5))
        if not count or not self._norms.max() > 0:
            return
        slot = min(64.0 * unit, self.width() / count)
        for index, norm in enumerate(self._norms):
            height = (ground - 18 * unit) * float(norm / self._norms.max()) * self._share
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.b))
            painter.drawRoundedRect(QRectF(index * slot + 0.15 * slot, ground - height, 0.7 * slot, height), 2, 2)
            if slot > 14 * unit:
                painter.setPen(QColor(tones.muted))
                painter.drawText(QRectF(index * slot, ground + 2, slot, 16 * unit), Qt.AlignmentFlag.AlignCenter, f"{index + 1}")
        if QFontMetricsF(font).horizontalAdvance(self._words) < self.width():
            painter.setPen(QColor(tones.muted))
            painter.drawText(QRectF(0, 0, self.width(), 14 * unit), Qt.AlignmentFlag.AlignRight, self._words)


class SlowView(Cover):
    """Covers the panels while slow motion is on."""

    def __init__(self, controller: ToyController, motion: SlowMotion, parent: QWidget) -> None:
        super().__init__(parent)
        self._controller, self._motion = controller, motion
        self.panel = PointsPanel()
        self._scripts = {"likelihood": LayersScript(), "matching": MatchingScript()}
        self._script: LayersScript | MatchingScript | None = None
        self.stages = [_Stage() for _ in STAGES]
        self.norms = _Norms()
        side = Card(margin=12)
        for stage in self.stages:
            side.body.addWidget(stage)
            if stage is self.stages[2]:
                side.body.addWidget(self.norms, 3)
        side.body.addStretch(1)
        self.note = Label("", "muted", wrap=True)
        side.body.addWidget(self.note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.panel, 6)
        layout.addWidget(side, 5)
        self._drawn: tuple[object, ...] | None = None
        self._tell("likelihood")

    def set_unit(self, unit: float) -> None:
        """Write so many times as large as usual."""
        for part in (self.panel, self.norms, *self.stages):
            part.set_unit(unit)
        enlarge(self.note, unit)

    def draw(self) -> bool:
        """Draw the moment; whether anything changed."""
        motion = self._motion
        moved = motion.tick()
        detail = motion.detail
        mark = (detail.id if detail else None, motion.stage, motion.gone, theme.current().name, self._controller.playing)
        flow = self._controller.state.flow
        mark += (motion.sentence, flow)
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
            self._tell("matching" if flow == "continuous" else "likelihood")
            return True
        script = self._tell(detail.data["trained_by"])
        script.draw(self.panel, detail, motion.stage, motion.fraction)
        figures = script.figures(detail, motion.stage, motion.fraction)
        for index, widget in enumerate(self.stages):
            widget.show_on(index == motion.stage, figures[index] if index <= motion.stage else "")
        share = 1 - (1 - motion.fraction) ** 3
        self.norms.show_norms(detail.arrays["norms"], 0.0 if motion.stage < 2 else share if motion.stage == 2 else 1.0)
        return True

    def _tell(self, trained_by: str) -> LayersScript | MatchingScript:
        """Caption the stages of that way of training."""
        script = self._scripts[trained_by]
        if script is not self._script:
            self._script = script
            self.panel.frame(script.reach)
            for widget, caption in zip(self.stages, script.captions, strict=True):
                widget.show_caption(*caption)
                widget.show_on(False, "")
            self.norms.show_words(*script.norm_words)
            self.norms.show_norms(np.empty(0, np.float32), 0.0)
        return script
