"""The real pictures of figures 5 and 6: an example, or a file that was dropped, at the size that a flow sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flow_explorer import assets
from flow_explorer.i18n import tr
from flowcore.errors import FlowError
from flowcore.pictures.crop import Crop, apply_crop
from flowcore.pictures.images import read_file, read_picture
from flowcore.theory.convolution import Learned, read_learned

__all__ = ["EXAMPLES", "GLOW", "Glows", "Pictures"]

EXAMPLES = {"portrait-1": "Portrait 1", "portrait-2": "Portrait 2", "portrait-3": "Portrait 3", "waves": "Waves"}
"""The bundled pictures in colour, and their titles."""
GLOW = "faces"
"""The bundled Glow whose 1×1 convolutions are shown."""


class Pictures:
    """Reads each picture once a size. What cannot be read is replaced by the first example, and ``error`` says why."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], np.ndarray] = {}
        self._errors: dict[str, str] = {}

    def get(self, name: str, side: int) -> np.ndarray:
        """The picture as uint8 (side, side, 3)."""
        key = (name, side)
        if key not in self._kept:
            if len(self._kept) > 32:
                self._kept.clear()
            self._kept[key] = self._read(name, side)
        return self._kept[key]

    def check(self, name: str) -> str:
        """"" where the picture can be read now, else a sentence; what an earlier file of that name held is forgotten."""
        if name not in EXAMPLES:
            self._kept = {key: picture for key, picture in self._kept.items() if key[0] != name}
        self.get(name, 32)
        return self._errors.get(name, "")

    def error(self, name: str) -> str:
        """The sentence on why a picture that was asked for is not shown, or ""."""
        return self._errors.get(name, "")

    def _read(self, name: str, side: int) -> np.ndarray:
        path = assets.root() / "examples" / f"{name}.png" if name in EXAMPLES else Path(name)
        try:
            picture = apply_crop(read_picture(read_file(path), name=path.name), Crop(), side, side, 3)
            self._errors.pop(name, None)
            return picture
        except (FlowError, OSError, ValueError) as error:
            self._errors[name] = str(error) or tr("The picture cannot be read.")
        first = next(iter(EXAMPLES))
        if name != first:
            return self.get(first, side)
        # Not even the example: a ramp of colours, so that the figure still shows what it is about.
        ramp = np.linspace(0, 255, side).astype(np.uint8)
        return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], ramp[::-1, None]), axis=2).copy()


class Glows:
    """The learned convolutions of the bundled Glow, read when they are first looked at."""

    def __init__(self, name: str = GLOW) -> None:
        self._name = name
        self._read: tuple[int, list[Learned]] | None = None
        self.error = ""

    @property
    def side(self) -> int:
        """The side of the pictures that the model takes."""
        return self._load()[0]

    def step(self, number: int) -> Learned | None:
        """W of a step of flow of the first level, from 1 on; None where the model is not at hand (``error`` says why)."""
        steps = self._load()[1]
        return steps[min(number, len(steps)) - 1] if steps else None

    def _load(self) -> tuple[int, list[Learned]]:
        if self._read is None:
            try:
                (channels, side, _), steps = read_learned(assets.resolve_model(self._name))
                self._read = (side, steps if channels == 3 else [])
            except FlowError as error:
                self.error = str(error)
                self._read = (64, [])
        return self._read
