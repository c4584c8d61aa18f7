"""Between the picker, the sheets in which a target is made, and the controller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtWidgets import QWidget

from flow_explorer.dialogs.files import LastFolder, ask_file
from flow_explorer.i18n import tr
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.inspector import ToyInspector
from flow_explorer.toylab.target.draw import DrawSheet
from flow_explorer.toylab.target.formula import FormulaSheet
from flow_explorer.toylab.target.points import SUFFIXES, PointsSheet
from flow_explorer.toylab.target.sheet import TargetSheet
from flow_explorer.toylab.target_worker import Worker
from flow_explorer.workspace import WorkspaceContext
from flowcore.errors import FlowError
from flowcore.pictures import recipe
from flowcore.pictures.images import read_picture
from flowcore.plane.targets import targets as toy_targets

__all__ = ["TargetLink"]


SheetT = TypeVar("SheetT", bound=TargetSheet)


class TargetLink:
    """Opens the sheets over the canvas when they are first wanted, and makes what they give the target, one act each."""

    def __init__(self, controller: ToyController, canvas: QWidget, panel: ToyInspector, context: WorkspaceContext) -> None:
        self.controller, self.canvas, self.panel, self.context = controller, canvas, panel, context
        self._sheets: dict[type[TargetSheet], TargetSheet] = {}
        self.worker = Worker(canvas)
        panel.density.chosen.connect(lambda name: controller.set_target(None, tr("Density"), name))
        panel.density.kind_chosen.connect(self.make)
        panel.shape.changed.connect(self._reshape)
        panel.shape.rested.connect(controller.seal)
        panel.shape.edit_pressed.connect(self.edit)

    # What the person does

    def make(self, kind: str) -> None:
        """Make a target of one's own: "draw", "picture", "points" or "formula"."""
        if kind != "picture" and self._has_work():
            return
        {"draw": self.draw, "formula": self.write, "picture": self.ask_picture, "points": self.ask_points}[kind]()

    def edit(self) -> None:
        """Change the drawing or the formula that is the target now."""
        if self._has_work():
            return
        target = self.controller.state.target
        self.write() if target is not None and target["kind"] == "formula" else self.draw()

    def draw(self) -> None:
        """Open the drawing, with the ink of the present grid where there is one."""
        sheet = self._sheet(DrawSheet, lambda: DrawSheet(self.canvas), tr("Drawing"))
        sheet.begin(self.controller.state.target)

    def write(self) -> None:
        """Open the line for a formula."""
        sheet = self._sheet(FormulaSheet, lambda: FormulaSheet(self.canvas), tr("Formula"))
        sheet.begin(self.controller.state.target)

    def ask_picture(self) -> None:
        """Ask for a picture."""
        kinds = "*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff"
        self._ask(tr("Choose a picture"), f"{tr('Pictures')} ({kinds})", "folder.picture", self.take_picture)

    def ask_points(self) -> None:
        """Ask for a table."""
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        self._ask(tr("Choose a table of points"), f"{tr('Tables')} ({kinds})", "folder.points", self.take_points)

    def wait(self) -> None:
        """Let the threads that read files end (the window closes)."""
        for worker in (self.worker, *(sheet.worker for sheet in self._sheets.values() if sheet.worker is not None)):
            worker.wait()

    # Files

    def take_file(self, path: str) -> bool:
        """Take a file that was dropped, if it is a table, or a picture that holds no settings of the toy lab."""
        suffix = Path(path).suffix.lower()
        if suffix in SUFFIXES:
            self.take_points(path)
            return True
        if suffix == ".json" or _holds_settings(path):
            return False
        self.take_picture(path)
        return True

    def take_picture(self, path: str) -> None:
        """Make a picture's darkness the target."""
        self.worker.read(path, lambda: _from_picture(path), self._took_picture)

    def _took_picture(self, target: dict | None, sentence: str) -> None:
        if target is None:
            self.context.notify(sentence)
        elif isinstance(sheet := self.sheet(), DrawSheet):
            sheet.put(target)
        else:
            self._close()
            self.controller.set_target(target, tr("Picture"))

    def take_points(self, path: str) -> None:
        """Read a table's columns and let the person choose two."""
        if self._has_work():
            return
        self.worker.read(path, lambda: toy_targets.columns(path), lambda found, words: self._took_columns(path, found, words))

    def _took_columns(self, path: str, found: toy_targets.Columns | None, sentence: str) -> None:
        if found is None:
            self.context.notify(sentence)
        else:
            sheet = self._sheet(PointsSheet, lambda: PointsSheet(self.canvas), tr("Points"))
            sheet.begin(path, found, self.controller.state.seed)

    def _ask(self, title: str, kinds: str, setting: str, done: Callable[[str], object]) -> None:
        ask_file(self.canvas, title, done, LastFolder(self.context.settings, setting, str(Path.home())), [kinds])

    # Sheets and sliders

    def sheet(self) -> TargetSheet | None:
        """The sheet that is open."""
        return next((sheet for sheet in self._sheets.values() if sheet.isVisible()), None)

    def _sheet(self, kind: type[SheetT], make: Callable[[], SheetT], label: str) -> SheetT:
        self._close()
        sheet = self._sheets.get(kind)
        if not isinstance(sheet, kind):  # the first time
            sheet = self._sheets[kind] = make()
            sheet.used.connect(lambda target: self.controller.set_target(target, label))
        return sheet

    def _has_work(self) -> bool:
        """Whether a drawing is open that another sheet would end; says so."""
        sheet = self.sheet()
        if not (isinstance(sheet, DrawSheet) and sheet.has_work()):
            return False
        self.context.notify(tr("Use the drawing first, or cancel it."), kind="notice")
        return True

    def _close(self) -> None:
        sheet = self.sheet()
        if sheet is not None:
            sheet.close_sheet()

    def _reshape(self, target: dict | None, key: str) -> None:
        self.controller.set_target(target, tr("Shape"), merge=f"target.{key}" if key else None)


def _holds_settings(path: str) -> bool:
    try:
        found = recipe.extract(path)
    except FlowError:
        return False
    return found is not None and found.get("kind") == "toylab"


def _from_picture(path: str) -> dict:
    return toy_targets.from_pixels(read_picture(path).pixels, Path(path).stem)
