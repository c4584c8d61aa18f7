"""Asking for a file or a folder, in a dialog that does not hold the window up.

Each function opens the dialog over ``owner``'s window and returns it; ``done(path)`` follows where the person chose something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from flow_explorer.i18n import tr
from flow_explorer.settings import Settings

__all__ = ["LastFolder", "any_file", "ask_file", "ask_folder", "ask_save", "pictures"]


@dataclass(frozen=True)
class LastFolder:
    """Where a dialog begins: where something was chosen last, kept in the settings under ``key``.

    ``first`` is where the very first begins. A folder that is chosen is remembered by the one around it, with ``within`` itself.
    """

    settings: Settings
    key: str
    first: str = ""
    within: bool = False

    def __str__(self) -> str:
        return self.settings.get(self.key, self.first)

    def remember(self, path: str) -> None:
        """What was chosen."""
        self.settings.set(self.key, path if self.within else str(Path(path).parent))


Done = Callable[[str], object]
Start = LastFolder | str
"""Where a dialog begins; a text remembers nothing."""


def any_file() -> str:
    """The filter that shows everything."""
    return tr("All files (*)")


def pictures() -> list[str]:
    """The filters of picture files."""
    from flowcore.pictures.images import EXTENSIONS  # it needs numpy, which the window's start does without

    return [tr("Pictures ({kinds})", kinds=" ".join(f"*{extension}" for extension in EXTENSIONS)), any_file()]


def ask_file(owner: QWidget, title: str, done: Done, start: Start = "", filters: Sequence[str] = ()) -> QFileDialog:
    """Ask for a file that is there; ``filters`` as Qt has them: "Pictures (*.png *.jpg)"."""
    return _ask(owner, title, done, start, filters, QFileDialog.FileMode.ExistingFile)


def ask_folder(owner: QWidget, title: str, done: Done, start: Start = "") -> QFileDialog:
    """Ask for a folder."""
    return _ask(owner, title, done, start, (), QFileDialog.FileMode.Directory)


def ask_save(owner: QWidget, title: str, name: str, done: Done, start: Start = "", kind: str = "") -> QFileDialog:
    """Ask where to write; ``name`` is what is proposed, and its suffix is added where the person writes another or none.

    A file that is there is overwritten only after it was asked. ``kind`` is what the filter calls the files: "Checkpoints".
    """
    suffix = Path(name).suffix
    filters = [f"{kind or suffix[1:].upper()} (*{suffix})"]

    def chosen(path: str) -> None:
        if path.lower().endswith(suffix.lower()):
            done(path)
            return
        path += suffix  # "run 1.5" has a suffix to Qt, which asked about that name, not about this one
        if Path(path).exists():
            _ask_to_replace(owner, path, done)
        else:
            done(path)

    return _ask(owner, title, chosen, start, filters, QFileDialog.FileMode.AnyFile, name)


def _ask_to_replace(owner: QWidget, path: str, done: Done) -> None:
    box = QMessageBox(owner.window())
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(tr("Save"))
    box.setText(tr("{name} is there already. Replace it?", name=Path(path).name))
    replace = box.addButton(tr("Replace"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(tr("Keep"), QMessageBox.ButtonRole.RejectRole))
    box.buttonClicked.connect(lambda button: done(path) if button is replace else None)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def _ask(owner: QWidget, title: str, done: Done, start: Start, filters: Sequence[str], mode: QFileDialog.FileMode,
         name: str = "") -> QFileDialog:  # fmt: skip
    dialog = QFileDialog(owner.window(), title, str(start))
    dialog.setFileMode(mode)
    if filters:
        dialog.setNameFilters(list(filters))
    if name:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.selectFile(name)

    def chosen(path: str) -> None:
        if isinstance(start, LastFolder):
            start.remember(path)
        done(path)

    dialog.fileSelected.connect(chosen)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
