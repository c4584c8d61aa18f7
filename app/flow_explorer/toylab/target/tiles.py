"""Targets in small: a density as a picture, points as dots, a formula or a kind to make one as a sign."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.target.words import brightness, dots, is_known
from flow_explorer.widgets.focus import KeyboardFocus, ring
from flow_explorer.widgets.plain import plain

__all__ = ["KINDS", "KindTile", "paint_target"]

KINDS = ("draw", "picture", "points", "formula")
_ICONS = {"draw": "pen", "picture": "picture", "points": "points", "formula": "formula"}
_GRID = 48


def _words() -> dict[str, tuple[str, str]]:
    return {
        "draw": (tr("Draw…"), tr("Draw a density with pen, air brush, eraser and magnet.")),
        "picture": (tr("Picture…"), tr("Take a picture's darkness as the density.")),
        "points": (tr("Points…"), tr("Take two columns of a table (.csv, .npy, .txt).")),
        "formula": (tr("Formula…"), tr("Type a formula for the logarithm of the density.")),
    }


def _paper() -> str:
    tones = theme.current()
    return theme.mix(tones.window, "#000000", 0.25) if tones.dark else "#ffffff"


@lru_cache(maxsize=64)
def _image(level: bytes, ink: str, paper: str) -> QImage:
    """√p as a picture in two colours; `level` is float32 (_GRID, _GRID)."""
    low, high = (np.array(theme.rgb(tone), dtype=np.float64) for tone in (paper, ink))
    shade = np.frombuffer(level, np.float32).reshape(_GRID, _GRID, 1)
    pixels = np.empty((_GRID, _GRID, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[..., :3] = np.rint(low + (high - low) * shade)
    return QImage(pixels.data, _GRID, _GRID, QImage.Format.Format_RGBA8888).copy()


def paint_target(painter: QPainter, target: dict, density: str, area: QRectF, radius: float = 4.0) -> None:
    """A target that is not simply one of the built-in densities, in `area`."""
    painter.save()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(area, radius, radius)
    painter.setClipPath(path)
    painter.fillRect(area, QColor(_paper()))
    level = brightness(target, density, _GRID)
    if level is not None:
        painter.drawImage(area, _image(level.astype(np.float32).tobytes(), theme.current().a, _paper()))
    elif not is_known(target):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("a", 0.8))
        middle, scale = area.center(), area.width() / 6.5
        for x, y in dots(target, density, 160):
            painter.drawEllipse(middle + QPointF(x * scale, -y * scale), 0.8, 0.8)
    painter.restore()


class KindTile(KeyboardFocus, QPushButton):
    """A way to make a target of one's own, in the picker's sheet."""

    def __init__(self, kind: str) -> None:
        text, words = _words()[kind]
        super().__init__(text)
        self.name = kind
        self.setAccessibleName(text)
        self.setToolTip(plain(words))
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(204, 48)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones, area = theme.current(), QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        if self.underMouse() or self.isChecked():
            painter.setBrush(QColor(tones.hover if self.underMouse() else tones.raised))
            painter.drawRoundedRect(area, 7, 7)
        painter.setBrush(QColor(_paper()))
        painter.drawRoundedRect(QRectF(16, 6, 36, 36), 4, 4)
        icons.paint(painter, _ICONS[self.name], QRectF(24, 14, 20, 20), tones.a_text)
        painter.setPen(QColor(tones.link if self.isChecked() else tones.text))
        painter.drawText(area.adjusted(74, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self.focus_visible:
            ring(painter, area, 6)
