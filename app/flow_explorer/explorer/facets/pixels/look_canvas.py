"""Looking: the picture on the left, on the right one map a level of what its pixel moves."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from flow_explorer.explorer.facets.pixels.look_link import LookLink, pixel_of
from flow_explorer.explorer.facets.pixels.maps_view import MapsView, MapTile, level_name
from flow_explorer.explorer.facets.pixels.point_view import PointView
from flow_explorer.explorer.facets.pixels.state import PixelsState
from flow_explorer.i18n import tr
from flow_explorer.widgets import Heading, Label

__all__ = ["LookCanvas"]

GAP = 24
LINE = 24


class LookCanvas(QWidget):
    """Lays both out and says in words what is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.point = PointView(self)
        self.below = Label("", "muted", wrap=True, parent=self)
        self.below.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.heading = Heading(tr("Which z it moves"), self)
        self.maps = MapsView(
            tr("Maps of z, one a level"),
            tr("How far each place of each level's z moves as the pixel does, and each level's share of it. Click a place, or "
               "go there by the arrow keys and Page up and down, to see the pixels that it moves.\n"
               "√Σ (∂z/∂x)² over a place's numbers, each map up to its own strongest, by the square root"),
            pickable=True, parent=self)  # fmt: skip
        self.problem = Label("", "warning", wrap=True, parent=self)

    def show_look(self, picture: np.ndarray, state: PixelsState, link: LookLink) -> None:
        """What the link knows of the picture."""
        height, width = picture.shape[:2]
        place = link.place_in(state.place)
        self.point.show_picture(picture)
        self.point.show_point(state.x, state.y, state.reach)
        self.point.show_reached(link.reached if place is not None else None, state.opacity)
        count = len(link.maps)
        tiles = [
            MapTile(level_name(level, count), f"{100 * link.shares[level]:.0f} %", link.maps[level],
                    float(link.maps[level].max()), link.maps[level].shape)
            for level in range(count)
        ] or [MapTile("", "", None, 1.0, (height, width))]  # fmt: skip
        self.maps.show_tiles(tiles, None if place is None else (place.level, place.row, place.column))
        self.problem.setText(link.error or link.reached_error)
        self.problem.setVisible(bool(self.problem.text()))
        self.below.setText(self._words(picture, state, link))
        self._arrange()

    def _words(self, picture: np.ndarray, state: PixelsState, link: LookLink) -> str:
        """One sentence on what is seen."""
        place = link.place_in(state.place)
        if place is not None:
            if link.reached is None:
                return "" if link.reached_error else tr("Finding the pixels that this z moves…")
            top = float(link.reached.max())
            words = tr("Pixels that this z moves: up to {top} grey levels a standard deviation.", top=f"{top:.1f}")
            if link.fraction < 1:
                words += " " + tr("So far {percent} % of its numbers.", percent=f"{100 * link.fraction:.0f}")
            return words
        if not link.maps:
            return "" if link.error else tr("Finding the z that this pixel moves…")
        row, column = pixel_of(state, *picture.shape[:2])
        top = max(float(shown.max()) for shown in link.maps)
        return tr("Row {row}, column {column}: its z move by up to {top} standard deviations a grey level.",
                  row=row + 1, column=column + 1, top=f"{top:.3f}")  # fmt: skip

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        height, width = self.point.sides
        room = self.height() - LINE - 20
        side = max(120, min(room, round(0.55 * self.width() * height / width)))
        wide = round(side * width / height)
        self.point.setGeometry(0, LINE, wide, side)
        self.below.setGeometry(0, LINE + side + 8, wide, min(36, max(self.height() - LINE - side - 8, 16)))
        left = wide + GAP
        self.heading.setGeometry(left, 0, self.width() - left, 20)
        bottom = self.height()
        if not self.problem.isHidden():
            bottom -= 44
            self.problem.setGeometry(left, bottom + 4, self.width() - left, 40)
        self.maps.setGeometry(left - 3, LINE - 3, self.width() - left + 3, bottom - LINE + 3)
