"""A panel for each flow of a race: its samples over the data, or its density, all at one scale."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QSizePolicy

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.panel import Caption, ToyPanel
from flow_explorer.toylab.race.marks import MARKS, Swatch
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.views.colours import density_table
from flow_explorer.widgets.plot import Cloud, Plot

__all__ = ["RacerPanel"]

NOTHING = np.empty((0, 2))


class RacerPanel(ToyPanel):
    """One racer. ``show_racer`` is called at every frame and draws only what has changed."""

    def __init__(self, index: int) -> None:
        words = tr("What this flow makes of the same noise, over the data; or the density that it has learned.")
        super().__init__("", "", tooltip=words + "\nx = f⁻¹(z), p(x) = π(f(x)) |det ∂f/∂x|")
        self.sentence.clear()  # four times the same would be a wall of words
        self.index = index
        self.head.insertWidget(0, Swatch(index, line=False))
        self.plot = Plot(self.accessibleName())
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.data, self.samples = Cloud("a", 2.2, 0.4), Cloud(MARKS[index].tone, 2.6, 0.9)
        self.image = pg.ImageItem(axisOrder="row-major")
        for item in (self.image, self.data, self.samples):
            self.plot.box.addItem(item)
        self.caption = Caption(self.plot)
        self.add(self.plot)
        self._top = 1.0
        self._density: bool | None = None
        theme.changed.connect(self._paint_theme)
        self._paint_theme()

    def set_name(self, name: str) -> None:
        """Whose panel it is, in words."""
        if name != self.title.text():
            self.title.setText(name)
            self.setAccessibleName(name)
            self.plot.setAccessibleName(name)

    def show_racer(self, run: RunEntry, density: bool) -> bool:
        """Draw what is new; whether anything was. A past moment of which no density was kept shows its samples."""
        bare = density and run.marked_step is not None and "heat" not in run.arrays
        self.caption.say(tr("no density kept") if bare else "")
        density = density and not bare
        switched = density != self._density
        if switched:
            self._density = density
            self.image.setVisible(density)
            self.data.setVisible(not density)
            self.samples.setVisible(not density)
            self._paint_theme()
        for name in ("truth", "estimate"):
            if self.news(run, name) and name in run.arrays:
                self._top = max(1e-6, float(run.arrays[name].max()))
                switched = True
        drawn = switched
        for name, cloud in (("data", self.data), ("samples", self.samples)):
            if self.news(run, name):
                cloud.set_points(run.arrays.get(name, NOTHING))
                drawn = True
        if self.news(run, "heat") or (switched and density):
            heat = run.arrays.get("heat")
            self.image.setVisible(density and heat is not None)
            if heat is not None:
                self.image.setImage(heat, autoLevels=False, levels=(0.0, self._top))
                self.image.setRect(QRectF(-run.reach, -run.reach, 2 * run.reach, 2 * run.reach))
            drawn = True
        return drawn

    def show_run(self, run: object) -> bool:
        """The race's view calls ``show_racer`` instead."""
        return False

    def _paint_theme(self) -> None:
        # As in the toy lab's own density: perceptually uniform, and no density is the ground.
        colors = density_table()
        self.image.setLookupTable(colors)
        self.plot.ground = QColor(*(int(channel) for channel in colors[0])) if self._density else None
        self.plot.paint_theme()
