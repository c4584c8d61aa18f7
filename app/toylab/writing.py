"""Writing the panels to a file, with what made them inside."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from app.toylab.run import Run
from app.toylab.state import ToyState
from flowcore import recipe
from flowcore.images import save_png

__all__ = ["save_panels"]


def save_panels(image: QImage, path: str, state: ToyState, run: Run) -> None:
    """Write ``image`` as PNG to ``path``, whole or not at all.

    Raises:
        FlowError: if the file cannot be written.
    """
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = np.ascontiguousarray(rows[:, : 3 * image.width()]).reshape(image.height(), image.width(), 3)
    save_png(path, pixels, recipe.new("toylab", state=state.to_dict(), step=run.step))
