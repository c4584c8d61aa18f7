"""What the directions' tests share: what a stand-in for the engine says of them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QMimeData, Qt, QUrl

from flow_explorer.engine.requests import directions as rd
from flow_explorer.engine.requests.explorer import BitsAt, FramesPart, PictureAt

LEFT = Qt.MouseButton.LeftButton

DIMS = 8 * 8 * 3


def vector(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=DIMS).astype(np.float32)


def card(name: str, **changes) -> dict:
    quality = {"score": 0.93, "low": 0.9, "high": 0.95, "more": 480, "less": 520, "how": "held out"}
    return {"format_version": 1, "name": name, "model": "tiny", "fingerprint": "here", "dims": DIMS, "levels": [0, 1, 2],
            "deviation": 2.0, "made": {"by": "labels", "more": 9, "less": 8}, "quality": quality, **changes}  # fmt: skip


class Answers:
    """What the stand-in engine says about directions; z is pixels / 100."""

    def __init__(self, client) -> None:
        self.client, self._others = client, client.work
        self.bundled = [card("Smile"), card("Glasses")]
        self.made = card("made", made={"by": "picks", "more": 1, "less": 1}, quality=None)
        client.work = self.work

    @staticmethod
    def picture(z) -> np.ndarray:
        return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(8, 8, 3)

    def moved(self, request) -> np.ndarray:
        z = request.z.astype(np.float64)
        for row, amount, deviation, _levels, _others in request.moves:
            z = z + amount * deviation * request.vectors[row] / np.linalg.norm(request.vectors[row])
        return z.astype(np.float32)

    def work(self, request):
        if isinstance(request, rd.ListDirections):
            vectors = np.stack([vector(seed) for seed in range(len(self.bundled))]) if self.bundled else np.zeros((0, DIMS), "f4")
            yield rd.Directions(tuple(self.bundled), vectors, "here", done=True)
        elif isinstance(request, rd.Edit):
            z = self.moved(request)
            yield PictureAt(self.picture(z), z)
            yield BitsAt(3.25, done=True)
        elif isinstance(request, rd.Strip):
            base, (row, _, deviation, _, _) = self.moved(request), request.hand
            step = deviation * request.vectors[row] / np.linalg.norm(request.vectors[row])
            z = np.stack([base + amount * step for amount in request.amounts])
            yield FramesPart(0, np.stack([self.picture(row) for row in z]), done=True)
        elif isinstance(request, rd.FromLatents | rd.FromFolders | rd.OpenDirection):
            count = max(1, getattr(request, "axes", 0))
            name = getattr(request, "name", "opened")
            cards = [{**self.made, "name": name if count == 1 else f"{name}, axis {n + 1}"} for n in range(count)]
            vectors = np.stack([vector(100 + len(self.client.log) + n) for n in range(count)])
            yield rd.Directions(tuple(cards), vectors, "here", done=True)
        elif isinstance(request, rd.SaveDirection):
            yield rd.DirectionSaved(request.path, done=True)
        else:
            yield from self._others(request)


def rows(facet) -> list:
    return [facet.widget().rows[row.held.key] for row in facet.link.rows(facet.state)]


def edits(client) -> list:
    return client.sent(rd.Edit)


def drop(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime
