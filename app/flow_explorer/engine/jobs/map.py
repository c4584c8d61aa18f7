"""The map's jobs: encode a data set picture by picture, lay it out, place others on it, copy a pile, make a direction."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from flowcore.data.datasets import PictureSet, open_dataset, open_source
from flowcore.data.reading import Reading
from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.latents.map.encoding import encode_rows_job
from flowcore.latents.map.gathering import READ, Batch, Gathered, gather_job
from flowcore.latents.map.layout import Layout, save_lasso, umap_layout
from flowcore.latents.map.points import NEIGHBOURS, nearest
from flowcore.model.card import class_names
from flowcore.model.checkpoint import Loaded
from flowcore.pictures.images import to_png_bytes
from flowcore.work import LOOK_IN_S, beside

from ..context import Context, Steps, job
from ..requests.explorer import OnePicture
from ..requests.map import (
    LIMIT,
    LassoDirection,
    MapArranging,
    MapDirection,
    MapDone,
    MapEncode,
    MapFound,
    MapLayout,
    MapPicture,
    MapPile,
    MapPlace,
    MapPlaced,
    MapReading,
    MapRows,
    PileCopied,
)

__all__ = ["CHUNK", "SENT_BYTES"]

CHUNK = {"cpu": 4, "cuda": 64, "mps": 16}
"""Pictures encoded together: few enough that a layer stays short."""
SHOWN_FIRST, SHOWN_NEXT = 64, 4
"""The first axes are of so many pictures; newer ones are found whenever there are so many times more."""
SENT_BYTES = 128 * 2**20
"""What the window holds of a map's pictures; larger ones come made smaller by a whole number."""
DECODED = 32 * 2**20
"""Data sets of so many bytes are read into memory at once, larger ones while they are encoded."""
DIRECTION_BYTES = 96 * 2**20
"""Of z in memory on each side of a direction: of more pictures, evenly spread ones stand for all."""
SKIPPED_TOLD = 200
TOLD = 100
"""Pictures between two words of how far the reading is."""


@dataclass(eq=False, kw_only=True)
class _Held(Gathered):
    """What has been encoded of one data set by one model."""

    key: tuple
    files: Callable[[str], Path | None]
    order: np.ndarray
    taken: int = 0
    """Pictures of `order` that have been encoded, or found broken."""
    layout: Layout | None = None
    arranged: dict[tuple, tuple[Layout, np.ndarray, np.ndarray]] = field(default_factory=dict)
    embedded: dict[tuple, np.ndarray] = field(default_factory=dict)
    points: np.ndarray | None = None
    """Where the pictures lie on the map that was laid out last."""
    method: str = "pca"
    """By which they were laid out."""
    thread: threading.Thread | None = None
    """What may still be working on it for a job that has been cancelled."""

    def working(self, thread: threading.Thread) -> None:
        """It is this thread's until that has ended."""
        self.thread = thread

    @property
    def factor(self) -> int:
        """How many pixels become one where all pictures together are too much for the window."""
        channels, height, width = self.data.shape
        factor = 1
        while len(self.order) * channels * (height // factor) * (width // factor) > SENT_BYTES:
            factor += 1
        return factor


@job(MapEncode.kind)
def encode(context: Context, request: MapEncode) -> Steps:
    """See `MapEncode`."""
    loaded = _model(context, request.model)
    key = (*_key(loaded), request.path or hash(request.pictures.tobytes()))
    known: _Held | None = context.shared.get("map")
    again = known is not None and known.key == key
    if known is not None and again:
        held = known
    else:
        # What was held is let go first: two maps at once are more than was promised.
        context.shared.pop("map", None)
        del known
        held = yield from _open(context, request, loaded, key)
        context.shared["map"] = held
    while held.thread is not None and held.thread.is_alive():
        yield LOOK_IN_S
    levels = held.zmap.chosen(request.levels)
    total = min(len(held.order), LIMIT)
    limit = min(request.limit or total, total)
    if held.layout is not None and held.layout.levels != levels:
        held.layout = None
    first = request.have if again and request.have <= held.count else 0
    context.send(MapFound(limit, len(held.data), tuple(map(str, held.classes)), first, held.factor))
    for start in range(first, held.count, READ):
        yield from _send_rows(context, held, start, min(start + READ, held.count))
    yield from _encode_rest(context, loaded, held, limit, levels)
    yield from _arrange(context, request, held, levels)


def _encode_rest(context: Context, loaded: Loaded, held: _Held, limit: int, levels: tuple[int, ...]) -> Steps:
    flow = loaded.flow
    size = CHUNK.get(flow.device.type, 4)
    shown = SHOWN_FIRST
    if held.taken < limit and held.method != "pca" and held.layout is not None:
        held.points, held.method = held.layout.points, "pca"
    while shown <= held.count:
        shown *= SHOWN_NEXT
    for step in gather_job(flow, held, held.order[held.taken : limit], size):
        if not isinstance(step, Batch):
            yield step
            continue
        before = held.count - len(step.z)
        held.taken += step.count
        if held.layout is not None and held.points is not None and len(step.z):
            held.points = np.concatenate([held.points, held.layout.place(step.z)[:, :2]])
        if held.count >= shown:
            shown *= SHOWN_NEXT
            layout = yield from beside(lambda _told: held.zmap.layout(levels), started=held.working)
            held.layout, held.points, held.method = layout, layout.points, "pca"
            yield from _send_rows(context, held, before, held.count)
            yield from context.stream(MapLayout(_share(layout), layout.points))
        else:
            yield from _send_rows(context, held, before, held.count)


def _send_rows(context: Context, held: _Held, start: int, stop: int) -> Steps:
    pictures = _smaller(held.pictures(range(start, stop)), held.factor) if stop > start else np.empty((0, 1, 1, 1), np.uint8)
    laid = held.layout is not None and held.points is not None and len(held.points) >= stop
    names = tuple(held.name(row) for row in range(start, stop))
    bpd, classes = np.array(held.bpd[start:stop], np.float64), np.array(held.kinds[start:stop], np.int64)
    points = held.points[start:stop] if laid and held.points is not None else None
    yield from context.stream(MapRows(start, names, held.taken, pictures, bpd, classes, points))


def _arrange(context: Context, request: MapEncode, held: _Held, levels: tuple[int, ...]) -> Steps:
    context.send(MapArranging())
    yield
    key = (levels, held.count)
    if key not in held.arranged:

        def arranged(_told: Any) -> tuple[Layout, np.ndarray, np.ndarray]:
            layout = held.zmap.layout(levels)
            return layout, *nearest(layout.coordinates, NEIGHBOURS)

        found = yield from beside(arranged, started=held.working)
        held.arranged = dict([*held.arranged.items(), (key, found)][-8:])
    layout, neighbours, distances = held.arranged[key]
    points = layout.points
    if request.method == "umap":
        if key not in held.embedded:
            # It takes what it is given and leaves the map alone: another request need not wait for it.
            held.embedded[key] = yield from beside(lambda _told: umap_layout(layout.coordinates))
        points = held.embedded[key]
    held.layout, held.points, held.method = layout, points, request.method
    skipped = tuple((str(name), str(sentence)) for name, sentence in held.skipped[:SKIPPED_TOLD])
    yield from context.stream(MapDone(_share(layout), points, neighbours=neighbours, distances=distances, method=request.method,
                                      exact=held.zmap.exact, taken=held.taken, skipped=skipped,
                                      skipped_count=len(held.skipped), done=True))  # fmt: skip


@job(MapPlace.kind)
def place(context: Context, request: MapPlace) -> Steps:
    """See `MapPlace`."""
    loaded = _model(context, request.model)
    held: _Held | None = context.shared.get("map")
    found = None
    if held is not None and held.key[:2] == _key(loaded) and held.layout is not None and held.points is not None:
        layout, points = held.layout, held.points
        rows = yield from encode_rows_job(loaded.flow, request.picture[None])
        if np.isfinite(rows.bpd[0]):
            spot = layout.place(rows.z)[0]
            if held.method == "pca":
                found = (float(spot[0]), float(spot[1]) if len(spot) > 1 else 0.0)
            else:
                # UMAP has no axes: among those it is nearest to, the nearer the more.
                away = np.linalg.norm(layout.coordinates - spot, axis=1)
                near = np.argsort(away, kind="stable")[:NEIGHBOURS]
                weight = 1.0 / (away[near] + 1e-6)
                x, y = (weight @ points[near] / weight.sum()).tolist()
                found = (x, y)
    context.send(MapPlaced(found, done=True))
    yield


@job(MapPicture.kind)
def picture(context: Context, request: MapPicture) -> Steps:
    """See `MapPicture`."""
    held = _standing(context, request.model, request.path)
    if request.number >= held.count:
        raise ConfigError("This picture is not on the map any more.")
    found = yield from beside(lambda _told: held.pictures(np.array([request.number]))[0])
    context.send(OnePicture(found, done=True))


@job(MapPile.kind)
def pile(context: Context, request: MapPile) -> Steps:
    """See `MapPile`."""
    held = _standing(context, request.model, request.path)
    rows = [int(row) for row in request.numbers if row < held.count]
    folder = Path(request.folder)
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} to copy the pile into.")
    saved, failed = 0, []
    for done, row in enumerate(rows, 1):
        name = held.name(row)
        try:
            _copy(held, row, folder)
            saved += 1
        except (OSError, FlowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            failed.append((name, f"{name} could not be copied: {reason}."))
        context.progress(done / len(rows), name)
        yield
    context.send(PileCopied(saved, tuple(failed[:SKIPPED_TOLD]), len(failed), done=True))


@job(MapDirection.kind)
def direction(context: Context, request: MapDirection) -> Steps:
    """See `MapDirection`."""
    loaded = _model(context, request.model)
    held = _standing(context, request.model, request.path)
    member = np.zeros(held.count, bool)
    member[request.numbers[request.numbers < held.count]] = True
    sides = [_spread(np.flatnonzero(member), held), _spread(np.flatnonzero(~member), held)]
    if not all(len(rows) for rows in sides):
        raise DataError("A direction needs pictures in the lasso and pictures outside of it.")
    total, done, size = sum(map(len, sides)), 0, CHUNK.get(loaded.flow.device.type, 4)
    zs = []
    for rows in sides:
        z = np.empty((len(rows), held.zmap.dims), np.float32)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            encoded = yield from encode_rows_job(loaded.flow, held.pictures(part))
            z[start : start + len(part)] = encoded.z
            done += len(part)
            context.progress(done / total)
        zs.append(z)
    model, made = str(loaded.card.get("name") or loaded.path.stem), {"source": held.data.name}
    inside, outside = zs
    yield from beside(lambda _told: save_lasso(Path(request.file), inside, outside, loaded.flow, model, made))
    context.send(LassoDirection(int(member.sum()), int((~member).sum()), done=True))


def _model(context: Context, name: str) -> Loaded:
    loaded = context.models.get(name)
    if len(loaded.flow.event_shape) != 3:
        raise ConfigError(f"'{name}' is a model of points, not of pictures; choose one that was trained on pictures.")
    return loaded


def _key(loaded: Loaded) -> tuple[str, int]:
    """What a map is held under: trained further, a model is another one."""
    return os.path.abspath(loaded.path), os.stat(loaded.path).st_mtime_ns


def _standing(context: Context, model: str, path: str) -> _Held:
    """The map that stands, where it is of this model and data."""
    held: _Held | None = context.shared.get("map")
    if held is None or held.key[:2] != _key(_model(context, model)) or (path and held.key[2] != path):
        raise ConfigError("The map has changed meanwhile: try once more when it stands.")
    return held


def _open(context: Context, request: MapEncode, loaded: Loaded, key: tuple) -> Generator[float, None, _Held]:
    """The data set as the model sees it, nothing of it encoded yet."""
    channels, height, width = loaded.flow.event_shape
    files: Callable[[str], Path | None] = lambda _name: None  # noqa: E731
    if not request.path:
        data = PictureSet(request.pictures, None, [], name="samples", names=[])
    else:
        reading = loaded.card.get("data")
        reading = reading.get("reading") if isinstance(reading, dict) else None
        fitted = replace(Reading.from_dict(dict(reading)) if isinstance(reading, dict) else Reading(), channels=channels)
        path = request.path if request.path.startswith("hf:") else Path(request.path)
        shown = [0]

        def tell(done: int, total: int) -> None:
            if done - shown[0] >= TOLD:
                shown[0] = done
                context.try_stream(MapReading(done, total))

        data = yield from beside(lambda told: open_dataset(path, None, (height, width), **vars(fitted), memory=DECODED,
                                                           on_progress=told), tell)  # fmt: skip
        if isinstance(path, Path) and path.is_dir():
            with suppress(FlowError):
                if open_source(path).kind == "folder":
                    files = lambda name: path / name  # noqa: E731
    order = np.random.Generator(np.random.Philox(key=[len(data), 5])).permutation(len(data))[:LIMIT]
    if not request.path:
        order = np.arange(len(data))
    return _Held.begin(data, loaded.flow, class_names(loaded.card), key=key, files=files, order=order)


def _share(layout: Layout) -> tuple[float, float]:
    x, y = layout.share
    return x, y


def _smaller(pictures: np.ndarray, factor: int) -> np.ndarray:
    """Each `factor` × `factor` pixels as their mean."""
    if factor == 1 or not len(pictures):
        return pictures
    count, height, width, channels = pictures.shape
    high, wide = height // factor, width // factor
    blocks = pictures[:, : high * factor, : wide * factor].reshape(count, high, factor, wide, factor, channels)
    return blocks.mean((2, 4)).round().astype(np.uint8)


def _spread(rows: np.ndarray, held: _Held) -> np.ndarray:
    """Evenly spread ones of these rows, as many as a direction may hold."""
    most = max(2, DIRECTION_BYTES // (4 * held.zmap.dims))
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _copy(held: _Held, row: int, folder: Path) -> None:
    """One picture into the pile's folder under a name that is free."""
    name = held.name(row)
    file = held.files(name)
    leaf = PurePosixPath(name).name if file is not None else f"{PurePosixPath(name).stem or name}.png"
    stem, suffix = os.path.splitext(leaf)
    for number in range(10_000):
        target = folder / (leaf if not number else f"{stem}-{number + 1}{suffix}")
        try:
            copy = open(target, "xb")  # noqa: SIM115
        except FileExistsError:
            continue
        try:
            with copy:
                if file is None:
                    copy.write(to_png_bytes(held.pictures(np.array([row]))[0]))
                else:
                    with open(file, "rb") as original:
                        shutil.copyfileobj(original, copy)
        except BaseException:
            # Half a picture is none.
            target.unlink(missing_ok=True)
            raise
        return
    raise DataError(f"{folder} has ten thousand files called {leaf}")
