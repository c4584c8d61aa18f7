"""The Explorer's jobs: pages of samples, single pictures, encoding, walks. Each yields after every layer."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence

import numpy as np
import torch

from flowcore.devices import on_host
from flowcore.errors import ConfigError, NonFiniteError
from flowcore.fast import accelerate
from flowcore.latents.latent import walk
from flowcore.model.checkpoint import Loaded
from flowcore.model.codec import (
    class_log_probs_job,
    decode_job,
    double_of,
    encode_job,
    label_tensor,
    prove_job,
    to_pixels,
)
from flowcore.model.flow import Flow
from flowcore.model.labels import Label, between, single

from ..context import JobContext, Steps, job
from ..devices import fast_bfloat16
from ..interactive import batched, prioritise_interactive, quick_draft
from ..requests.explorer import (
    BitsAt,
    Described,
    DescribeLatent,
    DraftPage,
    DraftPart,
    Edited,
    Encoded,
    EncodePicture,
    Encoding,
    FramesPart,
    Opened,
    OpenModel,
    PagePart,
    PageScores,
    PictureAt,
    SamplePage,
    ScorePage,
    TemperatureFrames,
    WalkAt,
    WalkFrames,
    WalkPart,
)

__all__ = ["CHUNK", "bits", "chunks", "picture_model"]

CHUNK = {"cpu": 4, "cuda": 16, "mps": 8}
"""Pictures decoded together: few enough that a layer stays under 15 ms and that the first are soon there. It does not
depend on the page, since another batch size may round differently and so change a picture by one grey level."""

TURN_S = (0.012, 0.036)
"""A few pictures of a draft are more the next time if they came sooner than this, and fewer if later: after them, and so with
the newest temperature, the picture in hand is drawn again."""


@job(OpenModel.kind)
def open_model(context: JobContext, request: OpenModel) -> Steps:
    """See `OpenModel`."""
    loaded = picture_model(context, request.model)
    flow = loaded.flow
    levels = tuple((level.name, level.start, level.stop) for level in flow.levels)
    shape, device = tuple(flow.event_shape), str(flow.device)
    context.send(Opened(loaded.card, str(loaded.path), device, flow.num_dims, shape, levels, done=True))
    yield


@job(SamplePage.kind)
def sample_page(context: JobContext, request: SamplePage) -> Steps:
    """See `SamplePage`."""
    flow = picture_model(context, request.model).flow
    temperature = request.temperature
    for start, stop in chunks(flow, request.count):
        z = flow.sample(stop - start, temperature, request.seed, request.first + start)
        yield
        rows = z.cpu().numpy()
        labels = [_class_of(flow, request, request.first + index) for index in range(start, stop)]
        pictures = yield from decode_job(flow, rows, label_tensor(flow, labels))
        known = tuple(labels) if flow.num_classes else ()
        yield from context.stream(PagePart(request.first + start, pictures, rows, known, done=stop == request.count))


@job(ScorePage.kind)
def score_page(context: JobContext, request: ScorePage) -> Steps:
    """See `ScorePage`."""
    flow = picture_model(context, request.model).flow
    found: list[float] = []
    for start, stop in chunks(flow, len(request.z)):
        rows = request.z[start:stop]
        label = label_tensor(flow, list(request.labels[start:stop]) or [()] * len(rows))
        pictures = yield from decode_job(flow, rows, label)
        found += yield from bits(flow, pictures, rows.dtype, label)
    context.send(PageScores(tuple(found), done=True))


@job(DraftPage.kind)
def draft_page(context: JobContext, request: DraftPage) -> Steps:
    """See `DraftPage`."""
    flow = picture_model(context, request.model).flow
    desk = context.on_device.get("explorer.draft")
    if desk is None or desk.key != (flow, request.seed):
        desk = _Desk((flow, request.seed), 1 if flow.device.type == "cpu" else CHUNK["cuda"])
        context.on_device["explorer.draft"] = desk
    prioritise_interactive(context, flow)
    quick = fast_bfloat16(flow.device)
    hand = [request.hand] if request.hand >= 0 else []
    left = desk.oldest_first(index for index in request.indices if index != request.hand)
    while hand or left:
        started = time.monotonic()
        size = desk.beside(bool(hand))
        others, left = left[:size], left[size:]
        indices, hand = hand + others, []
        z = torch.cat([flow.temper(desk.z(index), request.temperature) for index in indices])
        yield
        rows = z.cpu().numpy()
        labels = [_class_of(flow, request, index) for index in indices]
        pictures = yield from batched(decode_job(flow, rows, label_tensor(flow, labels), draft=quick))
        desk.drew(others, time.monotonic() - started)
        known = tuple(labels) if flow.num_classes else ()
        yield from context.stream(DraftPart(tuple(indices), pictures, rows, known, done=not left))


class _Desk:
    """What the drafts of one drag leave for each other: every z at temperature 1, whose turn it is, and how many at once."""

    def __init__(self, key: tuple[Flow, int], size: int) -> None:
        self.key, self.size = key, size
        self._drafts = 0
        self._turns: dict[int, int] = {}
        self._z: dict[int, torch.Tensor] = {}

    def z(self, index: int) -> torch.Tensor:
        flow, seed = self.key
        if index not in self._z:
            self._z[index] = flow.sample(1, 1.0, seed, index)
        return self._z[index]

    def beside(self, hand: bool) -> int:
        """How many to draw at once: beside the picture in hand now some, now none, so that one that has just missed its turn
        need not wait for two long ones."""
        if not hand:
            return 2 * self.size
        self._drafts += 1
        return (0, self.size, 0, 2 * self.size)[self._drafts % 4]

    def oldest_first(self, indices: Iterable[int]) -> list[int]:
        """Those that have not been drawn for longest come first, so that all of them move however short each draft is."""
        return sorted(indices, key=lambda index: (self._turns.get(index, 0), index))

    def drew(self, indices: Sequence[int], seconds: float) -> None:
        if not indices:
            return
        self._turns |= dict.fromkeys(indices, max(self._turns.values(), default=0) + 1)
        self.size = 2 * self.size if seconds < TURN_S[0] else max(1, self.size // 2) if seconds > TURN_S[1] else self.size


@job(TemperatureFrames.kind)
def temperature_frames(context: JobContext, request: TemperatureFrames) -> Steps:
    """See `TemperatureFrames`."""
    flow = picture_model(context, request.model).flow
    z = flow.sample(1, 1.0, request.seed, request.index)
    label = _class_of(flow, request, request.index)
    for start, stop in chunks(flow, len(request.temperatures)):
        rows = torch.cat([flow.temper(z, temperature) for temperature in request.temperatures[start:stop]]).cpu().numpy()
        pictures = yield from decode_job(flow, rows, label_tensor(flow, [label] * len(rows)))
        yield from context.stream(FramesPart(start, pictures, done=stop == len(request.temperatures)))


@job(EncodePicture.kind)
def encode_picture(context: JobContext, request: EncodePicture) -> Steps:
    """See `EncodePicture`."""
    flow, label = picture_model(context, request.model).flow, request.label
    if flow.num_classes and not label:
        label = single(int((yield from class_log_probs_job(flow, request.picture)).argmax()))
    prioritise_interactive(context, flow)  # that drags or zooms a crop
    if request.z is not None:
        proved = yield from batched(prove_job(flow, request.z, request.picture, label_tensor(flow, [label])))
        if proved is None:
            context.send(Edited(done=True))
        else:
            context.send(Encoded(proved.z, proved.bpd, label, picture=proved.picture, differing=proved.differing,
                                 max_error=proved.max_error, done=True))  # fmt: skip
        return

    def early(z: np.ndarray, bpd: float) -> None:
        context.send(Encoding(z, _finite(bpd), label))

    steps = encode_job(flow, request.picture, label_tensor(flow, [label]), early if request.in_hand else None)
    encoded = yield from batched(steps)
    context.send(Encoded(encoded.z, _finite(encoded.bpd), label, picture=encoded.picture, differing=encoded.differing,
                         max_error=encoded.max_error, done=True))  # fmt: skip


@job(DescribeLatent.kind)
def describe_latent(context: JobContext, request: DescribeLatent) -> Steps:
    """See `DescribeLatent`."""
    flow = picture_model(context, request.model).flow
    label = label_tensor(flow, [request.label])
    pictures = yield from decode_job(flow, request.z[None], label)
    (bpd,) = yield from bits(flow, pictures, request.z.dtype, label)
    context.send(Described(bpd, done=True))


@job(WalkFrames.kind)
def walk_frames(context: JobContext, request: WalkFrames) -> Steps:
    """See `WalkFrames`."""
    flow = picture_model(context, request.model).flow
    for start, stop in chunks(flow, len(request.ts)):
        z = walk(request.a, request.b, request.ts[start:stop], request.mode)
        label = label_tensor(flow, [between(request.label_a, request.label_b, t) for t in request.ts[start:stop]])
        pictures = yield from decode_job(flow, z, label)
        bpd = yield from bits(flow, pictures, z.dtype, label)
        yield from context.stream(WalkPart(start, pictures, tuple(bpd), done=stop == len(request.ts)))


@job(WalkAt.kind)
def walk_at(context: JobContext, request: WalkAt) -> Steps:
    """See `WalkAt`."""
    flow = picture_model(context, request.model).flow
    z = walk(request.a, request.b, (request.t,), request.mode)
    label = label_tensor(flow, [between(request.label_a, request.label_b, request.t)])
    prioritise_interactive(context, flow, alone=not request.draft)
    yield
    quick = request.draft and quick_draft(flow, z)
    pictures = yield from batched(decode_job(flow, z, label, quick))
    context.send(PictureAt(pictures[0], z[0], done=request.draft))
    yield
    if request.draft:
        return
    (bpd,) = yield from bits(flow, pictures, z.dtype, label)
    context.send(BitsAt(bpd, done=True))


def picture_model(context: JobContext, name: str) -> Loaded:
    """The model, if it is one of pictures. Raises `CheckpointError`, `ConfigError`."""
    loaded = context.models.get(name)
    if len(loaded.flow.event_shape) != 3:
        raise ConfigError(f"'{name}' is a model of points, not of pictures; choose one that was trained on pictures.")
    return loaded


def _class_of(flow: Flow, request: SamplePage | DraftPage | TemperatureFrames, index: int) -> Label:
    """The label of a page's picture: the one asked for, or all classes in turn."""
    return request.label if request.label or not flow.num_classes else single(index % flow.num_classes)


def chunks(flow: Flow, count: int) -> Iterator[tuple[int, int]]:
    size = CHUNK.get(flow.device.type, 4)
    for start in range(0, count, size):
        yield start, min(start + size, count)


def bits(
    flow: Flow, pictures: np.ndarray, dtype: np.dtype, label: torch.Tensor | None
) -> Generator[None, None, list[float]]:
    """Bits per dimension of 8-bit pictures (N, H, W, C) at their bin centres, in the precision of their latents."""
    model = double_of(flow) if dtype == np.float64 else flow
    label = None if label is None else label.to(model.device)
    with torch.no_grad():
        z, log_det = yield from accelerate(model).encode_steps(to_pixels(pictures, model), label)
    log_prob = on_host(model.base_log_prob(z) + log_det)
    return [_finite(bpd) for bpd in flow.bits_per_dim(log_prob).tolist()]


def _finite(bpd: float) -> float:
    if not np.isfinite(bpd):
        raise NonFiniteError("The likelihood of this picture under this model is not a finite number.")
    return float(bpd)
