"""How the window keeps its work: states into the session and out of it, and what is to be said of that."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QObject, QUrl
from PySide6.QtGui import QDesktopServices

from flow_explorer.i18n import tr
from flow_explorer.shell.log import logger, sentence

if TYPE_CHECKING:
    from flow_explorer.main_window import MainWindow
    from flow_explorer.workspace import Entry, Workspace

__all__ = ["Keeping"]


class Keeping(QObject):
    """Between the window's workspaces and its session."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window, self._session = window, window.session
        self._odd: list[str] = []
        self._told = False
        self._session.collect = self.collect
        self._session.problem.connect(self.show_problem)

    # At the start

    def tell_what_was_found(self) -> None:
        """Say what is odd about the session and the settings as they were found."""
        for words in (*self._session.said, self._window.settings.said):
            if words:
                self.say_odd(words)
        if self._session.crashed:
            when = QDateTime.fromSecsSinceEpoch(int(self._session.saved_at)).toString("yyyy-MM-dd HH:mm:ss")
            self.say_odd(tr("Flow Explorer did not close properly last time; your work is back as it was at {when}.", when=when))
        if self._session.trouble:
            self.show_problem(self._session.trouble)

    def restore(self, workspace: Workspace, entry: Entry) -> None:
        """Give a workspace what the last session left of it. What cannot be taken up is said, and kept as it was."""
        stored = self._session.states.get(entry.id)
        if stored is None:
            return
        try:
            gone = workspace.restore(stored)
        except Exception as error:  # an odd session file costs the session, not the window
            logger.exception("the last session of %s cannot be restored", entry.id)
            words = tr("The last session could not be restored: {why}", why=sentence(error))
            self.say_odd(self._session.keep_copy(words), traceback.format_exc())
            return
        gone = [*(gone or ()), *self._restore_past(workspace, entry)]
        if gone:
            self.say_odd(self._session.keep_copy(" ".join(gone)))

    def _restore_past(self, workspace: Workspace, entry: Entry) -> list[str]:
        """Take up what could be undone; a sentence where that cannot be read."""
        past = self._session.pasts.get(entry.id)
        if not past:
            return []
        try:
            workspace.restore_past(past)
        except Exception as error:  # what is on screen is there all the same
            logger.exception("what could be undone in %s cannot be restored", entry.id)
            return [tr("What could be undone in {name} could not be restored: {why}", name=tr(entry.title), why=sentence(error))]
        return []

    def say_odd(self, words: str, details: str = "") -> None:
        """Say what is odd about the session; all of it stands in one banner, which stays where something was set aside."""
        if words not in self._odd:
            self._odd.append(words)
        act = (tr("Open its folder"), self._open_folder) if self._session.has_kept or self._window.settings.said else None
        self._window.notify(" ".join(self._odd), details, "notice", act)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._session.path.parent)))

    # While it is open

    def show_problem(self, words: str) -> None:
        """Say why the work is not kept, until it is again."""
        if words:
            logger.warning("the session is not kept: %s", words)
            self._window.context.trace("banner", kind="error", sentence=words)
        act = (tr("Save session…"), self._window.session_acts.ask_save)
        self._window.banners.show_lasting("session", words, act)

    def collect(self) -> None:
        """Give the session every workspace's state; raises OSError, at the end, where contents could not be put on disk."""
        failed: OSError | None = None
        for id, workspace in self._window.workspaces.items():
            try:
                try:
                    workspace.keep_contents()
                except OSError as error:
                    failed = failed or error
                self._session.states[id], self._session.pasts[id] = workspace.state(), workspace.past()
            except Exception:  # the other workspaces' work is still saved
                logger.exception("the state of %s cannot be saved", id)
        self._session.geometry = bytes(self._window.saveGeometry().toBase64().data()).decode("ascii")
        if failed is not None:
            raise failed

    # At the end

    def close(self, asked: bool) -> bool:
        """Save for the last time. False where that cannot be and the person, who ``asked`` for the end, has not been told yet:
        then the window stays open. A signal ends it all the same.
        """
        if self._session.close():
            return True
        if asked and not self._told:
            self._told = True
            self.show_problem(tr("{why} Close again to leave without it.", why=self._session.trouble))
            return False
        self._session.release()
        return True
