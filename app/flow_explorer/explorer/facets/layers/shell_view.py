"""|z| as a gauge: the shell where the prior's draws live, and where this z is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.layers.qq_view import Tile
from flow_explorer.i18n import tr

__all__ = ["Norms", "ShellView"]

ROW = 40
FARTHEST = 2.0
"""Times the shell's own radius: where the gauge ends."""

Norms = tuple[float, float, float]
"""(low, median, high) of held-out pictures' |z|."""


class ShellView(QWidget):
    """A gauge for all of z and for each level, in parts of the radius that half of the prior's draws are within."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: list[Tile] = []
        self._level = -1
        self._held_out: Sequence[Norms] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("The norm of z on its shell"))
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(280, max(len(self._tiles), 1) * ROW)

    minimumSizeHint = sizeHint

    def show_tiles(self, tiles: Sequence[Tile], level: int, held_out: Sequence[Norms] | None) -> None:
        """Those whose norm is known; `held_out` has those of other pictures for each level, then for all of z."""
        before, self._held_out = len(self._tiles), held_out
        self._tiles, self._level = [tile for tile in tiles if tile[2] is not None], level
        if len(self._tiles) != before:
            self.updateGeometry()
        self.setAccessibleDescription("; ".join(self.words(index) for index in range(len(self._tiles))))
        self.update()

    def words(self, index: int) -> str:
        """A gauge in words."""
        level, title, found = self._tiles[index]
        assert found is not None and found.shell is not None  # else it would be no tile here
        norm, low, _, high = found.shell
        where = tr("inside") if norm < low else tr("outside") if norm > high else tr("on it")
        words = tr("{title}: |z| = {norm}, the shell from {low} to {high}: {where}", title=title, norm=f"{norm:.1f}",
                   low=f"{low:.1f}", high=f"{high:.1f}", where=where)  # fmt: skip
        if self._held_out is None:
            return words
        first, median, last = (f"{value:.1f}" for value in self._held_out[level])
        return tr("{words}; held-out pictures {low} to {high}, {median} in their middle", words=words, low=first, high=last,
                  median=median)  # fmt: skip

    def x_of(self, share: float) -> float:
        """Where so many times the shell's radius is."""
        return 6 + min(max(share, 0.0), FARTHEST) / FARTHEST * (self.width() - 12)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (level, title, found) in enumerate(self._tiles):
            assert found is not None and found.shell is not None
            norm, low, centre, high = found.shell
            top, chosen = index * ROW, level == self._level
            line = QRectF(0, top, self.width(), 18)
            painter.setFont(theme.font(12, bold=chosen))
            painter.setPen(theme.color("text" if chosen else "muted"))
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                             tr("{norm} of {centre}", norm=f"{norm:.1f}", centre=f"{centre:.1f}"))  # fmt: skip
            middle = top + 26.0
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("track"))
            painter.drawRoundedRect(QRectF(self.x_of(0), middle - 2, self.x_of(FARTHEST) - self.x_of(0), 4), 2, 2)
            left, right = self.x_of(low / centre), self.x_of(high / centre)
            painter.setBrush(theme.color("z", 0.55))
            painter.drawRoundedRect(QRectF(left - 1, middle - 7, right - left + 2, 14), 2, 2)
            if self._held_out is not None:
                first, median, last = (value / centre for value in self._held_out[level])
                painter.setBrush(theme.color("a"))
                reach = max(self.x_of(last) - self.x_of(first), 2.0)
                painter.drawRoundedRect(QRectF(self.x_of(first), middle + 8, reach, 2.5), 1, 1)
                painter.drawEllipse(QPointF(self.x_of(median), middle + 9.25), 2.5, 2.5)
            on_it = low <= norm <= high
            x = self.x_of(norm / centre)
            painter.setBrush(theme.color("good" if on_it else "warning"))
            painter.setPen(QPen(theme.color("window"), 1.5))
            if norm / centre > FARTHEST:  # farther than the gauge goes
                painter.drawPolygon(QPolygonF([QPointF(x - 7, middle - 6), QPointF(x + 5, middle), QPointF(x - 7, middle + 6)]))
            else:
                painter.drawEllipse(QPointF(x, middle), 5.5, 5.5)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = int(event.pos().y() // ROW)
            about = tr("In many dimensions a Gaussian's draws all lie in a thin shell, far from its middle: low temperatures are "
                       "inside of it.\n|z| = √Σ ε² has the chi distribution; the shell holds its middle 95 %")  # fmt: skip
            words = self.words(index) + "\n" if 0 <= index < len(self._tiles) else ""
            QToolTip.showText(event.globalPos(), words + about, self)
            return True
        return super().event(event)
