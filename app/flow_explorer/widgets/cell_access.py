"""The cells of a painted widget as a screen reader sees them: a list of items, each with its name, value, place and state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from flow_explorer.widgets.cells import CellView

__all__ = ["provide", "tell"]

_factory: Callable[[str, QObject], QAccessibleInterface | None] | None = None


def provide(kind: type[CellView]) -> None:
    """Let Qt ask here for what it tells screen readers of views of this kind; once is enough."""
    global _factory
    if _factory is not None:
        return

    def made(_class: str, thing: QObject) -> QAccessibleInterface | None:
        return _Cells(thing) if isinstance(thing, kind) else None

    _factory = made
    QAccessible.installFactory(made)


def tell(view: CellView) -> None:
    """Say that another cell has the focus."""
    if QAccessible.isActive() and view.hasFocus() and view.current in view.places():
        event = QAccessibleEvent(view, QAccessible.Event.Focus)
        event.setChild(sorted(view.places()).index(view.current))
        QAccessible.updateAccessibility(event)


class _Cells(QAccessibleWidget):
    """The widget; its children are the cells that can be seen, in order."""

    def __init__(self, view: CellView) -> None:
        super().__init__(view, QAccessible.Role.List, "")
        self._view = view
        self._cells: dict[int, _Cell] = {}
        self._ids: list[int] = []
        ids = self._ids
        # Qt keeps what it was given until it is told that it is gone.
        view.destroyed.connect(lambda: [QAccessible.deleteAccessibleInterface(known) for known in ids])

    def _of(self, index: int) -> _Cell:
        if index not in self._cells:
            self._cells[index] = _Cell(self._view, index)
            self._ids.append(QAccessible.registerAccessibleInterface(self._cells[index]))
        return self._cells[index]

    def childCount(self) -> int:
        return len(list(self._view.places()))

    def child(self, index: int) -> QAccessibleInterface | None:
        there = sorted(self._view.places())
        return self._of(there[index]) if 0 <= index < len(there) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        there = sorted(self._view.places())
        return there.index(child.index) if isinstance(child, _Cell) and child.index in there else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:
        index = self._view.index_at(self._view.mapFromGlobal(QRect(x, y, 1, 1).topLeft()).toPointF())
        return self._of(index) if index >= 0 else None

    def focusChild(self) -> QAccessibleInterface | None:
        view = self._view
        return self._of(view.current) if view.hasFocus() and view.current in view.places() else None


class _Cell(QAccessibleInterface):
    def __init__(self, view: CellView, index: int) -> None:
        super().__init__()
        self._view, self.index = view, index

    def isValid(self) -> bool:
        return isValid(self._view) and self.index in self._view.places()

    def object(self) -> Any:
        return None

    def window(self) -> Any:
        return None

    def parent(self) -> QAccessibleInterface:
        return QAccessible.queryAccessibleInterface(self._view)

    def child(self, index: int) -> Any:
        return None

    def childAt(self, x: int, y: int) -> Any:
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def relations(self, match: Any = None) -> list:
        return []

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def rect(self) -> QRect:
        area = self._view.area(self.index).toAlignedRect()
        return QRect(self._view.mapToGlobal(area.topLeft()), area.size())

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        pass

    def text(self, kind: QAccessible.Text) -> str:
        if not self.isValid():
            return ""
        says = {QAccessible.Text.Name: self._view.cell_name, QAccessible.Text.Value: self._view.cell_value}
        return says[kind](self.index) if kind in says else ""

    def state(self) -> QAccessible.State:
        state, view = QAccessible.State(), self._view
        if not self.isValid():
            state.invalid = 1
            return state
        state.selectable = 1
        state.selected = int(self.index == view.current)
        state.focusable = int(view.focusPolicy() != Qt.FocusPolicy.NoFocus)
        state.focused = int(bool(state.selected) and view.hasFocus())
        state.disabled, state.invisible = int(not view.isEnabled()), int(not view.isVisible())
        return state
