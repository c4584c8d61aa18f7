"""What is seen of the map: dots, and thumbnails where there is room, from a camera that zooms and moves."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.facets.map.atlas import Atlas, Stamps, dot, square
from flow_explorer.explorer.facets.map.camera import Camera
from flow_explorer.explorer.facets.map.colours import Colouring
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.facets.map.overlay import RADIUS, paint_card, paint_legend, paint_mark
from flow_explorer.explorer.paint import PictureCache, draw_outline, draw_picture
from flow_explorer.i18n import tr
from flow_explorer.widgets.focus import KeyboardFocus, ring

__all__ = ["MapPicture", "thumb_side"]

SIDES = (20, 24, 28, 32, 40, 48, 56, 64, 80, 96)
"""How large a thumbnail may be, in logical pixels."""
FILLED = 0.55
"""Share of the view that thumbnails may cover before they become dots."""
DOT, DOT_LARGE = 5.0, 8.0
REST_MS = 250
MOVE_MS = 180
FAINT = 0.25
BETWEEN = 6
"""Pixels between two thumbnails, at least."""
FEW, MOST, SMALL = 300, 0.7, 32
"""Of so few in view this share is shown as thumbnails, if need be of this size."""
EXTRA = 28
"""Side of the thumbnails of picked ones where all others are dots."""


def thumb_side(visible: int, area: float, many: int) -> int:
    """The side of a thumbnail where so many are in view of `area` square pixels; 0 for dots. `many` are on the map."""
    if not visible:
        return 0
    room = math.sqrt(FILLED * area / visible)
    fitting = [side for side in SIDES if side <= room]
    # Few pictures are shown as pictures even where they lie close.
    return fitting[-1] if fitting else (SIDES[0] if many <= 150 else 0)


class MapPicture(KeyboardFocus, QWidget):
    """Paints a `MapData`, what is picked of it, and what the hand draws on it; `MapCanvas` is the hand."""

    viewed = Signal(object)
    """The `Camera` that came to rest; None where everything is in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Map of the pictures in z"))
        self.setToolTip("")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self._data = MapData()
        self._colouring = Colouring(["#000000"], np.zeros(0, np.int64))
        self._atlas, self._cache, self._stamps = Atlas(), PictureCache(), Stamps()
        self._members: np.ndarray | None = None
        self._selected = -1
        self._near: list[int] = []
        self._marks: dict[str, tuple[float, float] | None] = {}
        self._camera: Camera | None = None
        """None: everything is in view, however the map grows."""
        self._fitted: tuple[object, Camera] | None = None
        self._all_in_view = False
        self._points = np.empty((0, 2), np.float32)
        self._old_points: np.ndarray | None = None
        self._old_camera: Camera | None = None
        self._hovered = -1
        self._base: tuple[tuple, QPixmap] | None = None
        self._screen: tuple[tuple, np.ndarray] | None = None
        self._side = 0
        self._thumbs = np.empty(0, np.int64)
        self._press: QPointF | None = None
        self._drag_from: Camera | None = None
        self._line: list[QPointF] | None = None
        self.lasso_tool = False
        self._version = 0
        self._rest = QTimer(self, interval=REST_MS, singleShot=True)
        self._rest.timeout.connect(self._rested)
        self._motion = QVariantAnimation(self, duration=MOVE_MS, startValue=0.0, endValue=1.0)
        self._motion.valueChanged.connect(lambda _value: self.update())
        self._motion.finished.connect(self._arrived)
        theme.changed.connect(self._repaint)

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    # What is shown

    def show_data(self, data: MapData, colouring: Colouring) -> None:
        """Paint these rows in these colours. Where they moved, they go to their new places in at most 200 ms."""
        new = data is not self._data
        before, camera = self._now()
        self._atlas.show(data)
        if new or data.count < len(before):
            self._atlas.reset()
            self._hovered, before = -1, before[:0]
        follows = not new and len(before) and len(data.points) >= len(before)
        moved = data.version != self._shown_version
        self._data, self._colouring = data, colouring
        self._points, self._shown_version = np.array(data.points), data.version
        if self._members is not None and len(self._members) != data.count:
            # Newcomers are not in a lasso that was drawn before them; of other pictures there is none.
            newcomers = np.zeros(max(0, data.count - len(self._members)), bool)
            self._members = np.concatenate([self._members, newcomers]) if not new and len(newcomers) else None
        self._version += 1
        self._fitted = None
        # More pictures widen a view of everything: it goes there as gently.
        moved = moved or (self._camera is None and self.camera != camera)
        if follows and moved and self.isVisible() and theme.animations_enabled():
            self._motion.stop()
            self._old_points, self._old_camera = np.concatenate([before, self._points[len(before) :]]), camera
            self._motion.start()
        elif not follows or self._old_points is None or len(self._old_points) != len(self._points):
            self._motion.stop()
            self._old_points = self._old_camera = None
        self._describe()
        self.update()

    _shown_version = -1

    def show_picked(self, selected: int, near: list[int], members: np.ndarray | None) -> None:
        """The picked picture, its neighbours, and who is in the lasso, (count,) bool or None."""
        self._selected, self._near, self._members = selected, near, members
        self._version += 1
        self._describe()
        self.update()

    def show_marks(self, marks: dict[str, tuple[float, float] | None]) -> None:
        """Where A and B lie."""
        self._marks = dict(marks)
        self.update()

    def show_camera(self, view: tuple[float, ...]) -> None:
        """What the state says is seen; () for everything."""
        camera = Camera(*view) if view else None
        if camera != self._camera and not self._rest.isActive() and self._drag_from is None:
            self._camera = camera
            self._all_in_view = False
            self.update()

    @property
    def camera(self) -> Camera:
        """What is seen now."""
        if self._camera is not None:
            return self._camera
        key = (self._version, self.width(), self.height(), self._all_in_view)
        if self._fitted is None or self._fitted[0] != key:
            self._fitted = (key, self._fit(not self._all_in_view))
        return self._fitted[1]

    def _fit(self, body: bool) -> Camera:
        """Everything in view as whole thumbnails."""
        side = thumb_side(len(self._points), self.width() * self.height(), len(self._points))
        return Camera.fit(self._points, self.width(), self.height(), body, 12 + side / 2)

    @property
    def side(self) -> int:
        """How large thumbnails are drawn now; 0 where all are dots."""
        self._arrange()
        return self._side

    def _places(self) -> np.ndarray:
        """Where the pictures' middles are on the widget, (N, 2), as they were arranged last."""
        assert self._screen is not None
        return self._screen[1]

    def place_of(self, row: int) -> QPointF:
        """Where a picture's middle is on the widget."""
        self._arrange()
        return QPointF(*self._places()[row])

    def row_at(self, point: QPointF) -> int:
        """The picture under a place; -1 for none."""
        self._arrange()
        screen = self._places()
        if not len(screen):
            return -1
        away = np.abs(screen - [point.x(), point.y()])
        if len(self._thumbs):
            under = self._thumbs[(away[self._thumbs].max(1) <= self._side / 2)]
            if len(under):
                return int(under[np.argmin((away[under] ** 2).sum(1))])
        distance = np.hypot(away[:, 0], away[:, 1])
        nearest = int(np.argmin(distance))
        return nearest if distance[nearest] <= DOT_LARGE + 2 else -1

    def fit(self) -> None:
        """Everything into view; once more, what lies very far off as well."""
        far = self._fit(False)
        self._all_in_view = self._camera is None and not self._all_in_view and far != self.camera
        self._camera = None
        self._rest.stop()
        self.viewed.emit(None)
        self.update()

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Nearer, or farther, around a place."""
        if not len(self._points):
            return
        at = at or QPointF(self.width() / 2, self.height() / 2)
        whole = self._fit(False).span
        self._camera = self.camera.zoomed(factor, (at.x(), at.y()), self.width(), self.height(), whole)
        self._rest.start()
        self.update()

    def _rested(self) -> None:
        self.viewed.emit(self._camera)

    def _describe(self) -> None:
        words = [tr("{count} pictures", count=f"{self._data.placed:,}")]
        if 0 <= self._selected < self._data.count:
            words.append(tr("{name} is picked", name=self._data.names[self._selected]))
        self.setAccessibleDescription(", ".join(words))

    def _repaint(self) -> None:
        self._version += 1
        self.update()

    def _arrived(self) -> None:
        self._old_points = self._old_camera = None
        self._version += 1
        self.update()

    # Where everything is

    def _now(self) -> tuple[np.ndarray, Camera]:
        """Points and camera, on their way where they move."""
        if self._old_points is None or len(self._old_points) != len(self._points):
            return self._points, self.camera
        t = float(self._motion.currentValue() or 0.0)
        eased = 1.0 - (1.0 - t) ** 3
        return self._old_points + (self._points - self._old_points) * eased, (self._old_camera or self.camera).toward(
            self.camera, eased)  # fmt: skip

    def _arrange(self) -> tuple:
        """Screen places, and who is shown as a picture; computed once for what is seen."""
        points, camera = self._now()
        moving = self._old_points is not None
        key = (self._version, camera, self.width(), self.height(), self._motion.currentValue() if moving else None)
        if self._screen is not None and self._screen[0] == key:
            return key
        screen = camera.to_screen(points, self.width(), self.height())
        inside = (screen >= -40).all(1) & (screen <= [self.width() + 40, self.height() + 40]).all(1)
        rows = np.flatnonzero(inside)
        if self._members is not None:
            # Who is in the lasso has room first.
            rows = np.concatenate([rows[self._members[rows]], rows[~self._members[rows]]])
        self._side = thumb_side(len(rows), self.width() * self.height(), len(points))
        self._thumbs = _apart(rows, screen, self._side + BETWEEN) if self._side else np.empty(0, np.int64)
        # A few are better all seen, and smaller, than large with most of them hidden.
        while self._side > SMALL and len(rows) <= FEW and len(self._thumbs) < MOST * len(rows):
            self._side = SIDES[SIDES.index(self._side) - 1]
            self._thumbs = _apart(rows, screen, self._side + BETWEEN)
        self._screen = (key, screen)
        self._visible = rows
        return key

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._base_layer())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        painter.setClipPath(clip)
        self._paint_picked(painter)
        self._paint_marks(painter)
        self._paint_line(painter)
        if len(self._points):
            paint_legend(painter, self._colouring, self.height())
        self._paint_card(painter)
        painter.setClipping(False)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), RADIUS)
        painter.end()

    def _base_layer(self) -> QPixmap:
        """Dots and thumbnails, painted once for what is seen: pointing at one repaints nothing of it."""
        key = (*self._arrange(), self.devicePixelRatioF())
        if self._base is not None and self._base[0] == key:
            return self._base[1]
        ratio = self.devicePixelRatioF()
        layer = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
        layer.setDevicePixelRatio(ratio)
        layer.fill(Qt.GlobalColor.transparent)
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        tones = theme.current()
        ground = theme.mix(tones.window, "#000000", 0.25) if tones.dark else theme.mix(tones.window, "#ffffff", 0.5)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        self._paint_dots(painter, ratio)
        complete = self._paint_thumbs(painter)
        painter.end()
        if complete:
            self._base = (key, layer)
        else:
            QTimer.singleShot(0, self, self.update)
        return layer

    def _opacity(self, rows: np.ndarray) -> np.ndarray | float:
        """Outside of a lasso pictures stand back."""
        if self._members is None:
            return 1.0
        return np.where(self._members[rows], 1.0, FAINT)

    def _paint_dots(self, painter: QPainter, ratio: float) -> None:
        rows = np.setdiff1d(self._visible, self._thumbs, assume_unique=True) if len(self._thumbs) else self._visible
        if not len(rows):
            return
        size = DOT if len(self._visible) > 600 else DOT_LARGE
        screen = self._places()
        # At whole pixels a stamp is a copy, which is several times faster than one that is moved by a part of a pixel.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        buckets = self._bucket(rows)
        for number in np.unique(buckets):
            chosen = rows[buckets == number]
            stamp = dot(theme_colour(self._colouring.tones[number], 0.85), size, ratio)
            places = np.round(screen[chosen] * ratio) / ratio
            self._stamps.draw(painter, stamp, places, None, 1.0 / ratio, self._opacity(chosen))

    def _paint_thumbs(self, painter: QPainter) -> bool:
        """False where some have to wait for the next paint."""
        if not len(self._thumbs):
            return True
        screen, rows = self._places(), self._thumbs
        places = np.round(screen[rows])
        if not self._colouring.plain:
            framed = np.ones(len(rows), bool) if self._members is None else self._members[rows]
            buckets = self._bucket(rows)
            for number in np.unique(buckets[framed]):
                chosen = framed & (buckets == number)
                tone = square(QColor(self._colouring.tones[number]))
                self._stamps.draw(painter, tone, places[chosen], None, (self._side + 4) / 8)
        return self._atlas.draw(painter, rows, places, self._side, self._opacity(rows))

    def _bucket(self, rows: np.ndarray) -> np.ndarray:
        buckets = self._colouring.bucket
        return buckets[np.minimum(rows, len(buckets) - 1)] if len(buckets) else np.zeros(len(rows), np.int64)

    def _paint_picked(self, painter: QPainter) -> None:
        """The picked picture and its neighbours, always as pictures, above all others."""
        screen = self._places()
        if not 0 <= self._selected < len(screen):
            return
        middle = QPointF(*screen[self._selected])
        near = [row for row in self._near if row < len(screen)]
        painter.setPen(QPen(theme.color("z", 0.8), 1.2))
        for row in near:
            painter.drawLine(middle, QPointF(*screen[row]))
        side = max(self._side, EXTRA)
        for row in reversed(near):
            self._picture_at(painter, row, side, "z", 2.0)
        self._picture_at(painter, self._selected, max(side, 36), "accent", 3.0)

    def _picture_at(self, painter: QPainter, row: int, side: float, tone: str, width: float) -> None:
        x, y = self._places()[row]
        picture = self._data.picture(row)
        if picture is None or not (-side < x < self.width() + side and -side < y < self.height() + side):
            return
        high, wide = picture.shape[:2]
        factor = side / max(high, wide)
        rect = QRectF(x - wide * factor / 2, y - high * factor / 2, wide * factor, high * factor)
        draw_picture(painter, rect, picture, self._cache)
        draw_outline(painter, rect, theme.color(tone), width)

    def _paint_marks(self, painter: QPainter) -> None:
        """A and B; where one lies outside, the map's edge says in which direction."""
        for which, place in self._marks.items():
            if place is not None and len(self._points):
                x, y = self._now()[1].to_screen(np.array([place]), self.width(), self.height())[0]
                paint_mark(painter, which, min(max(x, 14), self.width() - 14), min(max(y, 14), self.height() - 14))

    def _paint_line(self, painter: QPainter) -> None:
        if not self._line:
            return
        painter.setPen(QPen(theme.color("accent"), 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(theme.color("accent", 0.12))
        painter.drawPolygon(QPolygonF(self._line))

    def _paint_card(self, painter: QPainter) -> None:
        """The picture that is pointed at, with its name and figures."""
        row, data = self._hovered, self._data
        picture = data.picture(row)
        if picture is None or row >= len(self._places()) or self._line is not None:
            return
        lines = [data.names[row], tr("{bpd} bits per dimension", bpd=f"{data.bpd[row]:.2f}"), data.class_of(row)]
        place, reach = QPointF(*self._places()[row]), max(self._side / 2, 8) + 10
        paint_card(painter, QRectF(self.rect()), place, reach, picture, [line for line in lines if line], self._cache)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._base = self._screen = None
        self._hovered = -1
        super().resizeEvent(event)


def _apart(rows: np.ndarray, screen: np.ndarray, pitch: float) -> np.ndarray:
    """Of rows in view, in their order, those that are at least `pitch` away from all before them: they have room as pictures."""
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    kept = []
    for row, (x, y) in zip(rows.tolist(), screen[rows].tolist(), strict=True):
        column, line = int(x // pitch), int(y // pitch)
        near = [place for i in (-1, 0, 1) for j in (-1, 0, 1) for place in cells.get((column + i, line + j), ())]
        if all(abs(x - u) >= pitch or abs(y - v) >= pitch for u, v in near):
            cells.setdefault((column, line), []).append((x, y))
            kept.append(row)
    return np.array(kept, np.int64)


def theme_colour(tone: str, alpha: float) -> QColor:
    """A tone with an opacity."""
    colour = QColor(tone)
    colour.setAlphaF(alpha)
    return colour
