"""The panels that show points, the density and the grid. Items are made once; a frame only gives them new data."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.panels.glide import Glide
from flow_explorer.toylab.panels.panel import Caption, ToyPanel
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.views.colours import ColourBar, density_table
from flow_explorer.toylab.views.lines import Segments
from flow_explorer.widgets import Legend, Segmented
from flow_explorer.widgets.plain import plain
from flow_explorer.widgets.plot import Bundle, Cloud, Plot
from flowcore.plane.prior_shapes import outline

__all__ = ["DensityPanel", "GridPanel", "PriorPanel", "SamplesPanel"]

NOTHING = np.empty((0, 2))
LOG_FLOOR = -10.0
"""The log scale's lower end, in nats."""
CONTOUR_LEVELS = (-8.0, -6.0, -4.0, -2.0, 0.0)
"""Of log p, in nats: what the engine's contours are of (the window imports nothing that needs torch)."""


class SamplesPanel(ToyPanel):
    """Data, and what the model makes of always the same noise."""

    probe_side = "x"

    def __init__(self) -> None:
        words = tr("Orange: the data. Blue: what the model makes of noise. Trained well, they lie alike.")
        words += "\nx = f⁻¹(z)"
        self._both = words
        self.legend = Legend([("a", tr("data")), ("b", tr("model"))])
        super().__init__(tr("Data and samples"), right=self.legend, tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.data, self.samples = Cloud("a", 2.6, 0.7), Cloud("b", 2.8, 0.9)
        self._glide = Glide()
        self.plot.box.addItem(self.data)
        self.plot.box.addItem(self.samples)
        self.add(self.plot)

    def show_clouds(self, data: bool, samples: bool) -> None:
        """Show the data, the samples, or both."""
        if (data, samples) != (self.data.isVisible(), self.samples.isVisible()):
            self.data.setVisible(data)
            self.samples.setVisible(samples)
            title = tr("Data and samples") if data and samples else tr("Data") if data else tr("Samples")
            self.title.setText(title)
            if data and samples:
                self.explain(self._both)
            else:
                self.explain(tr("Points of the density itself.") if data else
                             tr("Points that the model makes of always the same noise.") + "\nx = f⁻¹(z)")
            self.setAccessibleName(title)
            self.plot.setAccessibleName(title)
            self.legend.set_entries([("a", tr("data"))] * data + [("b", tr("model"))] * samples)

    def show_run(self, run: RunEntry) -> bool:
        self.fit(run, self.plot)
        news = self.news(run, "data")
        if news:
            self.data.set_points(run.arrays.get("data", NOTHING))
        return self.glide(run, "samples", self._glide, self.samples) or news


class PriorPanel(ToyPanel):
    """The data's side of z."""

    probe_side = "z"

    def __init__(self) -> None:
        words = tr("The data after the flow. Trained well, they fill the prior that the lines show.")
        super().__init__(tr("Where f sends the data"), "z", tooltip=words + "\nz = f(x)", short=tr("Data in z"))
        self.plot = Plot(self.accessibleName())
        self.rings = Bundle("z", 1.0, 0.55)
        self._prior = ("", 0)
        self.show_prior("gaussian", 1)
        self.points, self._glide = Cloud("a", 2.8, 0.85), Glide()
        self.plot.box.addItem(self.rings)
        self.plot.box.addItem(self.points)
        self.add(self.plot)

    def show_prior(self, kind: str, components: int) -> None:
        """Draw the shape of a prior as it is before anything is learned of it."""
        if self._prior != (kind, components):
            self._prior = kind, components
            self._shown.pop("outline", None)
            self.rings.set_lines(outline(kind, components))

    def show_run(self, run: RunEntry) -> bool:
        moved = self.news(run, "outline")
        if moved:
            self.rings.set_lines(run.arrays.get("outline", outline(*self._prior)))
        return self.glide(run, "prior", self._glide, self.points) or moved


class GridPanel(ToyPanel):
    """A regular grid in z, decoded."""

    probe_side = "x"

    def __init__(self) -> None:
        words = tr("A regular grid in z, bent into the data: where it is tight, points are dense.")
        words += "\nx = f⁻¹(z)"
        super().__init__(tr("Warped grid"), "x = f⁻¹(z)", tooltip=words)
        self.plot = Plot(self.accessibleName())
        self.lines = Bundle("z", 1.1, 0.85)
        self.plot.box.addItem(self.lines)
        self.add(self.plot)

    def show_run(self, run: RunEntry) -> bool:
        self.fit(run, self.plot)
        if not self.news(run, "grid"):
            return False
        self.lines.set_lines(run.arrays.get("grid", np.empty((0, 2, 2))))
        return True


class DensityPanel(ToyPanel):
    """The model's density, or the true one, in the same colours at the same scale, with lines of equal density."""

    probe_side = "x"

    def __init__(self) -> None:
        self.which = Segmented(
            [
                ("model", tr("Model"), tr("The density that the model has learned.") + "\np(x) = π(f(x)) |det ∂f/∂x|"),
                ("truth", tr("True"), tr("The density that the points are drawn from.")),
            ],
            tr("Which density"),
            compact=True,
        )
        super().__init__(tr("Density"), right=self.which)
        self.plot = Plot(self.accessibleName())
        self.image = pg.ImageItem(axisOrder="row-major")
        self.lines = Segments(self._line_color, 0.9)
        self.plot.box.addItem(self.image)
        self.plot.box.addItem(self.lines)
        lines = tr("The lines, and the marks here, are at log p(x) = 0, −2, −4, −6, −8 nats.")
        self.bar = ColourBar("0", "", tooltip=tr("The model's and the other density have the same scale.") + "\n" + lines)
        self.caption = Caption(self.plot)
        self.add(self.plot)
        self.add_bar(self.bar)
        self.with_lines, self.logarithmic = True, False
        self._explain()
        self._top = 1.0
        self._run: RunEntry | None = None
        self._offer = (True, False)
        theme.changed.connect(self._paint_theme)
        self._paint_theme()
        self.which.chosen.connect(self._again)

    def show_how(self, with_lines: bool, logarithmic: bool) -> None:
        """With lines of equal density or without; coloured by log p or by √p."""
        if (with_lines, logarithmic) != (self.with_lines, self.logarithmic):
            self.with_lines, self.logarithmic = with_lines, logarithmic
            self._explain()
            self._again()

    def _explain(self) -> None:
        words = tr("How dense the model's points lie, beside how dense they should.")
        scale = tr("Colour by log p(x).") if self.logarithmic else tr("Colour by the square root of p(x).")
        self.explain(f"{words}\n{scale} " + tr("The same colour is always the same density."))

    def show_run(self, run: RunEntry) -> bool:
        self._run = run
        self.fit(run, self.plot)
        self._offer_truth(run)
        news = self.news(run, "truth")
        if news and "truth" in run.arrays:
            self._top = float(run.arrays["truth"].max())
        news = self.news(run, "estimate") or news
        wanted, lines = self._wanted(run)
        if any([news, self.news(run, wanted), self.news(run, lines)]):
            self._draw(run)
            return True
        return False

    def _wanted(self, run: RunEntry) -> tuple[str, str]:
        if self.which.current() == "model":
            return "heat", "contours"
        return ("truth", "true_contours") if run.known else ("estimate", "estimate_contours")

    def _draw(self, run: RunEntry) -> None:
        name, lines = self._wanted(run)
        heat, segments = run.arrays.get(name), run.arrays.get(lines) if self.with_lines else None
        self.image.setVisible(heat is not None)
        if not run.known:
            # There is no truth to share a scale with: what is highest of the two that can be looked at.
            maps = [run.arrays[key] for key in ("heat", "estimate") if key in run.arrays]
            self._top = max([1e-6, *(float(one.max()) for one in maps)])
        estimated = heat is not None and name == "estimate"
        self.caption.say(tr("estimated from {n} points", n=f"{run.estimated_from:,}") if estimated else "")
        levels = len(CONTOUR_LEVELS)
        self.lines.set_groups([] if segments is None else [segments[segments[:, 4] == n, :4] for n in range(levels)])
        levels = np.array(CONTOUR_LEVELS)
        if self.logarithmic:
            low, high = LOG_FLOOR, 2 * math.log(self._top)
            places = (levels - low) / (high - low)
            self.bar.set_ends(f"−{-low:g}", f"log p = {high:.2f} nat".replace("-", "−"))
        else:
            low, high = 0.0, self._top
            places = np.exp(0.5 * levels) / high
            self.bar.set_ends("0", f"p = {high**2:.2g}")
        self.bar.set_marks(tuple(float(place) for place in places if place < 1) if self.with_lines else ())
        if heat is None:
            return
        shown = 2 * np.log(np.maximum(heat, 1e-30)) if self.logarithmic else heat
        self.image.setImage(shown, autoLevels=False, levels=(low, high))
        self.image.setRect(QRectF(-run.reach, -run.reach, 2 * run.reach, 2 * run.reach))

    def _again(self, *_unused: object) -> None:
        if self._run is not None:
            self._draw(self._run)

    def _line_color(self, group: int, groups: int) -> QColor:
        # The lower the fainter: many lines outside would shout over the few inside.
        return theme.color("text", 0.25 + 0.4 * group / max(1, groups - 1))

    def _offer_truth(self, run: RunEntry) -> None:
        """The density itself; of a table's points an estimate, once there is one, which says that it is one."""
        estimated = not run.known and "estimate" in run.arrays
        offer = (run.known, estimated)
        if offer == self._offer:
            return
        self._offer = offer
        truth = self.which.button("truth")
        truth.setEnabled(run.known or estimated)
        truth.setText(tr("True") if run.known else tr("Estimate"))
        truth.setAccessibleName(truth.text())
        self.which.updateGeometry()
        if run.known:
            truth.setToolTip(tr("The density that the points are drawn from."))
        elif estimated:
            words = tr("A guess made from the points themselves, by Gaussian kernels under which held-out points are likeliest.")
            truth.setToolTip(plain(words + "\n" + tr("It is no truth: no entropy and no gap is taken from it.")))
        else:
            truth.setToolTip(tr("Only points of this density are known, not the density itself."))
        if not run.known and not estimated:
            self.which.set_current("model")

    def _paint_theme(self) -> None:
        table = density_table()
        self.image.setLookupTable(table)
        self.bar.set_colors(table)
        self.plot.ground = QColor(*(int(channel) for channel in table[0]))
        self.plot.paint_theme()
