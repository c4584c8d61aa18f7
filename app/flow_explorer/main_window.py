"""The window: rail, top bar, banners, a stack of workspaces, and the inspector's column.

It knows workspaces only by ``flow_explorer.workspace``: it makes them on their first visit, gives them the engine,
binds undo, redo, save and their keys while they are in front, and keeps their states in the session.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QMimeData, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer import icons, theme
from flow_explorer.dialogs.hint import HintStrip
from flow_explorer.engine.client import EngineClient
from flow_explorer.i18n import tr
from flow_explorer.settings import Settings
from flow_explorer.shell.app_menu import fill_app_menu
from flow_explorer.shell.banners import Banners
from flow_explorer.shell.column import Column
from flow_explorer.shell.drops import Drops
from flow_explorer.shell.history_panel import HistoryPanel
from flow_explorer.shell.keeping import Keeping
from flow_explorer.shell.keys import is_plain, matches
from flow_explorer.shell.log import logger, sentence
from flow_explorer.shell.rail import Rail
from flow_explorer.shell.session import WindowSession
from flow_explorer.shell.session_acts import SessionActs
from flow_explorer.shell.topbar import TopBar
from flow_explorer.widgets import EmptyState
from flow_explorer.workspace import INSPECTOR_WIDTH, REGISTRY, Command, Entry, Workspace, WorkspaceContext

MINIMUM = (1024, 640)
DEFAULT = (1440, 900)


class MainWindow(QWidget):
    """Make it, ``show`` it, then call ``begin``: workspaces are imported from there on, never before."""

    workspace_shown = Signal(str)
    first_shown = Signal()

    def __init__(
        self,
        engine: EngineClient,
        settings: Settings,
        session: WindowSession,
        trace: Any = None,
        options: dict[str, Any] | None = None,
        entries: Sequence[Entry] | None = None,
    ) -> None:
        """Build the frame around the workspaces; ``entries`` are by default all those that are installed."""
        super().__init__()
        self.engine, self.settings, self.session = engine, settings, session
        self.entries = [entry for entry in (REGISTRY if entries is None else entries) if entry.exists()]
        self.workspaces: dict[str, Workspace] = {}
        self._pages: dict[str, QWidget] = {}
        self._shortcuts: dict[str, list[QShortcut]] = {}
        self._commands: dict[str, list[Command]] = {}
        self._front = ""
        self._seen = self._begun = self._quitting = False
        self._engine_was_ready = False
        self.context = WorkspaceContext(engine, settings, self.notify, open_model=self.open_model, options=dict(options or {}))
        if trace is not None:
            self.context.trace = trace
        self.setWindowTitle("Flow Explorer")
        self.setWindowIcon(icons.application_icon())
        self.setMinimumSize(*MINIMUM)
        self.setProperty("surface", "window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.resize(*DEFAULT)
        # A click beside every control takes the focus here, so that plain keys (Space, 1, 2) reach the
        # window.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.session_acts = SessionActs(self)
        self._build()
        self._bind()
        Drops(self, lambda: self.current, self.session_acts)
        self.keeping = Keeping(self)

    def _build(self) -> None:
        self.topbar = TopBar(self.engine)
        self.rail = Rail(self.entries)
        self.banners = Banners()
        self.hint = HintStrip()
        self.stack = QStackedWidget()
        self.column = Column()
        self._blank = QWidget()
        self.column.addWidget(self._blank)
        centre = QVBoxLayout()
        centre.setSpacing(0)
        centre.addWidget(self.banners)
        centre.addWidget(self.hint)
        centre.addWidget(self.stack, 1)
        below = QHBoxLayout()
        below.setSpacing(0)
        below.addWidget(self.rail)
        below.addLayout(centre, 1)
        below.addWidget(self.column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.topbar)
        layout.addLayout(below, 1)
        self.history_panel = HistoryPanel(self)
        self._refresh_sidebar()
        self._refresh_history()

    def _bind(self) -> None:
        bar = self.topbar
        self.rail.chosen.connect(self.show_workspace)
        bar.undo.clicked.connect(self.undo)
        bar.redo.clicked.connect(self.redo)
        bar.history.clicked.connect(self.toggle_history)
        self.history_panel.closed.connect(lambda: self.setFocus(Qt.FocusReason.OtherFocusReason))
        bar.sidebar.clicked.connect(self.toggle_inspector)
        bar.device.chosen.connect(self._choose_device)
        bar.save.menu().aboutToShow.connect(self._fill_save)
        self.hint.understood.connect(lambda: self.settings.set(f"hint.{self._front}.seen", True))
        self.hint.keys_wanted.connect(self.show_shortcuts)
        self.app_menu = fill_app_menu(self)
        for keys, act, repeats in (
            (QKeySequence.keyBindings(QKeySequence.StandardKey.Undo), self.undo, True),
            ([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")], self.redo, True),
            ([QKeySequence("Ctrl+S")], self.save, False),
            ([QKeySequence("F1")], self.show_shortcuts, False),
            ([QKeySequence("Ctrl+\\")], self.toggle_inspector, False),
            ([QKeySequence("Ctrl+H")], self.toggle_history, False),
            ([QKeySequence("Ctrl+Shift+S")], self.session_acts.ask_save, False),
            ([QKeySequence("Ctrl+Shift+O")], self.session_acts.ask_open, False),
            ([QKeySequence("Ctrl+Q")], self.quit, False),
        ):
            self._shortcut(list(keys), act, repeats)
        self._plain_keys: dict[str, Command] = {"?": Command(tr("This sheet"), ("?",), self.show_shortcuts)}
        for index, entry in enumerate(self.entries):
            go = Command(entry.title, (str(index + 1),), lambda id=entry.id: self.show_workspace(id))
            self._plain_keys[str(index + 1)] = go
        self.engine.ready.connect(self._on_engine_ready)
        self.engine.restarted.connect(self._on_engine_restarted)
        self.engine.device_changed.connect(self._on_device_changed)
        self.engine.trouble.connect(
            lambda words, help: self.banners.show_lasting("engine", words, (help, self.engine.restart) if help else None)
        )
        self.engine.notice.connect(lambda words: self.notify(words, kind="notice"))

    def _shortcut(self, keys: list[QKeySequence], act: Any, repeats: bool) -> QShortcut:
        shortcut = QShortcut(self)
        shortcut.setKeys(keys)
        shortcut.setAutoRepeat(repeats)
        shortcut.activated.connect(act)
        return shortcut

    # Workspaces

    def begin(self, workspace: str = "") -> None:
        """Bring the first workspace to the front: ``workspace``, or the last session's, or the first there is."""
        self._begun = True
        known = [entry.id for entry in self.entries]
        for candidate in (workspace, self.session.workspace, *known):
            if candidate in known:
                self.show_workspace(candidate)
                break
        self.keeping.tell_what_was_found()

    @property
    def current(self) -> Workspace | None:
        """The workspace in front, None while there is none."""
        return self.workspaces.get(self._front)

    def workspace(self, id: str) -> Workspace | None:
        """A workspace by its id, made if it has not been visited yet; None where there is none or it cannot be made."""
        entry = next((entry for entry in self.entries if entry.id == id), None)
        if entry is not None and id not in self._pages:
            self._make(entry)
            for shortcut in self._shortcuts.get(id, ()):
                shortcut.setEnabled(id == self._front)
        return self.workspaces.get(id)

    def show_workspace(self, id: str) -> None:
        """Bring a workspace to the front, making it on its first visit."""
        self.rail.set_current(id)
        if id == self._front:
            return
        if self.current is not None:
            self.current.hidden()
        self._front = id
        self.session.workspace = id
        if id not in self._pages:
            self._make(next(entry for entry in self.entries if entry.id == id))
        self.stack.setCurrentWidget(self._pages[id])
        workspace = self.current
        self.hint.hide()
        self._hint(id)
        for name, shortcuts in self._shortcuts.items():
            for shortcut in shortcuts:
                shortcut.setEnabled(name == id)
        self._refresh_parts()
        self._refresh_history()
        self.history_panel.show_history(*self._present_history())
        if workspace is not None:
            workspace.shown()
        self.session.touch()
        self.context.trace("workspace", id=id)
        self.workspace_shown.emit(id)

    def open_model(self, path: str) -> None:
        """Bring the Explorer to the front, with the checkpoint ``path`` as if it had been dropped there."""
        if not any(entry.id == "explorer" for entry in self.entries):
            return
        self.show_workspace("explorer")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(path)])

        def drop() -> None:
            if "explorer" in self.workspaces:
                self.workspaces["explorer"].drop(mime)

        # On its first visit the Explorer begins with the last session's model once it is back in the event loop.
        QTimer.singleShot(0, self, drop)

    def _make(self, entry: Entry) -> None:
        try:
            workspace = importlib.import_module(entry.module).create(self.context)
        except Exception as error:  # a workspace that fails must not take the window with it
            logger.exception("the workspace %s cannot be opened", entry.id)
            self._pages[entry.id] = self._failed(entry, error)
            self.stack.addWidget(self._pages[entry.id])
            return
        self.workspaces[entry.id] = workspace
        self._pages[entry.id] = workspace.canvas()
        self.stack.addWidget(self._pages[entry.id])
        self.keeping.restore(workspace, entry)
        workspace.history.subscribe(lambda _state: self._refresh_history())
        workspace.thumbnail_changed.connect(self.history_panel.thumbnail_changed)
        workspace.state_changed.connect(self.session.touch)
        workspace.topbar_changed.connect(self._refresh_parts)
        self._commands[entry.id] = workspace.commands()
        self._shortcuts[entry.id] = [
            self._shortcut(modified, command.run, command.repeats)
            for command in self._commands[entry.id]
            if (modified := [QKeySequence(key) for key in command.keys if not is_plain(key)])
        ]
        if self._engine_was_ready:
            workspace.engine_ready(self._engine_info())

    def _failed(self, entry: Entry, error: Exception) -> QWidget:
        details = traceback.format_exc()
        words = tr("{name} could not be opened: {why}", name=tr(entry.title), why=sentence(error))
        page = EmptyState(words, icon="warning")
        page.add_action(tr("Copy details"), lambda: QGuiApplication.clipboard().setText(details))
        return page

    def _refresh_parts(self) -> None:
        workspace = self.current
        inspector = workspace.inspector() if workspace is not None else None
        if inspector is not None and self.column.indexOf(inspector) < 0:
            self.column.addWidget(inspector)
        self.column.setCurrentWidget(inspector or self._blank)
        self.topbar.show_part(workspace.topbar() if workspace is not None else None)
        self.topbar.save.setVisible(workspace is not None and bool(workspace.save_menu()))
        self._refresh_sidebar()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plain keys (no Ctrl, Alt, Meta) come here when the control that has the focus has no use for them."""
        pressed = QKeySequence(event.keyCombination().toCombined() & ~Qt.KeyboardModifier.KeypadModifier.value)
        commands = [*self._commands.get(self._front, ()), *self._plain_keys.values()]
        for command in commands:
            if any(is_plain(key) and matches(key, pressed, event.text()) for key in command.keys):
                if command.repeats or not event.isAutoRepeat():
                    command.run()
                return
        super().keyPressEvent(event)

    # The engine

    def _engine_info(self) -> dict[str, Any]:
        return {"devices": self.engine.devices, "device": self.engine.device, "versions": self.engine.versions}

    def _on_engine_ready(self, info: dict[str, Any]) -> None:
        self.context.trace("engine_ready", device=info.get("device"))
        if not self._engine_was_ready:
            self._engine_was_ready = True
            for workspace in self.workspaces.values():
                workspace.engine_ready(info)

    def _on_engine_restarted(self) -> None:
        self.context.trace("engine_restarted")
        for workspace in self.workspaces.values():
            workspace.engine_restarted()

    def _choose_device(self, device: str) -> None:
        self.settings.set("device", device)
        self.engine.set_device(device)

    def _on_device_changed(self, device: str) -> None:
        for workspace in self.workspaces.values():
            workspace.device_changed(device)

    # Acts

    def undo(self) -> None:
        """Take back the last act of the workspace in front."""
        if self.current is not None:
            self.current.history.undo()

    def redo(self) -> None:
        """Do it again."""
        if self.current is not None:
            self.current.history.redo()

    def save(self) -> None:
        """Do the first thing that the workspace's Save offers and can do now."""
        for _text, act, enabled in self.current.save_menu() if self.current is not None else ():
            if enabled:
                act()
                return

    def _fill_save(self) -> None:
        menu = self.topbar.save.menu()
        menu.clear()
        for index, (text, act, enabled) in enumerate(self.current.save_menu() if self.current is not None else ()):
            action = menu.addAction(text, act)
            action.setEnabled(enabled)
            if index == 0:
                action.setShortcut(QKeySequence("Ctrl+S"))
                # Shown here; bound by the window.
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)

    def _refresh_history(self) -> None:
        history = self.current.history if self.current is not None else None
        for button, can, verb, label, keys in (
            (self.topbar.undo, history and history.can_undo, tr("Undo"), history and history.undo_label, "Ctrl+Z"),
            (self.topbar.redo, history and history.can_redo, tr("Redo"), history and history.redo_label, "Ctrl+Y"),
        ):
            button.setEnabled(bool(can))
            what = f"{verb}: {label}" if can and label else verb
            button.set_name(what, f"{what}  ({keys})")

    def _present_history(self) -> tuple[Any, Callable[[int], QImage | None]]:
        workspace = self.current
        return (workspace.history, workspace.thumbnail) if workspace is not None else (None, lambda _serial: None)

    def toggle_history(self) -> None:
        """Show every act so far in a list to return to, or put the list away."""
        if self.history_panel.isVisible():
            self.history_panel.hide_panel()
        else:
            self._place_history()
            self.history_panel.show_panel()

    def _place_history(self) -> None:
        top = self.topbar.height()
        self.history_panel.setGeometry(self.width() - INSPECTOR_WIDTH, top, INSPECTOR_WIDTH, self.height() - top)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_history()

    def toggle_inspector(self) -> None:
        """Fold the inspector away, or bring it back."""
        self.settings.set("inspector.shown", not self.settings.get("inspector.shown", True))
        self._refresh_sidebar()

    def _refresh_sidebar(self) -> None:
        shown = self.settings.get("inspector.shown", True)
        there = self.column.currentWidget() is not self._blank
        self.column.setVisible(shown and (there or not self._begun))
        words = tr("Hide the inspector") if shown else tr("Show the inspector")
        self.topbar.sidebar.set_name(words, words + "  (Ctrl+\\)")
        self.topbar.sidebar.setVisible(there or not self._begun)

    def choose_theme(self, wanted: str) -> None:
        """Follow the system, or stay light or dark."""
        self.settings.set("theme", wanted)
        theme.choose(wanted)

    def show_shortcuts(self) -> None:
        """Open the sheet of keys."""
        from flow_explorer.dialogs.shortcuts import ShortcutsSheet

        title = next((tr(entry.title) for entry in self.entries if entry.id == self._front), "")
        ShortcutsSheet(title, self._commands.get(self._front, []), self.entries, self).open()

    def show_about(self) -> None:
        """Open the About page."""
        from flow_explorer.dialogs.about import AboutDialog

        extra = [row for workspace in self.workspaces.values() for row in workspace.about_data()]
        AboutDialog(self.engine.versions, extra, self).open()

    def show_hint(self) -> None:
        """Show the first steps again."""
        self._hint(self._front, again=True)

    def _hint(self, id: str, again: bool = False) -> None:
        workspace = self.workspaces.get(id)
        words = workspace.hint() if workspace is not None else ""
        seen = self.settings.get(f"hint.{id}.seen", False)
        wanted = words and id == self._front and not self.context.options.get("screenshot")
        if wanted and (again or not seen):
            self.hint.show_hint(words)

    # Messages, idleness, session

    def notify(self, words: str, details: str = "", kind: str = "error", act: Any = None) -> None:
        """Show a banner under the top bar."""
        self.context.trace("banner", kind=kind, sentence=words)
        self.banners.show_message(words, details, kind, act)

    def is_idle(self) -> bool:
        """Whether what is on screen is final."""
        workspace = self.current
        return self._begun and self.engine.is_idle() and (workspace is None or workspace.is_idle())

    def restore_geometry(self) -> None:
        """Take the size and place of the last session."""
        if self.session.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.session.geometry.encode("ascii", "ignore")))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._seen:
            self._seen = True
            self.setFocus(Qt.FocusReason.OtherFocusReason)
            QTimer.singleShot(0, self, self.first_shown.emit)

    def quit(self) -> None:
        """Close, as the person wishes: what cannot be kept is said first."""
        self._quitting = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        # Hidden first: a walk that plays stops where it is, and that place is part of the session.
        for workspace in self.workspaces.values():
            workspace.hidden()
        if not self.keeping.close(asked=event.spontaneous() or self._quitting):
            self._quitting = False
            if self.current is not None:
                self.current.shown()
            event.ignore()
            return
        self.engine.stop()
        super().closeEvent(event)
