"""One to six panels in a grid, made when they are first wanted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from app.toylab.panel import Panel

__all__ = ["Gallery", "arrange"]

MINIMUM_COLUMN = 56
"""Narrower than a panel wants to be: beside the ledger, on a small screen, they share what there is."""


def arrange(count: int) -> list[tuple[int, int, int]]:
    """(row, column, columns spanned) of so many panels on a grid six columns wide: at most three in a row."""
    if count <= 3:
        rows = [count]
    elif count == 4:
        rows = [2, 2]
    else:
        rows = [3, count - 3]
    return [(row, place * 6 // size, 6 // size) for row, size in enumerate(rows) for place in range(size)]


class Gallery(QWidget):
    """Shows the panels that are named, in the order that they are named in; keeps the others as they are, unseen."""

    made = Signal(object)
    """A panel was made."""

    def __init__(self, factories: dict[str, Callable[[], Panel]]) -> None:
        super().__init__()
        self._factories = factories
        self._panels: dict[str, Panel] = {}
        self.names: tuple[str, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)

    def panel(self, name: str) -> Panel:
        """The panel of that name, made if there is none yet."""
        if name not in self._panels:
            panel = self._panels[name] = self._factories[name]()
            panel.setParent(self)
            # All columns alike, whatever stands in their headers.
            panel.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
            panel.hide()
            self.made.emit(panel)
        return self._panels[name]

    @property
    def shown(self) -> list[Panel]:
        """The panels that are seen."""
        return [self._panels[name] for name in self.names]

    def show_panels(self, names: tuple[str, ...]) -> bool:
        """Show these and no others; whether that is a change."""
        if names == self.names:
            return False
        wanted = [self.panel(name) for name in names]
        for panel in self.shown:
            self._grid.removeWidget(panel)
            if panel not in wanted:
                panel.hide()
        self.names = names
        places = arrange(len(names))
        rows = places[-1][0] + 1
        for panel, (row, column, span) in zip(wanted, places, strict=True):
            self._grid.addWidget(panel, row, column, 1, span)
            panel.show()
        for column in range(6):
            self._grid.setColumnStretch(column, 1)
            self._grid.setColumnMinimumWidth(column, MINIMUM_COLUMN)
        for row in range(2):
            self._grid.setRowStretch(row, 1 if row < rows else 0)
        return True
