"""Formulas, set as in a book: serif italics, fractions, sub- and superscripts, matrices, tall bars.

The markup is the little of LaTeX that the page needs: ``\\frac{}{}``, ``_{}``, ``^{}``, ``\\abs{}`` (bars as high as what they
hold), ``\\mat{a & b \\\\ c & d}``, ``\\rm{}`` for upright words (log, det and diag are so by themselves), ``\\q`` for a space,
and ``\\z{}``, ``\\a{}``, ``\\b{}`` for the theme's colours.
Everything else is itself, so greek letters are written as such.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme

__all__ = ["Formula", "draw_formula", "formula_size", "spoken"]

FACES = [
    "STIX Two Text", "Latin Modern Roman", "Cambria", "Times New Roman", "Liberation Serif", "Noto Serif", "DejaVu Serif",
    "serif",
]  # fmt: skip
_SMALL = 0.72
_TIGHT = set("()[],.;·")
_RELATIONS = set("=→≈<>≠≥≤")
_SIGNS = set("+−×·∘")


def face(pixels: float, italic: bool = True) -> QFont:
    """The formulas' face."""
    font = QFont()
    font.setFamilies(FACES)
    font.setStyleHint(QFont.StyleHint.Serif)
    font.setPixelSize(max(6, round(pixels)))
    font.setItalic(italic)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


@dataclass
class _Box:
    """Something laid out: its width, how far it goes above and below the base line, and how to paint it there."""

    width: float
    above: float
    below: float
    paint: Callable[[QPainter, float, float], None]


_TOKEN = re.compile(r"\\\\|\\[a-z]+|log(?![a-z])|det(?![a-z])|diag(?![a-z])|[{}_^&]|\s+|[^\\{}_^&\s]", re.IGNORECASE)


def _parse(text: str) -> list:
    """A list of characters and (command, arguments…) tuples."""
    tokens = _TOKEN.findall(text)
    place = 0

    def group() -> list:
        nonlocal place
        if place < len(tokens) and tokens[place] == "{":
            place += 1
            inner = sequence("}")
            place += 1
            return inner
        token = tokens[place] if place < len(tokens) else ""
        place += 1
        return [token]

    def sequence(end: str) -> list:
        nonlocal place
        found: list = []
        while place < len(tokens) and tokens[place] != end:
            token = tokens[place]
            place += 1
            if token in "_^" and token:
                base = found.pop() if found else ""
                # A base with both: x_i^2 keeps its first script.
                if isinstance(base, tuple) and base[0] == "script":
                    lower, upper = base[2], base[3]
                    base = base[1]
                else:
                    lower = upper = None
                inner = group()
                found.append(("script", base, inner if token == "_" else lower, inner if token == "^" else upper))
            elif token == "\\frac":
                found.append(("frac", group(), group()))
            elif token == "\\q":
                found.append(("quad",))
            elif token in ("log", "det", "diag"):
                found.append(("rm", list(token)))
            elif token in ("\\abs", "\\rm", "\\mat", "\\z", "\\a", "\\b"):
                found.append((token[1:], group()))
            elif token == "{":
                found.append(("group", sequence("}")))
                place += 1
            elif token.isspace():
                found.append(" ")
            else:
                found.append(token)
        return found

    return sequence("")


class _Setter:
    def __init__(self, ink: QColor) -> None:
        self.ink = ink

    def row(self, items: list, pixels: float, roman: bool = False) -> _Box:
        boxes: list[tuple[float, _Box]] = []
        x = above = below = 0.0
        for item in items:
            if item == " ":
                x += pixels * 0.16
                continue
            if item == ("quad",):
                x += pixels * 1.3
                continue
            box, space = self._item(item, pixels, roman)
            x += space if boxes else 0
            boxes.append((x, box))
            x += box.width + space
            above, below = max(above, box.above), max(below, box.below)

        def paint(painter: QPainter, left: float, base: float) -> None:
            for offset, box in boxes:
                box.paint(painter, left + offset, base)

        return _Box(x, above, below, paint)

    def _item(self, item: str | tuple[Any, ...], pixels: float, roman: bool) -> tuple[_Box, float]:
        if isinstance(item, str):
            space = pixels * (0.24 if item in _RELATIONS else 0.15 if item in _SIGNS else 0)
            upright = roman or not (item.isalpha() and item not in "ΣΠΔ∂∫")
            return self._text(item, pixels, not upright), space
        kind, *parts = item
        if kind == "script":
            base, lower, upper = parts
            return self._script(base, lower, upper, pixels, roman), 0
        if kind == "frac":
            over, under = parts
            return self._fraction(over, under, pixels, roman), pixels * 0.06
        if kind == "abs":
            return self._bars(self.row(parts[0], pixels, roman), pixels), pixels * 0.04
        if kind == "mat":
            return self._matrix(parts[0], pixels), pixels * 0.06
        if kind in ("z", "a", "b"):
            before, self.ink = self.ink, theme.color(f"{kind}_text")
            box = self.row(parts[0], pixels, roman)
            self.ink = before
            return box, 0
        return self.row(parts[0], pixels, roman or kind == "rm"), pixels * (0.08 if kind == "rm" else 0)

    def _text(self, text: str, pixels: float, italic: bool) -> _Box:
        font, ink = face(pixels, italic), QColor(self.ink)
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance(text)
        # Slanted letters lean out of their advance; upright brackets after them would touch.
        width += pixels * 0.05 if italic and text in "fπβγxdzWU" else 0

        def paint(painter: QPainter, left: float, base: float) -> None:
            painter.setFont(font)
            painter.setPen(ink)
            painter.drawText(QPointF(left, base), text)

        return _Box(width, metrics.capHeight() * 1.15, metrics.descent() * 0.8, paint)

    def _script(self, base: str | tuple[Any, ...], lower: list | None, upper: list | None, pixels: float, roman: bool) -> _Box:
        body, _ = self._item(base, pixels, roman)
        small = pixels * _SMALL
        sub = self.row(lower, small, roman) if lower else None
        sup = self.row(upper, small, roman) if upper else None
        drop, rise = pixels * 0.2, max(pixels * 0.38, body.above - small * 0.45)
        width = body.width + max(sub.width if sub else 0, sup.width if sup else 0) + pixels * 0.03

        def paint(painter: QPainter, left: float, line: float) -> None:
            body.paint(painter, left, line)
            if sub:
                sub.paint(painter, left + body.width, line + drop)
            if sup:
                sup.paint(painter, left + body.width + pixels * 0.03, line - rise)

        above = max(body.above, rise + sup.above if sup else 0)
        return _Box(width, above, max(body.below, drop + sub.below if sub else 0), paint)

    def _fraction(self, top: list, bottom: list, pixels: float, roman: bool) -> _Box:
        size = pixels * 0.86
        over, under, ink = self.row(top, size, roman), self.row(bottom, size, roman), QColor(self.ink)
        width = max(over.width, under.width) + pixels * 0.24
        axis, gap, thick = pixels * 0.27, pixels * 0.17, max(1.0, pixels * 0.055)

        def paint(painter: QPainter, left: float, base: float) -> None:
            over.paint(painter, left + (width - over.width) / 2, base - axis - gap - over.below)
            under.paint(painter, left + (width - under.width) / 2, base - axis + gap + under.above)
            painter.setPen(QPen(ink, thick))
            painter.drawLine(QPointF(left, base - axis), QPointF(left + width, base - axis))

        above = axis + gap + over.below + over.above
        return _Box(width, above, gap - axis + under.above + under.below, paint)

    def _bars(self, body: _Box, pixels: float) -> _Box:
        pad, thick, ink = pixels * 0.16, max(1.0, pixels * 0.055), QColor(self.ink)
        above, below = body.above + pixels * 0.08, max(body.below, pixels * 0.12) + pixels * 0.04

        def paint(painter: QPainter, left: float, base: float) -> None:
            body.paint(painter, left + pad, base)
            painter.setPen(QPen(ink, thick))
            for x in (left + pad * 0.35, left + body.width + 1.65 * pad):
                painter.drawLine(QPointF(x, base - above), QPointF(x, base + below))

        return _Box(body.width + 2 * pad, above, below, paint)

    def _matrix(self, items: list, pixels: float) -> _Box:
        rows: list[list[list]] = [[[]]]
        for item in items:
            if item == "\\\\":
                rows.append([[]])
            elif item == "&":
                rows[-1].append([])
            else:
                rows[-1][-1].append(item)
        size = pixels * 0.86
        cells = [[self.row(cell, size) for cell in row] for row in rows]
        columns = max(map(len, cells))
        widths = [max(row[c].width for row in cells if c < len(row)) for c in range(columns)]
        line, gap, pad = size * 1.35, size * 0.8, pixels * 0.22
        height, width = line * len(rows), sum(widths) + gap * (columns - 1) + 2 * pad
        axis, ink, thick = pixels * 0.27, QColor(self.ink), max(1.0, pixels * 0.055)

        def paint(painter: QPainter, left: float, base: float) -> None:
            top = base - axis - height / 2
            for r, row in enumerate(cells):
                x = left + pad
                for c, cell in enumerate(row):
                    cell.paint(painter, x + (widths[c] - cell.width) / 2, top + line * (r + 0.5) + size * 0.3)
                    x += widths[c] + gap
            painter.setPen(QPen(ink, thick))
            arm = pixels * 0.14
            for x, way in ((left + thick, 1), (left + width - thick, -1)):
                painter.drawPolyline([QPointF(x + way * arm, top), QPointF(x, top), QPointF(x, top + height),
                                      QPointF(x + way * arm, top + height)])  # fmt: skip

        return _Box(width, axis + height / 2, height / 2 - axis, paint)


def formula_size(text: str, pixels: float) -> tuple[float, float, float]:
    """Width, height above the base line and below it, in logical pixels."""
    box = _Setter(QColor("#000")).row(_parse(text), pixels)
    return box.width, box.above, box.below


def draw_formula(
    painter: QPainter, text: str, at: QPointF, pixels: float, ink: QColor | None = None, align: float = 0.0
) -> None:
    """Paint a formula with its base line's left end at ``at`` (``align`` 0.5: its middle, 1: its right end)."""
    box = _Setter(ink or theme.color("text")).row(_parse(text), pixels)
    box.paint(painter, at.x() - align * box.width, at.y())


def spoken(text: str) -> str:
    """The formula as plain text, for a screen reader."""
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", text)
    text = re.sub(r"\\abs\{([^{}]*)\}", r"|\1|", text)
    text = text.replace("\\\\", ";").replace("&", ",")
    return re.sub(r"\s+", " ", re.sub(r"\\[a-z]+|[{}]", "", text)).strip()


class Formula(QWidget):
    """A formula, centred or left; ``set_text`` and ``set_pixels`` change it."""

    def __init__(self, text: str = "", pixels: float = 20, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._pixels = "", pixels
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_text(text)
        theme.changed.connect(self.update)

    def set_text(self, text: str) -> None:
        """Show another formula."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(spoken(text))
            self.updateGeometry()
            self.update()

    def set_pixels(self, pixels: float) -> None:
        """Show it at another size."""
        if pixels != self._pixels:
            self._pixels = pixels
            self.updateGeometry()
            self.update()

    def text(self) -> str:
        """The markup."""
        return self._text

    def sizeHint(self) -> QSize:
        width, above, below = formula_size(self._text, self._pixels)
        return QSize(round(width + 2), round(above + below + 4))

    minimumSizeHint = sizeHint

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _, above, below = formula_size(self._text, self._pixels)
        base = (self.height() - above - below) / 2 + above
        draw_formula(painter, self._text, QPointF(0, base), self._pixels)
