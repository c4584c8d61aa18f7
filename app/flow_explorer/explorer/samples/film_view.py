"""A sample's z at many temperatures, two rows of small pictures; a click takes that temperature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.explorer.paint import PictureCache, draw_captioned
from flow_explorer.explorer.samples.film_link import TEMPERATURES
from flow_explorer.i18n import tr
from flow_explorer.widgets.cells import ARROWS, CellView
from flow_explorer.widgets.focus import ring
from flowcore.model.temperature import Temperature, split

__all__ = ["FilmView"]

COLUMNS = 4
GAP = 6
CAPTION = 18
MARGIN = 3


class FilmView(CellView):
    """`picked(temperature)` when one is clicked, or chosen by the arrow keys."""

    kept_keys = ARROWS
    caption = CAPTION

    picked = Signal(float)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames: list[np.ndarray | None] = [None] * len(TEMPERATURES)
        self._temperatures: Sequence[Temperature] = TEMPERATURES
        self._temperature = 0.7
        self._cache = PictureCache()
        self.smooth = True
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("The same z at every temperature"))
        self.setToolTip(tr("The selected sample's own z from 0, the middle of the prior, to beyond what the model learnt.\n"
                           "Click one to draw the whole page at that temperature: z = T ε.\n"
                           "With ≤ the levels differ and keep their ratios: the number is the highest of them."))  # fmt: skip
        theme.paint_with(self)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        side = (width - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
        rows = -(-len(TEMPERATURES) // COLUMNS)
        return round(rows * (side + CAPTION) + 2 * MARGIN)

    def sizeHint(self) -> QSize:
        return QSize(268, self.heightForWidth(268))

    minimumSizeHint = sizeHint

    def show_frames(
        self, frames: Sequence[np.ndarray | None], temperatures: Sequence[Temperature], temperature: float
    ) -> None:
        """The pictures, None where one has not come, what each is drawn at, and the page's temperature: the highest level's."""
        self._frames, self._temperatures, self._temperature = list(frames), temperatures, temperature
        self.setAccessibleDescription(tr("The page is drawn at {t}", t=f"{temperature:.2f}"))
        self.tell_reader()
        self.update()

    @property
    def count(self) -> int:
        return len(TEMPERATURES)

    @property
    def columns(self) -> int:
        return COLUMNS

    @property
    def current(self) -> int:
        return min(range(self.count), key=lambda index: abs(TEMPERATURES[index] - self._temperature))

    def cell_name(self, index: int) -> str:
        return tr("Temperature {t}", t=self.figure(index))

    def figure(self, index: int) -> str:
        """A picture's temperature; where its levels differ, the highest of them."""
        highest, differing = split(self._temperatures[index])
        return f"≤ {highest:.1f}" if differing else f"{highest:.1f}"

    def cell(self, index: int) -> QRectF:
        """Where a picture is, without its caption."""
        side = (self.width() - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
        row, column = divmod(index, COLUMNS)
        return QRectF(MARGIN + column * (side + GAP), MARGIN + row * (side + CAPTION), side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(11))
        for index, (frame, temperature) in enumerate(zip(self._frames, TEMPERATURES, strict=True)):
            rect = self.cell(index)
            below = QRectF(rect.left(), rect.bottom(), rect.width(), CAPTION)
            chosen = abs(temperature - self._temperature) < 0.005
            draw_captioned(painter, rect, below, frame, self.figure(index), chosen, self._cache, self.smooth)
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)
        painter.end()

    def choose(self, index: int) -> None:
        self.picked.emit(TEMPERATURES[index])
        self.rested.emit()
