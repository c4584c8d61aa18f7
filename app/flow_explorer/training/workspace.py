"""The training workspace as the window sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QCursor, QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QMenu,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from flow_explorer.dialogs.files import LastFolder, any_file, ask_file, ask_folder
from flow_explorer.history import History
from flow_explorer.i18n import plural, tr
from flow_explorer.training.chart import Look
from flow_explorer.training.controller import TrainingController
from flow_explorer.training.form_view import FormInspector
from flow_explorer.training.found_view import EstimateCard, FoundView
from flow_explorer.training.record import Checkpoint, RunSnapshot
from flow_explorer.training.run_inspector import RunInspector
from flow_explorer.training.run_view import CompareView, RunView, WaitingView
from flow_explorer.training.runs_list import RunsList, figure, second_line, state_words
from flow_explorer.training.state import STEPS, TrainingState, runs_folder, system_title
from flow_explorer.widgets import Button, ChipButton, Heading, IconButton
from flow_explorer.widgets.dropping import has_files, local_file
from flow_explorer.widgets.plain import plain
from flow_explorer.workspace import Command, Workspace, WorkspaceContext

__all__ = ["TrainingWorkspace", "create"]

LIST_WIDTH = 264
_DELETE = Qt.WidgetAttribute.WA_DeleteOnClose


def create(context: WorkspaceContext) -> TrainingWorkspace:
    """The window's way in."""
    return TrainingWorkspace(context)


class TrainingWorkspace(Workspace):
    """Wires state, controller and views; decides nothing itself."""

    def __init__(self, context: WorkspaceContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.history: History[TrainingState] = History(TrainingState())
        self.controller = TrainingController(self.history, self)
        self._build()
        self._wire()
        self._show()

    def _build(self) -> None:
        self.list = RunsList()
        self.new_button = Button(tr("New run"), "plain", "plus", tr("Train a flow on pictures of yours.") + "\nN")
        self.open_button = IconButton("folder", tr("Show the runs of another folder"))
        self.side = QWidget()
        self.side.setFixedWidth(LIST_WIDTH)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(Heading(tr("Runs")), 1)
        head.addWidget(self.open_button)
        head.addWidget(self.new_button)
        column = QVBoxLayout(self.side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        self.found_view, self.estimate_card = FoundView(), EstimateCard()
        form_page = QWidget()
        column = QVBoxLayout(form_page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.found_view, 1)
        column.addWidget(self.estimate_card)
        self.run_view, self.compare_view, self.waiting_view = RunView(), CompareView(), WaitingView()
        self.pages = QStackedWidget()
        for page in (form_page, self.run_view, self.compare_view, self.waiting_view):
            self.pages.addWidget(page)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.setSpacing(16)
        layout.addWidget(self.side)
        layout.addWidget(self.pages, 1)
        self.form_inspector, self.run_inspector = FormInspector(), RunInspector()
        self._inspector = QStackedWidget()
        self._inspector.addWidget(self.form_inspector)
        self._inspector.addWidget(self.run_inspector)
        self._chip = ChipButton()
        self._menu = QMenu(self)
        self._shown_found: dict[str, Any] | None = None

    def _wire(self) -> None:
        controller, form, run = self.controller, self.form_inspector, self.run_inspector
        controller.changed.connect(self._show)
        controller.runs_changed.connect(self._show)
        controller.ended.connect(self._tell_end)
        controller.failed.connect(lambda sentence: self.context.notify(sentence))
        self.history.subscribe(lambda _state: self.state_changed.emit())
        self.new_button.clicked.connect(self.new_run)
        self.open_button.clicked.connect(self.open_folder)
        self.list.chosen.connect(controller.select)
        self.list.doubleClicked.connect(lambda _index: self.open_best())
        self.list.asked.connect(self._on_asked)
        self.found_view.choose_folder.connect(self.choose_folder)
        self.found_view.choose_file.connect(self.choose_file)
        self.found_view.cancelled.connect(controller.stop_looking)
        self.estimate_card.again.connect(controller.measure)
        self.estimate_card.cancelled.connect(controller.stop_measuring)
        form.changed.connect(controller.set)
        form.start.connect(controller.start)
        form.choose_target.connect(self.choose_target)
        run.pause.connect(lambda: self._each(controller.pause))
        run.resume.connect(lambda: self.resume())
        run.more.connect(lambda: self._show_menu(run.menu.mapToGlobal(QPoint(0, run.menu.height() + 4))))
        run.open_checkpoint.connect(self.open_in_explorer)
        run.look_changed.connect(controller.set_look)
        self.waiting_view.cancelled.connect(lambda: self._each(controller.end_now))

    # The window's contract

    def inspector(self) -> QWidget:
        return self._inspector

    def topbar(self) -> QWidget:
        return self._chip

    def commands(self) -> list[Command]:
        return [
            Command(tr("New run"), ("N",), self.new_run),
            Command(tr("Choose a folder of pictures"), ("Ctrl+O",), self.choose_folder),
            Command(tr("Start training"), ("Ctrl+Return",), self.controller.start),
            Command(tr("Open the best checkpoint in the Explorer"), ("E",), self.open_best),
            Command(tr("Rename the run"), ("F2",), self.rename),
        ]

    def can_drop(self, mime: QMimeData) -> bool:
        return has_files(mime)

    def drop(self, mime: QMimeData) -> None:
        path = local_file(mime)
        if path:
            self.controller.take(Path(path))

    def state(self) -> dict[str, Any]:
        return self.history.state.to_dict()

    def restore(self, state: dict[str, Any]) -> None:
        self.history.reset(TrainingState.from_dict(state))
        self.controller.watcher.poll()

    def is_idle(self) -> bool:
        return self.controller.is_idle() and not self.run_view.film.sheets.busy

    def shown(self) -> None:
        self.controller.shown()

    def hidden(self) -> None:
        self.controller.hidden()

    def hint(self) -> str:
        return tr("Drop a folder of pictures, look at what a run would cost, and start it; it goes on without the window.")

    # Showing

    def _show(self) -> None:
        controller, state = self.controller, self.controller.state
        runs, chosen = controller.runs(), controller.selected()
        new = state.page == "new" or not runs
        self.side.setVisible(bool(runs))
        shown_as_chosen = () if new else tuple(str(run.path) for run in chosen)
        self.list.show_runs(runs, shown_as_chosen)
        self._inspector.setCurrentWidget(self.form_inspector if new else self.run_inspector)
        if new:
            self.pages.setCurrentIndex(0)
            self._show_form()
        else:
            self._show_runs(chosen)
        self._show_chip(new, chosen)

    def _show_form(self) -> None:
        controller = self.controller
        form, found = controller.form, controller.found
        if found is not None:
            if self._shown_found is not found or self.found_view.pages.currentIndex() != 2:
                self._shown_found = found
                self.found_view.show_found(found)
        elif controller.looking:
            self.found_view.show_reading(form.data, *controller.progress)
        else:
            self.found_view.invite(controller.found_problem)
        self.estimate_card.setVisible(found is not None)
        problem = controller.estimate_problem if controller.estimate is None and not controller.measuring else ""
        self.estimate_card.show_estimate(controller.estimate, controller.measuring, problem, controller.training_now)
        self.form_inspector.show_form(form, found, controller.problem)

    def _show_runs(self, chosen: list[RunSnapshot]) -> None:
        controller, state = self.controller, self.controller.state
        look = Look(state.logarithmic, state.smoothing, state.by_time)
        self.run_inspector.show_look(look)
        pausing = any(run.path in controller.pausing for run in chosen)
        trashing = any(run.path in controller.trashing for run in chosen)
        self.run_inspector.show_runs(chosen, pausing, trashing)
        if len(chosen) > 1:
            self.compare_view.show_runs(chosen, look)
            self.pages.setCurrentWidget(self.compare_view)
        elif not len(chosen[0].steps):
            self.waiting_view.show_run(chosen[0])
            self.pages.setCurrentWidget(self.waiting_view)
        else:
            self.run_view.show_run(chosen[0], look)
            self.pages.setCurrentWidget(self.run_view)

    def _show_chip(self, new: bool, chosen: list[RunSnapshot]) -> None:
        if new:
            form = self.controller.form
            name = Path(form.data).name if form.data else tr("no pictures yet")
            self._chip.set_texts(tr("New run"), f"{system_title(form.system)} · {name}")
        elif len(chosen) == 1:
            run = chosen[0]
            self._chip.set_texts(run.name, " · ".join(filter(None, (second_line(run), figure(run)))))
        else:
            self._chip.set_texts(tr("{n} runs", n=len(chosen)), tr("side by side"))
        live = sum(run.is_live for run in self.controller.watcher.runs.values())
        self._chip.set_dot("good" if live else None)
        self._chip.setToolTip(plural(live, "{count} run trains now.", "{count} runs train now.") if live else "")

    def _tell_end(self, run: RunSnapshot) -> None:
        """Said in the window where another workspace is in front."""
        if self.isVisible():
            return
        if run.state == "done":
            self.context.notify(tr("{name} is trained: {figure}.", name=run.name, figure=figure(run)), kind="good")
        elif run.state != "paused":
            self.context.notify(f"{run.name}: {run.sentence or state_words(run)}")

    # Acts

    def _each(self, act: Any) -> None:
        for run in self.controller.selected():
            act(run)

    def new_run(self) -> None:
        """To the form."""
        self.controller.show_page("new")

    def choose_folder(self) -> None:
        """Ask for a folder of pictures."""
        ask_folder(self, tr("Choose a folder of pictures"), self._take, self._last_folder())

    def choose_file(self) -> None:
        """Ask for a file of pictures."""
        kinds = tr("Pictures in one file (*.npz *.zip *ubyte* *.gz)")
        ask_file(self, tr("Choose a file of pictures"), self._take, self._last_folder(), [kinds, any_file()])

    def _last_folder(self) -> LastFolder:
        return LastFolder(self.context.settings, "training.folder", str(Path.home()))

    def _take(self, path: str) -> None:
        self.controller.take(Path(path))

    def choose_target(self) -> None:
        """Ask where runs are to be made."""
        start = self.controller.form.folder or str(runs_folder())
        ask_folder(self, tr("Choose where runs are made"), lambda path: self.controller.set("folder", path), start)

    def open_folder(self) -> None:
        """Ask for a folder of runs."""
        ask_folder(self, tr("Open a run, or a folder of runs"), lambda path: self.controller.open_runs(Path(path)),
                   str(self._last_folder()))  # fmt: skip

    def resume(self, steps: int = 0) -> None:
        """Go on with the chosen run, to ``steps`` where that is more; asks for its pictures where they are gone."""
        run = next(iter(self.controller.selected()), None)
        if run is None or self.controller.resume(run, steps=steps):
            return
        words = tr("The pictures of {name} are no longer at {path}. Where are they?", name=run.name, path=run.data or "–")
        ask_folder(self, words, lambda path: self.controller.resume(run, path, steps), str(self._last_folder()))

    def open_best(self) -> None:
        """The chosen run's best checkpoint, or its last."""
        runs = self.controller.selected()
        if self.controller.state.page == "runs" and len(runs) == 1 and runs[0].checkpoints:
            self.open_in_explorer(runs[0].checkpoints[0])

    def open_in_explorer(self, checkpoint: Checkpoint) -> None:
        """Explore a checkpoint as it is now."""
        self.controller.keep(checkpoint, self.context.open_model)

    def train_longer(self) -> None:
        """Ask for more steps than the run was to have, and go on."""
        run = next(iter(self.controller.selected()), None)
        if run is None or run.is_live or not run.began:
            return
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle(tr("Train longer"))
        dialog.setLabelText(tr("Steps in all (now {n}); the learning rate's schedule ends there", n=f"{run.total_steps:,}"))
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setIntRange(run.total_steps + 1, STEPS[1])
        dialog.setIntValue(min(STEPS[1], 2 * run.total_steps))
        dialog.setOkButtonText(tr("Train"))
        dialog.intValueSelected.connect(lambda steps: self.resume(steps))
        dialog.setAttribute(_DELETE)
        dialog.open()

    def rename(self) -> None:
        """Ask for another name of the chosen run."""
        runs = self.controller.selected()
        if len(runs) != 1 or not runs[0].began or self.controller.state.page != "runs":
            return
        run = runs[0]
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle(tr("Rename the run"))
        dialog.setLabelText(tr("Name"))
        dialog.setTextValue(run.name)
        dialog.setOkButtonText(tr("Rename"))
        dialog.textValueSelected.connect(lambda name: self.controller.rename(run, name))
        dialog.setAttribute(_DELETE)
        dialog.open()

    def delete(self) -> None:
        """Ask, then move the chosen runs to the bin."""
        runs = [run for run in self.controller.selected() if not run.is_live]
        if not runs:
            self.context.notify(tr("A run that trains cannot be deleted: pause it first."), kind="notice")
            return
        names = runs[0].name if len(runs) == 1 else tr("{n} runs", n=len(runs))
        box = QMessageBox(self.window())
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(tr("Delete"))
        box.setText(tr("Move {names} to the bin, with all checkpoints?", names=names))
        box.setInformativeText(plain("\n".join(str(run.path) for run in runs[:8])))
        move = box.addButton(tr("Move to the bin"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(tr("Keep"), QMessageBox.ButtonRole.RejectRole))
        box.buttonClicked.connect(lambda button: self.controller.delete(runs) if button is move else None)
        box.setAttribute(_DELETE)
        box.open()

    def _on_asked(self, act: str, where: object) -> None:
        if act == "menu":
            self._show_menu(where if isinstance(where, QPoint) else QCursor.pos())
        else:
            {"delete": self.delete, "rename": self.rename, "open": self.open_best}[act]()

    def _show_menu(self, where: QPoint) -> None:
        runs = self.controller.selected()
        if not runs:
            return
        single, live = len(runs) == 1, any(run.is_live for run in runs)
        menu = self._menu
        menu.clear()
        menu.addAction(tr("Open in the Explorer"), self.open_best).setEnabled(single and bool(runs[0].checkpoints))
        menu.addAction(tr("Show the folder"), lambda: _show_folder(runs[0].path)).setEnabled(single)
        menu.addSeparator()
        longer = menu.addAction(tr("Train longer…"), self.train_longer)
        longer.setEnabled(single and runs[0].began and not live and runs[0].state != "gone")
        menu.addAction(tr("Rename…"), self.rename).setEnabled(single and runs[0].began)
        if live:
            menu.addAction(tr("Stop at once, without saving"), lambda: self._each(self.controller.end_now))
        menu.addAction(tr("Delete…"), self.delete).setEnabled(not live)
        menu.popup(where)


def _show_folder(path: Path) -> None:
    QTimer.singleShot(0, lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))))
