"""Work beside the window: one thread, which ends before the application does."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, QThreadPool

__all__ = ["OneThread"]


class OneThread(QObject):
    """Base of what works on another thread and comes back by a queued signal of its own."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.wait)

    def wait(self) -> None:
        """Let the thread end (the window closes); what has not begun is not begun."""
        self._pool.clear()
        self._pool.waitForDone()
