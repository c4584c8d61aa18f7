"""The button that switches the views: a menu of check marks that stays open while one chooses."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu

from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS, VIEWS
from flow_explorer.i18n import tr
from flow_explorer.toylab.views.names import MOST_PANELS, TEXTS, can_switch, panels_of
from flow_explorer.widgets import Button

__all__ = ["ViewsButton"]


class _StayingMenu(QMenu):
    """A menu that a check mark does not close."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._switch():
            super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chosen = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not (chosen and self._switch()):
            super().keyPressEvent(event)

    def _switch(self) -> bool:
        action = self.activeAction()
        if action is None or not action.isCheckable():
            return False
        if action.isEnabled():
            action.trigger()
        return True


class ViewsButton(Button):
    """Tells which view the person switched; shows which are on, without telling."""

    switched = Signal(str)
    restored = Signal()
    """The views of the beginning are wanted again."""

    def __init__(self) -> None:
        super().__init__(tr("Views"), tooltip=tr("Switch each view on or off: one to six panels.") + "\nV")
        self.setAccessibleName(self.text())
        menu = _StayingMenu(self)
        menu.setToolTipsVisible(True)
        menu.setAccessibleName(self.text())
        self.actions_by_name: dict[str, QAction] = {}
        for name in VIEWS:
            title, words = TEXTS[name]
            action = menu.addAction(tr(title))
            action.setCheckable(True)
            action.setToolTip(tr(words))
            action.triggered.connect(lambda _on, name=name: self.switched.emit(name))
            self.actions_by_name[name] = action
        menu.addSeparator()
        self._full = menu.addAction(tr("Six panels are the most: switch one off for another"))
        self._full.setEnabled(False)
        self._usual = menu.addAction(tr("The views of the beginning"))
        self._usual.triggered.connect(lambda _on: self.restored.emit())
        self.setMenu(menu)

    def show_views(self, views: tuple[str, ...]) -> None:
        """Show which are on, and which can be switched."""
        for name, action in self.actions_by_name.items():
            action.setChecked(name in views)
            action.setEnabled(can_switch(views, name))
        self._full.setVisible(len(panels_of(views)) >= MOST_PANELS)
        self._usual.setEnabled(views != DEFAULT_VIEWS)
