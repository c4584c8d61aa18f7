"""Drops anywhere on the window: what no part of it takes for itself goes to the workspace in front, a session to the window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from flow_explorer.workspace import Workspace

if TYPE_CHECKING:
    from flow_explorer.shell.session_acts import SessionActs


class Drops(QObject):
    """Watches a window; Qt brings it the drags that the widgets under the pointer have not accepted."""

    def __init__(
        self, window: QWidget, current: Callable[[], Workspace | None], sessions: SessionActs | None = None
    ) -> None:
        super().__init__(window)
        self._sessions = sessions
        self._current = current
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        # A drag that enters is such an event, too.
        if not isinstance(event, QDropEvent) or kind not in (QEvent.Type.DragEnter, QEvent.Type.Drop):
            return False
        session = self._sessions.dropped(event.mimeData()) if self._sessions is not None else None
        if session is not None and self._sessions is not None:
            event.acceptProposedAction()
            if kind == QEvent.Type.Drop:
                self._sessions.open(session)
            return True
        workspace = self._current()
        if kind == QEvent.Type.Drop:
            if workspace is not None:
                event.acceptProposedAction()
                workspace.drop(event.mimeData())
            return True
        # A picture of ours that is dragged and let go beside its places was not meant for one.
        if event.source() is None and workspace is not None and workspace.can_drop(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()
        return True
