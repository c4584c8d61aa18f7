"""What the map's tests share: a stand-in for the engine that knows maps, and a hand."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from flow_explorer.engine.requests import map as rm
from flow_explorer.engine.requests.explorer import OnePicture
from flow_explorer.engine.requests.map import MapDirection, MapEncode, MapPicture, MapPile, MapPlace
from flow_explorer.explorer.facets.map.state import State
from flowcore.latents.map.points import nearest

LEFT = Qt.MouseButton.LeftButton

SHIFT = Qt.KeyboardModifier.ShiftModifier

SIZE = 8


class Engine:
    """What the stand-in answers for the map: pictures on a spiral, two classes, one left out."""

    def __init__(self, client, count: int = 40) -> None:
        self.count, self.client, self.side = count, client, 1
        self.classes = ["cat", "dog"]
        self.stop_after: str | None = None
        angles = np.arange(count) * 0.7
        self.points = (np.stack([np.cos(angles), np.sin(angles)], 1) * (np.arange(count)[:, None] + 4)).astype(np.float32)
        rng = np.random.default_rng(0)
        self.pictures = rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
        self.bpd = np.linspace(3, 4, count)
        self.bpd[5] = 9.0
        self._others = client.work
        client.work = self.work

    def work(self, request):
        if isinstance(request, MapEncode):
            yield from self.encode(request)
        elif isinstance(request, MapPlace):
            yield rm.MapPlaced((1.0, 2.0), done=True)
        elif isinstance(request, MapPicture):
            yield OnePicture(self.pictures[request.number], done=True)
        elif isinstance(request, MapPile):
            yield rm.PileCopied(len(request.numbers), (), 0, done=True)
        elif isinstance(request, MapDirection):
            inside = len(request.numbers)
            yield rm.LassoDirection(inside, self.count - inside, done=True)
        else:
            yield from self._others(request)

    def encode(self, request):
        given = request.pictures if not request.path else self.pictures
        total = min(request.limit or len(given), len(given))
        yield rm.MapReading(1, len(given))
        yield rm.MapFound(total, len(given), tuple(self.classes), request.have, self.side)
        for start in range(request.have, total, 8):
            stop = min(start + 8, total)
            shown = given[start:stop][:, :: self.side, :: self.side]
            names = tuple(str(i) if not request.path else f"p{i}.png" for i in range(start, stop))
            points = self.points[start:stop] if start else None
            yield rm.MapRows(start, names, stop, shown, self.bpd[start:stop], np.arange(start, stop) % 2, points)
            if not start:
                yield rm.MapLayout((0.2, 0.1), self.points[:stop] * 0.5)
            if self.stop_after == "rows" and stop >= 16:
                return
        yield rm.MapArranging()
        if self.stop_after == "arranging":
            return
        points = self.points[:total] if request.method == "pca" else -self.points[:total]
        numbers, distances = nearest(points, 8)
        yield rm.MapDone((0.25, 0.125), points, neighbours=numbers, distances=distances, method=request.method, exact=True,
                         taken=total, skipped=(("bad.png", "bad.png is damaged."),), skipped_count=1, done=True)  # fmt: skip


def state(mapped) -> State:
    return mapped.history.state.of("map")


def encodes(mapped) -> list[MapEncode]:
    return mapped.client.sent(MapEncode)


def drop(widget, *paths) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = widget.rect().center()
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, enter)
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    return enter.isAccepted() and event.isAccepted()


def wheel(widget, place: QPointF, steps: int) -> None:
    event = QWheelEvent(place, QPointF(widget.mapToGlobal(place.toPoint())), QPoint(), QPoint(0, 120 * steps),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(widget, event)


def lasso(qtbot, canvas, corners, modifier=SHIFT) -> None:
    """Draw a line through these places of the widget."""
    first, *others = [QPoint(round(x), round(y)) for x, y in corners]
    qtbot.mousePress(canvas, LEFT, modifier, first)
    for corner in others:
        qtbot.mouseMove(canvas, corner)
    qtbot.mouseRelease(canvas, LEFT, modifier, others[-1])


def around(canvas, row: int, reach: float = 9) -> list[tuple[float, float]]:
    middle = canvas.place_of(row)
    return [(middle.x() + dx * reach, middle.y() + dy * reach) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
