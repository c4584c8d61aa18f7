"""One to six panels in a grid, made when they are first wanted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer.toylab.panels.panel import ToyPanel

__all__ = ["Gallery", "arrange"]

NARROW = 140
"""A panel narrower than this shows too little: then there are two in a row and not three."""


def arrange(count: int, narrow: bool = False) -> list[int]:
    """How many of so many panels stand in each row: at most three, in two rows; or where it is narrow two, in three."""
    if narrow:
        return [2] * (count // 2) + [1] * (count % 2)
    if count <= 3:
        return [count]
    return [2, 2] if count == 4 else [3, count - 3]


class Gallery(QWidget):
    """Shows the panels that are named, in the order that they are named in; keeps the others as they are, unseen."""

    made = Signal(object)
    """A panel was made."""

    def __init__(self, factories: dict[str, Callable[[], ToyPanel]]) -> None:
        super().__init__()
        self._factories = factories
        self._panels: dict[str, ToyPanel] = {}
        self.names: tuple[str, ...] = ()
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._rows = [QHBoxLayout() for _ in range(3)]
        self._narrow = False
        self._unit = 1.0
        for row in self._rows:
            row.setSpacing(12)
            column.addLayout(row)

    def panel(self, name: str) -> ToyPanel:
        """The panel of that name, made if there is none yet."""
        if name not in self._panels:
            panel = self._panels[name] = self._factories[name]()
            panel.setParent(self)
            # All alike, whatever stands in their headers and below them.
            panel.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            panel.set_unit(self._unit)
            panel.hide()
            self.made.emit(panel)
        return self._panels[name]

    def set_unit(self, unit: float) -> None:
        """Write in all panels so many times as large as usual."""
        self._unit = unit
        for panel in self._panels.values():
            panel.set_unit(unit)

    @property
    def shown(self) -> list[ToyPanel]:
        """The panels that are seen."""
        return [self._panels[name] for name in self.names]

    def show_panels(self, names: tuple[str, ...]) -> bool:
        """Show these and no others; whether that is a change."""
        if names == self.names:
            return False
        wanted = [self.panel(name) for name in names]
        for panel in self.shown:
            self._take_out(panel)
            if panel not in wanted:
                panel.hide()
        self.names = names
        self._place(wanted)
        return True

    def _place(self, panels: list[ToyPanel]) -> None:
        waiting = iter(panels)
        for number, size in enumerate([*arrange(len(panels), self._narrow), 0, 0][:3]):
            self._column.setStretch(number, 1 if size else 0)
            for _ in range(size):
                panel = next(waiting)
                self._rows[number].addWidget(panel, 1)
                panel.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = (self.width() - 24) / 3 < NARROW
        if narrow != self._narrow:
            self._narrow = narrow
            for panel in self.shown:
                self._take_out(panel)
            self._place(self.shown)

    def _take_out(self, panel: ToyPanel) -> None:
        for row in self._rows:
            row.removeWidget(panel)
