"""Save and open a session as one file: from the menu, by keys, by a drop, and from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject

from flow_explorer.dialogs.files import ask_file, ask_save
from flow_explorer.i18n import tr
from flow_explorer.shell import session_file
from flow_explorer.shell.log import logger, sentence
from flow_explorer.shell.session_file import SUFFIX, TRAINING_SUFFIX, SessionFile
from flow_explorer.widgets.dropping import local_files
from flowcore.errors import ConfigError, FlowError

if TYPE_CHECKING:
    from flow_explorer.main_window import MainWindow

__all__ = ["SessionActs"]


class SessionActs(QObject):
    """What the window does with session files. Opening one is an act of every workspace, which Undo takes back."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    # Out

    def ask_save(self) -> None:
        """Ask where to save the session."""
        name = tr("session") + SUFFIX
        ask_save(self._window, tr("Save session"), name, lambda path: self.save(Path(path)), self._folder(), tr("Sessions"))

    def save(self, path: Path) -> bool:
        """Write every workspace's state to a file, and say where it is or why not."""
        window = self._window
        try:
            session_file.write(path, SessionFile(self._parts(), window.session.workspace))
        except FlowError as error:
            window.notify(str(error))
            return False
        self._remember(path)
        window.notify(tr("The session is in {path}.", path=str(path)), kind="good")
        return True

    def _parts(self) -> dict:
        """Of what has not been visited since the start, the part that the last session left."""
        window = self._window
        parts = {}
        for entry in window.entries:
            # What lies beside the last session's file (pictures) is only the workspace's own to fetch.
            if entry.id == "explorer" and entry.id in window.session.states:
                window.workspace(entry.id)
            workspace = window.workspaces.get(entry.id)
            if workspace is not None:
                parts[entry.id] = workspace.portable()
            elif entry.id in window.session.states:
                parts[entry.id] = {"state": window.session.states[entry.id]}
        return parts

    # In

    def ask_open(self) -> None:
        """Ask for a session to open."""
        kinds = [tr("Sessions (*{suffix})", suffix=SUFFIX)]
        ask_file(self._window, tr("Open session"), lambda path: self.open(Path(path)), self._folder(), kinds)

    def open(self, path: Path) -> bool:
        """Take up a file's session: all that can be read of it, or nothing; says what is missing, or what is wrong."""
        window = self._window
        if path.suffix.lower() == TRAINING_SUFFIX:
            return self._open_training(path)
        try:
            session = session_file.read(path)
            takes = self._prepare(session, path)
        except FlowError as error:
            window.notify(tr("{why} Nothing was changed.", why=str(error)))
            return False
        except Exception as error:  # a hostile file costs a sentence, not the window
            logger.exception("the session %s cannot be opened", path)
            window.notify(tr("{name} cannot be opened: {why} Nothing was changed.", name=path.name, why=sentence(error)))
            return False
        said = [words for take in takes for words in take()]
        self._remember(path)
        if session.front in window.workspaces:
            window.show_workspace(session.front)
        window.session.touch()
        if said:
            window.notify(tr("{name} is open. {words}", name=path.name, words=" ".join(said)), kind="notice")
        else:
            window.notify(tr("{name} is open; Undo returns to what was here.", name=path.name), kind="good")
        return True

    def _open_training(self, path: Path) -> bool:
        """Hand a training to the toy lab, which reads it and says what is wrong; whether there is a toy lab."""
        lab = self._window.workspace("toylab")
        take = getattr(lab, "take_file", None)
        if take is None:
            self._window.notify(tr("{name} is a training of the toy lab, which is not part of this window.", name=path.name))
            return False
        self._window.show_workspace("toylab")
        take(str(path))
        self._remember(path)
        return True

    def _prepare(self, session: SessionFile, path: Path) -> list:
        """Everything read and checked before anything is changed."""
        window = self._window
        takes = []
        for entry in window.entries:
            part = session.workspaces.get(entry.id)
            workspace = window.workspace(entry.id) if part is not None else None
            if part is not None and workspace is not None:
                takes.append(workspace.prepare(part, path.parent))
        if not takes:
            raise ConfigError(tr("{name} holds nothing that this window can show.", name=path.name))
        return takes

    def dropped(self, mime: QMimeData) -> Path | None:
        """The session among what is dragged over the window, if there is one."""
        return next((path for path in local_files(mime) if session_file.is_session(path)), None)

    def _folder(self) -> str:
        return self._window.settings.get("session.folder", "")

    def _remember(self, path: Path) -> None:
        self._window.settings.set("session.folder", str(path.resolve().parent))
