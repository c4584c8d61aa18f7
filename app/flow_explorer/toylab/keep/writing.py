"""Writing the panels to a file with what made them inside, and reading that back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from flow_explorer.i18n import tr
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.state import ToyState
from flowcore.errors import ConfigError
from flowcore.pictures import recipe
from flowcore.pictures.images import save_png

__all__ = ["read_settings", "save_panels"]


def save_panels(image: QImage, path: str, state: ToyState, run: RunEntry) -> None:
    """Write ``image`` as PNG to ``path``, whole or not at all.

    Raises:
        FlowError: if the file cannot be written.
    """
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = np.ascontiguousarray(rows[:, : 3 * image.width()]).reshape(image.height(), image.width(), 3)
    save_png(path, pixels, recipe.new("toylab", state=state.to_dict(), step=run.step))


def read_settings(path: str) -> ToyState:
    """The settings inside a picture that ``save_panels`` wrote.

    Raises:
        FlowError: if the file cannot be read, or was not saved here.
    """
    found = recipe.extract(path)
    if found is None or found.get("kind") != "toylab" or not isinstance(found.get("state"), dict):
        name = Path(path).name
        raise ConfigError(tr("{name} holds no settings of the toy lab; drop a picture that was saved here.", name=name))
    return ToyState.from_dict(found["state"])
