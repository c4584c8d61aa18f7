"""The menu of example pictures, each with a thumbnail; filled when it opens, so that start-up reads no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from flow_explorer import assets
from flow_explorer.i18n import tr
from flow_explorer.widgets.pixels import enlarged
from flow_explorer.widgets.plain import unmarked
from flowcore.errors import FlowError
from flowcore.pictures.images import read_picture

__all__ = ["example_title", "examples_menu"]

SIDE = 32


def example_title(path: Path) -> str:
    """A file name as words."""
    words = path.stem.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def examples_menu(parent: QWidget, choose: Callable[[str], None]) -> QMenu:
    """A menu whose entries call `choose` with an example's path."""
    menu = QMenu(tr("Examples"), parent)

    def fill() -> None:
        if menu.actions():
            return
        for path in assets.examples():
            action = menu.addAction(unmarked(example_title(path)), lambda path=path: choose(str(path)))
            action.setIcon(_thumbnail(path, menu.devicePixelRatioF()))
            action.setIconVisibleInMenu(True)
        if not menu.actions():
            menu.addAction(tr("No example pictures are installed")).setEnabled(False)

    menu.aboutToShow.connect(fill)
    return menu


def _thumbnail(path: Path, ratio: float) -> QIcon:
    try:
        pixels = read_picture(path).pixels
    except FlowError:
        return QIcon()
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    pixmap = QPixmap.fromImage(enlarged(pixels[top : top + side, left : left + side], round(SIDE * ratio),
                                        round(SIDE * ratio)))  # fmt: skip
    pixmap.setDevicePixelRatio(ratio)
    return QIcon(pixmap)
