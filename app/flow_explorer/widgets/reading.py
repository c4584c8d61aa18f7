"""Letters that grow with the room, so that a window on the wall can be read from the last row."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLabel

from flow_explorer import theme

__all__ = ["enlarge", "reading_unit"]

PLAIN = QSize(1100, 760)
"""A canvas so large, in logical pixels, has letters of the window's usual size; the smallest window's is smaller."""
LARGEST = 1.5


def reading_unit(size: QSize) -> float:
    """1 in a canvas of the usual size, more in a larger one."""
    return max(1.0, min(LARGEST, size.width() / PLAIN.width(), size.height() / PLAIN.height()))


def enlarge(label: QLabel, unit: float, pixels: int = theme.FONT_PIXELS) -> None:
    """Write ``label`` in letters of ``pixels`` times ``unit``; its tone stays."""
    sheet = f"font-size: {round(pixels * unit)}px;" if unit > 1 else ""
    if sheet != label.styleSheet():
        label.setStyleSheet(sheet)
        label.ensurePolished()  # whoever asks for its size next, before it is shown, is told the new one
