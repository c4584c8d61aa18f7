"""Figure 6: the invertible 1×1 convolution on a real picture's channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_picture
from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.figure import Figure, Handle
from flow_explorer.theory.figures.coupling import signed
from flow_explorer.theory.figures.masks import to_picture
from flow_explorer.theory.state import TheoryState
from flowcore.theory.convolution import apply, log_det, permutation, rotation
from flowcore.theory.masking import squeeze

__all__ = ["ConvolutionFigure", "Mixed"]


@dataclass(frozen=True)
class Mixed:
    """A picture's channels, W, and the channels after it: x (C, H, W), weight (C, C), z (C, H, W)."""

    x: np.ndarray
    weight: np.ndarray
    z: np.ndarray

    @property
    def det(self) -> float:
        """det W."""
        return float(np.linalg.det(self.weight))

    @property
    def log_abs_det(self) -> float:
        """log |det W| in nats."""
        return float(np.linalg.slogdet(self.weight)[1])

    @property
    def log_det(self) -> float:
        """h · w · log |det W| in nats."""
        return log_det(self.weight, *self.x.shape[1:])


def _full(weight: np.ndarray) -> float:
    """The weight whose colour is the fullest."""
    return max(1.0, float(np.abs(weight).max()))


class ConvolutionFigure(Figure):
    """Channels at the left, W in the middle, channels at the right; a dial turns the rotation."""

    id = "convolution"

    def __init__(self, controller: TheoryController) -> None:
        super().__init__(controller)
        self._cache = PictureCache()
        self._made: tuple[object, Mixed, list[np.ndarray], list[np.ndarray]] | None = None

    def numbers(self, state: TheoryState) -> np.ndarray:
        return np.array([state.convolution.angle])

    # What is shown

    def mixed(self) -> Mixed:
        """The channels before and after, for what is shown."""
        return self._content()[0]

    def _content(self) -> tuple[Mixed, list[np.ndarray], list[np.ndarray]]:
        state = self.state.convolution
        angle = float(self.shown[0]) if state.kind == "rotation" else 0.0
        key = (state.kind, angle, state.step, state.picture)
        if self._made is None or self._made[0] != key:
            picture = self.controller.pictures.get(state.picture, self.controller.glows.side)
            x = picture.transpose(2, 0, 1) / 256.0 - 0.5
            learned = self.controller.glows.step(state.step) if state.kind == "learned" else None
            if learned is not None:
                x, weight = squeeze(x), learned.weight
            else:
                weight = rotation(angle) if state.kind == "rotation" else permutation()
            z = apply(weight, x)
            before, after = ([to_picture(channel[None]) for channel in values] for values in (x, z))
            if len(x) == 3:
                before, after = [to_picture(x), *before], [to_picture(z), *after]
            # Scaled pictures of an angle that has passed are of no use any more.
            self._cache = PictureCache() if state.kind == "rotation" else self._cache
            self._made = (key, Mixed(x, weight, z), before, after)
        return self._made[1:]

    def _channel(self) -> int:
        return min(self.state.convolution.channel, len(self.mixed().weight) - 1)

    # Where things are

    def _fields(self) -> tuple[QRectF, QRectF, QRectF]:
        """The room of the channels before, of W, and of the channels after."""
        unit = self.unit
        high = self.height() - 88 * unit
        wide = (self.width() - 96 * unit - 12) / 3
        side = min(high, wide)
        total = 3 * side + 96 * unit
        left, top = (self.width() - total) / 2, 34 * unit + (high - side) / 2
        first = QRectF(left, top, side, side)
        return first, first.translated(side + 48 * unit, 0), first.translated(2 * (side + 48 * unit), 0)

    def _matrix_area(self) -> QRectF:
        """Where W's cells are: below it a dial has its place when there is one."""
        area = self._fields()[1]
        if len(self.mixed().weight) > 3:
            return area
        side = area.width() * (0.62 if self.state.convolution.kind == "rotation" else 0.72)
        return QRectF(area.center().x() - side / 2, area.top(), side, side)

    def _dial(self) -> tuple[QPointF, float]:
        area = self._fields()[1]
        matrix = self._matrix_area()
        radius = (area.bottom() - matrix.bottom()) * 0.36
        return QPointF(area.center().x(), (area.bottom() + matrix.bottom()) / 2 + 6 * self.unit), radius

    def handles(self) -> Sequence[Handle]:
        found = []
        if self.state.convolution.kind == "rotation":
            centre, radius = self._dial()
            turn = math.radians(float(self.shown[0]))
            at = centre + QPointF(math.sin(turn), -math.cos(turn)) * radius
            found.append(Handle("angle", at, tr("Turned by {angle}°", angle=f"{self.state.convolution.angle:.0f}")))
        area, count = self._matrix_area(), len(self.mixed().weight)
        y = area.top() + (self._channel() + 0.5) * area.height() / count
        words = tr("The row of channel {n} of z", n=self._channel() + 1)
        found.append(Handle("channel", QPointF(area.right() + 13 * self.unit, y), words, "along", "b"))
        return found

    def drag(self, key: str, to: QPointF) -> None:
        if key == "angle":
            centre, _ = self._dial()
            way = to - centre
            angle = math.degrees(math.atan2(way.x(), -way.y()))
            near = next((stop for stop in (-120, 0, 120) if abs(angle - stop) < 4), None)
            self._turn(near if near is not None else angle)
            return
        area, count = self._matrix_area(), len(self.mixed().weight)
        self._choose(int((to.y() - area.top()) / area.height() * count))

    def nudge(self, key: str, across: float, up: float) -> None:
        if key == "angle":
            angle = self.state.convolution.angle + (across or up)
            self._turn((angle + 180) % 360 - 180)
        else:
            self._choose(self._channel() + (-1 if up > 0 or across < 0 else 1))

    def press(self, at: QPointF) -> str | None:
        area = self._matrix_area()
        if area.contains(at):
            self.drag("channel", at)
            return "channel"
        for index, tile in enumerate(self._tiles(self._fields()[2])):
            number = index - 1 if len(self.mixed().weight) == 3 else index
            if tile.contains(at) and number >= 0:
                self._choose(number)
                return "channel"
        return None

    def _turn(self, angle: float) -> None:
        self.controller.change(tr("Turn"), "angle", angle=float(max(-180.0, min(180.0, round(angle, 1)))))

    def _choose(self, channel: int) -> None:
        self.controller.change(tr("Channel"), "channel", channel=max(0, min(len(self.mixed().weight) - 1, channel)))

    def _tiles(self, area: QRectF) -> list[QRectF]:
        """One large and three small pictures, or twelve, in a square room."""
        unit, gap = self.unit, 6 * self.unit
        if len(self.mixed().weight) == 3:
            small = (area.width() - 2 * gap) / 3
            large = area.height() - small - gap - 16 * unit
            left = area.center().x() - large / 2
            rest = [QRectF(area.left() + i * (small + gap), area.bottom() - small, small, small) for i in range(3)]
            return [QRectF(left, area.top(), large, large), *rest]
        side = (area.width() - 3 * gap) / 4
        top = area.center().y() - (3 * side + 2 * gap) / 2
        return [QRectF(area.left() + i % 4 * (side + gap), top + i // 4 * (side + gap), side, side) for i in range(12)]

    def words(self) -> str:
        mixed = self.mixed()
        return tr(
            "{n} channels mixed by a matrix of determinant {det}.", n=len(mixed.weight), det=signed(mixed.det, 3)
        )

    # Drawing

    def draw(self, painter: QPainter) -> None:
        mixed, before, after = self._content()
        first, middle, last = self._fields()
        unit = self.unit
        for area, title, tone in ((first, "x", "a_text"), (last, "z = W x", "z_text")):
            self.formula(painter, title, QPointF(area.center().x(), first.top() - 18 * unit), 18, 0.5, tone)
        self.formula(painter, "W", QPointF(middle.center().x(), first.top() - 18 * unit), 18, 0.5)
        chosen = self._channel()
        self._pictures(painter, first, before, None)
        self._pictures(painter, last, after, chosen)
        for left, right in ((first, middle), (middle, last)):
            y = first.center().y()
            begins = left.right() + (24 if left is middle else 10) * unit  # beside W there is a handle
            ends = right.left() - (6 if left is middle else 10) * unit
            centre, half = (begins + ends) / 2, 12 * unit
            self.arrow(painter, QPointF(centre - half, y), QPointF(centre + half, y))
        self._weights(painter, mixed.weight, chosen)
        if self.state.convolution.kind == "rotation":
            self._draw_dial(painter)
        elif len(mixed.weight) == 3:
            self._example(painter, mixed.weight)
        self._verdict(painter, mixed)

    def _pictures(self, painter: QPainter, area: QRectF, pictures: list[np.ndarray], chosen: int | None) -> None:
        names = "RGB"
        colour = len(pictures) == 4
        for index, (tile, picture) in enumerate(zip(self._tiles(area), pictures, strict=True)):
            draw_picture(painter, tile, picture, self._cache, smooth=True)
            number = index - 1 if colour else index
            if colour and index and chosen is None:
                self.text(painter, names[number], QPointF(tile.center().x(), tile.top() - 9 * self.unit), "muted", 11, 0.5)
            elif colour and index:
                place = QPointF(tile.center().x(), tile.top() - 9 * self.unit)
                self.formula(painter, f"z_{{{number + 1}}}", place, 12, 0.5, "muted")
            if chosen is not None and number == chosen:
                painter.setPen(QPen(theme.color("b"), 2.5 * self.unit))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(tile.adjusted(-2, -2, 2, 2), 3, 3)

    def _weights(self, painter: QPainter, weight: np.ndarray, chosen: int) -> None:
        area, count = self._matrix_area(), len(weight)
        cell = area.width() / count
        tones = theme.current()
        most, whole = _full(weight), not np.any(weight % 1)
        for row in range(count):
            for column in range(count):
                value = float(weight[row, column])
                part = abs(value) / most
                tone = theme.mix(tones.surface, tones.b if value > 0 else tones.warning, part**0.8)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tone))
                inset = 1.5 if count == 3 else 0.6
                square = QRectF(area.left() + column * cell, area.top() + row * cell, cell, cell)
                square.adjust(inset, inset, -inset, -inset)
                painter.drawRoundedRect(square, 3, 3)
                if count == 3:
                    dark = theme.contrast(tone, "#101114") > theme.contrast(tone, "#ffffff")
                    painter.setPen(QColor("#101114" if dark else "#ffffff"))
                    painter.setFont(self.font_of(15))
                    painter.drawText(square, Qt.AlignmentFlag.AlignCenter, f"{value:.0f}" if whole else signed(value))
        painter.setPen(QPen(theme.color("b"), 2 * self.unit))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(area.left(), area.top() + chosen * cell, area.width(), cell), 4, 4)

    def _draw_dial(self, painter: QPainter) -> None:
        centre, radius = self._dial()
        painter.setPen(QPen(theme.color("track"), 3 * self.unit))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, radius, radius)
        for stop in (-120, 0, 120):
            turn = math.radians(stop)
            way = QPointF(math.sin(turn), -math.cos(turn))
            self.line(painter, centre + way * (radius - 4 * self.unit), centre + way * (radius + 4 * self.unit), "muted", 2)
            align = 0.5 if stop == 0 else 0.0 if stop > 0 else 1.0
            if stop:
                self.text(painter, f"{stop}°".replace("-", "−"), centre + way * (radius + 12 * self.unit), "muted", 11, align)
        self.text(painter, f"{self.shown[0]:.0f}°".replace("-", "−"), centre, "text", 14, 0.5, bold=True)

    def _example(self, painter: QPainter, weight: np.ndarray) -> None:
        """The matrix on (3, 1, 2), as numbers."""
        area, middle = self._fields()[1], self._matrix_area()
        out = weight @ np.array([3.0, 1.0, 2.0])
        words = "W \\mat{3 \\\\ 1 \\\\ 2} = \\mat{" + " \\\\ ".join(f"{value:g}" for value in out) + "}"
        y = (middle.bottom() + area.bottom()) / 2 + 8 * self.unit
        self.formula(painter, words, QPointF(area.center().x(), y), 15, 0.5)

    def _verdict(self, painter: QPainter, mixed: Mixed) -> None:
        height, width = mixed.x.shape[1:]
        words = f"h · w · log |det W| = {height} · {width} · {signed(mixed.log_abs_det, 3)} = {signed(mixed.log_det, 1)}"
        note = f"det W = {signed(mixed.det, 3)}        {words} " + tr("nat")
        place = QPointF(self.width() / 2, self._fields()[0].bottom() + 18 * self.unit)
        self.text(painter, note, place, "b_text", 13, 0.5, bold=True)
        if len(mixed.weight) == 3:
            words = tr("colours and channels; what lies beyond black and white is cut")
        else:
            words = tr("twelve channels after the first squeeze, cut at black and white") + "; " + tr(
                "W is blue above 0, orange below, full at ±{most}", most=f"{_full(mixed.weight):.2g}"
            )
        self.text(painter, words, place + QPointF(0, 22 * self.unit), "muted", 12, 0.5)
