"""The directions' canvas: the moved picture beside the original, the strip below, the sliders on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.directions.link import DirectionItem
from flow_explorer.explorer.facets.directions.make_panel import MakePanel
from flow_explorer.explorer.facets.directions.row import DirectionRow
from flow_explorer.explorer.facets.directions.stage import Stage
from flow_explorer.explorer.facets.directions.strip_view import StripView
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, EmptyState, Label, Segmented

__all__ = ["DirectionsView"]

COLUMN = 300


class DirectionsView(QWidget):
    """Lays out the parts and keeps one row a direction."""

    row_made = Signal(object)
    """A new `DirectionRow`, to be wired."""
    pane_chosen = Signal(str)
    subject_wanted = Signal()
    """The act of the empty place was pressed."""

    def __init__(self, drag_original: Callable[[], QMimeData | None], drag_moved: Callable[[], QMimeData | None],
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, DirectionRow] = {}
        self._level_count = 0
        self._order: list[str] = []
        self.stage = Stage(drag_original, drag_moved)
        self.strip_title = Label("", "muted")
        self.strip = StripView()
        self.nothing = EmptyState("", icon="picture")
        self.nothing_act = self.nothing.add_action("", self.subject_wanted.emit, "primary")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.stage)
        column.addWidget(self.strip_title)
        column.addWidget(self.strip)
        column.addStretch(1)
        self.left = QStackedWidget()
        self.left.addWidget(left)
        self.left.addWidget(self.nothing)

        self.pane = Segmented([("use", tr("Directions"), tr("The directions that there are, each with its slider")),
                               ("make", tr("Make one"), tr("A direction of your own"))],
                              name=tr("Use directions, or make one"), compact=True)  # fmt: skip
        self.pane.chosen.connect(self.pane_chosen)
        self.list = QWidget()
        self._list_body = QVBoxLayout(self.list)
        self._list_body.setContentsMargins(0, 0, 12, 0)
        self._list_body.setSpacing(12)
        self._list_body.addStretch(1)
        self.empty = EmptyState(tr("This model has no directions yet: mark some samples as more and less of something, "
                                   "and make one"), icon="plus")  # fmt: skip
        self.empty.add_action(tr("Make one"), lambda: self.show_pane("make"), "primary")
        self.problem = Label("", "warning", wrap=True)
        self.problem.hide()
        self.reset = Button(tr("All to 0"), tooltip=tr("Move the picture back: every direction to 0"))
        self.open = Button(tr("Open…"), tooltip=tr("Open a direction's file; you can drop it on the window as well"))
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self.reset)
        foot.addWidget(self.open)
        foot.addStretch(1)
        use = QWidget()
        use_body = QVBoxLayout(use)
        use_body.setContentsMargins(0, 0, 0, 0)
        use_body.setSpacing(12)
        self._list_scroll = _scrolled(self.list)
        use_body.addWidget(self._list_scroll, 1)
        use_body.addWidget(self.empty, 1)
        use_body.addWidget(self.problem)
        use_body.addLayout(foot)
        self.make = MakePanel()
        self.panes = QStackedWidget()
        self.panes.addWidget(use)
        self.panes.addWidget(_scrolled(self.make))
        right = QWidget()
        right.setFixedWidth(COLUMN)
        right_body = QVBoxLayout(right)
        right_body.setContentsMargins(0, 0, 0, 0)
        right_body.setSpacing(12)
        right_body.addWidget(self.pane)
        right_body.addWidget(self.panes, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(24)
        layout.addWidget(self.left, 1)
        layout.addWidget(right)
        self.pane.chosen.connect(self.show_pane)

    def show_pane(self, key: str) -> None:
        """Bring the sliders ("use") or the ways to make one ("make") to the front."""
        self.pane.set_current(key)
        self.panes.setCurrentIndex(0 if key == "use" else 1)
        if key == "make":
            self.pane_chosen.emit(key)

    def show_rows(self, rows: Sequence[DirectionItem], level_count: int, hand: str, waiting: bool, problem: str) -> None:
        """The directions, in their order; `waiting` while the engine has not told which there are."""
        order = [row.held.key for row in rows]
        if order != self._order or level_count != self._level_count:
            self._build(rows, level_count)
        for row in rows:
            others = [(other.held.key, other.held.title) for other in rows if other is not row and not other.problem]
            self.rows[row.held.key].show_row(row, others, row.held.key == hand)
        there = bool(rows) or waiting
        self._list_scroll.setVisible(there)
        self.empty.setVisible(not there)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.reset.setEnabled(any(row.held.amount for row in rows))

    def _build(self, rows: Sequence[DirectionItem], level_count: int) -> None:
        unfolded = {key for key, row in self.rows.items() if not row.details.isHidden()}
        kept = self.rows if level_count == self._level_count else {}
        for key, row in self.rows.items():
            if key not in kept or key not in {each.held.key for each in rows}:
                row.setParent(None)
                row.deleteLater()
        self.rows = {}
        for place, row in enumerate(rows):
            widget = kept.get(row.held.key)
            if widget is None:
                widget = DirectionRow(row, level_count)
                self.row_made.emit(widget)
            if self._list_body.indexOf(widget) != place:
                self._list_body.removeWidget(widget)
                self._list_body.insertWidget(place, widget)
            widget.unfold(row.held.key in unfolded)
            self.rows[row.held.key] = widget
        self._order, self._level_count = [row.held.key for row in rows], level_count

    def reveal(self, key: str) -> None:
        """Scroll to a direction, once the list has its new height."""
        QTimer.singleShot(0, self, lambda: key in self.rows and self._list_scroll.ensureWidgetVisible(self.rows[key]))

    def show_nothing(self, sentence: str, act: str = "") -> None:
        """Instead of pictures a sentence and the act that helps; an empty one brings them back."""
        self.nothing.set_sentence(sentence)
        self.nothing_act.setText(act)
        self.nothing_act.setAccessibleName(act)
        self.nothing_act.updateGeometry()
        self.left.setCurrentIndex(1 if sentence else 0)

    def set_smooth(self, smooth: bool) -> None:
        """Enlarge smoothly, or by whole pixels."""
        if smooth == self.strip.smooth:
            return
        self.stage.set_smooth(smooth)
        for view in (self.strip, self.make.grid):
            view.smooth = smooth
            view.update()

    def resizeEvent(self, event) -> None:
        width = max(200, self.width() - COLUMN - 24)
        strip = self.strip.height_for(width)
        self.strip.setFixedHeight(strip)
        self.stage.setFixedHeight(max(160, min(self.stage.height_for(width), self.height() - strip - 44)))
        super().resizeEvent(event)


def _scrolled(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(widget)
    area.viewport().setAutoFillBackground(False)
    widget.setAutoFillBackground(False)
    return area
