"""Which density: a button with its picture and name, and a sheet of all ten and of the ways to make one's own."""

from __future__ import annotations

from functools import cache

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QKeySequence, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QSizePolicy, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.target.tiles import KINDS, KindTile, paint_target
from flow_explorer.toylab.target.words import title_of_target
from flow_explorer.widgets import Separator
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flowcore.plane.densities import NAMES, get

__all__ = ["DensityPicker", "thumbnail"]

SIDE = 56
_COLUMNS = 2
_EDGE = 8
"""The sheet stays so far from the screen's lower edge."""
_GRID = 48


@cache
def _brightness(name: str) -> np.ndarray:
    """√p over the density's square, 0..1, row 0 on top."""
    density = get(name)
    x_min, x_max, y_min, y_max = density.bounds
    steps = (np.arange(_GRID) + 0.5) / _GRID
    xs, ys = np.meshgrid(x_min + steps * (x_max - x_min), y_max - steps * (y_max - y_min))
    level = np.exp(0.5 * density.log_prob(np.stack([xs, ys], -1)))
    return level / level.max()


@cache
def thumbnail(name: str, ink: str, paper: str) -> QImage:
    """A density in two colours, small."""
    low, high = (np.array(theme.rgb(tone), dtype=np.float64) for tone in (paper, ink))
    pixels = np.empty((_GRID, _GRID, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[..., :3] = np.rint(low + (high - low) * _brightness(name)[..., None])
    return QImage(pixels.data, _GRID, _GRID, QImage.Format.Format_RGBA8888).copy()


def _paint_thumbnail(painter: QPainter, name: str, area: QRectF, radius: float = 4.0) -> None:
    tones = theme.current()
    painter.save()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(area, radius, radius)
    painter.setClipPath(path)
    paper = theme.mix(tones.window, "#000000", 0.25) if tones.dark else "#ffffff"
    painter.drawImage(area, thumbnail(name, tones.a, paper))
    painter.restore()


class _Tile(KeyboardFocus, QPushButton):
    """One density of the sheet."""

    def __init__(self, name: str) -> None:
        super().__init__(tr(get(name).title))
        self.name = name
        self.setAccessibleName(self.text())
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(204, SIDE + 12)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        area = QRectF(self.rect())
        if self.underMouse() or self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tones.hover if self.underMouse() else tones.raised))
            painter.drawRoundedRect(area, 7, 7)
        _paint_thumbnail(painter, self.name, QRectF(6, 6, SIDE, SIDE))
        painter.setPen(QColor(tones.link if self.isChecked() else tones.text))
        painter.drawText(area.adjusted(SIDE + 18, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.focus_visible:
            ring(painter, area, 6)


def on_screen(sheet: QRect, screen: QRect) -> QRect:
    """A sheet moved up and to the right until nothing of it lies beyond the screen's edge."""
    top = max(screen.top(), min(sheet.top(), screen.top() + screen.height() - _EDGE - sheet.height()))
    return QRect(QPoint(max(screen.left(), sheet.left()), top), sheet.size())


class _Sheet(QFrame):
    """All ten, two in a row, and below them the ways to make one's own; arrow keys move, Enter chooses, Escape leaves."""

    chosen = Signal(str)
    kind_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("surface", "card")
        self.setAccessibleName(tr("Densities"))
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setSpacing(2)
        self.tiles = [_Tile(name) for name in NAMES]
        for index, tile in enumerate(self.tiles):
            grid.addWidget(tile, index // _COLUMNS, index % _COLUMNS)
            tile.clicked.connect(lambda _on, name=tile.name: self._choose(name))
        below = len(NAMES) // _COLUMNS + len(NAMES) % _COLUMNS
        grid.addWidget(Separator(), below, 0, 1, _COLUMNS)
        self.kinds = [KindTile(kind) for kind in KINDS]
        for index, tile in enumerate(self.kinds):
            grid.addWidget(tile, below + 1 + index // _COLUMNS, index % _COLUMNS)
            tile.clicked.connect(lambda _on, kind=tile.name: self._choose_kind(kind))

    def show_current(self, name: str, kind: str) -> None:
        """Mark what is chosen."""
        for tile in (*self.tiles, *self.kinds):
            tile.setChecked(tile.name == (kind or name))

    def _choose(self, name: str) -> None:
        self.close()
        self.chosen.emit(name)

    def _choose_kind(self, kind: str) -> None:
        self.close()
        self.kind_chosen.emit(kind)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -_COLUMNS, Qt.Key.Key_Down: _COLUMNS}
        tiles = [*self.tiles, *self.kinds]
        here = next((i for i, tile in enumerate(tiles) if tile.hasFocus()), 0)
        if event.key() in moves:
            there = here + moves[event.key()]
            if 0 <= there < len(tiles):
                tiles[there].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            tiles[here].click()
        else:
            super().keyPressEvent(event)


class DensityPicker(KeyboardFocus, QPushButton):
    """The chosen density; a click opens the sheet, up and down go through the densities.

    By the person: ``chosen(name)`` of one of the ten, ``kind_chosen(kind)`` of a way to make one's own.
    """

    chosen = Signal(str)
    kind_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.name = NAMES[0]
        self.target: dict | None = None
        self._sheet: _Sheet | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tr("The density of the plane that the flow is to learn."))
        self.clicked.connect(self.open_sheet)
        theme.changed.connect(self.update)
        self.set_current(self.name)

    def set_current(self, name: str, target: dict | None = None) -> None:
        """Show a density, or a target of the person's own, without telling anybody."""
        self.name, self.target = name, target
        self.setText(title_of_target(target, name))
        self.setShortcut(QKeySequence())  # an & in a file's name is no mnemonic
        self.setAccessibleName(tr("Density: {name}", name=self.text()))
        self.update()

    def open_sheet(self) -> None:
        """Show all ten below the button."""
        if self._sheet is None:
            self._sheet = _Sheet(self)
            self._sheet.chosen.connect(self._choose)
            self._sheet.kind_chosen.connect(self.kind_chosen)
        kind = self._kind()
        self._sheet.show_current(self.name, kind)
        self._sheet.ensurePolished()  # its border counts
        self._sheet.adjustSize()
        corner = self.mapToGlobal(QPoint(self.width() - self._sheet.width(), self.height() + 4))
        self._sheet.move(on_screen(QRect(corner, self._sheet.size()), self.screen().availableGeometry()).topLeft())
        self._sheet.show()
        tile = self._sheet.kinds[KINDS.index(kind)] if kind else self._sheet.tiles[NAMES.index(self.name)]
        tile.setFocus(Qt.FocusReason.PopupFocusReason)

    def _kind(self) -> str:
        """Which way the target was made, "" for one of the ten."""
        if self.target is None:
            return ""
        kind = self.target["kind"]
        if kind == "grid":
            return "picture" if self.target.get("source") == "picture" else "draw"
        return kind if kind in KINDS else ""

    def _choose(self, name: str) -> None:
        if name != self.name or self.target is not None:
            self.set_current(name)
            self.chosen.emit(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
            return
        there = NAMES.index(self.name) + move
        if 0 <= there < len(NAMES):
            self._choose(NAMES[there])

    def sizeHint(self) -> QSize:
        return QSize(200, 52)

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        area = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tones.hover if self.underMouse() else tones.raised))
        painter.drawRoundedRect(area, 7, 7)
        if self.target is None:
            _paint_thumbnail(painter, self.name, QRectF(6, 6, 40, 40))
        else:
            paint_target(painter, self.target, self.name, QRectF(6, 6, 40, 40))
        painter.setPen(QColor(tones.text))
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 88)
        painter.drawText(area.adjusted(58, 0, -30, 0), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)
        icons.paint(painter, "chevron-down", QRectF(self.width() - 27, round(self.height() / 2 - 8), 16, 16), tones.muted)
        if self.focus_visible:
            ring(painter, area, 6)
