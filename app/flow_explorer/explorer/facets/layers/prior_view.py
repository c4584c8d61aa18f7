"""z against its prior: plots by level, the figures of the chosen one, and the norm on its shell."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from flow_explorer.engine.requests.layers import Against
from flow_explorer.explorer.facets.layers.names import level_name, signed
from flow_explorer.explorer.facets.layers.qq_view import QQView, Tile
from flow_explorer.explorer.facets.layers.shell_view import Norms, ShellView
from flow_explorer.explorer.facets.layers.view_model import LayersView
from flow_explorer.i18n import tr
from flow_explorer.widgets import Heading, Label, ValueRow

__all__ = ["COLUMN", "PriorView", "scrolled"]

COLUMN = 304
"""Wide: what stands at the right."""


def scrolled(content: QWidget) -> QScrollArea:
    """A column that scrolls where the window is low."""
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFixedWidth(COLUMN)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.viewport().setAutoFillBackground(False)
    content.setAutoFillBackground(False)
    return area


class PriorView(QWidget):
    """`level_picked(level)`, -1 for all of z."""

    level_picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots = QQView()
        self.heading = Heading("")
        self.rows = {
            "count": ValueRow(tr("Numbers"), tooltip=tr("How many numbers of z this is about.")),
            "mean": ValueRow(tr("Mean")),
            "deviation": ValueRow(tr("Standard deviation")),
            "kurtosis": ValueRow(tr("Excess kurtosis")),
            "distance": ValueRow(tr("Kolmogorov–Smirnov distance"), tooltip=tr(
                "The largest distance between the distribution of these numbers and the prior's.\nD = max |F_n(ε) − Φ(ε)|")),
            "p_value": ValueRow(tr("p-value"), tooltip=tr(
                "How often as many independent draws of the prior are at least so far from it. The numbers of one\n"
                "picture are not independent, so a small p says that structure is left in z, no more.\nP(D_n ≥ D)")),
            "inside": ValueRow(tr("Curve inside its band"), tooltip=tr(
                "Of the curve's points, which are not independent of each other; 95 % of them on average for a draw.")),
        }  # fmt: skip
        self.shell_heading = Heading(tr("Norm on its shell"))
        self.shells = ShellView()
        self.held_out = Label("", "small", wrap=True)
        self.note = Label(tr(
            "One picture is one draw of z, and its numbers are no independent tests: what the model has not understood of a "
            "picture stays in z as structure. So a curve off the diagonal says how this z differs from the prior, not how "
            "surely."),
            "small", wrap=True)  # fmt: skip
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(6)
        layout.addWidget(self.heading)
        for row in self.rows.values():
            layout.addWidget(row)
        layout.addSpacing(8)
        layout.addWidget(self.shell_heading)
        layout.addWidget(self.shells)
        layout.addWidget(self.held_out)
        layout.addSpacing(8)
        layout.addWidget(self.note)
        layout.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(24)
        row.addWidget(self.plots, 1)
        row.addWidget(scrolled(column))
        self.plots.picked.connect(self.level_picked)

    @staticmethod
    def tiles(view: LayersView) -> list[Tile]:
        """All of z first, then its levels from the finest on; one tile where there is one level alone."""
        found = list(view.against) or [None] * len(view.levels)
        tiles: list[Tile] = [(-1, level_name(0, len(view.levels)), view.whole)]
        if len(view.levels) > 1:
            tiles += [(number, level_name(number + 1, len(view.levels)), against) for number, against in enumerate(found)]
        return tiles if view.levels else []

    def show_view(self, view: LayersView, level: int, held_out: Sequence[Norms] | None) -> None:
        """Show what is known by now, the figures of `level` at the right; `held_out`: norms of other pictures, from the card."""
        tiles = self.tiles(view)
        chosen = next((tile for tile in tiles if tile[0] == level), tiles[0] if tiles else None)
        number = chosen[0] if chosen else -1
        mixture = tr("The prior of this is a mixture, no standard distribution.") if view.prior_known else ""
        self.plots.show_tiles(tiles, number, mixture)
        self.shells.show_tiles(tiles, number, held_out)
        self.heading.setText(chosen[1] if chosen else "")
        self._show_figures(chosen[2] if chosen else None)
        self.shell_heading.setVisible(bool(view.prior_known))
        known = tr("In orange, where 95 % of held-out pictures are, and their middle.")
        self.held_out.setText(tr("The norms of held-out pictures are not on this model's card.") if held_out is None else known)
        self.held_out.setVisible(view.prior_known)

    def _show_figures(self, found: Against | None) -> None:
        if found is None:
            for row in self.rows.values():
                row.set_value("…")
            return
        count, deviation = found.count, found.prior_deviation
        # The spread of these in independent draws, to leading order.
        mean_reach = 1.96 * deviation / count**0.5
        deviation_reach = 1.96 * deviation * ((found.prior_kurtosis + 2) / (4 * count)) ** 0.5
        self.rows["count"].set_value(f"{count:,}")
        self.rows["mean"].set_value(signed(found.mean, 3))
        self.rows["mean"].setToolTip(tr("Of the prior: 0 ± {reach} in 95 of 100 draws of so many numbers.\nΣ ε / n",
                                        reach=f"{mean_reach:.3f}"))  # fmt: skip
        self.rows["deviation"].set_value(f"{found.deviation:.3f}")
        self.rows["deviation"].setToolTip(tr(
            "Of the prior: {expected} ± {reach} in 95 of 100 draws of so many numbers.\n√(Σ (ε − mean)² / n)",
            expected=f"{deviation:.3f}", reach=f"{deviation_reach:.3f}"))  # fmt: skip
        self.rows["kurtosis"].set_value(signed(found.kurtosis, 2))
        self.rows["kurtosis"].setToolTip(tr("Above the prior's {expected}: more numbers far out, and more in the middle.\n"
                                            "Σ (ε − mean)⁴ / (n σ⁴) − 3", expected=f"{found.prior_kurtosis:.1f}"))  # fmt: skip
        self.rows["distance"].set_value(f"{found.distance:.4f}")
        self.rows["p_value"].set_value(f"{found.p_value:.2f}" if found.p_value >= 0.01 else
                                       f"{found.p_value:.4f}" if found.p_value >= 1e-4 else tr("below 0.0001"))  # fmt: skip
        self.rows["inside"].set_value(tr("{inside} of {points} points", inside=found.inside, points=len(found.found)))
