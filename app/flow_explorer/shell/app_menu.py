"""The application's menu at the foot of the rail: sessions, appearance, help, about, quit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QMenu

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.shell.log import log_folder

if TYPE_CHECKING:
    from flow_explorer.main_window import MainWindow


def fill_app_menu(window: MainWindow) -> QMenu:
    """Give the rail's menu button its menu, and return it."""
    menu = QMenu(window)
    for text, icon, act, keys in (
        (tr("Open session…"), "open", window.session_acts.ask_open, "Ctrl+Shift+O"),
        (tr("Save session…"), "save", window.session_acts.ask_save, "Ctrl+Shift+S"),
    ):
        action = menu.addAction(icons.icon(icon, "muted"), text, act)
        # Shown here; bound by the window.
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    menu.addSeparator()
    looks = menu.addMenu(icons.icon("sun", "muted"), tr("Appearance"))
    group = QActionGroup(looks)
    for name, words in (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark"))):
        action = QAction(words, looks, checkable=True)
        action.setData(name)
        action.triggered.connect(lambda _checked=False, name=name: window.choose_theme(name))
        group.addAction(action)
        looks.addAction(action)

    def mark() -> None:
        for action in group.actions():
            action.setChecked(action.data() == theme.choice())

    looks.aboutToShow.connect(mark)
    menu.addSeparator()
    menu.addAction(icons.icon("help", "muted"), tr("First steps"), window.show_hint)
    menu.addAction(icons.icon("keyboard", "muted"), tr("Keyboard shortcuts"), window.show_shortcuts)
    menu.addAction(
        icons.icon("log", "muted"), tr("Open the log folder"),
        lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder()))),
    )
    menu.addSeparator()
    menu.addAction(icons.icon("info", "muted"), tr("About Flow Explorer"), window.show_about)
    menu.addAction(tr("Quit"), window.quit)

    def open_menu() -> None:
        button = window.rail.menu_button
        menu.popup(button.mapToGlobal(QPoint(button.width() + 8, button.height() - menu.sizeHint().height())))

    window.rail.menu_button.clicked.connect(open_menu)
    return menu
