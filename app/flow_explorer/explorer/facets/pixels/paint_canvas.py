"""Painting: the picture on the left; on the right before, painted and plausible, and below them the change of z by level."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.pixels.brush_view import BrushView
from flow_explorer.explorer.facets.pixels.maps_view import MapsView, MapTile, level_name
from flow_explorer.explorer.facets.pixels.paint_link import PaintLink
from flow_explorer.explorer.facets.pixels.state import PixelsState
from flow_explorer.explorer.facets.pixels.trio_view import TrioPart, TrioView
from flow_explorer.explorer.view_model import Figures
from flow_explorer.i18n import tr
from flow_explorer.widgets import Heading, Label

__all__ = ["PaintCanvas"]

GAP = 24
LINE = 24
CHANGE = ("How far the stroke moved each place of each level's z, and below it what is left of that in the plausible picture,\n"
          "on one scale a level: √Σ Δz² over a place's numbers; the figure is the root mean square of Δz")  # fmt: skip


class PaintCanvas(QWidget):
    """Lays the parts out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.brush = BrushView(self)
        self.below = Label("", "muted", wrap=True, parent=self)
        self.below.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.trio = TrioView(self)
        self.painted_heading = Heading(tr("Change in z: painted"), self)
        self.painted_maps = MapsView(tr("Change in z by what you painted, one map a level"), tr(CHANGE), parent=self)
        self.plausible_heading = Heading(tr("Change in z: plausible"), self)
        self.plausible_maps = MapsView(tr("Change in z that is left in the plausible picture"), tr(CHANGE), parent=self)
        self.problem = Label("", "warning", wrap=True, parent=self)

    def set_smooth(self, smooth: bool) -> None:
        self.brush.set_smooth(smooth)
        self.trio.set_smooth(smooth)

    def show_paint(self, before: np.ndarray, state: PixelsState, link: PaintLink, shapes: list[tuple[int, int]]) -> None:
        """What the link knows; `shapes` are the levels' (h, w) where they are known already."""
        painted = link.painted if link.painted is not None else before
        self.brush.show_picture(painted)
        self.brush.show_brush(state.brush, None if state.erasing else state.colour)
        plausible = link.plausible if link.dirty else None
        self.trio.show_parts([
            TrioPart(tr("Before"), before, _figures(link.before_figures, link.dirty)),
            TrioPart(tr("Painted"), painted, _figures(link.painted_figures, link.dirty)),
            TrioPart(tr("Plausible"), plausible, _figures(link.plausible_figures, link.dirty)),
        ])  # fmt: skip
        sides = [shown.shape for shown in link.changes] or shapes or [before.shape[:2]]
        tops = [float(shown.max()) for shown in link.changes]
        for view, maps in ((self.painted_maps, link.changes), (self.plausible_maps, link.left)):
            view.show_tiles([
                MapTile(level_name(level, len(sides)) if link.changes or shapes else "", _rms(maps, level, link.channels),
                        maps[level] if level < len(maps) else None, tops[level] if level < len(tops) else 1.0, side)
                for level, side in enumerate(sides)
            ])  # fmt: skip
        self.problem.setText(link.error)
        self.problem.setVisible(bool(link.error))
        if link.error:
            words = ""
        elif not link.dirty:
            words = tr("Paint on the picture: its z changes with every stroke")
        elif not link.current or link.plausible_figures.bpd is None:
            words = tr("Finding its z…")
        else:
            words = tr("Take it with “Send this picture to”, or save it: it has its own z")
        self.below.setText(words)
        self._arrange()

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        height, width = self.brush.sides
        side = max(120, min(self.height() - LINE - 20, round(0.5 * self.width() * height / width)))
        wide = round(side * width / height)
        self.brush.setGeometry(0, LINE, wide, side)
        self.below.setGeometry(0, LINE + side + 8, wide, min(36, max(self.height() - LINE - side - 8, 16)))
        left, room = wide + GAP, self.width() - wide - GAP
        # The three pictures take what they need of the column, the maps the rest in two even rows.
        picture = (room - 24) / 3 * height / width
        trio = round(min(picture, 0.46 * self.height())) + 64
        self.trio.setGeometry(left, 0, room, trio)
        bottom = self.height()
        if not self.problem.isHidden():
            bottom -= 44
            self.problem.setGeometry(left, bottom + 4, room, 40)
        # Two rows of several maps each; of one level alone, side by side.
        beside = self.painted_maps.count == 1
        wide_each = (room - 16) // 2 if beside else room
        high_each = min((bottom - trio - 16) // (1 if beside else 2), self.painted_maps.height_for(wide_each + 3) + 40)
        for number, (heading, maps) in enumerate(((self.painted_heading, self.painted_maps),
                                                  (self.plausible_heading, self.plausible_maps))):  # fmt: skip
            x, y = (number * (wide_each + 16), 0) if beside else (0, number * high_each)
            heading.setGeometry(left + x, trio + 16 + y, wide_each, 20)
            maps.setGeometry(left + x - 3, trio + 36 + y, wide_each + 3, high_each - 24)


def _figures(figures: Figures, dirty: bool) -> tuple[str, str]:
    if not dirty:
        return "", ""
    if figures.bpd is None:
        return "…", ""
    typical = "" if figures.typicality is None else tr("typicality {percent} %", percent=f"{figures.typicality:.0f}")
    return tr("{bpd} bits/dim", bpd=f"{figures.bpd:.2f}"), typical


def _rms(maps: list[np.ndarray], level: int, channels: list[int]) -> str:
    """Root mean square of a level's Δz, from its map."""
    if level >= len(maps) or level >= len(channels):
        return ""
    return f"{float(np.sqrt((maps[level].astype(np.float64) ** 2).mean() / channels[level])):.2f} σ"
