"""What the pixels' tests share: what a stand-in for the engine says of them, and a hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from flow_explorer.engine.requests.pixels import (
    Change,
    MovedByPixel,
    MovedMaps,
    PixelsMoved,
    Plausible,
    PlausibleDraft,
    ReachedMap,
    Repaint,
)

LEFT = Qt.MouseButton.LeftButton

SIZE = 8

SIZES = ((6, 4, 4), (12, 2, 2), (48, 1, 1))


def answers(request):
    """What the engine would say, in kind: maps with their strongest place where the pixel is."""
    if isinstance(request, MovedByPixel):
        maps = []
        for _, height, width in SIZES:
            shown = np.full((height, width), 0.1, np.float32)
            shown[request.row * height // SIZE, request.column * width // SIZE] = 1 + request.row
            maps.append(shown)
        yield MovedMaps(tuple(maps), (0.5, 0.3, 0.2), SIZES, done=True)
    elif isinstance(request, PixelsMoved):
        for fraction in (0.5, 1.0):
            shown = np.full((SIZE, SIZE), fraction, np.float32)
            yield ReachedMap(fraction, shown, done=fraction == 1)
    elif isinstance(request, Repaint):
        change, left = (tuple(np.full(size[1:], value, np.float32) for size in SIZES) for value in (2.0, 1.0))
        yield Change(2.0, 4.0, change, tuple(size[0] for size in SIZES))
        mixed = (request.painted * (1 - request.amount) + request.before * request.amount).astype(np.uint8)
        yield PlausibleDraft(mixed)
        yield Plausible(mixed, (mixed / 100).astype(np.float32).ravel(), 3.0, 1 - request.amount, 5.0, 0.5, left, done=True)


def paint_on(pixels, qtbot) -> None:
    """To painting, with a brush that covers whole pixels of so small a picture."""
    qtbot.mouseClick(pixels.canvas.mode.button("paint"), LEFT)
    pixels.change(replace(pixels.state, brush=0.15), "A larger brush")
    assert pixels.canvas.paint.brush.isVisible()


def drag(view, places) -> None:
    points = [view.point_at(*place).toPoint() for place in places]
    QTest.mousePress(view, LEFT, pos=points[0])
    for point in points[1:]:
        QTest.mouseMove(view, point)
    QTest.mouseRelease(view, LEFT, pos=points[-1])
