"""The features after a layer as one large picture; between two stages, while it plays, the one fades into the other."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture, draw_placeholder
from flow_explorer.i18n import tr

__all__ = ["StageView"]


class StageView(QWidget):
    """As large a picture as there is room for."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._smooth = True
        self._before: np.ndarray | None = None
        self._after: np.ndarray | None = None
        self._mix = 0.0
        self._aspect = 1.0
        self._cache = PictureCache()
        self.setMinimumSize(96, 96)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("The features after this layer"))
        self.setToolTip(tr("What is left of the picture after this layer. Every number stands at the place that it came from:\n"
                           "squeezed channels as neighbours again, what a split factored out where it was"))  # fmt: skip
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(400, 400)

    def show_stage(self, before: np.ndarray | None, after: np.ndarray | None = None, mix: float = 0.0) -> None:
        """A picture uint8 (H, W, C), and how far it has faded into the next, 0 to 1."""
        if before is self._before and after is self._after and mix == self._mix:
            return
        self._before, self._after, self._mix = before, after, mix
        if before is not None:
            self._aspect = before.shape[1] / before.shape[0]
        self.update()

    def set_smooth(self, smooth: bool) -> None:
        """Enlarge smoothly, or by whole pixels."""
        if smooth != self._smooth:
            self._smooth = smooth
            self.update()

    def frame(self) -> QRectF:
        """Where the picture stands."""
        width = min(float(self.width()), self.height() * self._aspect)
        return QRectF((self.width() - width) / 2, 0, width, width / self._aspect)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._before is None:
            draw_placeholder(painter, self.frame())
        else:
            self._paint(painter, self._before, 1.0)
            if self._after is not None and self._mix > 0:
                self._paint(painter, self._after, self._mix)
        painter.end()

    def _paint(self, painter: QPainter, picture: np.ndarray, opacity: float) -> None:
        draw_picture(painter, self.frame(), picture, self._cache, self._smooth, opacity)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()
