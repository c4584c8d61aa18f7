"""A panel of the toy lab: a card with a title at the left, a note or a legend at the right, and a plot below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.toylab.run import Run
from app.widgets import Card, Label

__all__ = ["HEADER", "Panel"]

HEADER = 28
"""Height of a panel's first line."""


class Panel(Card):
    """Base of the panels. ``show_run`` is called at every frame and draws only what has changed."""

    def __init__(self, title: str, note: str = "", right: QWidget | None = None, tooltip: str = "") -> None:
        super().__init__(margin=12)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(6)
        self.title = Label(title, "strong")
        self.note = Label(note, "muted")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.title.setToolTip(tooltip)
        self.note.setToolTip(tooltip)
        self.setAccessibleName(title)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addStrut(HEADER)  # the same in all panels, whatever stands at the right
        top.addWidget(self.title)
        top.addStretch(1)
        top.addWidget(right if right is not None else self.note)
        self.body.addLayout(top)
        self._shown: dict[str, tuple[int, int]] = {}

    def add(self, widget: QWidget) -> None:
        """Put the plot below the title."""
        self.body.addWidget(widget, 1)

    def news(self, run: Run, name: str) -> bool:
        """Whether ``run`` has something newer of a kind than what this panel has drawn; counts it as drawn."""
        mark = (run.number, run.version.get(name, 0))
        if self._shown.get(name) == mark:
            return False
        self._shown[name] = mark
        return True

    def show_run(self, run: Run) -> bool:
        """Draw what is new of ``run``; whether anything was."""
        raise TypeError(f"{type(self).__name__} does not define show_run")
