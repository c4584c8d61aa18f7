"""A run's middle: what should be known, its learning curve, and the same z's as it learns. Or several runs' curves."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from flow_explorer import icons, theme
from flow_explorer.i18n import tr
from flow_explorer.training.chart import COLOURS, Chart, Look
from flow_explorer.training.film import Film
from flow_explorer.training.findings import Finding, findings, time_words
from flow_explorer.training.record import RunSnapshot
from flow_explorer.training.runs_list import second_line, state_tone, state_words
from flow_explorer.widgets import Card, Label, Legend, ProgressView
from flow_explorer.widgets.elided import ElidedLabel
from flow_explorer.widgets.plain import plain

__all__ = ["CompareView", "Dot", "RunView", "WaitingView"]

NOTES = 4



def _curve_card(chart: Chart, legend: QWidget) -> Card:
    """A chart under its title, with what tells its curves apart."""
    card = Card(margin=12)
    card.body.setContentsMargins(12, 6, 12, 12)
    head = QHBoxLayout()
    head.addStrut(28)
    head.addWidget(Label(tr("Bits per dimension"), "strong"))
    head.addStretch(1)
    head.addWidget(legend)
    card.body.addLayout(head)
    card.body.addWidget(chart, 1)
    return card

class Dot(QWidget):
    """A small disc in a colour of the theme, or in one of its own."""

    def __init__(self, tone: str = "muted") -> None:
        super().__init__()
        self.tone = tone
        self.setFixedSize(10, 16)
        theme.changed.connect(self.update)

    def set_tone(self, tone: str) -> None:
        """Change the colour."""
        self.tone = tone
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.tone) if self.tone.startswith("#") else theme.color(self.tone))
        painter.drawEllipse(QRectF(1, self.height() / 2 - 4, 8, 8))


class _Note(QWidget):
    """A sentence that stands where it belongs, with its sign."""

    def __init__(self) -> None:
        super().__init__()
        self.label = Label("", wrap=True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._kind = "notice"
        layout = QHBoxLayout(self)
        layout.setContentsMargins(40, 8, 12, 8)
        layout.addWidget(self.label)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.update)

    def show_finding(self, finding: Finding) -> None:
        """Show a finding."""
        self._kind = finding.kind
        self.label.setText(finding.sentence)
        self.setAccessibleName(finding.sentence)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tones = theme.current()
        ink = tones.warning if self._kind == "error" else tones.a
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.mix(tones.surface, ink, 0.14 if tones.dark else 0.10)))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        name = "warning" if self._kind == "error" else "info"
        icons.paint(painter, name, QRectF(12, round(self.height() / 2 - 9), 18, 18), ink)


class RunView(QWidget):
    """One run."""

    def __init__(self) -> None:
        super().__init__()
        self.title = Label("", "title")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.dot, self.state = Dot(), Label("", "muted")
        self.notes = [_Note() for _ in range(NOTES)]
        self.chart = Chart()
        self.film = Film()
        self.samples_note = Label("", "muted")
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.title, 1)
        top.addWidget(self.dot)
        top.addWidget(self.state)
        curve = _curve_card(self.chart, Legend([("a", tr("training")), ("b", tr("held out"))]))
        self.samples = Card(margin=12)
        self.samples.body.setContentsMargins(12, 6, 12, 8)
        head = QHBoxLayout()
        head.addStrut(28)
        head.addWidget(Label(tr("The same z's, step by step"), "strong"))
        head.addStretch(1)
        head.addWidget(self.samples_note)
        self.samples.body.addLayout(head)
        self.samples.body.addWidget(self.film, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(top)
        for note in self.notes:
            layout.addWidget(note)
        layout.addWidget(curve, 5)
        layout.addWidget(self.samples, 4)
        self.film.looked_at.connect(self._mark)
        self._many_sheets = False

    def show_run(self, run: RunSnapshot, look: Look) -> None:
        """Show a run as it is."""
        self.title.setText(run.name)
        self.title.setToolTip(plain(str(run.path)))
        self.dot.set_tone(state_tone(run))
        self.state.setText(" · ".join(filter(None, (second_line(run), state_words(run)))))
        told = findings(run)
        for index, note in enumerate(self.notes):
            note.setVisible(index < len(told))
            if index < len(told):
                note.show_finding(told[index])
        self._many_sheets = len(run.sheets) > 1
        self.chart.show_runs([run], look)
        self.samples.setVisible(bool(run.sheets))
        self.film.show_run(run)

    def _mark(self, step: int) -> None:
        self.samples_note.setText(tr("step {n}", n=f"{step:,}") if step >= 0 else "")
        self.chart.mark(step if step >= 0 and self._many_sheets else None)


class CompareView(QWidget):
    """Several runs: their curves on one pair of axes, and a table of what came out."""

    def __init__(self) -> None:
        super().__init__()
        self.chart = Chart()
        self.title = Label("", "title")
        curve = _curve_card(self.chart, Label(tr("strong: held out, faint: training"), "muted"))
        table = Card(margin=16)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(24)
        self.grid.setVerticalSpacing(8)
        self.grid.setColumnStretch(1, 1)
        table.body.addLayout(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addWidget(curve, 1)
        layout.addWidget(table)
        self._cells: list[tuple[Dot, ElidedLabel, list[Label]]] = []
        heads = ("", tr("Run"), tr("Best held out"), tr("Training"), tr("Steps"), tr("Time"), tr("State"))
        for column, words in enumerate(heads):
            if words:
                label = Label(words, "heading")
                if column > 1:
                    label.setAlignment(Qt.AlignmentFlag.AlignRight)
                self.grid.addWidget(label, 0, column)

    def show_runs(self, runs: list[RunSnapshot], look: Look) -> None:
        """Show these runs side by side."""
        count, runs = len(runs), runs[: len(COLOURS)]
        words = tr("{n} runs", n=count)
        if len(runs) < count:
            words = tr("The first {n} of {count} runs: more colours could not be told apart", n=len(runs), count=count)
        self.title.setText(words)
        self.chart.show_runs(runs, look)
        self.chart.paint_theme()
        while len(self._cells) < len(runs):
            self._add_row()
        best = min((run.best for run in runs if run.best is not None), default=None)
        for index, (dot, name, cells) in enumerate(self._cells):
            for cell in (dot, name, *cells):
                cell.setVisible(index < len(runs))
            if index >= len(runs):
                continue
            run = runs[index]
            held = "–" if run.best is None else f"{run.best:.3f}"
            train = f"{run.bpd[-1]:.3f}" if len(run.bpd) else "–"
            time = time_words(run.seconds[-1]) if len(run.seconds) else "–"
            name.setText(f"{run.name}  ·  {second_line(run)}")
            name.setToolTip(plain(name.text()))
            for cell, text in zip(cells, (held, train, f"{run.step:,}", time, state_words(run)), strict=True):
                cell.setText(text)
            cells[0].set_tone("good" if best is not None and run.best == best and len(runs) > 1 else "")

    def _add_row(self) -> None:
        row = len(self._cells) + 1
        dot = Dot(COLOURS[len(self._cells) % len(COLOURS)])
        self.grid.addWidget(dot, row, 0)
        name = ElidedLabel()
        self.grid.addWidget(name, row, 1)
        cells = [Label("", "" if column < 3 else "muted") for column in range(2, 7)]
        for column, label in enumerate(cells, 2):
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.grid.addWidget(label, row, column)
        self._cells.append((dot, name, cells))


class WaitingView(QWidget):
    """A run whose process has just been started, or that never took a step."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.title = Label("", "title")
        self.note = _Note()
        self.progress = ProgressView(cancellable=True)
        self.progress.cancelled.connect(self.cancelled)
        card = Card(margin=24)
        card.body.addStretch(1)
        card.body.addWidget(self.progress)
        card.body.addWidget(self.note)
        card.body.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addWidget(card, 1)

    def show_run(self, run: RunSnapshot) -> None:
        """Show how far it is, or why it is not."""
        self.title.setText(run.name)
        live = run.is_live
        self.progress.setVisible(live)
        self.note.setVisible(not live)
        if live:
            self.progress.set_progress(None, run.status or tr("Starting: reading the pictures and building the flow…"))
        else:
            self.note.show_finding(Finding("error", run.sentence or tr("This run has not taken a step yet.")))
