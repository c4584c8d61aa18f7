"""What the facet of layers asks: one picture, or one z, through the model layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowcore.errors import ConfigError
from flowcore.model.labels import Label

from .base import Priority, Request, check_label, check_latent

__all__ = ["DecodeLayers", "EncodeLayers"]


@dataclass(frozen=True, eq=False)
class EncodeLayers(Request):
    """An 8-bit picture (uint8 (H, W, C)) on its way to z. Several answers, told apart by `part`:

    - "outline": `layers`, one `[kind, level, step]` a stage as in `flowcore.latents.anatomy.outline`, and the z's `levels`,
      `[name, numbers]`;
    - "stages": `{first, count}` with `pictures` uint8 (n, H, W, C), `ranges` float64 (n, 2), what black and white stand for, and
      `log_dets` (n,) in nats;
    - "terms": `log_dets` of all stages and `prior`, one number a level, in nats; their sum `log_prob`, and `bpd`;
    - "prior": `{levels, all}`, the z of a level, and all of it, against the prior (`flowcore.latents.qq.Against` as plain data,
      the curve as arrays "expected.0", "found.0", "low.0", "high.0" and so on, "….all"); None where the prior is no standard
      distribution;
    - "check", the last: the way back gives the same stages, up to `difference` as a share of the range shown.
    """

    kind = "layers.encode"
    slot = "layers"
    priority = Priority.PAGE
    strict = True

    model: str
    picture: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        if not isinstance(self.picture, np.ndarray) or self.picture.dtype != np.uint8 or self.picture.ndim != 3:
            raise ConfigError("A picture to follow through the layers must be 8-bit, height by width by channels.")
        check_label(self.label)


@dataclass(frozen=True, eq=False)
class DecodeLayers(Request):
    """One z (D,) on its way to pixels. Answers as `EncodeLayers`; the stages come from the last to the first, without `log_dets`.

    The terms are those of the decoded pixels before they are rounded to bytes.
    """

    kind = "layers.decode"
    slot = "layers"
    priority = Priority.PAGE
    strict = True

    model: str
    z: np.ndarray
    label: Label = ()

    def __post_init__(self) -> None:
        check_latent("The latent", self.z)
        check_label(self.label)
