"""A stand-in for the engine that answers by hand, and a checkpoint that is only a card: the Explorer without torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from flow_explorer import assets
from flow_explorer.engine.requests import explorer as r
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.explorer.store import Store
from flow_explorer.history import History
from flowcore.model.labels import single
from flowcore.pictures.images import to_png_bytes

SIZE = 8


def to_bytes(z: np.ndarray, channels: int = 3) -> np.ndarray:
    """The stand-in's decoder: a z of pixels / 100 becomes its picture."""
    return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(SIZE, SIZE, channels)


class FakeClient:
    """Keeps what was asked until `run` or `answer` is called; z is pixels / 100, so decoding is exact."""

    def __init__(self) -> None:
        self.asked: list[SimpleNamespace] = []
        self.log: list[r.Request] = []
        self.cancelled: list[int] = []
        self.fail: type | None = None
        self.classes = 0
        """Of the conditional model that it is asked of; every picture is likeliest as class 1."""
        self.next_id = 1
        self.handlers: dict = {}
        """How requests of further views are answered, by their class: a function that yields answers."""
        self.drawn: dict[int, int] = {}
        """When each sample's last draft was made."""

    def send(self, request, *, on_answer=None, on_error=None, on_progress=None) -> int:
        entry = SimpleNamespace(id=self.next_id, request=request, answer=on_answer, error=on_error,
                                progress=on_progress)
        self.next_id += 1
        self.asked.append(entry)
        self.log.append(request)
        return entry.id

    def cancel(self, id: int) -> None:
        self.cancelled.append(id)
        self.asked = [entry for entry in self.asked if entry.id != id]

    def is_idle(self) -> bool:
        return not self.asked

    def forget(self) -> None:
        """The engine died: nothing asked is ever answered."""
        self.asked.clear()

    def sent(self, kind: type) -> list:
        return [request for request in self.log if type(request) is kind]

    def run(self) -> None:
        """Answer everything, also what the answers ask for."""
        for _ in range(1000):
            if not self.asked:
                return
            self.answer(self.asked[0])
        raise AssertionError("the controller never comes to rest")

    def answer(self, entry: SimpleNamespace) -> None:
        self.asked.remove(entry)
        request = entry.request
        if self.fail is not None and isinstance(request, self.fail):
            entry.error("It could not be computed.", "Traceback")
            return
        for answer in self.work(request):
            if entry.answer is not None:
                entry.answer(answer)

    def work(self, request) -> Iterator[Any]:
        if type(request) in self.handlers:
            yield from self.handlers[type(request)](request)
        elif isinstance(request, r.SamplePage):
            for start in range(request.first, request.first + request.count, 4):
                count = min(4, request.first + request.count - start)
                z = np.stack([np.random.default_rng((request.seed, start + i)).uniform(0, 2.55, SIZE * SIZE * 3)
                              for i in range(count)]).astype(np.float32)
                z *= by_place(request.temperature, z.shape[1])
                done = start + count == request.first + request.count
                labels = tuple(request.label or single((start + i) % self.classes) for i in range(count)) if self.classes else ()
                yield r.PagePart(start, np.stack([to_bytes(row) for row in z]), z, labels, done=done)
        elif isinstance(request, r.ScorePage):
            yield r.PageScores(tuple(float(row.mean()) for row in request.z), done=True)
        elif isinstance(request, r.DraftPage):
            order = sorted(request.indices, key=lambda index: (self.drawn.get(index, 0), index))
            for number, index in enumerate(order):
                self.drawn[index] = 1 + max(self.drawn.values(), default=0)
                page = r.SamplePage(request.model, request.seed, index, 1, request.temperature, request.label)
                (part,) = self.work(page)
                yield r.DraftPart((index,), part.pictures, part.z, part.labels, done=number == len(request.indices) - 1)
        elif isinstance(request, r.TemperatureFrames):
            z = np.random.default_rng((request.seed, request.index)).uniform(0, 2.55, SIZE * SIZE * 3).astype(np.float32)
            for index, temperature in enumerate(request.temperatures):
                done = index == len(request.temperatures) - 1
                picture = to_bytes(z * by_place(temperature, z.size))
                yield r.FramesPart(index, picture[None], done=done)
        elif isinstance(request, r.EncodePicture) and request.z is not None:
            drawn = to_bytes(request.z, request.picture.shape[2])
            if (drawn != request.picture).any():
                yield r.Edited(done=True)
                return
            yield r.Encoded(request.z, float(drawn.mean()) / 50, request.label, picture=drawn, differing=0, max_error=0.0,
                            done=True)  # fmt: skip
        elif isinstance(request, r.EncodePicture):
            z = (request.picture.astype(np.float32) / 100).ravel()
            label = request.label or (single(1) if self.classes else ())
            yield r.Encoded(z, float(request.picture.mean()) / 50, label, picture=request.picture, differing=0, max_error=0.0,
                            done=True)  # fmt: skip
        elif isinstance(request, r.DescribeLatent):
            yield r.Described(2.5, done=True)
        elif isinstance(request, r.WalkFrames):
            for index, t in enumerate(request.ts):
                z = (1 - t) * request.a + t * request.b
                yield r.WalkPart(index, to_bytes(z)[None], (2 + t,), done=index == len(request.ts) - 1)
        elif isinstance(request, r.WalkAt):
            z = ((1 - request.t) * request.a + request.t * request.b).astype(request.a.dtype)
            yield r.PictureAt(to_bytes(z), z)
            yield r.BitsAt(3.0, done=True)
        elif isinstance(request, r.OpenModel):
            yield r.Opened({}, request.model, "cpu", SIZE * SIZE * 3, (3, SIZE, SIZE), (), done=True)
        else:
            raise AssertionError(f"the stand-in knows no {request}")


def by_place(temperature: float | tuple[float, ...], size: int) -> np.ndarray:
    """The temperature of every number of z, the stand-in's levels being of equal size."""
    return np.repeat(np.asarray(temperature, np.float32), -(-size // np.size(temperature)))[:size]


def card(**changes) -> dict:
    return {
        "format_version": 1, "name": "tiny", "title": "Tiny", "system": "glow", "size": [SIZE, SIZE], "channels": 3,
        "architecture": {"system": "glow", "shape": [3, SIZE, SIZE], "levels": 3},
        "data": {"name": "noise", "licence": "CC0"}, "bpd": 3.5, "default_temperature": 0.7, "default_seed": 4,
        "held_out": {"bpd_quantiles": list(np.linspace(1, 5, 201)), "count": 100}, **changes,
    }  # fmt: skip


def write_checkpoint(path: Path, weights: bytes = b"", **changes) -> Path:
    """A checkpoint without a weight, or with a few that fit nothing: enough for whoever only reads its card."""
    metadata = {"format": "flow-explorer", "card": json.dumps(card(**changes))}
    tensor = {"dtype": "U8", "shape": [len(weights)], "data_offsets": [0, len(weights)]}
    header = json.dumps({"__metadata__": metadata, **({"layers.0": tensor} if weights else {})}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + weights)
    return path


@pytest.fixture
def checkpoint(tmp_path) -> Path:
    return write_checkpoint(tmp_path / "tiny.safetensors")


@pytest.fixture
def make_checkpoint(tmp_path):
    return lambda name, **changes: write_checkpoint(tmp_path / f"{name}.safetensors", **changes)


KINDS = ["cat", "dog", "owl"]


@pytest.fixture
def kinds(make_checkpoint) -> Path:
    """A model that is conditional on three classes."""
    architecture = {"system": "glow", "shape": [3, SIZE, SIZE], "levels": 3, "classes": 3}
    return make_checkpoint("kinds", title="Kinds", architecture=architecture, classes=KINDS)


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def controller(checkpoint, client, qapp) -> Controller:
    """A started controller on the tiny model; nothing has been answered yet."""
    made = Controller(client, History(ExplorerState(model=str(checkpoint), seed=4, temperature=0.7)), Store())
    made.start()
    return made


@pytest.fixture
def png():
    """Bytes of a PNG of one colour, or of an array."""

    def make(colour=(200, 40, 60), size=(24, 20)) -> bytes:
        if isinstance(colour, np.ndarray):
            return to_png_bytes(colour)
        return to_png_bytes(np.full((size[1], size[0], len(colour)), colour, np.uint8))

    return make


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Path:
    """Assets with one bundled model, its first page and two example pictures."""
    from flow_explorer import assets
    from flowcore.pictures.images import save_png

    folder = tmp_path / "assets"
    for name in ("models", "examples"):
        (folder / name).mkdir(parents=True)
    write_checkpoint(folder / "models" / "tiny.safetensors")
    sheet = np.random.default_rng(0).integers(0, 256, (4 * SIZE, 4 * SIZE, 3), dtype=np.uint8)
    save_png(folder / "models" / "tiny.png", sheet)
    for name, colour in (("red", (200, 40, 60)), ("blue", (20, 40, 220))):
        save_png(folder / "examples" / f"{name}.png", np.full((20, 24, 3), colour, np.uint8))
    icons = assets.icon
    monkeypatch.setattr(assets, "root", lambda: folder)
    monkeypatch.setattr(assets, "icon", lambda name, _find=icons, _root=assets.root: ROOT_ICONS / f"{name}.svg")
    return folder


ROOT_ICONS = assets.root() / "icons"


@pytest.fixture(scope="module")
def engine(qapp):
    """A real engine on one thread, a module's own; running and idle."""
    from flow_explorer.engine.client import EngineClient

    made = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    made.start()
    assert made.wait_until_idle(60_000), made.log
    yield made
    made.stop()


@pytest.fixture
def notices() -> list[tuple]:
    return []


@pytest.fixture
def workspace(bundle, client, qtbot, notices, tmp_path):
    """The whole Explorer in a window, on the stand-in engine; the first page has been answered."""
    from PySide6.QtWidgets import QHBoxLayout, QWidget

    from flow_explorer.explorer.workspace import create
    from flow_explorer.settings import Settings
    from flow_explorer.shell.drops import Drops
    from flow_explorer.workspace import WorkspaceContext

    def notify(sentence, details="", kind="error", act=None):
        notices.append((sentence, kind, act))

    context = WorkspaceContext(client, Settings(tmp_path / "settings.json"), notify)
    made = create(context)
    window = QWidget()
    row = QHBoxLayout(window)
    row.addWidget(made.canvas(), 1)
    made.inspector().setFixedWidth(300)
    row.addWidget(made.inspector())
    qtbot.addWidget(window)
    Drops(window, lambda: made)
    made.setParent(window)
    made.hide()
    made.topbar().setParent(window)
    window.resize(1366, 840)
    window.show()
    qtbot.waitExposed(window)
    qtbot.waitUntil(lambda: made.controller.started)
    client.run()
    setattr(made, "window_for_test", window)  # noqa: B010 - tests alone know of it
    yield made
    made.hidden()
