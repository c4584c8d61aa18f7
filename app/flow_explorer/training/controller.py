"""Between what the person chose and the processes that do it: looking at pictures, measuring, starting, pausing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QObject, QStandardPaths, QTimer, Signal

from flow_explorer.history import History
from flow_explorer.i18n import tr
from flow_explorer.training.jobs import Job, start_training
from flow_explorer.training.process_record import end_now, request_stop, write_process_record
from flow_explorer.training.record import Checkpoint, RunSnapshot, is_run
from flow_explorer.training.state import Form, TrainingState, runs_folder
from flow_explorer.training.watcher import Watcher
from flowcore.atomic import replacing
from flowcore.errors import FlowError
from flowcore.fields import settings

__all__ = ["TrainingController"]

MEASURE_AFTER_MS = 700
KEPT = "explored"
"""Where in a run folder the checkpoints are kept that were opened in the Explorer."""


class TrainingController(QObject):
    """Owns the jobs and the watcher; the views show what it has."""

    changed = Signal()
    """The form, what was found, the estimate, or what is looked at."""
    runs_changed = Signal()
    ended = Signal(object)
    """A run that trained does so no longer."""
    failed = Signal(str)

    def __init__(self, history: History[TrainingState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history = history
        self.watcher = Watcher(self._folders, self)
        self.found: dict[str, Any] | None = None
        self.found_problem = ""
        self.progress = (0, 0)
        self.problem = ""
        self.estimate_problem = ""
        self.pausing: set[Path] = set()
        self.trashing: set[Path] = set()
        self._live: set[Path] = set()
        self._looked = ""
        self._looking = Job(self)
        self._measuring = Job(self, by_line=False)
        self._estimates: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._measured: tuple[Any, ...] | None = None
        self._declined: tuple[Any, ...] | None = None
        self._seen = False
        self._soon = QTimer(self, singleShot=True, interval=MEASURE_AFTER_MS)
        self._soon.timeout.connect(self.measure)
        self._looking.said.connect(self._on_look)
        self._looking.failed.connect(self._on_look_failed)
        self._measuring.said.connect(self._on_estimate)
        self._measuring.failed.connect(self._on_estimate_failed)
        self._measuring.changed.connect(self.changed)
        self.watcher.changed.connect(self._on_runs)
        history.subscribe(lambda _state: self._sync())

    @property
    def state(self) -> TrainingState:
        """What the person chose."""
        return self.history.state

    @property
    def form(self) -> Form:
        """The run that has not been started."""
        return self.state.form

    # Runs

    def runs(self) -> list[RunSnapshot]:
        """Those that train first, then the newest."""
        return sorted(self.watcher.runs.values(), key=lambda run: (not run.is_live, -run.when, str(run.path)))

    def selected(self) -> list[RunSnapshot]:
        """Those that are looked at, in the list's order; the first of the list where none was chosen."""
        runs = self.runs()
        chosen = [run for run in runs if str(run.path) in self.state.selected]
        return chosen or runs[:1]

    def _folders(self) -> list[Path]:
        return [runs_folder(), *map(Path, self.state.folders)]

    def _on_runs(self, _different: object) -> None:
        live = {path for path, run in self.watcher.runs.items() if run.is_live}
        over = self._live - live
        self._live = live
        for path in over & self.pausing:
            run = self.watcher.runs.get(path)
            if run is not None and run.presence is not None and run.state == "failed" and not run.presence.outcome:
                # It was stopped so early, or so hard, that it could not say that this was wanted.
                write_process_record(path, replace(run.presence, outcome="stopped"))
                self.watcher.poll()
        self.pausing &= live
        self.trashing &= set(self.watcher.runs)
        self.runs_changed.emit()
        for path in over:
            if path in self.watcher.runs:
                self.ended.emit(self.watcher.runs[path])

    # The window

    def shown(self) -> None:
        """The workspace is in front."""
        self._seen = True
        self.watcher.watch(True)
        self._sync()

    def hidden(self) -> None:
        """It is not, or the window closes: what only prepares a run ends; trainings go on."""
        self._seen = False
        self._soon.stop()
        if self._looking.busy:
            self._looked = ""
        self._looking.close()
        self._measuring.close()
        self.watcher.watch(False)

    def is_idle(self) -> bool:
        """Nothing is being looked at, measured or awaited; trainings may run."""
        return not (self.watcher.busy or self._looking.busy or self._measuring.busy or self._soon.isActive())

    # The form

    def set(self, name: str, value: Any) -> None:
        """Change the form, as an act that can be undone."""
        self.problem = ""
        try:
            form = self.form.changed(name, value)
        except FlowError as error:
            self.problem = str(error)
            self.changed.emit()
            return
        self.history.do(replace(self.state, form=form, page="new"), tr(settings(form)[name].label))

    def choose_data(self, path: str | Path) -> None:
        """Take these pictures; looked at again even where they were chosen before."""
        self._looked = ""
        self._estimates.clear()
        if str(path) == self.form.data:
            self.show_page("new")
            self._sync()
        else:
            self.set("data", str(path))

    def show_page(self, page: str) -> None:
        """The form, or the runs: no act to undo."""
        self.history.amend(replace(self.state, page=page))

    def select(self, paths: list[Path]) -> None:
        """Look at these runs."""
        self.history.amend(replace(self.state, page="runs", selected=tuple(map(str, paths))))

    def set_look(self, name: str, value: Any) -> None:
        """How curves are drawn."""
        self.history.amend(replace(self.state, **{name: value}))

    def take(self, path: Path) -> None:
        """Something was dropped: a run to look at, or pictures to train on."""
        if path.is_dir() and is_run(path):
            self.open_runs(path)
            self.select([path])
        else:
            self.choose_data(path)

    def open_runs(self, folder: Path) -> None:
        """Show the runs of another folder too (or the run that it is)."""
        if str(folder) not in self.state.folders and folder.parent != runs_folder() and folder != runs_folder():
            self.history.amend(replace(self.state, folders=(*self.state.folders, str(folder))))
        self.watcher.poll()

    def _sync(self) -> None:
        """Look at pictures that were not looked at yet; measure what was not measured."""
        data = self.form.data
        if self._seen and data != self._looked:
            self._looked, self.found, self.found_problem, self.progress = data, None, "", (0, 0)
            self._looking.cancel()
            if data:
                self._looking.start("flow_explorer.training.look", [data])
        key = self._key()
        if self._measuring.busy and self._measured != key:
            self._measuring.cancel()
        wanted = self.found is not None and key not in self._estimates and key != self._declined
        if self._seen and wanted and not self._measuring.busy and self.state.page == "new" and not self._live:
            self._soon.start()
        elif not wanted:
            self._soon.stop()
        self.changed.emit()

    @property
    def looking(self) -> bool:
        """Whether pictures are being looked at."""
        return self._looking.busy

    def stop_looking(self) -> None:
        """The person does not want to wait: without pictures then."""
        self._looking.cancel()
        self.history.amend(replace(self.state, form=self.form.changed("data", "")))

    def _on_look(self, said: dict[str, Any]) -> None:
        if "total" in said:
            self.progress = (int(said["done"]), int(said["total"]))
            self.changed.emit()
        elif "problem" in said:
            self.found, self.found_problem = None, str(said["problem"])
            self.changed.emit()
        elif "found" in said:
            found = self.found = said["found"]
            form = self.form
            if form.conditional and not found["classes"]:
                form = replace(form, conditional=False)
            if form.size == 0 and not found["one_size"]:
                form = replace(form, size=32)
            self.history.amend(replace(self.state, form=form))
            self._sync()

    def _on_look_failed(self, sentence: str) -> None:
        self.found = None
        self.found_problem = self.found_problem or tr("The pictures could not be looked at: {why}", why=sentence)
        self.changed.emit()

    # The estimate

    def _key(self) -> tuple[Any, ...]:
        form = self.form
        return form.data, form.system, form.preset, form.size, form.conditional, form.memory, form.precision, form.jitter

    @property
    def estimate(self) -> dict[str, Any] | None:
        """What the form's run would cost, None where that is not known."""
        found = self._estimates.get(self._key())
        if found is None:
            return None
        return {**found, "steps": self.form.steps, "seconds_total": found["seconds_per_step"] * self.form.steps}

    @property
    def measuring(self) -> bool:
        """Whether it is being found out."""
        return self._measuring.busy or self._soon.isActive()

    @property
    def training_now(self) -> bool:
        """Whether a run trains: then nothing is measured unless it is asked for, and times come out longer."""
        return bool(self._live)

    def measure(self) -> None:
        """Find out."""
        self._soon.stop()
        if self.found is None or self.estimate is not None:
            return
        self._measured, self._declined, self.estimate_problem = self._key(), None, ""
        self._measuring.start("flow_explorer", ["train", *self.form.arguments(), "--estimate", "--json"])

    def stop_measuring(self) -> None:
        """The person does not want to know."""
        self._declined = self._key()
        self._soon.stop()
        self._measuring.cancel()
        self.changed.emit()

    def _on_estimate(self, row: dict[str, Any]) -> None:
        if self._measured is not None and "seconds_per_step" in row:
            self._estimates[self._measured] = row
            self.estimate_problem = ""
            self.changed.emit()

    def _on_estimate_failed(self, sentence: str) -> None:
        self.estimate_problem, self._declined = sentence, self._measured
        self.changed.emit()

    # Acts

    def start(self) -> Path | None:
        """Start the form's run; None (and ``problem``) where that cannot be."""
        if self.found is None:
            self.problem = tr("Choose pictures first: a folder, idx files or a .npz.")
            self.changed.emit()
            return None
        self._soon.stop()
        self._measuring.cancel()
        folder = self.form.target()
        form = self.form if self.form.name.strip() else replace(self.form, name=folder.name)
        try:
            start_training(folder, form.arguments(), str(Path(self.form.data).expanduser()))
        except FlowError as error:
            self.problem = str(error)
            self.changed.emit()
            return None
        self.problem = ""
        self._show_started(folder)
        return folder

    def _show_started(self, folder: Path) -> None:
        folders = self.state.folders
        if folder.parent != runs_folder() and str(folder) not in folders and str(folder.parent) not in folders:
            folders = (*folders, str(folder))
        # The name is used up: another run gets another one.
        form = replace(self.form, name="")
        self.history.amend(replace(self.state, form=form, page="runs", selected=(str(folder),), folders=folders))
        self.watcher.poll()

    def pause(self, run: RunSnapshot) -> None:
        """Save and end its process."""
        if run.is_live:
            self.pausing.add(run.path)
            request_stop(run.path)
            self.runs_changed.emit()

    def end_now(self, run: RunSnapshot) -> None:
        """End its process without saving."""
        if run.is_live:
            self.pausing.add(run.path)
            end_now(run.path)
            self.watcher.poll()

    def resume(self, run: RunSnapshot, data: str = "", steps: int = 0) -> bool:
        """Go on, to ``steps`` where that is more; False where its pictures are gone, and must be named."""
        data = data or run.data
        if not data or not (Path(data).exists() or data.startswith("hf:")):
            return False
        try:
            more = ["--steps", str(steps)] if steps > run.total_steps else []
            start_training(run.path, ["--data", data, "--resume", *more], data)
        except FlowError as error:
            self.failed.emit(str(error))
        self.watcher.poll()
        return True

    def keep(self, checkpoint: Checkpoint, done: Callable[[str], None]) -> None:
        """Call ``done`` with a file that stays what this checkpoint is now, while the run goes on and replaces it."""
        folder = checkpoint.path.parent / KEPT
        step = "" if checkpoint.step is None else f"-{checkpoint.step:07d}"
        kept = folder / f"{checkpoint.name}{step}.safetensors"

        def link() -> str:
            if not (kept.exists() and os.path.samefile(kept, checkpoint.path)):
                folder.mkdir(exist_ok=True)
                with replacing(kept, durable=False) as temporary:
                    temporary.unlink()
                    try:
                        os.link(checkpoint.path, temporary)  # no second copy on the disk
                    except OSError:
                        shutil.copyfile(checkpoint.path, temporary)
            return str(kept)

        def linked(result: object) -> None:
            # A folder that cannot be written can be explored all the same.
            done(result if isinstance(result, str) else str(checkpoint.path))

        self.watcher.run_in_worker(link, linked)

    def rename(self, run: RunSnapshot, name: str) -> None:
        """Give it another name, which its later checkpoints carry too."""
        path, name = run.path / "config.json", name.strip()
        if not name:
            return

        def write() -> None:
            values = json.loads(path.read_text(encoding="utf-8"))
            with replacing(path) as temporary:
                temporary.write_text(json.dumps({**values, "title": name}, indent=2) + "\n", encoding="utf-8")

        def done(result: object) -> None:
            if isinstance(result, OSError):
                self.failed.emit(tr("{name} could not be renamed ({why}).", name=run.name, why=result.strerror or result))

        self.watcher.run_in_worker(write, done)

    def delete(self, runs: list[RunSnapshot]) -> None:
        """To the bin; never one that trains."""
        for run in runs:
            if run.is_live or run.path in self.trashing:
                continue
            if run.state == "gone":
                self.watcher.forget(run.path)
                continue
            self.trashing.add(run.path)
            self.watcher.run_in_worker(lambda run=run: _to_bin(run.path), lambda done, run=run: self._binned(run, done))
        self.runs_changed.emit()

    def _binned(self, run: RunSnapshot, done: object) -> None:
        self.trashing.discard(run.path)
        if done is not True:
            self.failed.emit(tr("{name} could not be moved to the bin; its folder is {path}.", name=run.name, path=run.path))
            return
        kept = tuple(path for path in self.state.selected if path != str(run.path))
        folders = tuple(path for path in self.state.folders if path != str(run.path))
        self.history.amend(replace(self.state, selected=kept, folders=folders))


def _to_bin(path: Path) -> bool:
    # Qt makes the bin, but not the folder that it lies in.
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    if place:
        Path(place).mkdir(parents=True, exist_ok=True)
    result: Any = QFile.moveToTrash(os.fspath(path))
    return bool(result[0] if isinstance(result, tuple) else result)
