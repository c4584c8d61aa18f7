"""The race on screen, in the place of the toy lab's own panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer import theme
from flow_explorer.i18n import tr
from flow_explorer.toylab.race.bar import RaceBar
from flow_explorer.toylab.race.curves import RaceCurves, RaceTable
from flow_explorer.toylab.race.marks import MARKS
from flow_explorer.toylab.race.panels import RacerPanel
from flow_explorer.toylab.state import FLOWS
from flow_explorer.toylab.target.words import title_of
from flow_explorer.widgets import Card, Label, Segmented
from flow_explorer.widgets.reading import enlarge

if TYPE_CHECKING:
    from flow_explorer.toylab.controller import ToyController

__all__ = ["Cover", "RaceView", "racer_names"]


def racer_names(configs: Sequence[dict]) -> list[str]:
    """What each racer is called: its kind, with what tells it from another of the same kind."""
    names = []
    for config in configs:
        size = f"{len(config['layers']) if config.get('layers') else config['depth']}×{config['width']}"
        twins = [other for other in configs if all(other[key] == config[key] for key in ("flow", "depth", "width"))]
        rate = f" · {config['learning_rate']:g}" if len(twins) > 1 else ""
        names.append(f"{FLOWS[config['flow']]} {size}{rate}")
    return names


class Cover(QWidget):
    """Lies over all of its parent while it is shown; what is beneath stays as it was and takes no keys meanwhile."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self._beneath: list[QWidget] = []
        self.hide()
        parent.installEventFilter(self)

    def set_up(self, shown: bool) -> None:
        """Cover the parent, or uncover it."""
        if shown == (not self.isHidden()):
            return
        if shown:
            others = self._covered.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
            self._beneath = [child for child in others if not isinstance(child, Cover) and child.isEnabled()]
            self.setGeometry(self._covered.rect())
            self.raise_()
        for child in self._beneath:
            child.setEnabled(not shown)
        self.setVisible(shown)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.setGeometry(self._covered.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.color("window"))


class RaceView(Cover):
    """A panel a racer, curves, and the table. It reads the race's run; the link asks the engine."""

    def __init__(self, controller: ToyController, parent: QWidget) -> None:
        super().__init__(parent)
        self._controller = controller
        self.title = Label("", "strong")
        self._count = 0
        self.which = Segmented(
            [
                ("samples", tr("Samples"), tr("Points that each flow makes of always the same noise.") + "\nx = f⁻¹(z)"),
                ("density", tr("Density"), tr("What each has learned, in the same colours at the same scale.") + "\n√p(x)"),
            ],
            tr("What the panels show"),
            compact=True,
        )
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.which)
        self.panels = [RacerPanel(index) for index in range(len(MARKS))]
        row = QHBoxLayout()
        row.setSpacing(12)
        for panel in self.panels:
            row.addWidget(panel, 1)
        self.curves, self.table = RaceCurves(), RaceTable()
        self.fair = Label("", "muted", wrap=True)
        self.fair.setToolTip(
            tr("Processor time of the training thread, on one thread for everybody; frames and measurements count for nobody.")
        )
        figures = Card(margin=16)
        figures.body.addWidget(self.table)
        figures.body.addStretch(1)
        figures.body.addWidget(self.fair)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.curves, 6)
        below.addWidget(figures, 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 16, 20, 8)
        layout.setSpacing(12)
        layout.addLayout(head)
        layout.addLayout(row, 6)
        layout.addLayout(below, 4)
        self.bar = RaceBar(controller.race)
        layout.addWidget(self.bar)
        self.which.chosen.connect(lambda key: controller.race.show_density(key == "density"))

    def set_unit(self, unit: float) -> None:
        """Write so many times as large as usual."""
        for part in (*self.panels, self.curves, self.table, self.bar):
            part.set_unit(unit)
        for label in (self.title, self.fair):
            enlarge(label, unit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Panels no higher than is square: the rest of the height is the curves'."""
        count = len(self._controller.state.rivals) + 1
        wide = (self.width() - 40 - 12 * (count - 1)) // count
        for panel in self.panels:
            panel.setMaximumHeight(max(160, wide + 24))

    def draw(self) -> bool:
        """Draw what has changed; whether anything had."""
        link = self._controller.race
        run, configs = link.past.shown, link.configs()
        names = racer_names(configs)
        title = tr("Race on {name}", name=title_of(self._controller.state))
        if (title, len(configs)) != (self.title.text(), self._count):
            self._count = len(configs)
            self.title.setText(title)
            self._fit()
        busy = False
        for index, panel in enumerate(self.panels):
            panel.setVisible(index < len(configs))
            if index < len(configs):
                panel.set_name(names[index])
                busy = panel.show_racer(run.entries[index], link.density) or busy
        self.bar.refresh()
        busy = self.curves.show_race(run) or busy
        self.table.show_race(run, names)
        if self.which.current() != ("density" if link.density else "samples"):
            self.which.set_current("density" if link.density else "samples")
        fair = self._fairness()
        if fair != self.fair.text():
            self.fair.setText(fair)
        return busy

    def _fairness(self) -> str:
        run = self._controller.race.past.shown
        if not run.longest_turn:
            return tr("All get the same training time: press play.")
        apart = 1000 * (max(run.seconds) - min(run.seconds))
        turn = 1000 * run.longest_turn
        words = tr(
            "Same points, same seed, same training time: {apart} ms apart, and never more than the longest turn of {turn} ms.",
            apart=f"{apart:,.0f}", turn=f"{turn:,.0f}",
        )
        if run.entries[0].nll is not None and run.leader is None:
            words += " " + tr("No flow leads by more than chance explains.")
        return words
