"""The new run's middle: where pictures are dropped, what was found in them, and what the run will cost."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import plural, tr
from flow_explorer.training.findings import time_words
from flow_explorer.widgets import Button, Card, EmptyState, Fold, Label, ProgressView, Spinner
from flow_explorer.widgets.picture import paint_picture
from flow_explorer.widgets.plain import plain
from flowcore.one_line import one_line

__all__ = ["EstimateCard", "FoundView", "Mosaic", "memory_words"]

CELL, GAP = 72, 4
CLASSES_SHOWN, LEFT_OUT_SHOWN = 12, 40


def memory_words(count: int | None) -> str:
    """Bytes as a person says them."""
    if count is None:
        return "–"
    return tr("{n} MB", n=f"{count / 1e6:,.0f}") if count < 2e9 else tr("{n} GB", n=f"{count / 1e9:.1f}")


class Mosaic(QWidget):
    """Thumbnails side by side, as many as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._images: list[QImage] = []
        self.setAccessibleName(tr("Some of the pictures that were found"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(CELL)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(600, 3 * (CELL + GAP))

    def set_thumbnails(self, encoded: list[str]) -> None:
        """Show PNGs in base 64."""
        self._images = [
            QImage.fromData(base64.b64decode(text), "PNG")  # pyright: ignore[reportArgumentType]  # Qt wants the name as str
            for text in encoded
        ]
        self.update()

    def _columns(self) -> int:
        """So few that the pictures are as large as they can be while all (or most) of them are seen."""
        width, height, count = self.width(), self.height(), max(1, len(self._images))
        for columns in range(max(1, width // 160), max(2, width // 48)):
            side = (width - (columns - 1) * GAP) / columns
            rows = max(1, int((height + GAP) // (side + GAP)))
            if rows * columns >= count:
                return columns
        return max(1, (width + GAP) // (CELL + GAP))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._images:
            return
        painter = QPainter(self)
        columns = self._columns()
        side = (self.width() - (columns - 1) * GAP) / columns
        rows = max(1, int((self.height() + GAP + 1) // (side + GAP)))
        pixels = round(side * self.devicePixelRatioF())
        for index, image in enumerate(self._images[: rows * columns]):
            area = QRectF(index % columns * (side + GAP), index // columns * (side + GAP), side, side)
            scaled = image.scaled(pixels, pixels, Qt.AspectRatioMode.IgnoreAspectRatio,
                                  Qt.TransformationMode.SmoothTransformation)  # fmt: skip
            paint_picture(painter, area, scaled)


class _Figure(QWidget):
    """A figure with its name below."""

    def __init__(self, name: str, tooltip: str) -> None:
        super().__init__()
        self.value, self.name = Label("–", "title"), Label(name, "muted")
        self.setToolTip(plain(tooltip))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.value)
        layout.addWidget(self.name)

    def set_value(self, text: str) -> None:
        """Show another figure."""
        self.value.setText(text)
        self.setAccessibleName(f"{self.name.text()}: {text}")


class EstimateCard(Card):
    """Parameters, memory, time of an epoch and of the whole, measured by steps that are thrown away."""

    again = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__(margin=16)
        self.body.setContentsMargins(16, 8, 16, 16)
        self.title = Label(tr("Before you start"), "strong")
        self.spinner = Spinner()
        self.note = Label("", "muted", wrap=True)
        self.cancel = Button(tr("Cancel"), "quiet")
        self.measure = Button(tr("Measure"), "plain", tooltip=tr("Take a few steps of this run and throw them away."))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.title)
        top.addSpacing(8)
        top.addWidget(self.spinner)
        top.addWidget(self.note, 1)
        top.addWidget(self.cancel)
        top.addWidget(self.measure)
        top.addStrut(32)
        self.body.addLayout(top)
        self.figures = {
            "parameters": _Figure(tr("parameters"), tr("Numbers that the model learns, counted exactly.")),
            "memory": _Figure(tr("memory"), tr("The most that the training's process held in these steps.")),
            "epoch": _Figure(tr("an epoch"), tr("How long every picture takes once, at the pace of these steps.")),
            "total": _Figure(tr("the whole run"), tr("All its steps at that pace, without evaluations.")),
        }
        row = QGridLayout()
        row.setHorizontalSpacing(16)
        for column, figure in enumerate(self.figures.values()):
            row.addWidget(figure, 0, column)
            row.setColumnStretch(column, 1)
        self.body.addLayout(row)
        self.cancel.clicked.connect(self.cancelled)
        self.measure.clicked.connect(self.again)
        self.show_estimate(None, False, "")

    def show_estimate(self, estimate: dict[str, Any] | None, busy: bool, problem: str, crowded: bool = False) -> None:
        """Show the figures; None where there are none yet. ``crowded``: another run takes its share of the computer."""
        found = estimate or {}
        self.figures["parameters"].set_value(f"{found['parameters']:,}" if found else "–")
        self.figures["memory"].set_value(memory_words(found.get("memory_bytes")))
        self.figures["epoch"].set_value(time_words(found.get("seconds_per_epoch")))
        self.figures["total"].set_value(time_words(found.get("seconds_total")))
        self.spinner.setVisible(busy)
        self.cancel.setVisible(busy)
        self.measure.setVisible(not busy and not found)
        self.note.set_tone("warning" if problem else "muted")
        if problem:
            self.note.setText(problem)
        elif busy:
            self.note.setText(tr("Measuring a few real steps on this computer…"))
        elif found:
            pace = time_words(found["seconds_per_step"])
            words = tr("{pace} a step of {batch} pictures, on {device}", pace=pace, batch=found["batch"],
                       device=found["device"].upper())  # fmt: skip
            self.note.setText(words)
        else:
            self.note.setText(tr("A run trains now, so times would come out longer.") if crowded else "")


class FoundView(QWidget):
    """An invitation to drop pictures; then what is in them."""

    choose_folder = Signal()
    choose_file = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.empty = EmptyState(tr("Drop a folder of pictures here. Subfolders become classes."), icon="folder")
        self.empty.setAccessibleName(tr("Drop a folder of pictures"))
        title = Label(tr("Train a flow on your own pictures"), "title")
        self.empty.add_title(title)
        self.folder_button = self.empty.add_action(tr("Choose a folder…"), self.choose_folder.emit, "primary")
        self.file_button = self.empty.add_action(tr("Choose a file (zip, npz, idx)…"), self.choose_file.emit)
        self.reading = ProgressView(tr("Looking at the pictures…"), cancellable=True)
        self.reading.cancelled.connect(self.cancelled)
        waiting = QWidget()
        column = QVBoxLayout(waiting)
        column.setContentsMargins(48, 16, 48, 16)
        column.addStretch(1)
        column.addWidget(self.reading)
        column.addStretch(1)
        self.headline = Label("", "title")
        self.where = Label("", "muted")
        self.where.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.other = Button(tr("Other pictures…"), "plain", "folder")
        self.other.clicked.connect(self.choose_folder)
        self.facts = Label("", "muted", wrap=True)
        self.mosaic = Mosaic()
        self.left_out = Fold("")
        self.left_out_list = Label("", "small", wrap=True)
        self.left_out_list.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.left_out.add(self.left_out_list)
        result = QWidget()
        body = QVBoxLayout(result)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(8)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.headline)
        top.addWidget(self.where, 1)
        top.addWidget(self.other)
        body.addLayout(top)
        body.addWidget(self.facts)
        body.addSpacing(4)
        body.addWidget(self.mosaic, 1)
        body.addWidget(self.left_out)
        self.pages = QStackedWidget()
        for page in (self.empty, waiting, result):
            self.pages.addWidget(page)
        card = Card(margin=0)
        card.body.addWidget(self.pages)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)

    def invite(self, problem: str = "") -> None:
        """Nothing is chosen, or what was chosen cannot be used."""
        words = tr("Drop a folder of pictures here. Subfolders become classes.")
        self.empty.set_sentence(f"{problem}\n\n{words}" if problem else words, "warning" if problem else "muted")
        self.pages.setCurrentIndex(0)

    def show_reading(self, path: str, done: int = 0, total: int = 0) -> None:
        """It is being looked at."""
        words = tr("Looking at {name}…", name=Path(path).name)
        if total:
            words = tr("Looking at {name}: {done} of {total} files", name=Path(path).name, done=f"{done:,}", total=f"{total:,}")
        self.reading.set_progress(done / total if total else None, words)
        self.pages.setCurrentIndex(1)

    def show_found(self, found: dict[str, Any]) -> None:
        """What is there."""
        self.headline.setText(plural(found["count"], "{count} picture", "{count} pictures"))
        self.where.setText(one_line(found["path"]))
        self.where.setToolTip(plain(found["path"]))
        self.facts.setText("\n".join(filter(None, (_sizes(found), _classes(found)))))
        self.mosaic.set_thumbnails(found["thumbnails"])
        count = found["left_out_count"]
        self.left_out.setVisible(count > 0)
        if count:
            self.left_out.header.setText(plural(count, "{count} file is left out", "{count} files are left out"))
            self.left_out.header.setAccessibleName(self.left_out.header.text())
            shown = found["left_out"][:LEFT_OUT_SHOWN]
            rows = [sentence if name in sentence else f"{name}: {sentence}" for name, sentence in shown]
            if count > len(rows):
                rows.append(tr("… and {n} more", n=f"{count - len(rows):,}"))
            self.left_out_list.setText("\n".join(map(one_line, rows)))
        self.pages.setCurrentIndex(2)


def _sizes(found: dict[str, Any]) -> str:
    small, large = ("×".join(map(str, found[name])) for name in ("smallest", "largest"))
    words = small if found["one_size"] else tr("{small} to {large} pixels", small=small, large=large)
    parts = [words, tr("grey") if found["grey"] else tr("in colour")]
    if found["streamed"]:
        parts.append(tr("more than memory holds: read from disk as they are used"))
    return " · ".join(parts)


def _classes(found: dict[str, Any]) -> str:
    classes = found["classes"]
    if not classes:
        return tr("No classes: the pictures lie in one folder, or have no labels.")
    names = ", ".join(f"{one_line(name, 60)} {count:,}" for name, count in classes[:CLASSES_SHOWN])
    rest = len(classes) - CLASSES_SHOWN
    return tr("{n} classes: {names}", n=len(classes), names=names) + (f" … +{rest}" if rest > 0 else "")
