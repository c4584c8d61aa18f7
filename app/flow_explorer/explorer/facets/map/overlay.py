"""What lies over the map: a legend of its colours, a card for what is pointed at, and the slots' marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from flow_explorer import theme
from flow_explorer.explorer.facets.map.colours import Colouring
from flow_explorer.explorer.paint import PictureCache, draw_picture

__all__ = ["RADIUS", "paint_card", "paint_legend", "paint_mark"]

RADIUS = 6
MARGIN = 12
CARD = 132
LINE = 18
NAME = 16
NAMES_MAX = 180.0


def paint_legend(painter: QPainter, colouring: Colouring, height: float) -> None:
    """What the colours say, in the lower left corner of a map so high; nothing where there is one colour."""
    font = theme.font(11)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    if colouring.ends is not None:
        _scale(painter, colouring, colouring.ends, metrics, height)
    elif colouring.names and not colouring.plain:
        _names(painter, colouring, metrics, height)


def _scale(
    painter: QPainter, colouring: Colouring, ends: tuple[str, str, str], metrics: QFontMetricsF, height: float
) -> None:
    what, low, high = ends
    width = max(160.0, metrics.horizontalAdvance(what))
    area = QRectF(MARGIN, height - MARGIN - 52, width + 16, 52)
    _sheet(painter, area)
    painter.setPen(theme.color("muted"))
    painter.drawText(area.adjusted(8, 5, -8, 0), Qt.AlignmentFlag.AlignTop, what)
    step = width / len(colouring.tones)
    for index, tone in enumerate(colouring.tones):
        painter.fillRect(QRectF(area.left() + 8 + index * step, area.top() + 22, step + 0.5, 8), QColor(tone))
    under = area.adjusted(8, 33, -8, 0)
    painter.drawText(under, Qt.AlignmentFlag.AlignLeft, low)
    painter.drawText(under, Qt.AlignmentFlag.AlignRight, high)


def _names(painter: QPainter, colouring: Colouring, metrics: QFontMetricsF, height: float) -> None:
    width = min(NAMES_MAX, max(metrics.horizontalAdvance(words) for _, words in colouring.names))
    high = NAME * len(colouring.names) + 12
    area = QRectF(MARGIN, height - MARGIN - high, width + 36, high)
    _sheet(painter, area)
    for index, (tone, words) in enumerate(colouring.names):
        top = area.top() + 6 + index * NAME
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tone))
        painter.drawEllipse(QRectF(area.left() + 8, top + 4, 8, 8))
        painter.setPen(theme.color("muted"))
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, width + 2)
        painter.drawText(QRectF(area.left() + 24, top, width + 4, NAME), Qt.AlignmentFlag.AlignVCenter, words)


def paint_card(painter: QPainter, bounds: QRectF, place: QPointF, reach: float, picture: np.ndarray, lines: Sequence[str],
               cache: PictureCache) -> None:  # fmt: skip
    """A picture with lines under it, beside a place, `reach` away from it and inside of the bounds."""
    font = theme.font(12)
    metrics = QFontMetricsF(font)
    lines = [metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, 1.25 * CARD) for words in lines]
    width = round(max(CARD, *(metrics.horizontalAdvance(words) for words in lines)) + 16)
    high = CARD + 16 + LINE * len(lines)
    right = place.x() + reach + width < bounds.right() - 4
    left = place.x() + reach if right else place.x() - reach - width
    left = min(max(left, 4.0), max(4.0, bounds.width() - width - 4))
    top = min(max(place.y() - high / 2, 4.0), max(4.0, bounds.height() - high - 4))
    area = QRectF(round(left), round(top), width, high)
    _sheet(painter, area)
    tall, wide = picture.shape[:2]
    factor = CARD / max(tall, wide)
    rect = QRectF(area.center().x() - wide * factor / 2, area.top() + 8, wide * factor, tall * factor)
    draw_picture(painter, rect, picture, cache)
    painter.setFont(font)
    for index, words in enumerate(lines):
        painter.setPen(theme.color("muted" if index else "text"))
        line = QRectF(area.left() + 8, area.top() + CARD + 12 + LINE * index, width - 16, LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)


def paint_mark(painter: QPainter, which: str, x: float, y: float) -> None:
    """A slot's letter in its colour."""
    painter.setFont(theme.font(11, bold=True))
    painter.setPen(QPen(theme.color("window"), 2))
    painter.setBrush(theme.color(which.lower()))
    painter.drawEllipse(QPointF(x, y), 11, 11)
    # Black stands out from both colours in either theme.
    painter.setPen(QColor("#000000"))
    painter.drawText(QRectF(x - 11, y - 11, 22, 22), Qt.AlignmentFlag.AlignCenter, which)


def _sheet(painter: QPainter, area: QRectF) -> None:
    painter.setPen(QPen(theme.color("line"), 1))
    painter.setBrush(theme.color("surface", 0.92))
    painter.drawRoundedRect(area, RADIUS, RADIUS)
