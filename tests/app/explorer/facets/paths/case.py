"""What the paths' tests share: what the engine would answer, and a hand."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QMenu

from flow_explorer.engine.requests import paths as rp
from flow_explorer.engine.requests.explorer import BitsAt, FramesPart, PictureAt
from flow_explorer.explorer.facets.paths.state import WAYS
from flowcore.latents.latent import walk
from flowcore.latents.timeline import PIXELS, bilinear, pixel_blend, sample

LEFT = Qt.MouseButton.LeftButton

SIZE = 8


def decode(z: np.ndarray) -> np.ndarray:
    return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(SIZE, SIZE, 3)


def answers(request):
    """What the engine would answer; None for what the stand-in knows already."""
    if isinstance(request, rp.PathRows):
        for start in range(0, len(request.ts), 4):
            for way in request.ways:
                ts = request.ts[start : start + 4]
                z = walk(request.a, request.b, ts, "linear" if way == PIXELS else way)
                pictures = [pixel_blend(request.picture_a, request.picture_b, t) for t in ts] if way == PIXELS else map(decode, z)
                done = start + 4 >= len(request.ts) and way == request.ways[-1]
                bpd = tuple(3 - t + WAYS.index(way) for t in ts)
                yield rp.PathPart(start, np.stack(list(pictures)), bpd, way=way, done=done)
    elif isinstance(request, rp.PathsAt):
        z = np.concatenate([walk(request.a, request.b, (request.t,), way) for way in request.ways if way != PIXELS])
        blend = pixel_blend(request.picture_a, request.picture_b, request.t)
        yield rp.PicturesAt(np.stack([*map(decode, z), blend]), z)
        yield rp.WaysBits((1.0, 2.0, 3.0, 4.0), (blend / 100).astype(np.float32).ravel(), done=True)
    elif isinstance(request, rp.PadGrid):
        last = request.side - 1
        points = [(column / last, row / last) for row in range(request.side) for column in range(request.side)]
        pictures = np.stack([decode(bilinear(request.corners, x, y, request.norm_kept)) for x, y in points])
        yield FramesPart(0, pictures, done=True)
    elif isinstance(request, rp.PadAt):
        z = bilinear(request.corners, request.x, request.y, request.norm_kept)
        yield PictureAt(decode(z), z)
        yield BitsAt(2.25, done=True)
    elif isinstance(request, rp.TimelineAt):
        z = sample(request.keys, request.timeline(), (request.time,))[0]
        yield PictureAt(decode(z), z)
        yield BitsAt(2.5, done=True)
    elif isinstance(request, rp.TimelineFrames):
        pictures = np.stack(list(map(decode, sample(request.keys, request.timeline(), request.times))))
        order = [*range(1, len(pictures), 2), *range(0, len(pictures), 2)]
        for part in (order[: len(order) // 2], order[len(order) // 2 :]):
            done = part[-1] == order[-1]
            if part:
                yield rp.TimelinePart(tuple(part), pictures[part], done=done)


def click(qtbot, button) -> None:
    qtbot.mouseClick(button, LEFT)


def drag(widget, *points: QPointF) -> None:
    """Press at the first point, move through the others, let go at the last."""
    def send(kind, point, buttons) -> None:
        button = LEFT if kind != QEvent.Type.MouseMove else Qt.MouseButton.NoButton
        QApplication.sendEvent(widget, QMouseEvent(kind, point, QPointF(widget.mapToGlobal(point.toPoint())), button, buttons,
                                                   Qt.KeyboardModifier.NoModifier))

    send(QEvent.Type.MouseButtonPress, points[0], LEFT)
    for point in points[1:]:
        send(QEvent.Type.MouseMove, point, LEFT)
    send(QEvent.Type.MouseButtonRelease, points[-1], Qt.MouseButton.NoButton)


def latent(workspace, index: int):
    return workspace.controller.page.view.slots[index]


def corners(paths, workspace) -> np.ndarray:
    return np.stack([workspace.controller.store.latent(well.latent) for well in paths.state.corners])


def drop(widget, mime: QMimeData) -> None:
    from PySide6.QtGui import QDropEvent

    widget.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier))


def _filled(part) -> QMenu:
    menu = QMenu(part.panel())
    part.panel().add_menu.emit(menu)
    return menu
