"""The byte-exact promise: any 8-bit picture that the model accepts comes back byte for byte from its z.

A picture's bytes go to bin centres and are encoded in float32. If decoding that z does not give every byte back with
margin to spare, the picture is encoded in float64 and its z is kept in float64; the dtype of a z is what tells how to
decode it. With every scale of the model bounded, float64 is exact on every input.
"""
from __future__ import annotations

import copy
import json
import os
import weakref
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from .. import plain_json
from ..atomic import replacing
from ..devices import has_float64, on_host
from ..errors import ConfigError, DataError, FlowError, NonFiniteError, said
from ..fast import accelerate
from ..work import finish
from .flow import Flow
from .labels import Label, to_array
from .priors import standard_log_prob

__all__ = [
    "Encoded",
    "as_label",
    "class_log_probs",
    "class_log_probs_job",
    "decode_batch",
    "decode_job",
    "decode_picture",
    "double_of",
    "encode_job",
    "encode_picture",
    "from_pixels",
    "label_tensor",
    "load_latent",
    "prove_job",
    "save_latent",
    "to_pixels",
]

MARGIN = 0.25
"""Largest error, in grey levels, at which a float32 z is kept: half of what rounding forgives, since another thread count,
batch size or device may round differently."""


@dataclass(frozen=True)
class Encoded:
    """A picture and its z, with the proof of the round trip."""

    z: np.ndarray
    """(D,), float32, or float64 where float32 was not enough."""
    picture: np.ndarray
    """The picture decoded from z, (H, W, C) uint8."""
    differing: int
    """How many bytes differ from the original; 0 unless something is badly wrong."""
    max_error: float
    """Largest distance from the bin centre before rounding, in grey levels."""
    log_prob: float
    """log p at the bin centres, nats."""
    bpd: float
    """The same in bits per dimension."""


def to_pixels(pictures: np.ndarray, flow: Flow, dtype: torch.dtype | None = None) -> Tensor:
    """uint8 (N, H, W, C) -> float (N, C, H, W) at bin centres, on the flow's device.

    Raises:
        ConfigError: if the pictures are not of the flow's size.
    """
    array = np.asarray(pictures)
    channels, height, width = flow.event_shape if len(flow.event_shape) == 3 else (0, 0, 0)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1:] != (height, width, channels):
        kind = "in colour" if channels == 3 else "in grey"
        raise ConfigError(
            f"This model sees pictures of {width}×{height} {kind}; it was given an array of shape {array.shape[1:]}."
        )
    tensor = torch.from_numpy(np.array(array, order="C")).to(flow.device).permute(0, 3, 1, 2)
    return tensor.to(dtype or flow.dtype) + 0.5


def from_pixels(x: Tensor) -> np.ndarray:
    """float (N, C, H, W) in pixel units -> uint8 (N, H, W, C), rounded down and clipped."""
    return x.detach().floor().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


_doubles: weakref.WeakKeyDictionary[Flow, tuple[tuple, Flow]] = weakref.WeakKeyDictionary()


def double_of(flow: Flow) -> Flow:
    """The same flow in float64 (kept until its weights change); on a device without float64, on the CPU."""
    if flow.dtype == torch.float64:
        return flow
    key = tuple((p._version, p.data_ptr()) for p in flow.parameters())
    held = _doubles.get(flow)
    if held is None or held[0] != key:
        device = flow.device if has_float64(flow.device) else "cpu"
        with torch.inference_mode(False):  # kept beyond the call that asked for it
            held = (key, copy.deepcopy(flow).to(device).double().eval())
        _doubles[flow] = held
    return held[1]


def label_tensor(flow: Flow, labels: Sequence[Label]) -> Tensor | None:
    """Labels as the flow's passes take them, on its device; None for a flow without classes.

    Raises:
        ConfigError: if one does not fit the flow's classes.
    """
    array = to_array(labels, flow.num_classes)
    return None if array is None else as_label(flow, array)


def as_label(flow: Flow, labels: np.ndarray) -> Tensor:
    """Classes (N,), or weights (N, classes) in the flow's own precision (not every device knows float64), on its device."""
    tensor = torch.from_numpy(labels)
    return tensor.to(flow.dtype).to(flow.device) if tensor.is_floating_point() else tensor.to(flow.device)


def _on(label: Tensor | None, model: Flow) -> Tensor | None:
    return None if label is None else label.to(model.device)


def _in_precision(flow: Flow, z: np.ndarray) -> tuple[Flow, Tensor]:
    model = double_of(flow) if z.dtype == np.float64 else flow
    return model, torch.from_numpy(np.array(z, order="C")).to(model.device, model.dtype)


def decode_job(
    flow: Flow, z: np.ndarray, label: Tensor | None = None, draft: bool = False
) -> Generator[None, None, np.ndarray]:
    """z (N, D) -> uint8 (N, H, W, C), yielding after every layer so that other work can go between.

    float64 z is decoded in float64, anything else in the flow's own precision. A ``draft`` is for the eye alone: see
    :meth:`flowcore.fast.FastFlow.decode`.

    Raises:
        NonFiniteError: naming the layer, if a value is not finite.
    """
    model, tensor = _in_precision(flow, z)
    label = _on(label, model)
    with torch.no_grad():
        x = yield from accelerate(model).decode_steps(tensor, label, draft)
        if not torch.isfinite(x).all():
            model.decode(tensor, label)
            raise NonFiniteError("A decoded picture was not finite.")
    return from_pixels(x)


def encode_job(
    flow: Flow, picture: np.ndarray, label: Tensor | None = None, early: Callable[[np.ndarray, float], None] | None = None
) -> Generator[None, None, Encoded]:
    """uint8 (H, W, C) -> :class:`Encoded`, yielding after every layer. float32 first, float64 where it is not exact.

    ``early`` is given z (D,) and the bpd as soon as they are known in the flow's own precision, before the proof of the
    round trip, which may put a z of float64 in their place; it is not called where they are not finite.
    """
    original = np.asarray(picture)
    encoded = None
    for precise in (False, True) if flow.dtype != torch.float64 else (True,):
        model = double_of(flow) if precise else flow
        label = _on(label, model)
        with torch.no_grad():
            x = to_pixels(original[None], model)
            try:
                z, log_det = yield from accelerate(model).encode_steps(x, label)
                if early is not None and not precise and torch.isfinite(z).all() and torch.isfinite(log_det).all():
                    early(z[0].cpu().numpy(), _bits_per_dim(flow, _log_prob(model, z, log_det)))
                    yield
                back = yield from accelerate(model).decode_steps(z, label)
            except torch.linalg.LinAlgError as error:  # pyright: ignore[reportPrivateImportUsage] - it is torch's public name
                raise NonFiniteError(f"This model has a layer that cannot be inverted: {error}.") from None
            error = (back - x).abs().max().item()
            finite = bool(torch.isfinite(back).all() and torch.isfinite(z).all() and torch.isfinite(log_det).all())
            if finite and (encoded is None or error < encoded.max_error):
                log_prob = _log_prob(model, z, log_det)
                decoded = from_pixels(back)[0]
                encoded = Encoded(
                    z[0].cpu().numpy(),
                    decoded,
                    int((decoded != original).sum()),
                    error,
                    log_prob,
                    _bits_per_dim(flow, log_prob),
                )
        if encoded is not None and encoded.max_error < MARGIN:
            return encoded
    if encoded is None:
        model.encode(x, label)
        raise NonFiniteError("This picture has no finite z under this model.")
    return encoded


def _log_prob(model: Flow, z: Tensor, log_det: Tensor) -> float:
    """Of the one picture of a batch, nats."""
    return on_host(model.base_log_prob(z) + log_det).item()


def _bits_per_dim(flow: Flow, log_prob: float) -> float:
    return -log_prob / (flow.num_dims * np.log(2))


ROUNDING = 0.02
"""By so many grey levels a value may lie beyond its byte: another device, or another place in a batch, rounds otherwise."""


def prove_job(
    flow: Flow, z: np.ndarray, picture: np.ndarray, label: Tensor | None = None
) -> Generator[None, None, Encoded | None]:
    """Whether z (D,) is that of a uint8 picture (H, W, C): what it decodes to here, compared byte for byte, or None where it is
    another picture's. Yields after every layer.

    A byte that differs because its value lies on the border of two grey levels is counted, and does not make it another picture.

    Raises:
        ConfigError: for a picture that is not of the flow's size.
        NonFiniteError: if its likelihood is not finite.
    """
    if z.shape != (flow.num_dims,):
        return None
    original = np.asarray(picture)
    model, tensor = _in_precision(flow, z[None])
    label = _on(label, model)
    with torch.no_grad():
        middles = to_pixels(original[None], model)
        x = yield from accelerate(model).decode_steps(tensor, label)
        # Beyond black and white a value counts as these.
        error = (x.clamp(0.5, 255.5) - middles).abs().max().item()
        if not error <= 0.5 + ROUNDING:  # NaN is no picture's either
            return None
        decoded = from_pixels(x)
        z_again, log_det = yield from accelerate(model).encode_steps(to_pixels(decoded, model), label)
        log_prob = _log_prob(model, z_again, log_det)
    if not np.isfinite(log_prob):
        raise NonFiniteError("The likelihood of this picture under this model is not a finite number.")
    differing = int((decoded[0] != original).sum())
    return Encoded(z, decoded[0], differing, error, log_prob, _bits_per_dim(flow, log_prob))


CLASSES_AT_ONCE = 64


def class_log_probs_job(flow: Flow, picture: np.ndarray) -> Generator[None, None, np.ndarray]:
    """log p(x | y) of one picture (H, W, C) uint8 at its bin centres under every class y -> (classes,) float64, nats.

    One pass through the layers serves all classes: the class stands in the prior alone, so that only the last level is
    whitened anew for each. float32 first, float64 where that is not finite.

    Raises:
        ConfigError: if the flow has no classes.
        NonFiniteError: naming the layer, if a value is not finite in float64 either.
    """
    if not flow.num_classes:
        raise ConfigError("This model knows no classes, so none is likelier than another.")
    for model in (flow, double_of(flow)):
        first = torch.zeros(1, dtype=torch.long, device=model.device)
        with torch.no_grad():
            z, log_det = yield from accelerate(model).encode_steps(to_pixels(np.asarray(picture)[None], model), first)
            top, kind = model.levels[-1], model.prior.kind
            h = model.prior.unwhiten(z[:, top.start :].reshape(-1, *top.shape), first)
            # All that does not depend on the class: the other levels, and the layers.
            rest = standard_log_prob(z[:, : top.start], kind).sum(1) + log_det - model.prior.whiten(h, first)[1]
            values = []
            for start in range(0, model.num_classes, CLASSES_AT_ONCE):
                numbers = torch.arange(start, min(start + CLASSES_AT_ONCE, model.num_classes), device=model.device)
                whitened, term = model.prior.whiten(h.expand(len(numbers), *h.shape[1:]), numbers)
                values.append(on_host(model.prior.log_prob(whitened) + term + rest))
                yield
        result = torch.cat(values)
        if torch.isfinite(result).all():
            return result.numpy()
    model.encode(to_pixels(np.asarray(picture)[None], model), first)
    raise NonFiniteError("This picture has no finite likelihood under this model.")


def class_log_probs(flow: Flow, picture: np.ndarray) -> np.ndarray:
    """:func:`class_log_probs_job` in one go; its argmax is the class under which the picture is likeliest."""
    return finish(class_log_probs_job(flow, picture))


def encode_picture(flow: Flow, picture: np.ndarray, label: Tensor | None = None) -> Encoded:
    """:func:`encode_job` in one go."""
    return finish(encode_job(flow, picture, label))


def decode_batch(flow: Flow, z: np.ndarray, label: Tensor | None = None) -> np.ndarray:
    """:func:`decode_job` in one go, on all threads: z (N, D) -> uint8 (N, H, W, C)."""
    model, tensor = _in_precision(flow, z)
    return from_pixels(accelerate(model).decode(tensor, _on(label, model)))


def decode_picture(flow: Flow, z: np.ndarray, label: Tensor | None = None) -> np.ndarray:
    """One z (D,) -> uint8 (H, W, C)."""
    return decode_batch(flow, np.asarray(z)[None], label)[0]


def save_latent(path: str | os.PathLike, z: np.ndarray, meta: dict | None = None) -> None:
    """Write one z (D,) as safetensors, exactly D numbers named 'z', with ``meta`` as JSON beside them; atomically.

    Raises:
        DataError: if the file cannot be written.
    """
    metadata = {"format": "flow-explorer-latent", "meta": json.dumps({"format_version": 1, **(meta or {})})}
    try:
        with replacing(path) as temporary:
            save_file({"z": np.ascontiguousarray(z)}, temporary, metadata=metadata)
    except OSError as error:
        raise DataError(f"'{path}' cannot be written: {error.strerror or error}.") from error


def load_latent(path: str | os.PathLike) -> tuple[np.ndarray, dict]:
    """The z (D,) of a file and what was said of it.

    Raises:
        DataError: if the file is missing, broken, or holds no z.
    """
    if not Path(path).is_file():
        raise DataError(f"There is no latent file at '{path}'.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != "flow-explorer-latent" or "z" not in file.keys():
                raise DataError(f"'{path}' is not a latent file; 'flow-explorer encode' writes one.")
            about = file.get_slice("z")
            dtype, dims = about.get_dtype(), len(about.get_shape())
            if dtype not in ("F32", "F64") or dims != 1:  # numpy does not know all types, nor more than 64 dimensions
                raise DataError(f"'{path}' holds a z of an unknown kind ({dtype}, {dims} dimensions).")
            z = file.get_tensor("z")
            meta = plain_json.loads(metadata.get("meta", "{}"))
    except FlowError:
        raise
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise DataError(f"'{path}' is not a latent file, or it is damaged ({said(error)}).") from None
    if not np.isfinite(z).all():
        raise DataError(f"'{path}' holds a z with values that are not finite.")
    if not isinstance(meta, dict) or meta.get("format_version") != 1:
        raise DataError(f"'{path}' was written by another version of Flow Explorer.")
    return z, meta
