"""Slow motion's picture: where the points of a step are at this moment, with paths and arrows."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.views.lines import Segments
from flow_explorer.widgets import Legend
from flow_explorer.widgets.plot import Bundle, Cloud, Plot

__all__ = ["PointsPanel", "magnified"]

REACH = 4.2
NO_LINES = np.empty((0, 2, 2))
NO_POINTS = np.empty((0, 2))
ARROW_TONES = ("a", "b")


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


class PointsPanel(ToyPanel):
    """Points in one colour over faint paths and small marks, and arrows in two; ``show_moment`` sets all of it."""

    def __init__(self) -> None:
        super().__init__(tr("One step"), "")
        self.plot = Plot(tr("Points of the step"), REACH)
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        turn = np.linspace(0, 2 * np.pi, 97)
        self.rings = Bundle("z", 1.0, 0.55)
        self.rings.set_lines(np.stack([r * np.stack([np.cos(turn), np.sin(turn)], 1) for r in (1.0, 2.0, 3.0)]))
        self.paths = Bundle("text", 1.2, 0.6)
        self.starts, self.ends = Cloud("z", 3.0, 0.9), Cloud("a", 3.0, 0.9)
        self.points = Cloud("a", 3.0, 0.9)
        self.arrows = Segments(lambda group, _groups: theme.color(ARROW_TONES[group], 0.95), 1.6)
        for item in (self.rings, self.paths, self.starts, self.ends, self.arrows, self.points):
            self.plot.box.addItem(item)
        self.legend = Legend([])
        self.legend.hide()
        self.add(self.plot)
        self.body.addWidget(self.legend, 0, Qt.AlignmentFlag.AlignHCenter)
        self._entries: list[tuple[str, str]] = []
        self._reach = REACH

    def set_unit(self, unit: float) -> None:
        super().set_unit(unit)
        self.legend.set_unit(unit)

    def show_moment(
        self, points: np.ndarray, tone: str, note: str, *, rings: bool = False, paths: np.ndarray = NO_LINES, faint: float = 0.6,
        ends: tuple[np.ndarray, np.ndarray] = (NO_POINTS, NO_POINTS), arrows: tuple[np.ndarray, ...] = (),
    ) -> None:  # fmt: skip
        """Points (n, 2) in a colour; ``paths`` (lines, k, 2), so faint, with ``ends`` (m, 2) in z's and data's colours.

        ``arrows`` are at most two groups, as `arrows` of the lines' module makes them, in data's and the model's colours.
        """
        color = QColor(tone)
        color.setAlphaF(0.9)
        self.points.color = color
        self.points.set_points(points)
        self.paths.alpha = faint
        self.paths.set_lines(paths)
        for cloud, places in zip((self.starts, self.ends), ends, strict=True):
            cloud.set_points(places)
        self.arrows.set_groups(arrows)
        self.rings.setVisible(rings)
        self.note.setText(note)

    def show_legend(self, entries: list[tuple[str, str]]) -> None:
        """What the colours below the picture mean; none for no line."""
        if entries != self._entries:
            self._entries = entries
            self.legend.set_entries(entries)
            self.legend.setVisible(bool(entries))

    def frame(self, reach: float) -> None:
        """Begin with ± ``reach``."""
        self._reach = reach
        self.plot.set_reach(reach)

    def widen(self, far: float) -> None:
        """Show at least ± ``far``. Only ever wider: a frame that breathes would look like motion of the points."""
        if far > self._reach:
            self.frame(far)

    def show_run(self, run: object) -> bool:
        """The slow view draws it instead."""
        return False
