"""Asks the engine whether a saved sample's z is that of its pixels, where no slot does: only then is a recipe believed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from flow_explorer.engine.requests.explorer import Edited, EncodePicture
from flow_explorer.explorer.model import Model, open_model
from flow_explorer.explorer.moving.identity import are_here
from flow_explorer.explorer.store import Latent
from flowcore.errors import FlowError
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import Picture

__all__ = ["Prover"]


class Prover:
    """`ask` calls back once; several can be on their way side by side."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._places = count()

    def ask(self, latent: Latent, here: str, done: Callable[[bool], object]) -> None:
        """Whether the picture of `latent` is what its z decodes to, `here` being the open model; also where that cannot be told,
        since the engine says then what is wrong."""
        try:
            model = open_model(here if are_here(latent.weights, here) else latent.model)
        except FlowError:
            done(True)
            return
        seen = _seen(latent, model)
        request = EncodePicture(str(model.path), f"proof.{next(self._places)}", seen, latent.label, z=latent.z)
        self._client.send(request, on_answer=lambda answer: done(not isinstance(answer, Edited)),
                          on_error=lambda *_: done(True))  # fmt: skip


def _seen(latent: Latent, model: Model) -> Any:
    return apply_crop(Picture.from_array(latent.picture), Crop(), model.height, model.width, model.channels)
