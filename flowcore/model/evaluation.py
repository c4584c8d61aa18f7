"""How likely pictures are under a flow, in bits per dimension, and where one stands among held-out ones."""
from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..bijections import dequantise
from ..devices import on_host
from ..errors import DataError
from ..fast import accelerate
from .card import NORM_SHARES, QUANTILES, likelier_than, typicality
from .codec import Encoded, as_label, class_log_probs, encode_picture, label_tensor, to_pixels
from .flow import Flow
from .labels import Label, single

if TYPE_CHECKING:
    from ..data.picture_set import Pictures

__all__ = ["Result", "bits_per_dim", "bits_per_picture", "describe", "held_out_summary", "score"]


@dataclass(frozen=True)
class Result:
    """Mean bits per dimension over ``count`` pictures, with its standard error."""

    bpd: float
    standard_error: float
    count: int
    seconds: float

    def to_dict(self) -> dict:
        return asdict(self)


@torch.no_grad()
def bits_per_picture(
    flow: Flow,
    pictures: Pictures,
    labels: np.ndarray | None = None,
    seed: int | None = None,
    samples: int = 1,
    batch: int = 128,
    on_progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Bits per dimension of each uint8 picture (N, H, W, C) -> (N,) float64.

    With a ``seed`` the pixels are dequantised, x + u with u uniform on [0, 1), averaged over ``samples`` draws: an upper
    bound on the discrete bits (Theis et al. 2016, section 3.1). Without, the density is taken at the bin centres, which is
    deterministic and serves to compare one picture with others. Noise is seeded by picture: neither order nor batch
    size changes a figure. A conditional flow needs ``labels``: classes (N,), or weights (N, classes) between them.

    Raises:
        DataError: if a conditional flow is given no labels, or ones that are none of its classes.
    """
    labels = _checked(flow, labels, len(pictures))
    was_training = flow.training
    flow.eval()
    result = np.zeros(len(pictures))
    try:
        for start in range(0, len(pictures), batch):
            block = pictures[start : start + batch]
            centres = to_pixels(block, flow)
            label = None if labels is None else as_label(flow, labels[start : start + batch])
            total = torch.zeros(len(block), dtype=torch.float64)
            for draw in range(samples if seed is not None else 1):
                x = centres
                if seed is not None:
                    x = dequantise(centres - 0.5, _noise(seed, draw, start, block.shape).to(centres))
                total += on_host(accelerate(flow).log_prob(x, label))
            mean = total / (samples if seed is not None else 1)
            result[start : start + len(block)] = (-mean / (flow.num_dims * math.log(2))).numpy()
            if on_progress is not None:
                on_progress(start + len(block), len(pictures))
    finally:
        flow.train(was_training)
    return result


def _checked(flow: Flow, labels: np.ndarray | None, count: int) -> np.ndarray | None:
    """The labels as the flow takes them; None for a flow without classes, whatever the pictures are."""
    if not flow.num_classes:
        return None
    if labels is None:
        raise DataError("This model is conditional on a class, and the pictures have no labels.")
    labels = np.ascontiguousarray(labels)
    if labels.dtype.kind == "f" and labels.shape == (count, flow.num_classes):
        return labels
    labels = labels.astype(np.int64)
    if labels.shape != (count,) or (count and not 0 <= labels.min() <= labels.max() < flow.num_classes):
        raise DataError(f"The pictures' labels are not {count:,} numbers of this model's {flow.num_classes} classes.")
    return labels


def _noise(seed: int, draw: int, start: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Uniform noise (N, C, H, W) whose row i depends on (seed, draw, start + i) alone."""
    n, h, w, c = shape
    rows = [
        np.random.Generator(np.random.Philox(key=[seed % 2**64, (draw << 48) + start + i])).random((c, h, w), dtype=np.float32)
        for i in range(n)
    ]
    return torch.from_numpy(np.stack(rows))


def bits_per_dim(
    flow: Flow,
    pictures: Pictures,
    labels: np.ndarray | None = None,
    seed: int = 0,
    samples: int = 1,
    batch: int = 128,
    on_progress: Callable[[int, int], None] | None = None,
) -> Result:
    """The dequantised bound on the original pixels, at temperature 1, mean over all pictures.

    Raises:
        DataError: if there are no pictures.
    """
    if len(pictures) == 0:
        raise DataError("There are no pictures to evaluate on.")
    began = time.perf_counter()
    values = bits_per_picture(flow, pictures, labels, seed, samples, batch, on_progress)
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0
    return Result(float(values.mean()), error, len(values), time.perf_counter() - began)


def held_out_summary(flow: Flow, pictures: Pictures, labels: np.ndarray | None = None) -> dict:
    """The card's ``held_out`` entry: evenly spaced quantiles of bpd at bin centres, and how long the z of these pictures are.

    ``norm_quantiles`` has (2.5 %, median, 97.5 %) of |z| for every level, the finest first, then for all of z.
    """
    values, norms = _bits_and_norms(flow, pictures, _checked(flow, labels, len(pictures)))
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES))
    lengths = np.quantile(norms, NORM_SHARES, axis=0).T
    return {
        "bpd_quantiles": [round(float(q), 5) for q in quantiles],
        "norm_quantiles": [[round(float(q), 3) for q in row] for row in lengths],
        "count": int(len(values)),
    }


@torch.no_grad()
def _bits_and_norms(
    flow: Flow, pictures: Pictures, labels: np.ndarray | None, batch: int = 128
) -> tuple[np.ndarray, np.ndarray]:
    """Bits per dimension (N,) at the bin centres, and |z| (N, levels + 1) of each level and of all of z."""
    was_training = flow.training
    flow.eval()
    bits, norms = [], []
    try:
        for start in range(0, len(pictures), batch):
            x = to_pixels(pictures[start : start + batch], flow)
            label = None if labels is None else as_label(flow, labels[start : start + batch])
            z, log_det = accelerate(flow).encode(x, label)
            bits.append(flow.bits_per_dim(on_host(flow.base_log_prob(z) + log_det)))
            squares = on_host(z).square()
            sums = [squares[:, level.start : level.stop].sum(1) for level in flow.levels]
            norms.append(torch.stack([*sums, squares.sum(1)], 1).sqrt())
    finally:
        flow.train(was_training)
    return torch.cat(bits).numpy(), torch.cat(norms).numpy()


def describe(card: dict, bpd: float) -> dict:
    """``bpd`` with where it stands among the card's held-out pictures."""
    return {"bpd": bpd, "likelier_than": likelier_than(card, bpd), "typicality": typicality(card, bpd)}


def score(flow: Flow, card: dict, picture: np.ndarray, label: Label = ()) -> dict:
    """bpd at bin centres, round-trip error in grey levels, percent of held-out pictures it beats, typicality.

    ``roundtrip_error`` is the largest difference of an 8-bit value after encoding and decoding. A conditional flow's
    figures are those under ``label``, or under the class where the picture is likeliest, given back as ``label``.
    """
    if flow.num_classes and not label:
        label = single(int(class_log_probs(flow, picture).argmax()))
    encoded: Encoded = encode_picture(flow, picture, label_tensor(flow, [label]))
    error = int(np.abs(encoded.picture.astype(int) - picture.astype(int)).max())
    return {**describe(card, encoded.bpd), "roundtrip_error": error, "label": label}
