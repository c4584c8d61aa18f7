"""Many short lines in a few colours, drawn a colour at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from flow_explorer.widgets.plot import unit_of

__all__ = ["Segments", "arrows"]


class Segments(pg.GraphicsObject):
    """Groups of lines, each group in a colour that is asked for when it is drawn (the theme may change)."""

    def __init__(self, color: Callable[[int, int], QColor], width: float = 1.0) -> None:
        """``color(group, groups)`` gives a group's colour."""
        super().__init__()
        self.color, self.width = color, width
        self._groups: list[PrimitiveArray] = []
        self._area = QRectF(-8, -8, 16, 16)

    def set_groups(self, groups: Sequence[np.ndarray]) -> None:
        """Show groups of (n, 4): x₀, y₀, x₁, y₁; what lies far outside is brought near, so that nothing overflows."""
        while len(self._groups) < len(groups):
            self._groups.append(PrimitiveArray(QLineF, 4))
        del self._groups[len(groups) :]
        for kept, lines in zip(self._groups, groups, strict=True):
            kept.resize(len(lines))
            if len(lines):
                kept.ndarray()[:] = np.clip(lines, -1e3, 1e3)
        self.update()

    def count(self) -> int:
        """How many lines there are."""
        return sum(len(group.ndarray()) for group in self._groups)

    def boundingRect(self) -> QRectF:
        return self._area

    def paint(self, painter: QPainter, *_unused: object) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # A cosmetic pen is as wide as it says in pixels of the screen.
        width = self.width * unit_of(self) * painter.device().devicePixelRatioF()
        for number, group in enumerate(self._groups):
            if len(group.ndarray()):
                pen = QPen(self.color(number, len(self._groups)), width)
                pen.setCosmetic(True)
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)  # where pieces of a line meet, a cap would be seen twice
                painter.setPen(pen)
                # pyqtgraph tells no types of what it hands to Qt: a pointer and a length.
                painter.drawLines(*group.drawargs())  # pyright: ignore[reportCallIssue, reportArgumentType]


def arrows(starts: np.ndarray, ends: np.ndarray, head: float = 0.14) -> np.ndarray:
    """Shafts and two-stroke heads of arrows from (n, 2) to (n, 2), in the plane's own units: (3n, 4).

    Heads are ``head`` long, on short arrows in proportion.
    """
    along = (ends - starts).astype(np.float64)
    length = np.linalg.norm(along, axis=1, keepdims=True)
    unit = np.divide(along, length, out=np.zeros_like(along), where=length > 1e-9)
    size = np.minimum(head, 0.4 * length)
    across = np.stack([-unit[:, 1], unit[:, 0]], 1)
    sides = [ends - size * unit + 0.5 * sign * size * across for sign in (1, -1)]
    return np.concatenate([np.concatenate([first, ends], 1) for first in (starts, *sides)])
