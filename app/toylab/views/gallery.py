"""One to six panels in a grid, made when they are first wanted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.toylab.panel import Panel

__all__ = ["Gallery", "arrange"]

def arrange(count: int) -> list[int]:
    """How many of so many panels stand in each row: at most three, and at most two rows."""
    if count <= 3:
        return [count]
    return [2, 2] if count == 4 else [3, count - 3]


class Gallery(QWidget):
    """Shows the panels that are named, in the order that they are named in; keeps the others as they are, unseen."""

    made = Signal(object)
    """A panel was made."""

    def __init__(self, factories: dict[str, Callable[[], Panel]]) -> None:
        super().__init__()
        self._factories = factories
        self._panels: dict[str, Panel] = {}
        self.names: tuple[str, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._rows = [QHBoxLayout(), QHBoxLayout()]
        for row in self._rows:
            row.setSpacing(12)
            column.addLayout(row)

    def panel(self, name: str) -> Panel:
        """The panel of that name, made if there is none yet."""
        if name not in self._panels:
            panel = self._panels[name] = self._factories[name]()
            panel.setParent(self)
            # All of a row alike, whatever stands in their headers.
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
            for row in self._rows:
                row.removeWidget(panel)
            if panel not in wanted:
                panel.hide()
        self.names = names
        waiting = iter(wanted)
        for number, size in enumerate([*arrange(len(names)), 0][:2]):
            self.layout().setStretch(number, 1 if size else 0)
            for _ in range(size):
                panel = next(waiting)
                self._rows[number].addWidget(panel, 1)
                panel.show()
        return True
