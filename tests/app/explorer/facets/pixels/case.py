"""What the pixels' tests share: what a stand-in for the engine says of them, and a hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from flow_explorer.engine.requests.pixels import MovedByPixel, PixelsMoved, Repaint

LEFT = Qt.MouseButton.LeftButton

SIZE = 8

SIZES = [[6, 4, 4], [12, 2, 2], [48, 1, 1]]


def answers(request):
    """What the engine would say, in kind: maps with their strongest place where the pixel is."""
    if isinstance(request, MovedByPixel):
        maps = {}
        for number, (_, height, width) in enumerate(SIZES):
            shown = np.full((height, width), 0.1, np.float32)
            shown[request.row * height // SIZE, request.column * width // SIZE] = 1 + request.row
            maps[f"map{number}"] = shown
        yield {"shares": [0.5, 0.3, 0.2], "sizes": SIZES, "done": True}, maps, True
    elif isinstance(request, PixelsMoved):
        for fraction in (0.5, 1.0):
            shown = np.full((SIZE, SIZE), fraction, np.float32)
            yield {"fraction": fraction, "done": fraction == 1}, {"map": shown}, fraction == 1
    elif isinstance(request, Repaint):
        figures = {name: {"bpd": bpd, "likelier_than": None, "typicality": None} for name, bpd in
                   (("before", 2.0), ("painted", 4.0), ("plausible", 3.0))}  # fmt: skip
        change = {f"change{n}": np.full(size[1:], 2.0, np.float32) for n, size in enumerate(SIZES)}
        left = {f"left{n}": np.full(size[1:], 1.0, np.float32) for n, size in enumerate(SIZES)}
        figured = {name: figures[name] for name in ("before", "painted")}
        yield {**figured, "channels": [size[0] for size in SIZES], "done": False}, change, False
        mixed = (request.painted * (1 - request.amount) + request.before * request.amount).astype(np.uint8)
        yield {"done": False}, {"picture": mixed}, False
        data = {"amount": request.amount, "kept": 1 - request.amount, "inside": 5.0, "outside": 0.5,
                "plausible": figures["plausible"], "done": True}  # fmt: skip
        yield data, {"z": (mixed / 100).astype(np.float32).ravel(), "picture": mixed, **left}, True


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
