"""The same z's as training goes on: a row a z, a column a step, and beside it the whole sheet of one step."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.one_thread import OneThread
from flow_explorer.training.record import RunSnapshot
from flow_explorer.widgets.cells import CellView
from flow_explorer.widgets.focus import ring
from flow_explorer.widgets.picture import paint_picture

__all__ = ["Film", "Sheets"]

GAP, LABEL, KEPT = 4, 20, 256


class Sheets(OneThread):
    """Sample sheets, read by a worker and kept."""

    loaded = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._images: OrderedDict[str, QImage] = OrderedDict()
        self._waiting: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether sheets are being read."""
        return bool(self._waiting)

    def get(self, path: Path) -> QImage | None:
        """The sheet, or None while it is read (or where it cannot be)."""
        key = str(path)
        if key in self._images:
            self._images.move_to_end(key)
            return self._images[key] if not self._images[key].isNull() else None
        if key not in self._waiting:
            self._waiting.add(key)
            self.run_in_thread(lambda: QImage(key), lambda image: self._take(key, image))
        return None

    def _take(self, key: str, image: QImage) -> None:
        self._waiting.discard(key)
        self._images[key] = image
        while len(self._images) > KEPT:
            self._images.popitem(last=False)
        self.loaded.emit()


class _Sheet(QWidget):
    """All pictures of one step, with a little room between them."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._cell = (1, 1)
        self.setAccessibleName(tr("All samples of one step"))
        theme.changed.connect(self.update)

    def show_image(self, image: QImage | None, cell: tuple[int, int]) -> None:
        """Show a sheet of pictures of (height, width)."""
        self._image, self._cell = image, cell
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        image, (height, width) = self._image, self._cell
        if image is None:
            return
        rows, columns = max(1, image.height() // height), max(1, image.width() // width)
        gap = 2 if max(rows, columns) > 4 else 3
        room_across, room_down = self.width() - (columns - 1) * gap, self.height() - (rows - 1) * gap
        scale = min(room_across / (columns * width), room_down / (rows * height))
        across, down = scale * width, scale * height
        ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        for index in range(rows * columns):
            row, column = divmod(index, columns)
            cell = image.copy(column * width, row * height, width, height).scaled(
                max(1, round(across * ratio)), max(1, round(down * ratio)), Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )  # fmt: skip
            paint_picture(painter, QRectF(column * (across + gap), row * (down + gap), across, down), cell, 2)


class _Strip(CellView):
    """Columns of a few z's at evenly spaced steps; press or drag to look at a step."""

    kept_keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)

    picked = Signal(int)
    """The number of a sheet."""

    def __init__(self, sheets: Sheets) -> None:
        super().__init__()
        self._sheets = sheets
        self.run: RunSnapshot | None = None
        self.index = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 96)
        self.setAccessibleName(tr("Samples of the same z's over the steps"))
        self.setToolTip(tr("The same z's as the model learns. Press or drag to look at another step; arrow keys too."))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(480, 200)

    @property
    def count(self) -> int:
        """How many sheets there are."""
        return len(self.run.sheets) if self.run is not None else 0

    @property
    def current(self) -> int:
        return self.index

    def cell_name(self, index: int) -> str:
        return tr("Step {n}", n=f"{self.run.sheets[index][0]:,}") if self.run is not None else ""

    def cell(self, index: int) -> QRectF:
        """The column of a sheet that has one."""
        columns = self.places()
        return QRectF(columns.index(index) * self._step(len(columns)), 0, self._side(), self.height())

    def _rows(self) -> int:
        height = self.height() - LABEL
        rows = 4 if height >= 280 else 3 if height >= 150 else 2
        return min(rows, self._grid()[0] * self._grid()[1])

    def _grid(self) -> tuple[int, int]:
        """How many rows and columns of pictures a sheet has."""
        if self.run is None or len(self.run.shape) != 3 or not self.run.sheets:
            return 1, 1
        image = self._sheets.get(self.run.sheets[-1][1])
        if image is None:
            return 4, 4
        _, height, width = self.run.shape
        return max(1, image.height() // height), max(1, image.width() // width)

    def places(self) -> list[int]:
        """Which sheets have a column: the first, the last, and some between."""
        count, side = self.count, self._side()
        room = max(1, int((self.width() + GAP) // (side + GAP)))
        if count <= room:
            return list(range(count))
        return sorted(set(np.linspace(0, count - 1, room).round().astype(int).tolist()))

    def _step(self, columns: int) -> float:
        """From a column to the next: close together, or over the whole width where not all have a column."""
        side = self._side()
        if columns < 2 or columns == self.count:
            return side + GAP
        return max(side + GAP, (self.width() - side) / (columns - 1))

    def _side(self) -> float:
        rows = self._rows()
        return max(20.0, (self.height() - LABEL - (rows - 1) * GAP) / rows)

    def _cell(self, image: QImage, number: int) -> QImage:
        """Picture ``number`` of the strip: of a sheet with a row a class the first of each, else the first ones."""
        assert self.run is not None  # a sheet is of a run
        _, height, width = self.run.shape
        rows, columns = self._grid()
        row, column = (number, 0) if self.run.by_class else divmod(number, columns)
        return image.copy(column * width, min(row, rows - 1) * height, width, height)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        tones = theme.current()
        columns, side, rows = self.places(), self._side(), self._rows()
        sheets = self.run.sheets if self.run is not None else ()
        painter.setFont(theme.font(theme.SMALL_PIXELS))
        nearest = min(columns, key=lambda i: abs(i - self.index)) if columns else -1
        ratio = self.devicePixelRatioF()
        for place, number in enumerate(columns):
            step, path = sheets[number]
            left = place * self._step(len(columns))
            image = self._sheets.get(path)
            for row in range(rows):
                area = QRectF(left, row * (side + GAP), side, side)
                if image is None:
                    painter.fillRect(area, QColor(tones.raised))
                    continue
                pixels = round(side * ratio)
                cell = self._cell(image, row).scaled(
                    pixels, pixels, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
                )
                paint_picture(painter, area, cell, 3)
            chosen = number == nearest
            if chosen:
                painter.setPen(QPen(theme.color("z"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(left + 1, 1, side - 2, self.height() - LABEL - 2), 4, 4)
            painter.setPen(QColor(tones.z_text if chosen else tones.muted))
            words = f"{step / 1e6:g}M" if step >= 10**6 else f"{step:,}" if side >= 44 or step < 1000 else f"{step / 1000:g}k"
            painter.drawText(QRectF(left - 4, self.height() - LABEL + 2, side + 8, LABEL - 2),
                             Qt.AlignmentFlag.AlignCenter, words)  # fmt: skip
        if self.focus_visible:
            ring(painter, QRectF(self.rect()), 5)

    def _pick_at(self, x: float) -> None:
        columns = self.places()
        if columns:
            place = min(len(columns) - 1, max(0, int(x // self._step(len(columns)))))
            self.picked.emit(columns[place])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pick_at(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick_at(event.position().x())

    def choose(self, index: int) -> None:
        self.picked.emit(index)


class Film(QWidget):
    """Sheet and strip. ``looked_at(step)`` when another step's sheet is shown; −1 without any."""

    looked_at = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.sheets = Sheets(self)
        self.sheet = _Sheet()
        self.strip = _Strip(self.sheets)
        self._follows = True
        self._shown: Path | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(16)
        self._row.addWidget(self.sheet)
        self._row.addWidget(self.strip, 1)
        self.strip.picked.connect(self._picked)
        self.sheets.loaded.connect(self._show_sheet)
        self.sheets.loaded.connect(self.strip.update)

    @property
    def step(self) -> int:
        """The step whose sheet is shown, −1 without any."""
        run, index = self.strip.run, self.strip.index
        return run.sheets[index][0] if run is not None and 0 <= index < len(run.sheets) else -1

    def show_run(self, run: RunSnapshot) -> None:
        """Show a run's sheets: the newest, or the step that the person looks at."""
        before = self.strip.run
        if before is None or before.path != run.path:
            self._follows = True
        kept = self.step
        self.strip.run = run
        steps = [step for step, _ in run.sheets]
        if self._follows or kept not in steps:
            self.strip.index = len(steps) - 1
        else:
            self.strip.index = steps.index(kept)
        self._show_sheet()
        self.strip.update()
        self.looked_at.emit(self.step)

    def _picked(self, index: int) -> None:
        self.strip.index = index
        self._follows = index == self.strip.count - 1
        self._show_sheet()
        self.strip.update()
        self.looked_at.emit(self.step)

    def _show_sheet(self) -> None:
        run, index = self.strip.run, self.strip.index
        if run is None or not 0 <= index < len(run.sheets):
            self._shown = None
            self.sheet.show_image(None, (1, 1))
            return
        path = run.sheets[index][1]
        image = self.sheets.get(path)
        if image is not None and path != self._shown:
            self._shown = path
            _, height, width = run.shape if len(run.shape) == 3 else (3, image.height(), image.width())
            self.sheet.show_image(image, (height, width))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.sheet.setFixedSize(self.height() - LABEL, self.height() - LABEL)
        self._row.setAlignment(self.sheet, Qt.AlignmentFlag.AlignTop)
