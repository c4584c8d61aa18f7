"""From pile to pile: piles are read, encoded and fitted once and kept; translations decode what is kept.

Every job yields after every layer; what reads files, or keeps numpy busy for long, runs in a thread beside the loop.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from flowcore.atomic import replacing
from flowcore.data.thinned import ThinnedSet, read_thinned
from flowcore.devices import on_host
from flowcore.errors import ConfigError, DataError, FlowError
from flowcore.fast import accelerate
from flowcore.latents.as_json import latent_to_dict
from flowcore.latents.fitting import Side, encode_pile_job, way_job
from flowcore.latents.translation import FlowTranslation, translate_steps
from flowcore.latents.translation_methods import method
from flowcore.model.codec import decode_job, double_of, from_pixels, label_tensor, to_pixels
from flowcore.model.flow import Flow
from flowcore.model.labels import Label, single, to_json
from flowcore.model.weights import fingerprint
from flowcore.pictures.images import to_png_bytes
from flowcore.work import beside

from ..context import JobContext, Steps, job
from ..interactive import batched, prioritise_interactive, quick_draft
from ..requests.piles import (
    FitPiles,
    PilePart,
    PilesFitted,
    PileStart,
    ReadPile,
    SaveTranslations,
    TranslatedPart,
    TranslatePage,
    TranslatePicture,
    Translation,
    TranslationDraft,
    TranslationsSaved,
    _Between,
)
from .explorer import CHUNK, chunks, picture_model

__all__ = ["CLASS_SAMPLES"]

CLASS_SAMPLES = 64
"""A class chosen in place of a folder is so many samples of it."""
SENT = 128
"""Pictures of a pile that go to the window in one answer."""
KEPT = 4
"""Piles, encodings and ways that are kept of each: both directions of both methods that one goes to and fro between."""
REST_S = 0.04
"""After a draft the proof waits so long: a hand that still drags sends its next value sooner."""

_numbers = count(1)

T = TypeVar("T")


@dataclass
class _Read:
    """A pile with a number of its own, so that what was made of an older reading is never taken for this one's."""

    pile: ThinnedSet
    number: int
    label: Label = ()
    """The class that it was sampled of; () for pictures of the person's own."""


@dataclass
class _Fitted:
    way: FlowTranslation
    read: _Read
    z: np.ndarray
    """(N, D) float32: the pile that is translated, as the way encodes it."""


@dataclass
class _Kept:
    """What jobs leave for each other; the least recently used goes first."""

    piles: OrderedDict = field(default_factory=OrderedDict)
    made: dict[str, OrderedDict] = field(default_factory=lambda: defaultdict(OrderedDict))
    """Labels and latents, each under a key that begins with what it is."""
    ways: OrderedDict = field(default_factory=OrderedDict)


def _kept(context: JobContext) -> _Kept:
    return context.on_device.setdefault("piles", _Kept())  # the ways hold their flows


def _find(kept: OrderedDict, key: Hashable) -> Any:
    if key in kept:
        kept.move_to_end(key)
    return kept.get(key)


def _keep(kept: OrderedDict, key: Hashable, value: Any) -> Any:
    kept[key] = value
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return value


def _once(context: JobContext, key: tuple, steps: Generator[Any, None, T]) -> Generator[Any, None, T]:
    """What the steps return, or returned when they were last taken for this key."""
    kept = _kept(context).made[key[0]]
    found = _find(kept, key)
    return found if found is not None else _keep(kept, key, (yield from steps))


def _quiet(_done: int, _total: int, _words: str = "") -> None:
    """Nobody waits for this progress."""


# Reading


@job(ReadPile.kind)
def read(context: JobContext, request: ReadPile) -> Steps:
    """See `ReadPile`."""

    def tell(done: int, total: int) -> None:
        context.progress(done / max(total, 1), f"{done:,} of {total:,}")

    # Asked for anew, it is read anew: the folder may hold other pictures by now.
    found = yield from _read(context, request.model, request.source, tell, again=request.source[0] == "folder")
    pile = found.pile
    for start in range(0, len(pile.pictures), SENT):
        part = pile.pictures[start : start + SENT]
        done = start + len(part) == len(pile.pictures)
        pictures = np.ascontiguousarray(part)
        answer = PilePart(start, pictures, done=done)
        if not start:
            left_out = tuple((str(name), str(sentence)) for name, sentence in pile.left_out)
            answer = PileStart(start, pictures, names=tuple(map(str, pile.names)), total=pile.total, number=found.number,
                               left_out=left_out, done=done)  # fmt: skip
        yield from context.stream(answer)


def _read(context: JobContext, model: str, source: tuple, tell: Callable[[int, int], None],
          again: bool = False) -> Generator[Any, None, _Read]:
    flow = picture_model(context, model).flow
    kept = _kept(context).piles
    # Samples are one model's own; pictures are whatever fits its shape.
    key = (source, tuple(flow.event_shape), id(flow) if source[0] == "class" else 0)
    found = None if again else _find(kept, key)
    if found is not None:
        return found
    channels, height, width = flow.event_shape
    if source[0] == "folder":
        pile = yield from beside(lambda told: read_thinned(source[1], (height, width), channels, on_progress=told), tell)
        return _keep(kept, key, _Read(pile, next(_numbers)))
    _, number, seed, temperature = source
    if number >= flow.num_classes:
        raise ConfigError(f"This model has no class {number}; choose one of its {flow.num_classes}.")
    label = single(number)
    rows = []
    for start, stop in chunks(flow, CLASS_SAMPLES):
        z = flow.sample(stop - start, temperature, seed, start).cpu().numpy()
        yield
        rows.append((yield from decode_job(flow, z, label_tensor(flow, [label] * len(z)))))
        tell(stop, CLASS_SAMPLES)
    names = [f"sample {index + 1}" for index in range(CLASS_SAMPLES)]
    return _keep(kept, key, _Read(ThinnedSet(np.concatenate(rows), names, CLASS_SAMPLES), next(_numbers), label))


# Fitting


@job(FitPiles.kind)
def fit(context: JobContext, request: FitPiles) -> Steps:
    """See `FitPiles`."""
    fitted = yield from _fit(context, request, lambda share, words: context.progress(share, words))
    context.send(PilesFitted(len(fitted.z), done=True))


def _fit(context: JobContext, request: _Between, tell: Callable[[float, str], None]) -> Generator[Any, None, _Fitted]:
    """The way that a request means, and the z of the pile that it translates: kept, or made."""
    flow = picture_model(context, request.model).flow
    how, other = method(request.method), None
    if how.needs == "pair":
        other = picture_model(context, request.pair).flow
        flow, other = (other, flow) if request.back else (flow, other)
    read = [(yield from _read(context, request.model, request.source, _quiet))]
    if request.target:
        read.append((yield from _read(context, request.model, request.target, _quiet)))
    sides = [Side(title, each.pile.pictures, each.pile.names, each.label, each.number)
             for title, each in zip(request.names, read, strict=False)]  # fmt: skip
    key = (id(flow), id(other), request.method, request.back, *(side.number for side in sides))
    fitted = _find(_kept(context).ways, key)
    if fitted is not None:
        return fitted
    size, piles = _chunk(flow), 2 if how.needs == "piles" else 1

    def told(index: int, done: int, total: int) -> None:
        tell((index + done / max(total, 1)) / piles, request.names[index])

    def once(key: Any, steps: Generator[Any, None, Any]) -> Generator[Any, None, Any]:
        return _once(context, key, steps)

    way = yield from way_job(request.method, flow, sides, other, size=size, tell=told, once=once)
    steps = encode_pile_job(way.flow, sides[0], way.label, size, tell=lambda done, total: told(0, done, total))
    z = yield from once(("latents", id(way.flow), sides[0].number, way.label), steps)
    return _keep(_kept(context).ways, key, _Fitted(way, read[0], z))


# Translating


@job(TranslatePage.kind)
def page(context: JobContext, request: TranslatePage) -> Steps:
    """See `TranslatePage`."""
    fitted = yield from _fit(context, request, lambda _share, _words: None)
    if max(request.indices) >= len(fitted.z):
        raise ConfigError(f"The pile holds {len(fitted.z)} pictures, and number {max(request.indices) + 1} is none of them.")
    size = _chunk(fitted.way.flow_to)
    for start in range(0, len(request.indices), size):
        chosen = list(request.indices[start : start + size])
        done = start + len(chosen) == len(request.indices)
        pictures, failed = yield from _decoded(fitted, chosen, request.strength)
        yield from context.stream(TranslatedPart(tuple(chosen), pictures, tuple(failed), done=done))


def _chunk(flow: Flow) -> int:
    return CHUNK.get(flow.device.type, 4)


def _decoded(fitted: _Fitted, chosen: list[int], strength: float, draft: bool = False
             ) -> Generator[Any, None, tuple[np.ndarray, list[int]]]:
    """Some of the pile translated, uint8 (n, H, W, C), and the numbers of those that have no finite counterpart (then black)."""
    flow, z = fitted.way.flow_to, fitted.way.move(fitted.z[chosen], strength)
    x = yield from _at(flow, fitted.way, z, strength, draft and quick_draft(flow, z))
    good = torch.isfinite(x).flatten(1).all(1)
    if not good.all():
        x = yield from _at(double_of(flow), fitted.way, z, strength)
        good = torch.isfinite(x).flatten(1).all(1)
        x = torch.where(good.view(-1, 1, 1, 1), x, torch.zeros_like(x))
    return from_pixels(x), [chosen[place] for place in torch.nonzero(~good).flatten().tolist()]


def _at(
    model: Flow, way: FlowTranslation, z: np.ndarray, strength: float, draft: bool = False
) -> Generator[Any, None, torch.Tensor]:
    rows = torch.from_numpy(np.asarray(z)).to(model.dtype).to(model.device)
    return (yield from accelerate(model).decode_steps(rows, way.label_to(model, len(rows), strength), draft))


@job(TranslatePicture.kind)
def picture(context: JobContext, request: TranslatePicture) -> Steps:
    """See `TranslatePicture`."""
    flow = picture_model(context, request.model).flow
    fitted = yield from _fit(context, request, lambda _share, _words: None)
    way, strength = fitted.way, request.strength
    prioritise_interactive(context, flow)
    if 0 <= request.index < len(fitted.z):
        drafts, failed = yield from batched(_decoded(fitted, [request.index], strength, draft=True))
        if not failed:
            context.send(TranslationDraft(drafts[0]))
            yield REST_S
    done = yield from translate_steps(way.flow, way, request.picture, strength)
    # The translation as the Explorer's own flow has it, in the precision that the way back needed.
    label = way.label_at(strength)
    model = double_of(flow) if done.precise else flow
    labels = label_tensor(model, [label]) if flow.num_classes else None
    z = (yield from accelerate(model).encode_steps(done.exact.to(model.device, model.dtype), labels))[0].cpu().numpy()
    shown, known = done.picture, bool(np.isfinite(z).all())
    if known:
        # What z decodes to is what is shown: it may round another way than the translation did, by one grey level.
        shown = (yield from decode_job(flow, z, labels))[0]
    before = yield from _bits(way.flow, request.picture, lambda model: way.label_from(model, 1))
    after = yield from _bits(way.flow_to, shown, lambda model: way.label_to(model, 1, strength))
    context.send(Translation(shown, z[0] if known else None, label, done.cycle_error, done.precise, before, after, done=True))


def _bits(flow: Flow, picture: np.ndarray, label: Callable[[Flow], Any]) -> Generator[Any, None, float | None]:
    """Bits per dimension of a picture at its bin centres; None where that is not finite."""
    for model in (flow, double_of(flow)):
        z, log_det = yield from accelerate(model).encode_steps(to_pixels(picture[None], model), label(model))
        bits = float(flow.bits_per_dim(on_host(model.base_log_prob(z) + log_det))[0])
        if np.isfinite(bits):
            return bits
    return None


# Saving


@job(SaveTranslations.kind)
def save(context: JobContext, request: SaveTranslations) -> Steps:
    """See `SaveTranslations`."""
    loaded = picture_model(context, request.model)
    flow, of_model = loaded.flow, {"model": request.model_name, "weights": fingerprint(loaded.path)}
    fitted = yield from _fit(context, request, lambda _share, _words: None)
    way, names, total = fitted.way, fitted.read.pile.names, len(fitted.z)
    if len(request.files) != total:
        raise ConfigError("The pile has changed meanwhile; look at it again and save then.")
    # Where the Explorer's own flow decodes, each file also holds its z.
    own = way.flow_to is flow and way.holds(request.strength) and bool(request.recipe)
    label, written, left = way.label_at(request.strength), 0, []
    for start in range(0, total, _chunk(way.flow_to)):
        chosen = list(range(start, min(start + _chunk(way.flow_to), total)))
        pictures, failed = yield from _decoded(fitted, chosen, request.strength)
        rows = np.asarray(way.move(fitted.z[chosen], request.strength), np.float32)
        for place, index in enumerate(chosen):
            if index in failed:
                left.append(names[index])
                continue
            # What the person's file was called is said by the name of this one, and not inside it.
            latent = {**latent_to_dict(rows[place]), **of_model, "name": "translated picture"} if own else {}
            if own and label:
                latent["label"] = to_json(label)
            _write(Path(request.folder) / request.files[index], pictures[place], request, latent, written)
            written += 1
            yield
        context.progress((chosen[-1] + 1) / total, f"{chosen[-1] + 1:,} of {total:,}")
    context.send(TranslationsSaved(written, tuple(left), done=True))


def _write(path: Path, pixels: np.ndarray, request: SaveTranslations, latent: dict, written: int) -> None:
    """One file, whole or not at all. Raises `DataError`, saying how many were written before."""
    # Tuples, which lists become on their way here, are no JSON to a recipe.
    recipe = json.loads(json.dumps({**request.recipe, **({"latent": latent} if latent else {})})) or None
    why = ""
    try:
        if not request.replace and os.path.lexists(path):
            why = "it is there already, and nothing is replaced unasked"
        else:
            data = to_png_bytes(pixels, recipe)
            with replacing(path, durable=False) as temporary:
                temporary.write_bytes(data)
    except FileNotFoundError:
        why = f"the folder {path.parent} is gone"
    except OSError as error:
        why = error.strerror or str(error)
    except FlowError as error:
        why = str(error)
    if why:
        raise DataError(f"{path.name} cannot be saved ({why}); {written:,} of the translations were saved before it.")
