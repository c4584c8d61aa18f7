"""Jobs about directions: list, open, save, make, and move a picture along them. Each yields after every layer."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.latents.directions.directions import Direction, displacement, standard_step
from flowcore.latents.directions.files import (
    card_of,
    check,
    fingerprint,
    from_card,
    load_direction,
    save_direction,
)
from flowcore.latents.directions.making import axes_of, bounds_of, latents_job, of_sets
from flowcore.model.checkpoint import Loaded
from flowcore.model.codec import decode_job, label_tensor
from flowcore.model.flow import Flow
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import EXTENSIONS, read_picture
from flowcore.work import beside

from ..context import Context, Steps, job
from ..hand import follow_the_hand, in_strides
from ..requests.directions import (
    Directions,
    DirectionSaved,
    Edit,
    FromFolders,
    FromLatents,
    ListDirections,
    Moved,
    OpenDirection,
    SaveDirection,
    Strip,
)
from ..requests.explorer import BitsAt, FramesPart, PictureAt
from .explorer import CHUNK, bits, picture_model

FOLDER_MAX = 1000
"""Pictures of a folder that are looked at; their latents are kept meanwhile."""


@job(ListDirections.kind)
def list_directions(context: Context, request: ListDirections) -> Steps:
    """See `ListDirections`."""
    loaded = picture_model(context, request.model)
    mark = _fingerprint(context, loaded)
    yield
    found, files, problems = [], [], []
    for path in sorted(Path(request.folder).glob("*.safetensors")) if request.folder else []:
        try:
            direction = load_direction(path)
            check(direction, loaded.flow, mark)
        except FlowError as error:
            problems.append(str(error))
            continue
        found.append(direction)
        files.append(path.name)
        yield
    context.send(replace(_found(found, mark, loaded.flow), files=tuple(files), problems=tuple(problems)))


@job(OpenDirection.kind)
def open_direction(context: Context, request: OpenDirection) -> Steps:
    """See `OpenDirection`."""
    loaded = picture_model(context, request.model)
    direction = load_direction(Path(request.path).expanduser())
    check(direction, loaded.flow, _fingerprint(context, loaded))
    yield
    context.send(_found([direction], direction.fingerprint, loaded.flow))


@job(SaveDirection.kind)
def save(context: Context, request: SaveDirection) -> Steps:
    """See `SaveDirection`."""
    try:
        card = json.loads(request.card)
    except ValueError:
        raise DataError("This direction has a damaged card, so it cannot be saved.") from None
    save_direction(request.path, from_card(card, request.vector.astype(np.float32)))
    context.send(DirectionSaved(request.path, done=True))
    yield


@job(FromLatents.kind)
def from_latents(context: Context, request: FromLatents) -> Steps:
    """See `FromLatents`."""
    loaded = picture_model(context, request.model)
    mark = _fingerprint(context, loaded)
    yield
    about = {"by": "picks", "data": "samples"}
    made = yield from beside(lambda _told: _made(loaded.flow, request, request.more, request.less, about, mark))
    context.send(_found(made, mark, loaded.flow))


@job(FromFolders.kind)
def from_folders(context: Context, request: FromFolders) -> Steps:
    """See `FromFolders`."""
    loaded = picture_model(context, request.model)
    mark = _fingerprint(context, loaded)
    folders = [Path(text).expanduser() for text in (request.more, request.less) if text]
    files = yield from beside(lambda _told: [_files(folder) for folder in folders])
    total, done, skipped, sets = sum(map(len, files)), 0, [], []
    size = CHUNK.get(loaded.flow.device.type, 4)
    for folder, paths in zip(folders, files, strict=True):
        rows = []
        for start in range(0, len(paths), size):
            part = paths[start : start + size]
            # A photograph takes longer to decode than a turn may last.
            read = yield from beside(lambda _told, part=part: [_read(path, loaded, skipped) for path in part])
            pictures = [picture for picture in read if picture is not None]
            if pictures:
                z = yield from latents_job(loaded.flow, np.stack(pictures))
                rows.append(z[np.isfinite(z).all(1)])
            done += len(part)
            context.progress(done / total, f"{done} of {total} pictures")
        if not rows:
            raise DataError(f"No picture of {folder.name} can be read: {skipped[0][1] if skipped else 'it is empty'}")
        sets.append(np.concatenate(rows))
    about = {"by": "folders", "data": " and ".join(folder.name for folder in folders)}
    less = sets[1] if len(sets) > 1 else sets[0][:0]
    made = yield from beside(lambda _told: _made(loaded.flow, request, sets[0], less, about, mark))
    context.send(replace(_found(made, mark, loaded.flow), skipped=tuple(skipped)))


@job(Edit.kind)
def edit(context: Context, request: Edit) -> Steps:
    """See `Edit`."""
    flow = picture_model(context, request.model).flow
    z = _moved(flow, request, request.moves)[None]
    yield
    label = label_tensor(flow, [request.label])
    follow_the_hand(context, flow)
    pictures = yield from in_strides(decode_job(flow, z, label))
    context.send(PictureAt(pictures[0], z[0]))
    yield
    (bpd,) = yield from bits(flow, pictures, z.dtype, label)
    context.send(BitsAt(bpd, done=True))


@job(Strip.kind)
def strip(context: Context, request: Strip) -> Steps:
    """See `Strip`."""
    flow = picture_model(context, request.model).flow
    base = _moved(flow, request, request.moves)
    step = _steps(flow, request.vectors, [request.hand])[0]
    size = CHUNK.get(flow.device.type, 4)
    for start in range(0, len(request.amounts), size):
        amounts = request.amounts[start : start + size]
        z = np.stack([(base + amount * step).astype(base.dtype) for amount in amounts])
        pictures = yield from decode_job(flow, z, label_tensor(flow, [request.label] * len(z)))
        done = start + len(amounts) == len(request.amounts)
        yield from context.stream(FramesPart(start, pictures, done=done))


def _fingerprint(context: Context, loaded: Loaded) -> str:
    """Of a loaded model; computed once a file."""
    kept = context.shared.setdefault("directions.fingerprints", {})
    status = os.stat(loaded.path)
    key = (str(loaded.path), status.st_mtime_ns, status.st_size)
    if key not in kept:
        kept[key] = fingerprint(loaded.flow)
    return kept[key]


def _found(directions: Sequence[Direction], mark: str, flow: Flow) -> Directions:
    """The answer that they are, of a model with this fingerprint."""
    vectors = [direction.vector for direction in directions]
    rows = np.stack(vectors) if vectors else np.zeros((0, flow.num_dims), np.float32)
    return Directions(tuple(card_of(each) for each in directions), rows, mark, done=True)


def _made(flow: Flow, request: FromLatents | FromFolders, more: np.ndarray, less: np.ndarray, about: dict,
          mark: str) -> list[Direction]:
    """The direction, or the axes, that a request asks for."""
    if request.axes:
        return axes_of(flow, more, request.axes, request.name, model=request.model_name, made={**about, "by": "axis"}, mark=mark)
    return [of_sets(flow, more, less, request.name, model=request.model_name, made=about, mark=mark)]


def _files(folder: Path) -> list[Path]:
    """The pictures of a folder and of those in it, by name, `FOLDER_MAX` of them at most, evenly."""
    try:
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read ({error.strerror or error}).") from None
    if not found:
        raise DataError(f"There are no pictures in {folder}.")
    if len(found) <= FOLDER_MAX:
        return found
    return [found[index * len(found) // FOLDER_MAX] for index in range(FOLDER_MAX)]


def _read(path: Path, loaded: Loaded, skipped: list) -> np.ndarray | None:
    """A picture as the model sees it; None, and a line in `skipped`, for a broken one."""
    channels, height, width = loaded.flow.event_shape
    try:
        return apply_crop(read_picture(path), Crop(), height, width, channels)
    except FlowError as error:
        skipped.append((path.name, str(error)))
        return None


def _moved(flow: Flow, request: Edit | Strip, moves: Sequence[Moved]) -> np.ndarray:
    """The latent (D,) moved, in its own precision. Raises `ConfigError` for vectors of another model's size."""
    if request.z.size != flow.num_dims or request.vectors.shape[1] != flow.num_dims:
        raise ConfigError("This direction is of another model: its numbers are not as many as this one's z.")
    steps = _steps(flow, request.vectors, moves)
    move = displacement([(step, each[1]) for step, each in zip(steps, moves, strict=True)], flow.num_dims)
    return request.z if not move.any() else (request.z.astype(np.float64) + move).astype(request.z.dtype)


def _steps(flow: Flow, vectors: np.ndarray, moves: Sequence[Moved]) -> list[np.ndarray]:
    bounds = bounds_of(flow)
    named = [Direction("", vector, 1.0) for vector in vectors]
    return [
        deviation * standard_step(named[row], bounds, levels, [named[other] for other in others])
        for row, _amount, deviation, levels, others in moves
    ]
