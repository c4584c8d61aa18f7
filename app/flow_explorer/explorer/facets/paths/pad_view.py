"""The pad: four corners, faint pictures between them for orientation, and the point that is dragged about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.paths.corner_view import CAPTION, CornerView
from flow_explorer.explorer.facets.paths.pad_link import GRID
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_picture, draw_placeholder
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, EmptyState, Label, Toggle
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.sameness import same

__all__ = ["PLACES", "PadPanel", "PadView"]

PLACES = ("top left", "top right", "bottom left", "bottom right")
STEP, LARGE_STEP = 0.02, 0.1
GAP = 4
LOUPE = 1.5
"""How many times a grid picture's side the picture at the point is."""
FAINT = 0.5


class PadView(KeyboardFocus, QWidget):
    """`moved(x, y)` while the point is dragged or stepped, `rested` when it stands; x and y in [0, 1], y downwards."""

    moved = Signal(float, float)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid: list[np.ndarray | None] = [None] * GRID**2
        self._picture: np.ndarray | None = None
        self._x = self._y = 0.5
        self._down = False
        self._cache = PictureCache()
        self.smooth = True
        self.aspect = 1.0
        # Keys have no release: a pause ends their step.
        self._pause = QTimer(self, interval=350, singleShot=True)
        self._pause.timeout.connect(self.rested)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAccessibleName(tr("The pad between the four corners"))
        self.setToolTip(tr("Drag the point, or step it by the arrow keys; a double click takes it to the middle.\n"
                           "z = (1 − y) ((1 − x) c₀ + x c₁) + y ((1 − x) c₂ + x c₃)"))  # fmt: skip
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(400, 400)

    def show_pad(self, grid: Sequence[np.ndarray | None], picture: np.ndarray | None, x: float, y: float) -> None:
        """The grid's pictures row by row, None where one has not come; the picture at the point, and where it is."""
        grid = list(grid)
        if same([self._grid, self._picture, self._x, self._y], [grid, picture, x, y]):
            return
        self._grid, self._picture, self._x, self._y = grid, picture, x, y
        self.setAccessibleDescription(tr("The point is at {x}, {y}", x=f"{x:.2f}", y=f"{y:.2f}"))
        self.update()

    def cell(self, column: int, row: int) -> QRectF:
        """Where a picture of the grid is."""
        wide, high = (self.width() + GAP) / GRID, (self.height() + GAP) / GRID
        return QRectF(column * wide, row * high, wide - GAP, high - GAP)

    def point(self, x: float, y: float) -> QPointF:
        """Where a place of the pad is on the widget: 0 and 1 are the outer pictures' middles."""
        first, last = self.cell(0, 0).center(), self.cell(GRID - 1, GRID - 1).center()
        return QPointF(first.x() + x * (last.x() - first.x()), first.y() + y * (last.y() - first.y()))

    def place(self, point: QPointF) -> tuple[float, float]:
        """The place of the pad that a point of the widget is, kept on the pad."""
        first, last = self.point(0, 0), self.point(1, 1)
        x = (point.x() - first.x()) / max(last.x() - first.x(), 1.0)
        y = (point.y() - first.y()) / max(last.y() - first.y(), 1.0)
        return round(min(max(x, 0.0), 1.0), 4), round(min(max(y, 0.0), 1.0), 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, picture in enumerate(self._grid):
            row, column = divmod(index, GRID)
            rect = self.cell(column, row)
            if picture is None:
                painter.setOpacity(0.6)
                draw_placeholder(painter, rect)
            else:
                draw_picture(painter, rect, picture, self._cache, self.smooth)
        painter.setOpacity(1.0)
        # Faint, so that they guide and do not compete with the picture at the point.
        veil = theme.color("window", 1 - FAINT)
        painter.fillRect(self.rect(), veil)
        self._paint_point(painter)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)
        painter.end()

    def _paint_point(self, painter: QPainter) -> None:
        at = self.point(self._x, self._y)
        cell = self.cell(0, 0)
        wide, high = LOUPE * cell.width(), LOUPE * cell.height()
        # On the pad in whole, with the place itself marked inside it.
        left = min(max(at.x() - wide / 2, 2.0), self.width() - wide - 2)
        top = min(max(at.y() - high / 2, 2.0), self.height() - high - 2)
        rect = QRectF(left, top, wide, high)
        if self._picture is None:
            draw_placeholder(painter, rect)
        else:
            draw_picture(painter, rect, self._picture, self._cache, self.smooth)
        draw_outline(painter, rect, theme.color("z"), 2.5)
        painter.setPen(QPen(QColor(255, 255, 255, 230), 1.5))
        painter.setBrush(theme.color("z"))
        painter.drawEllipse(at, 4.5, 4.5)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._down = True
            self._go(*self.place(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._down:
            self._go(*self.place(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._down:
            self._down = False
            self.rested.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go(0.5, 0.5)
            self.rested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = LARGE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        steps = {Qt.Key.Key_Left: (-step, 0), Qt.Key.Key_Right: (step, 0), Qt.Key.Key_Up: (0, -step), Qt.Key.Key_Down: (0, step)}
        if event.key() in steps:
            dx, dy = steps[Qt.Key(event.key())]
            self._go(*(round(min(max(value, 0.0), 1.0), 4) for value in (self._x + dx, self._y + dy)))
            self._pause.start()
        elif event.key() == Qt.Key.Key_Home:
            self._go(0.5, 0.5)
            self.rested.emit()
        else:
            super().keyPressEvent(event)

    def _go(self, x: float, y: float) -> None:
        if (x, y) != (self._x, self._y):
            self._x, self._y = x, y
            self.update()
            self.moved.emit(x, y)


class PadPanel(QWidget):
    """The pad between its four corners, and its few controls below."""

    fill_wanted = Signal()
    centre_wanted = Signal()
    norm_changed = Signal(bool)
    key_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = PadView(self)
        self.corners = [CornerView(tr(place), self) for place in PLACES]
        self.empty = EmptyState(tr("Put a picture in each corner, and drag a point between the four"),
                                (tr("Use A, B and samples"), self.fill_wanted.emit), icon="grid")  # fmt: skip
        self.empty.setParent(self)
        self.controls = QWidget(self)
        self.fill = Button(tr("Use A, B and samples"), tooltip=tr("A and B at the top, two samples below; what is missing of A "
                                                                  "and B is a sample as well"))  # fmt: skip
        self.centre = Button(tr("Centre"), tooltip=tr("Take the point to the middle (double click, Home)"))
        self.norm = Toggle(tr("Keep the length of z"), tr("A mean of four latents is shorter than any of them, where few latents "
                                                          "lie: push it out again.\nz · mean(|c|) / |z|"))  # fmt: skip
        self.key = Button(tr("Add as keyframe"), icon="plus", tooltip=tr("Put the picture at the point on the timeline"))
        self.problem = Label("", "warning", wrap=True)
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.fill, self.centre, self.key):
            row.addWidget(part)
        row.addSpacing(8)
        row.addWidget(self.norm)
        row.addWidget(self.problem, 1)
        row.addStretch(1)
        self.fill.clicked.connect(self.fill_wanted)
        self.centre.clicked.connect(self.centre_wanted)
        self.norm.clicked.connect(self.norm_changed)
        self.key.clicked.connect(self.key_wanted)
        for before, after in zip([*self.corners, self.pad], [*self.corners[1:], self.pad, self.fill], strict=False):
            QWidget.setTabOrder(before, after)

    def show_full(self, full: bool, problem: str, ready: bool) -> None:
        """Whether all corners have a picture; what went wrong; whether there is a picture at the point."""
        self.pad.setVisible(full)
        self.empty.setVisible(not full)
        for part in (self.centre, self.norm, self.key):
            part.setEnabled(full)
        self.key.setEnabled(full and ready)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def set_smooth(self, smooth: bool) -> None:
        for part in (self.pad, *self.corners):
            if part.smooth != smooth:
                part.smooth = smooth
                part.update()

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def arrange(self) -> None:
        """The model's pictures have another shape."""
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.width(), self.height() - 44
        aspect, corner = self.pad.aspect, 128
        side = min(height, (width - 2 * (corner + 20)) / aspect)
        wide, high = round(side * aspect), round(side)
        corner_high = min(round(corner / aspect), (high - 16) // 2 - CAPTION) + CAPTION
        left = max(0, (width - wide - 2 * (corner + 20)) // 2)
        pad_left = left + corner + 20
        self.pad.setGeometry(pad_left, 0, wide, high)
        self.empty.setGeometry(pad_left, 0, wide, high)
        for index, view in enumerate(self.corners):
            row, column = divmod(index, 2)
            view.setGeometry(pad_left + wide + 20 if column else left, high - corner_high if row else 0, corner, corner_high)
        self.controls.setGeometry(left, high + 12, max(width - left, 100), 32)
