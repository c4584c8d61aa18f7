"""The panels that show points, the density and the grid. Items are made once; a frame only gives them new data."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from app import theme
from app.i18n import tr
from app.toylab.panel import Panel
from app.toylab.run import Run
from app.widgets import Legend, Segmented
from app.widgets.plot import Bundle, Cloud, Plot

__all__ = ["DensityPanel", "GridPanel", "PriorPanel", "SamplesPanel"]

NOTHING = np.empty((0, 2))


class SamplesPanel(Panel):
    """Data, and what the model makes of always the same noise."""

    def __init__(self) -> None:
        words = tr("Points of the density, and points that the model makes of always the same noise.") + "\nx = f⁻¹(z)"
        super().__init__(tr("Data and samples"), right=Legend([("a", tr("data")), ("b", tr("model"))]), tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.data, self.samples = Cloud("a", 2.6, 0.7), Cloud("b", 2.8, 0.9)
        self.plot.box.addItem(self.data)
        self.plot.box.addItem(self.samples)
        self.add(self.plot)

    def show_run(self, run: Run) -> bool:
        news = False
        for name, cloud in (("data", self.data), ("samples", self.samples)):
            if self.news(run, name):
                cloud.set_points(run.arrays.get(name, NOTHING))
                news = True
        return news


class PriorPanel(Panel):
    """The data's side of z."""

    def __init__(self) -> None:
        words = tr("The data after the flow: the better it fits, the more they look like one round cloud.") + "\nz = f(x)"
        super().__init__(tr("Where f sends the data"), "z", tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.rings = Bundle("z", 1.0, 0.55)
        turn = np.linspace(0, 2 * np.pi, 97)
        self.rings.set_lines(np.stack([r * np.stack([np.cos(turn), np.sin(turn)], 1) for r in (1.0, 2.0, 3.0)]))
        self.points = Cloud("a", 2.8, 0.85)
        self.plot.box.addItem(self.rings)
        self.plot.box.addItem(self.points)
        self.add(self.plot)

    def show_run(self, run: Run) -> bool:
        if not self.news(run, "prior"):
            return False
        self.points.set_points(run.arrays.get("prior", NOTHING))
        return True


class GridPanel(Panel):
    """A regular grid in z, decoded."""

    def __init__(self) -> None:
        words = tr("A regular grid in z, as the model bends it into the density.") + "\nf⁻¹"
        super().__init__(tr("Warped grid"), "f⁻¹", tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.lines = Bundle("z", 1.1, 0.85)
        self.plot.box.addItem(self.lines)
        self.add(self.plot)

    def show_run(self, run: Run) -> bool:
        if not self.news(run, "grid"):
            return False
        self.lines.set_lines(run.arrays.get("grid", np.empty((0, 2, 2))))
        return True


class DensityPanel(Panel):
    """The model's density, or the true one, in the same colours at the same scale."""

    def __init__(self) -> None:
        self.which = Segmented(
            [
                ("model", tr("Model"), tr("The density that the model has learned.") + "\np(x) = π(f(x)) |det ∂f/∂x|"),
                ("truth", tr("True"), tr("The density that the points are drawn from.")),
            ],
            tr("Which density"),
            compact=True,
        )
        super().__init__(tr("Density"), right=self.which, tooltip=tr("Brightness grows with the square root of p(x)."))
        self.plot = Plot(self.accessibleName())
        self.image = pg.ImageItem(axisOrder="row-major")
        self.plot.box.addItem(self.image)
        self.add(self.plot)
        self._top = 1.0
        self._run: Run | None = None
        theme.changed.connect(self._paint_theme)
        self._paint_theme()
        self.which.chosen.connect(self._again)

    def show_run(self, run: Run) -> bool:
        self._run = run
        self._offer_truth(run.known)
        news = self.news(run, "truth")
        if news and "truth" in run.arrays:
            self._top = float(run.arrays["truth"].max())
        wanted = self._wanted()
        if self.news(run, wanted) or news:
            self._draw(run, wanted)
            return True
        return False

    def _draw(self, run: Run, name: str) -> None:
        heat = run.arrays.get(name)
        self.image.setVisible(heat is not None)
        if heat is None:
            return
        if not run.known:
            self._top = max(float(heat.max()), 1e-6)  # there is no truth to share a scale with
        self.image.setImage(heat, autoLevels=False, levels=(0.0, self._top))
        self.image.setRect(QRectF(-run.reach, -run.reach, 2 * run.reach, 2 * run.reach))

    def _again(self, *_unused: object) -> None:
        if self._run is not None:
            self._draw(self._run, self._wanted())

    def _wanted(self) -> str:
        return "heat" if self.which.current() == "model" else "truth"

    def _offer_truth(self, known: bool) -> None:
        truth = self.which.button("truth")
        if truth.isEnabled() != known:
            truth.setEnabled(known)
            truth.setToolTip(
                tr("The density that the points are drawn from.") if known
                else tr("Only points of this density are known, not the density itself.")
            )  # fmt: skip
            if not known:
                self.which.set_current("model")

    def _paint_theme(self) -> None:
        # Both perceptually uniform; no density is the colour of the panel's own ground in each theme.
        name = "magma" if theme.current().dark else "CET-L17"
        colors = pg.colormap.get(name).getLookupTable(0.0, 1.0, 256)[:, :3].astype(np.uint8)
        self.image.setLookupTable(np.ascontiguousarray(colors))
        self.plot.ground = QColor(*(int(channel) for channel in colors[0]))
        self.plot.paint_theme()
