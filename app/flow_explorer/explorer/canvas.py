"""The Explorer's canvas: samples on the left, the slots on the right, the walk below; or a facet. It grows with the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from flow_explorer.explorer.facets import REGISTRY, SAMPLES, entry
from flow_explorer.explorer.samples.samples_grid import MARGIN, SamplesGrid
from flow_explorer.explorer.slots.slot_panel import SlotPanel
from flow_explorer.explorer.state import COUNTS, SEED_MAX
from flow_explorer.explorer.walk.walk import WalkPanel
from flow_explorer.i18n import tr
from flow_explorer.widgets import (
    Button,
    Choice,
    EmptyState,
    Heading,
    IconButton,
    Label,
    NumberField,
    Segmented,
    Tabs,
)

__all__ = ["Canvas"]

PAD = 24
GAP = 24
HEADING = 28
CONTROLS = 32
BETWEEN = 16
"""Between the two slots, and above the walk."""


class Canvas(QWidget):
    """Lays out the parts; knows nothing of what they mean."""

    facet_chosen = Signal(str)
    subject_chosen = Signal(str)

    def __init__(self, grid: SamplesGrid, slots: dict[str, SlotPanel], walk: WalkPanel,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid, self.slots, self.walk = grid, slots, walk
        self.samples_heading = Heading(tr("Samples"), self)
        self.slots_heading = Heading(tr("Your pictures"), self)
        self.deeper = Button(tr("Look deeper"), "quiet", "chevron-right", parent=self,
                             tooltip=tr("Show the further views: what else one can see of a picture's z, and do with it"))
        shown = [(SAMPLES, tr("Samples"), tr("Samples, your pictures, and the walk between them"))]
        self.tabs = Tabs(shown + [(known.id, tr(known.title), tr(known.tip)) for known in REGISTRY], tr("Views"), self)
        self.tabs.hide()
        self.subject = Segmented(
            [("sample", tr("Sample"), tr("The sample that is selected")), ("A", "A", tr("The picture in A")),
             ("B", "B", tr("The picture in B")), ("walk", tr("Walk"), tr("Where the walk stands"))],
            name=tr("Which picture this view is about"), compact=True, parent=self)  # fmt: skip
        self.subject.hide()
        self._facet: QWidget | None = None
        self._without_model = False
        self.tabs.chosen.connect(self.facet_chosen)
        self.subject.chosen.connect(self.subject_chosen)
        self.problem = Label("", "warning", wrap=True, parent=self)
        self.problem.hide()
        self.no_model = EmptyState("", icon="warning")
        self.no_model.setParent(self)
        self.no_model.hide()
        self.controls = QWidget(self)
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.new_button = Button(tr("New samples"), "primary", tooltip=tr("Draw others: the next seed (N)"))
        self.count = Choice([(str(count), str(count)) for count in COUNTS], name=tr("Samples on a page"),
                            tooltip=tr("How many samples are shown"))
        self.count.setFixedWidth(64)
        self.seed = NumberField(tr("Seed"), 0, SEED_MAX, prefix=tr("Seed") + " ", width=112,
                                tooltip=tr("The same seed draws the same samples, always"))
        self.seed.lineEdit().setTextMargins(8, 0, 0, 0)
        self.of_class = Choice([("-1", tr("All classes"))], name=tr("Class of the samples"),
                               tooltip=tr("Which class is drawn: one, or all of them in turn"))
        self.of_class.hide()
        self.order = IconButton("sort", tr("Likeliest first"), checkable=True,
                                tooltip=tr("Let the samples stand by likelihood, the fewest bits per dimension first"))
        for part in (self.new_button, self.of_class, self.count, self.seed, self.order):
            row.addWidget(part)
        row.addStretch(1)
        for part in (grid, walk, *slots.values()):
            part.setParent(self)
        order = [grid, self.new_button, self.of_class, self.count, self.seed, self.order, *slots.values(), walk]
        for before, after in zip(order, order[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def show_classes(self, names: Sequence[str]) -> None:
        """Offer a conditional model's classes; of a model without any nothing is seen."""
        if names:
            self.of_class.set_options([("-1", tr("All classes")), *((str(index), name) for index, name in enumerate(names))])
        self.of_class.setVisible(bool(names))

    def show_state(self, count: int, seed: int, sampled_class: int = -1, order: str = "drawn") -> None:
        """Show the page's size, its seed, its class, and the order of its samples."""
        self.order.setChecked(order == "likelihood")
        self.of_class.set_current(str(sampled_class if sampled_class < self.of_class.count() - 1 else -1))
        self.count.set_current(str(count))
        if seed != self.seed.value():
            self.seed.set_value(seed)

    def layout_again(self) -> None:
        """The model's pictures have another shape."""
        self._arrange()

    def show_problem(self, sentence: str) -> None:
        """An error of the page stands above the grid's pictures."""
        if sentence == self.problem.text() and bool(sentence) == self.problem.isVisibleTo(self):
            return
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self._arrange()

    def show_no_model(self, sentence: str) -> None:
        """Without a model nothing else makes sense; an empty sentence brings the rest back."""
        self.no_model.set_sentence(sentence)
        self._without_model = bool(sentence)
        self._show_parts()

    def unfold(self, unfolded: bool) -> None:
        """Show the row of views, or the plain heading."""
        self.tabs.setVisible(unfolded)
        self._show_parts()
        self._arrange()

    def show_facet(self, id_: str, widget: QWidget | None, subject: str) -> None:
        """Bring a view to the front: a facet's widget, or None for the samples."""
        if self._facet is not None and self._facet is not widget:
            self._facet.hide()
        if widget is not None and widget.parent() is not self:
            widget.setParent(self)
        changed, self._facet = self._facet is not widget, widget
        self.tabs.set_current(id_)
        self.subject.set_current(subject)
        if changed:
            self._show_parts()
            self._arrange()

    def _show_parts(self) -> None:
        """What is seen of all the parts."""
        facet, tabs = self._facet is not None, not self.tabs.isHidden()
        self.no_model.setVisible(self._without_model)
        for part in (self.grid, self.walk, self.controls, self.slots_heading, *self.slots.values()):
            part.setVisible(not self._without_model and not facet)
        self.samples_heading.setVisible(not self._without_model and not tabs)
        self.order.setVisible(tabs)
        self.deeper.setVisible(not self._without_model and not tabs)
        about = entry(self.tabs.current())
        self.subject.setVisible(facet and not self._without_model and about is not None and about.about_subject)
        if self._facet is not None:
            self._facet.setVisible(not self._without_model)

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    def _shorten(self, short: bool) -> None:
        """The controls with fewer words, or all of them."""
        self.new_button.setText(tr("New") if short else tr("New samples"))
        self.new_button.setAccessibleName(tr("New samples"))
        self.of_class.setFixedWidth(76 if short else 120)
        self.seed.setFixedWidth(80 if short else 112)

    def _arrange(self) -> None:
        width, height = self.width() - 2 * PAD, self.height() - 2 * (PAD - 4)
        top = PAD - 4
        self.no_model.setGeometry(self.rect())
        tabs = self.tabs.sizeHint()
        self.tabs.setGeometry(PAD - 8, top - 6, tabs.width(), tabs.height())
        if self._facet is not None:
            choice = self.subject.sizeHint()
            self.subject.setGeometry(PAD + width - choice.width(), top - 6, choice.width(), choice.height())
            self._facet.setGeometry(PAD, top + HEADING + 8, width, height - HEADING - 8)
            return
        walk = self.walk.height_for(width, max(56, round(0.16 * self.height())))
        upper = height - walk - BETWEEN
        side = max(160, min(upper - HEADING - 12 - CONTROLS, round(0.43 * width)))
        self.samples_heading.setGeometry(PAD, top, side, 20)
        deeper = self.deeper.sizeHint()
        self.deeper.setGeometry(PAD + side - deeper.width() + 10, top - 6, deeper.width(), deeper.height())
        if self.problem.isVisibleTo(self):
            self.problem.setGeometry(PAD + 80, top - 8, max(side, 290) - 80, 34)
        # The grid's own margin holds the selection's outline; the pictures themselves stand on the column's edge.
        self.grid.setGeometry(PAD - MARGIN, top + HEADING - MARGIN, side + 2 * MARGIN, side + 2 * MARGIN)
        # In a narrow window the controls give way, so that the slots keep their room.
        needed = max(slot.minimumWidth() for slot in self.slots.values())
        for short in (False, True):
            self._shorten(short)
            column = max(side, self.controls.minimumSizeHint().width())
            if self.width() - 2 * PAD - column - GAP >= needed:
                break
        self.controls.setGeometry(PAD, top + HEADING + side + 12, column, CONTROLS)
        left = PAD + column + GAP
        room = self.width() - PAD - left
        # The row of views may reach over the samples' column: then the heading gives way.
        self.slots_heading.setGeometry(left, top, room, 20)
        if not self.tabs.isHidden() and not self._without_model:
            self.slots_heading.setVisible(PAD + tabs.width() < left)
        total = HEADING + side + 12 + CONTROLS - HEADING
        each = (total - BETWEEN) // 2
        for index, slot in enumerate(self.slots.values()):
            slot.setGeometry(left, top + HEADING + index * (each + BETWEEN), room, each)
        bottom = top + HEADING + side + 12 + CONTROLS + BETWEEN
        self.walk.setGeometry(PAD, bottom, width, self.height() - bottom - 12)
