"""A pile as a card in its colour: where to drop a folder, then a contact sheet of it, how many there are and what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QMimeData, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from flow_explorer import theme
from flow_explorer.explorer.facets.piles.dropping import data_of
from flow_explorer.explorer.facets.piles.picture_set_link import PileView
from flow_explorer.explorer.facets.piles.state import Side
from flow_explorer.explorer.paint import PictureCache, draw_picture, draw_placeholder
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets import Button, IconButton, Label, ProgressView
from flow_explorer.widgets.dropping import DropTarget
from flow_explorer.widgets.elided import ElidedLabel
from flow_explorer.widgets.plain import plain, unmarked
from flow_explorer.widgets.sameness import same

__all__ = ["ContactSheet", "PictureSetCard"]

GAP = 3
SMALLEST, LARGEST = 24, 56
RADIUS = 8
LEFT_OUT_SHOWN = 200


class ContactSheet(QWidget):
    """Pictures side by side, as many as there is room for, evenly taken from all."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures: list[np.ndarray | None] = []
        self._cache = PictureCache()
        self.smooth = True
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(SMALLEST)
        theme.paint_with(self)

    def sizeHint(self) -> QSize:
        return QSize(240, 84)

    def show_pictures(self, pictures: Sequence[np.ndarray | None]) -> None:
        """Show uint8 (H, W, C) pictures, None where one has not come."""
        pictures = list(pictures)
        if not same(self._pictures, pictures):
            self._pictures = pictures
            self.update()

    def grid(self) -> tuple[int, int, float]:
        """(columns, rows, side): the largest pictures of which all are seen, else as many small ones as there is room for."""
        width, height, count = self.width(), self.height(), max(1, len(self._pictures))
        for side in range(LARGEST, SMALLEST, -4):
            columns, rows = int((width + GAP) // (side + GAP)), int((height + GAP) // (side + GAP))
            if columns * rows >= count:
                break
        columns = max(1, int((width + GAP) // (side + GAP)))
        side = min((width + GAP) / columns - GAP, max(side, 1)) if count <= columns else (width + GAP) / columns - GAP
        return columns, max(1, int((height + GAP) // (side + GAP))), side

    def shown(self) -> list[int]:
        """The numbers of those that there is room for."""
        columns, rows, _side = self.grid()
        count = min(len(self._pictures), columns * rows)
        return [round(place) for place in np.linspace(0, len(self._pictures) - 1, count)] if count else []

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        columns, _rows, side = self.grid()
        for place, index in enumerate(self.shown()):
            rect = QRectF(place % columns * (side + GAP), place // columns * (side + GAP), side, side)
            picture = self._pictures[index]
            if picture is None:
                draw_placeholder(painter, rect)
            else:
                draw_picture(painter, rect, picture, self._cache, self.smooth)
        painter.end()


class PictureSetCard(DropTarget):
    """Shows a `Side` with its `PileView`; every act leaves as a signal."""

    dropped = Signal(str, list)
    """(which, paths) of what was let go here."""
    folder_wanted = Signal(str)
    class_chosen = Signal(str, int)
    cleared = Signal(str)
    again_wanted = Signal(str)
    cancelled = Signal(str)

    def __init__(self, which: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.which, self.tone = which, which.lower()
        self._classes = False
        self.setAccessibleName(tr("Pile {which}", which=which))

        self.letter = Label(which, self.tone)
        face = theme.font(bold=True)
        self.letter.setFont(face)
        self.title = ElidedLabel()
        self.note = Label("", "muted")
        self.left_out = Button("", "quiet", tooltip=tr("Say what is left out, and why"))
        self.left_out.setCheckable(True)
        self.left_out.setFixedHeight(28)
        self.clear = IconButton("close", tr("Clear {which}", which=which), size=28, icon_size=16)
        self.clear.muted = True
        head = QHBoxLayout()
        head.setSpacing(6)
        for part, stretch in ((self.letter, 0), (self.title, 1), (self.note, 0), (self.left_out, 0), (self.clear, 0)):
            head.addWidget(part, stretch)
        head.addStrut(28)

        self.sentence = Label("", "muted", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.folder = Button(tr("Choose a folder…"), "plain", "folder", tooltip=tr("The pictures of pile {which}", which=which))
        self.of_class = Button(tr("A class"), "plain",
                               tooltip=tr("Samples of one of the model's classes, in place of a folder"))  # fmt: skip
        self.of_class.setAccessibleName(tr("Choose a class for {which}", which=which))
        self.again = Button(tr("Read again"), "plain", tooltip=tr("Read the same folder once more"))
        self.of_class.setMenu(QMenu(self.of_class))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.folder)
        buttons.addWidget(self.of_class)
        buttons.addWidget(self.again)
        buttons.addStretch(1)
        empty = QWidget()
        column = QVBoxLayout(empty)
        column.setContentsMargins(8, 0, 8, 8)
        column.setSpacing(10)
        column.addStretch(1)
        column.addWidget(self.sentence)
        column.addLayout(buttons)
        column.addStretch(1)
        self.progress = ProgressView(cancellable=True)
        waiting = QWidget()
        column = QVBoxLayout(waiting)
        column.setContentsMargins(8, 0, 8, 8)
        column.addStretch(1)
        column.addWidget(self.progress)
        column.addStretch(1)
        self.sheet = ContactSheet(tr("The pictures of pile {which}", which=which))
        self.reasons = Label("", "small", wrap=True)
        self.reasons.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reasons.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self.reasons)
        scroll.viewport().setAutoFillBackground(False)
        self.reasons.setAutoFillBackground(False)
        self.pages = QStackedWidget()
        for page in (empty, waiting, self.sheet, scroll):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 10)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.pages, 1)

        self.folder.clicked.connect(lambda: self.folder_wanted.emit(which))
        self.clear.clicked.connect(lambda: self.cleared.emit(which))
        self.again.clicked.connect(lambda: self.again_wanted.emit(which))
        self.progress.cancelled.connect(lambda: self.cancelled.emit(which))
        self.left_out.toggled.connect(self._show_reasons)
        theme.paint_with(self)

    def set_classes(self, names: Sequence[str]) -> None:
        """Offer a conditional model's classes in place of a folder."""
        menu = self.of_class.menu()
        menu.clear()
        for number, name in enumerate(names):
            menu.addAction(unmarked(name), lambda number=number: self.class_chosen.emit(self.which, number))
        self._classes = bool(names)
        self.of_class.setVisible(self._classes)
        # Two buttons side by side have room for fewer words.
        self.folder.setText(tr("A folder…") if names else tr("Choose a folder…"))
        self.folder.setAccessibleName(tr("Choose a folder for {which}", which=self.which))
        self.folder.updateGeometry()

    def show_pile(self, side: Side, view: PileView, title: str, problem: str = "") -> None:
        """`title` is what the pile is called, `problem` why what was let go here was not taken."""
        there = bool(title)
        self.title.setText(title)
        self.title.setToolTip(plain(side.folder))
        full = there and not view.error and not view.stopped and (not view.busy or bool(view.names))
        counted = self._counted(side, view)
        lacking = full and bool(view.left_out)
        self.note.setText(counted if full and not lacking else "")
        self.left_out.setVisible(lacking)
        self.left_out.setText(tr("{count} · {n} left out", count=f"{len(view.names):,}", n=f"{len(view.left_out):,}"))
        self.left_out.setAccessibleDescription(counted)
        self.left_out.setAccessibleName(self.left_out.text())
        self.left_out.updateGeometry()
        self.clear.setVisible(there)
        again = there and (view.stopped or bool(view.error)) and not problem
        self.again.setVisible(again)
        self.of_class.setVisible(self._classes and not again)
        if not lacking:
            self.left_out.setChecked(False)
        rows = [sentence if name in sentence else f"{name}: {sentence}" for name, sentence in view.left_out[:LEFT_OUT_SHOWN]]
        self.reasons.setText("\n".join(rows))
        if full:
            self.sheet.show_pictures(view.pictures)
            self.pages.setCurrentIndex(3 if self.left_out.isChecked() else 2)
        elif there and view.busy:
            self.progress.set_progress(view.fraction, tr("Reading {words}", words=view.words) if view.words else tr("Reading…"))
            self.pages.setCurrentIndex(1)
        else:
            words = tr("Drop a folder of pictures here: pile {which}.", which=self.which)
            if view.stopped:
                words = tr("Reading was stopped. Read it anew, or drop another folder here.")
            said = problem or view.error
            self.sentence.setText(said or words)
            self.sentence.set_tone("warning" if said else "muted")
            self.pages.setCurrentIndex(0)

    @staticmethod
    def _counted(side: Side, view: PileView) -> str:
        if not side.folder:
            return plural(len(view.names), "{count} sample", "{count} samples")
        if view.total > len(view.names) + len(view.left_out):
            return tr("{count} of {total} pictures", count=f"{len(view.names):,}", total=f"{view.total:,}")
        return plural(len(view.names), "{count} picture", "{count} pictures")

    def _show_reasons(self, shown: bool) -> None:
        if self.pages.currentIndex() in (2, 3):
            self.pages.setCurrentIndex(3 if shown else 2)

    # Drops

    def takes(self, mime: QMimeData) -> bool:
        return bool(data_of(mime))

    def take(self, mime: QMimeData) -> None:
        self.dropped.emit(self.which, data_of(mime))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(theme.color("surface"))
        colour = theme.color(self.tone) if self.hovering else QColor(theme.current().line)
        painter.setPen(QPen(colour, 2 if self.hovering else 1))
        painter.drawRoundedRect(area, RADIUS, RADIUS)
        # A's orange or B's blue runs along the top.
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(self.tone))
        painter.setClipRect(QRectF(0, 0, self.width(), 3))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)
        painter.end()
