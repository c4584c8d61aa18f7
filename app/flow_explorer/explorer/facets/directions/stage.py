"""The moved picture, large, and the original beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QWidget

from flow_explorer.i18n import tr
from flow_explorer.widgets import Label, PictureLabel
from flow_explorer.widgets.plain import plain

__all__ = ["Stage"]

GAP = 16
CAPTION = 24
SMALLEST, LARGEST = 0.42, 0.62
"""The original's side as a share of the moved picture's: the less, the narrower the place."""


class Stage(QWidget):
    """Lays both out from the left; shows, and gives drags. Computes nothing."""

    def __init__(self, drag_original: Callable[[], QMimeData | None], drag_moved: Callable[[], QMimeData | None],
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.original_title = Label(tr("Before"), "muted", parent=self)
        self.moved_title = Label(tr("Moved"), "strong", parent=self)
        self.original = PictureLabel(tr("The picture before"), interactive=True, parent=self)
        self.moved = PictureLabel(tr("The moved picture"), interactive=True, parent=self)
        self.original.drag_data, self.moved.drag_data = drag_original, drag_moved
        self.original.setToolTip(tr("The picture that this view is about; drag it to A, to B, or out of the window."))
        self.moved.setToolTip(tr("The same picture, moved along every direction that is not at 0; drag it anywhere.\n"
                                 "z + Σ a σ v, decoded"))
        self._titles = ("", "")
        self.problem = Label("", "warning", wrap=True, parent=self)
        self.problem.hide()
        self.setMinimumSize(240, 160)

    def show_pictures(self, original: np.ndarray, moved: np.ndarray, title: str, words: str, problem: str) -> None:
        """`words` says what was done to the picture."""
        self.original.set_array(original)
        self.moved.set_array(moved)
        self._titles = (title, words)
        self.moved_title.setToolTip(plain(words))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._arrange()

    def set_smooth(self, smooth: bool) -> None:
        self.original.set_smooth(smooth)
        self.moved.set_smooth(smooth)

    def height_for(self, width: int) -> int:
        """How high it would like to be at this width: the moved picture as large as it can be."""
        foot = self.problem.heightForWidth(width) + 8 if not self.problem.isHidden() else 0
        return CAPTION + int((width - GAP) / (1 + SMALLEST)) + foot

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        foot = self.problem.heightForWidth(self.width()) + 8 if not self.problem.isHidden() else 0
        room = max(60, self.height() - CAPTION - foot)
        large = int(min(room, (self.width() - GAP) / (1 + SMALLEST)))
        small = int(min(LARGEST * large, self.width() - GAP - large))
        self.original_title.setGeometry(0, 0, small, CAPTION - 4)
        self.original.setGeometry(0, CAPTION, small, small)
        left = small + GAP
        for label, text, width in ((self.original_title, self._titles[0], small),
                                   (self.moved_title, self._titles[1], self.width() - left - 8)):  # fmt: skip
            label.setText(label.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width))
        self.moved_title.setGeometry(left, 0, max(large, self.width() - left), CAPTION - 4)
        self.moved.setGeometry(left, CAPTION, large, large)
        self.problem.setGeometry(0, CAPTION + large + 8, self.width(), max(0, foot - 8))
