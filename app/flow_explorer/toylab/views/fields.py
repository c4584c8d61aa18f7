"""Panels that show what the flow does to space: where it carries it, where it stretches it, and the points' paths."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.layers.layers import between, tone_at
from flow_explorer.toylab.panels.panel import ToyPanel
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.views.colours import STRETCH, ColourBar, stretch_table
from flow_explorer.toylab.views.lines import Segments, arrows
from flow_explorer.widgets import Segmented
from flow_explorer.widgets.plot import Cloud, Plot

__all__ = ["DisplacementPanel", "StretchPanel", "TrajectoriesPanel"]

NOTHING = np.empty((0, 2))
PATHS = 160
"""How many points' paths are drawn: more would cover each other."""


def _shade(group: int, groups: int, alpha: float) -> QColor:
    color = QColor(tone_at((group + 0.5) / max(1, groups)))
    color.setAlphaF(alpha)
    return color


class StretchPanel(ToyPanel):
    """log|det ∂f/∂x| over the data's side."""

    probe_side = "x"

    def __init__(self) -> None:
        words = tr("Red: a small square grows on its way to z. Blue: it shrinks. Click to see it.")
        words += "\nlog |det ∂f/∂x|"
        super().__init__(tr("Stretching of space"), "log |det|", tooltip=words, short=tr("Stretching"))
        self.plot = Plot(self.accessibleName())
        self.image = pg.ImageItem(axisOrder="row-major")
        self.plot.box.addItem(self.image)
        ends = tr("shrinks −{n}", n=f"{STRETCH:g}"), tr("grows +{n} nat", n=f"{STRETCH:g}")
        self.bar = ColourBar(*ends, marks=(0.5,), tooltip=words)
        self.add(self.plot)
        self.add_bar(self.bar)
        theme.changed.connect(self._paint_theme)
        self._paint_theme()

    def show_run(self, run: RunEntry) -> bool:
        self.fit(run, self.plot)
        if not self.news(run, "stretch"):
            return False
        field = run.arrays.get("stretch")
        self.image.setVisible(field is not None)
        if field is not None:
            self.image.setImage(field, autoLevels=False, levels=(-STRETCH, STRETCH))
            self.image.setRect(QRectF(-run.reach, -run.reach, 2 * run.reach, 2 * run.reach))
        return True

    def _paint_theme(self) -> None:
        table = stretch_table()
        self.image.setLookupTable(table)
        self.bar.set_colors(table)


class DisplacementPanel(ToyPanel):
    """Arrows from a grid in z to where the flow, or one of its layers, carries it."""

    probe_side = "path"

    def __init__(self) -> None:
        self.which = Segmented(
            [
                ("flow", tr("Flow"), tr("From z to x, through all layers.") + "\nx − z"),
                ("layer", tr("Layer"), tr("Through the layer at the strip's position alone.") + "\nh_k − h_{k−1}"),
            ],
            tr("What moves the points"),
            compact=True,
        )
        words = tr("How far each point of a grid in z (dots) is carried, and where to (arrows).") + "\nx − z"
        super().__init__(tr("Displacement"), right=self.which, tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.lines = Segments(self._color, 1.2)
        self.dots = Cloud("z", 2.6, 0.9)
        self.plot.box.addItem(self.lines)
        self.plot.box.addItem(self.dots)
        self.add(self.plot)
        self._at: tuple[object, ...] | None = None
        self._fraction = 1.0
        self._bound = 0.0

    def _color(self, _group: int, _groups: int) -> QColor:
        color = QColor(tone_at(self._fraction))
        color.setAlphaF(0.85)
        return color

    def show_at(self, run: RunEntry, position: float) -> bool:
        """Draw ``run`` at a position from 0 to K of the strip; whether anything changed."""
        states = run.arrays.get("displacement")
        last = len(states) - 1 if states is not None else 1
        layer = min(last, max(1, round(position)))  # the one that leads to the position
        mark = (self.which.current(), layer if self.which.current() == "layer" else 0, theme.current().name)
        if not self.news(run, "displacement") and mark == self._at:
            return False
        self._at = mark
        if run.layer_bound != self._bound:
            self._bound = run.layer_bound
            self.plot.set_reach(self._bound)
        if states is None:
            self.lines.set_groups([])
            self.dots.set_points(NOTHING)
            return True
        whole = mark[0] == "flow"
        first, end = (states[0], states[-1]) if whole else (states[layer - 1], states[layer])
        self._fraction = 1.0 if whole else layer / last
        self.dots.color = QColor(tone_at(0.0 if whole else (layer - 1) / last))
        self.lines.set_groups([arrows(first, end)])
        self.dots.set_points(first)
        return True

    def show_run(self, run: RunEntry) -> bool:
        """The canvas calls ``show_at`` instead, since it knows the position."""
        return False


class TrajectoriesPanel(ToyPanel):
    """The paths of the same noise through the layers, coloured by layer, and the points at the strip's position."""

    probe_side = "path"

    def __init__(self) -> None:
        words = tr("Each line is a point's way from z to x, a corner a layer: move the strip.")
        words += "\nh₀ → h₁ → … → h_K"
        super().__init__(tr("Trajectories"), "", tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.lines = Segments(lambda group, groups: _shade(group, groups, 0.5), 1.0)
        self.points = Cloud("z", 3.2, 1.0)
        self.plot.box.addItem(self.lines)
        self.plot.box.addItem(self.points)
        self.bar = ColourBar("z", "x", tooltip=words)
        self.add(self.plot)
        self.add_bar(self.bar)
        self._at: tuple[float, str] | None = None
        self._bound = 0.0

    def show_at(self, run: RunEntry, position: float) -> bool:
        """Draw ``run`` at a position from 0 to K; whether anything changed."""
        layers = run.arrays.get("layers")
        news = self.news(run, "layers")
        mark = (position, theme.current().name)
        if not news and mark == self._at:
            return False
        if self._at is None or self._at[1] != mark[1]:
            self.bar.set_colors([QColor(tone_at(part / 8)) for part in range(9)])
        self._at = mark
        if run.layer_bound != self._bound:
            self._bound = run.layer_bound
            self.plot.set_reach(self._bound)
        if layers is None:
            self.lines.set_groups([])
            self.points.set_points(NOTHING)
            return True
        paths = layers[:, :PATHS]
        if news:
            self.lines.set_groups([np.concatenate(pair, 1) for pair in zip(paths[:-1], paths[1:], strict=True)])
        last = len(layers) - 1
        self.points.color = QColor(tone_at(position / max(1, last)))
        self.points.set_points(between(paths, min(position, last)))
        return True

    def show_run(self, run: RunEntry) -> bool:
        """The canvas calls ``show_at`` instead, since it knows the position."""
        return False
