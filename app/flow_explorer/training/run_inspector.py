"""A run's column: pause or resume, how far it is, its figures, its checkpoints, and how curves are drawn."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.training.chart import Look
from flow_explorer.training.findings import time_words
from flow_explorer.training.record import Checkpoint, RunSnapshot
from flow_explorer.training.runs_list import state_words
from flow_explorer.widgets import (
    Button,
    Heading,
    IconButton,
    Inspector,
    Label,
    Progress,
    Segmented,
    Toggle,
    ValueRow,
    ValueSlider,
)

__all__ = ["RunInspector"]


class _CheckpointRow(QWidget):
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.words, self.step = Label(), Label("", "muted")
        self.button = Button(tr("Open"), "plain", "open")
        self.checkpoint: Checkpoint | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.words)
        layout.addWidget(self.step, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(lambda: self.opened.emit(self.checkpoint))

    def show_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        name, step = checkpoint.name, checkpoint.step
        at = "" if step is None else tr("step {n}", n=f"{step:,}")
        kept = name.startswith("step-") and bool(at)  # by --keep-every: there are many of them
        words = {"best": tr("Best"), "last": tr("Last")}.get(name, tr("Kept") if kept else name)
        self.words.setText(words)
        self.step.setText(at)
        self.button.setAccessibleName(tr("Open {name} in the Explorer", name=at if kept else words))
        self.button.setToolTip(tr("Explore this checkpoint: samples, your pictures, walks between them."))


class RunInspector(Inspector):
    """Tells what the person does, by signals; shows runs, without telling."""

    pause = Signal()
    resume = Signal()
    kill = Signal()
    more = Signal()
    open_checkpoint = Signal(object)
    look_changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.main = Button(tr("Pause"), "primary", "pause")
        self.menu = IconButton("more", tr("More: rename, show the folder, delete"))
        self.buttons = QWidget()
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.main, 1)
        row.addWidget(self.menu)
        self.progress = Progress()
        self.rows = {
            "left": ValueRow(tr("Time left")),
            "best": ValueRow(tr("Best held out"), tooltip=tr("Bits per dimension on pictures that are never trained on.")),
            "train": ValueRow(tr("Training"), tooltip=tr("Bits per dimension of the last logged steps.")),
            "pace": ValueRow(tr("Throughput")),
            "rate": ValueRow(tr("Learning rate")),
            "precision": ValueRow(tr("Precision"), tooltip=tr("The numbers that the couplings' networks compute in.")),
            "time": ValueRow(tr("Trained for")),
            "state": ValueRow(tr("State")),
        }
        self.figures = QWidget()
        column = QVBoxLayout(self.figures)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for value_row in self.rows.values():
            column.addWidget(value_row)
        self.checkpoints_heading = Heading(tr("Checkpoints"))
        self.checkpoints = QVBoxLayout()
        self.checkpoints.setSpacing(4)
        self._checkpoint_rows: list[_CheckpointRow] = []
        self.across = Segmented([("steps", tr("Steps")), ("time", tr("Time"))], tr("Curves over"), compact=True)
        self.logarithmic = Toggle(
            tr("Logarithmic"), tr("Both axes logarithmic: a power law becomes a straight line.") + "\nlog bpd, log t"
        )
        words = tr("How much of the curve's past is averaged in.") + "\nȳ ← s ȳ + (1 − s) y"
        self.smoothing = ValueSlider(tr("Smoothing"), 0.0, 0.99, 0.6, 0.01, 2, tooltip=words)
        self.help = Label("", "muted", wrap=True)
        self.add(self.buttons)
        self.add(self.progress)
        self.add(self.figures)
        self.add(self.checkpoints_heading, 6)
        self.add(self.checkpoints)
        self.add(Heading(tr("Curves")), 6)
        self.add(self.across)
        self.add(self.logarithmic)
        self.add(self.smoothing)
        self.add_stretch()
        self.add(self.help)
        self._run: RunSnapshot | None = None
        self.main.clicked.connect(self._act)
        self.menu.clicked.connect(self.more)
        self.across.chosen.connect(lambda key: self.look_changed.emit("by_time", key == "time"))
        self.logarithmic.clicked.connect(lambda on: self.look_changed.emit("logarithmic", bool(on)))
        self.smoothing.value_changed.connect(lambda value: self.look_changed.emit("smoothing", float(value)))

    def _act(self) -> None:
        run = self._run
        if run is None:
            return
        if run.is_live:
            self.pause.emit()
        elif run.can_resume:
            self.resume.emit()
        elif run.checkpoints:
            self.open_checkpoint.emit(run.checkpoints[0])

    def show_look(self, look: Look) -> None:
        """Show how curves are drawn."""
        self.across.set_current("time" if look.by_time else "steps")
        self.logarithmic.setChecked(look.logarithmic)
        if self.smoothing.value() != look.smoothing:
            self.smoothing.set_value(look.smoothing)

    def show_runs(self, runs: list[RunSnapshot], pausing: bool, trashing: bool) -> None:
        """One run's figures; of several only what they share."""
        run = runs[0] if len(runs) == 1 else None
        self._run = run
        for part in (self.buttons, self.progress, self.figures, self.checkpoints_heading):
            part.setVisible(run is not None)
        shown = run.checkpoints if run is not None else ()
        while len(self._checkpoint_rows) < len(shown):
            row = _CheckpointRow()
            row.opened.connect(self.open_checkpoint)
            self._checkpoint_rows.append(row)
            self.checkpoints.addWidget(row)
        for index, row in enumerate(self._checkpoint_rows):
            row.setVisible(index < len(shown))
            if index < len(shown):
                row.show_checkpoint(shown[index])
        self.checkpoints_heading.setVisible(bool(shown))
        if run is None:
            self.help.setText(tr("Choose one run to pause it, to see its samples, or to open it in the Explorer."))
            return
        self._show_buttons(run, pausing, trashing)
        self._show_figures(run)

    def _show_buttons(self, run: RunSnapshot, pausing: bool, trashing: bool) -> None:
        live = run.is_live
        if pausing and live:
            self.main.setText(tr("Saving…"))
        else:
            done = tr("Open in the Explorer")
            self.main.setText(tr("Pause") if live else tr("Resume") if run.can_resume else done)
        self.main.set_icon("pause" if live else "play" if run.can_resume else "explorer")
        self.main.setAccessibleName(self.main.text())
        # What has not begun has nothing to save: it is cancelled where its start is shown.
        can = run.began and not pausing if live else run.can_resume or bool(run.checkpoints)
        self.main.setEnabled(can and not trashing)
        if live:
            self.main.setToolTip(tr("Save and end the process. Resume goes on from exactly there, even after a restart."))
        elif run.can_resume:
            self.main.setToolTip(tr("Go on from the last checkpoint, exactly as if it had never stopped."))
        else:
            self.main.setToolTip(tr("Samples, your own pictures and walks between them, by the best checkpoint."))
        self.menu.setEnabled(not trashing)
        words = {
            "running": tr("It goes on when this window is closed, and is found again when it opens."),
            "starting": tr("It goes on when this window is closed, and is found again when it opens."),
            "paused": tr("Everything is saved: weights, optimiser, schedule and the order of the pictures."),
        }
        self.help.setText(words.get(run.state, ""))

    def _show_figures(self, run: RunSnapshot) -> None:
        rows = self.rows
        total = run.total_steps
        words = tr("{n} of {total} steps", n=f"{run.step:,}", total=f"{total:,}") if total else ""
        self.progress.set_progress(run.step / total if total else None if run.is_live else 0.0, words)
        self.progress.setVisible(bool(total))
        self.figures.setVisible(len(run.steps) > 0)
        live = run.state == "running"
        rows["left"].setVisible(live and run.seconds_left is not None)
        rows["left"].set_value(time_words(run.seconds_left))
        best = "–" if run.best is None else tr("{bpd} bpd at {step}", bpd=f"{run.best:.3f}", step=f"{run.best_step:,}")
        rows["best"].set_value(best, "b" if run.best is not None else "muted")
        rows["train"].set_value(tr("{bpd} bpd", bpd=f"{run.bpd[-1]:.3f}") if len(run.bpd) else "–", "")
        pace = run.pictures_a_second
        rows["pace"].set_value("–" if pace is None else tr("{n} pictures/s", n=f"{pace:,.0f}" if pace >= 10 else f"{pace:.1f}"))
        rows["rate"].set_value("–" if run.learning_rate is None else f"{run.learning_rate:.2g}")
        rows["precision"].setVisible(bool(run.precision))
        rows["precision"].set_value(run.precision)
        rows["time"].set_value(time_words(run.seconds[-1]) if len(run.seconds) else "–")
        rows["state"].set_value(state_words(run), "warning" if run.state in ("failed", "gone") else "muted")
