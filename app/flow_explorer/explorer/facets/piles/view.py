"""The canvas of the piles: two cards, the sheet of pairs, one pair large. Lays out and shows; knows nothing of the engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.piles.links import FitView
from flow_explorer.explorer.facets.piles.pair_view import FurtherZone, PairView
from flow_explorer.explorer.facets.piles.picture_set_card import PictureSetCard
from flow_explorer.explorer.facets.piles.saving import SaveView
from flow_explorer.explorer.facets.piles.sheet import PairSheet
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets import Button, EmptyState, Heading, IconButton, Label, ProgressView

__all__ = ["PilesView"]

PAIR_WIDTH = 232


class PilesView(QWidget):
    """The parts are public: whoever made it wires them."""

    fit_cancelled = Signal()
    refit_requested = Signal()
    folder_wanted = Signal(str)
    save_wanted = Signal()
    save_cancelled = Signal()
    replace_wanted = Signal()

    def __init__(self, original: Callable[[int], np.ndarray | None], translation: Callable[[int], np.ndarray | None],
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards = {which: PictureSetCard(which) for which in "AB"}
        self.sheet = PairSheet(original, translation)
        self.pair = PairView()
        self.further = FurtherZone()
        self._missing = "A"

        top = QHBoxLayout()
        top.setSpacing(16)
        for card in self.cards.values():
            top.addWidget(card, 1)
        cards = QWidget()
        cards.setLayout(top)
        top.setContentsMargins(0, 0, 0, 0)
        self._top = cards

        self.heading = Heading(tr("Originals above, translations below"))
        self.before = IconButton("chevron-left", tr("The page before"), size=28, icon_size=16)
        self.after = IconButton("chevron-right", tr("The next page"), size=28, icon_size=16)
        self.place = Label("", "muted")
        self.save = Button(tr("Save all…"), "plain", "save", tooltip=tr("Write every translation as a PNG into a folder"))
        bar = QHBoxLayout()
        bar.setSpacing(4)
        bar.addWidget(self.heading)
        bar.addStretch(1)
        for part in (self.before, self.place, self.after):
            bar.addWidget(part)
        bar.addSpacing(12)
        bar.addWidget(self.save)
        bar.addStrut(32)

        self.told = Label("", "muted", wrap=True)
        self.told.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.replace = Button(tr("Replace them"), "danger", tooltip=tr("Write over the files of these names"))
        self.dismiss = Button(tr("Cancel"), "quiet", tooltip=tr("Save nothing"))
        self._told_row = QWidget()
        row = QHBoxLayout(self._told_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.told, 1)
        row.addWidget(self.replace)
        row.addWidget(self.dismiss)
        self.saving = ProgressView(tr("Saving"), cancellable=True)

        self.empty = EmptyState("", icon="swap")
        self.empty_act = self.empty.add_action(tr("Choose a folder…"), self._act, "primary")
        self.fitting = ProgressView("", cancellable=True)
        waiting = QWidget()
        column = QVBoxLayout(waiting)
        column.setContentsMargins(48, 16, 48, 16)
        column.addStretch(1)
        column.addWidget(self.fitting)
        column.addStretch(1)
        self.pages = QStackedWidget()
        for page in (self.empty, waiting, self.sheet):
            self.pages.addWidget(page)

        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(cards)
        left.addSpacing(4)
        left.addLayout(bar)
        left.addWidget(self._told_row)
        left.addWidget(self.saving)
        left.addWidget(self.pages, 1)
        right = QVBoxLayout()
        right.setSpacing(12)
        right.addWidget(self.pair, 1)
        right.addWidget(self.further)
        side = QWidget()
        side.setLayout(right)
        right.setContentsMargins(0, 0, 0, 0)
        side.setFixedWidth(PAIR_WIDTH)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(24)
        layout.addLayout(left, 1)
        layout.addWidget(side)

        self.before.clicked.connect(lambda: self.sheet.turn(self.sheet.page - 1))
        self.after.clicked.connect(lambda: self.sheet.turn(self.sheet.page + 1))
        self.sheet.looked.connect(self._show_place)
        self.fitting.cancelled.connect(self.fit_cancelled)
        self.save.clicked.connect(self.save_wanted)
        self.saving.cancelled.connect(self.save_cancelled)
        self.dismiss.clicked.connect(self.save_cancelled)
        self.replace.clicked.connect(self.replace_wanted)
        self.show_saving(SaveView(), "")

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        # The cards give way to the sheet in a low window.
        self._top.setFixedHeight(max(128, min(220, round(0.27 * self.height()))))

    def set_smooth(self, smooth: bool) -> None:
        for part in (self.sheet, *(card.sheet for card in self.cards.values())):
            part.smooth = smooth
            part.update()
        self.pair.set_smooth(smooth)

    def show_sheet(self, fit: FitView, sentence: str, missing: str, count: int, selected: int, failed: set[int],
                   tones: tuple[str, str]) -> None:
        """`sentence` is what is missing before anything can be translated, `missing` the pile that it is about."""
        self._missing, self._again = missing, fit.stopped or bool(fit.error)
        self.sheet.show_pairs(count, selected, failed, tones)
        if sentence or fit.error or fit.stopped:
            said = sentence or fit.error or tr("Fitting was stopped: nothing is translated yet.")
            self.empty.set_sentence(said, "warning" if fit.error and not sentence else "muted")
            self.empty_act.setText(tr("Choose a folder…") if sentence else tr("Fit again"))
            self.empty_act.setVisible(not sentence or bool(missing))
            self.empty_act.updateGeometry()
            self.pages.setCurrentIndex(0)
        elif fit.busy:
            words = tr("Encoding {pile}…", pile=fit.words) if fit.words else tr("Making the way between them…")
            self.fitting.set_progress(fit.fraction, words if fit.fraction is not None else tr("Encoding both piles…"))
            self.pages.setCurrentIndex(1)
        else:
            self.pages.setCurrentIndex(2)
        self._show_place()

    def show_saving(self, view: SaveView, problem: str) -> None:
        """How saving goes; `problem` is what failed of the page or of a drop."""
        there = bool(view.there) and not view.busy
        words = view.error or problem or view.done
        if there:
            words = plural(view.there, "{count} file in {folder} has the name of a translation.",
                           "{count} files in {folder} have the names of translations.", folder=view.folder)  # fmt: skip
        self.told.setText(words)
        self.told.set_tone("warning" if view.error or problem or there else "good")
        self._told_row.setVisible(bool(words) and not view.busy)
        self.replace.setVisible(there)
        self.dismiss.setVisible(bool(words))
        self.dismiss.setText(tr("Cancel") if there else tr("Close"))
        self.saving.setVisible(view.busy)
        if view.busy:
            self.saving.set_progress(view.fraction, tr("Saving {words}", words=view.words) if view.words else tr("Saving…"))

    def _show_place(self) -> None:
        visible, sheet = self.sheet.visible, self.pages.currentIndex() == 2
        count = sum(1 for _ in visible)
        pages = self.sheet.pages()
        self.place.setText(tr("{first} to {last}", first=f"{visible.start + 1:,}", last=f"{visible.start + count:,}"))
        for part in (self.before, self.place, self.after):
            part.setVisible(sheet and pages > 1)
        self.before.setEnabled(self.sheet.page > 0)
        self.after.setEnabled(self.sheet.page < pages - 1)
        self.save.setEnabled(sheet)

    def _act(self) -> None:
        if self._again:
            self.refit_requested.emit()
        else:
            self.folder_wanted.emit(self._missing)

    _again = False

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) and self.pages.currentIndex() == 2:
            self.sheet.turn(self.sheet.page + (1 if event.key() == Qt.Key.Key_PageDown else -1))
        else:
            super().keyPressEvent(event)
