"""Our own line icons (``assets/icons/*.svg``), tinted by the theme and sharp at any device-pixel ratio.

The files draw with ``currentColor`` on a 20×20 grid, strokes 1.5 wide with round ends; see
``assets/icons/README.md``.
"""

from __future__ import annotations

import logging
from functools import cache, lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from flow_explorer import assets, theme


@cache
def _source(name: str) -> str:
    try:
        return assets.icon(name).read_text(encoding="utf-8")
    except OSError:
        # An exception while painting would end the program; a missing picture on a button does not.
        logging.getLogger("flow-explorer").warning("the icon %s is missing", name)
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><g/></svg>'


@lru_cache(maxsize=256)
def _pixmap(name: str, size: int, color: str, ratio: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    pixels = max(1, round(size * ratio))
    image = QPixmap(pixels, pixels)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def pixmap(name: str, size: int = 20, color: str | None = None, ratio: float = 1.0) -> QPixmap:
    """Icon ``name`` in ``color`` ("#rrggbb", by default the theme's text), ``size`` logical pixels square."""
    return _pixmap(name, size, QColor(color or theme.current().text).name(), ratio)


def paint(painter: QPainter, name: str, rect: QRectF, color: str) -> None:
    """Draw icon ``name`` into ``rect`` (logical pixels) in ``color``."""
    ratio = painter.device().devicePixelRatioF()
    painter.drawPixmap(rect.topLeft(), pixmap(name, round(rect.width()), color, ratio))


class _Engine(QIconEngine):
    """Paints by the theme of the moment, so that menus made once follow a change of theme."""

    def __init__(self, name: str, tone: str) -> None:
        super().__init__()
        self._name, self._tone = name, tone

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        tone = "faint" if mode == QIcon.Mode.Disabled else self._tone
        paint(painter, self._name, QRectF(rect), getattr(theme.current(), tone))

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        tone = "faint" if mode == QIcon.Mode.Disabled else self._tone
        return pixmap(self._name, min(size.width(), size.height()), getattr(theme.current(), tone))

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float) -> QPixmap:
        tone = "faint" if mode == QIcon.Mode.Disabled else self._tone
        logical = round(min(size.width(), size.height()) / scale)
        return pixmap(self._name, logical, getattr(theme.current(), tone), scale)

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._tone)


def icon(name: str, tone: str = "text") -> QIcon:
    """A QIcon of ``name`` in the theme's colour ``tone``, for menus; it follows a change of theme."""
    return QIcon(_Engine(name, tone))


def application_icon() -> QIcon:
    """The application's icon."""
    return QIcon(str(assets.icon("app")))
