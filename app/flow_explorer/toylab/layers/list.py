"""The editable list of layers, as it unfolds in the inspector."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from flow_explorer.i18n import tr
from flow_explorer.toylab.layers import edits as layer_edits
from flow_explorer.toylab.layers import words as layer_words
from flow_explorer.toylab.layers.edits import Layers
from flow_explorer.toylab.layers.rows import ROW, LayerRows
from flow_explorer.toylab.state import ToyState
from flow_explorer.widgets import Button, Fold, IconButton, Label
from flowcore.plane.layers import KINDS, MAX_LAYERS, concerns

__all__ = ["LayerList"]

_ROWS_SHOWN = 10


class LayerList(Fold):
    """Rows, and below them what can be done with the chosen one. Every edit is told as a whole new list and its name."""

    edited = Signal(object, str)
    """(a tuple of layers, or None for the flow's own; what the act is called)"""

    def __init__(self) -> None:
        super().__init__(tr("Edit the layers"))
        self._layers: Layers = ()
        self._current = 0
        self.rows = LayerRows()
        self.area = QScrollArea()
        self.area.setWidget(self.rows)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.viewport().setAutoFillBackground(False)
        self.rows.setAutoFillBackground(False)
        self.add_button = Button(tr("Add"), "plain", "", tr("Put a layer after the chosen one."))
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        for kind in KINDS:
            action = self.menu.addAction(layer_words.name(kind))
            action.setToolTip(layer_words.sentence(kind))
            action.triggered.connect(lambda _checked=False, kind=kind: self._add(kind))
        self.add_button.setMenu(self.menu)
        self.flip = IconButton(
            "swap", tr("Copy the other half"), 28, 16, tooltip=tr("Copy the other coordinate, change this one.")
        )
        self.freeze = IconButton(
            "freeze", tr("Freeze"), 28, 16, checkable=True, tooltip=tr("Keep this layer's weights while the others learn.")
        )
        self.up = IconButton("chevron-up", tr("Move up"), 28, 16, tooltip=tr("Earlier on the way from x to z.") + "\nAlt+↑")
        self.down = IconButton("chevron-down", tr("Move down"), 28, 16, tooltip=tr("Later on the way from x to z.") + "\nAlt+↓")
        self.remove = IconButton("trash", tr("Remove"), 28, 16, tooltip=tr("Take this layer out.") + "\n" + tr("Delete"))
        self.own = Button(tr("As the flow's own"), "quiet", "reset", tr("The layers that this flow is made of by itself."))
        self.warning = Label("", "warning", wrap=True)
        self.note = Label("", "muted", wrap=True)

        self.tools = QWidget()
        bar = QHBoxLayout(self.tools)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(4)
        bar.addWidget(self.add_button)
        bar.addStretch(1)
        for button in (self.flip, self.freeze, self.up, self.down, self.remove):
            bar.addWidget(button)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.note, self.area, self.warning, self.tools, self.own):
            column.addWidget(widget)
        self.add(inner)
        self._wire()

    def _wire(self) -> None:
        self.rows.chosen.connect(self._choose)
        self.rows.moved.connect(self._move)
        self.rows.removed.connect(self._remove)
        self.rows.revealed.connect(self._reveal)
        self.flip.clicked.connect(lambda: self._edit(layer_edits.flipped(self._layers, self._current), tr("Copy the other half")))
        self.freeze.clicked.connect(self._freeze)
        self.up.clicked.connect(lambda: self._move(self._current, self._current - 1))
        self.down.clicked.connect(lambda: self._move(self._current, self._current + 1))
        self.remove.clicked.connect(lambda: self._remove(self._current))
        self.own.clicked.connect(lambda: self.edited.emit(None, tr("The flow's own layers")))

    # Showing

    def show_state(self, state: ToyState) -> None:
        """Show the layers of a state: its edited list, or what its flow is made of."""
        layers = state.specs
        is_list = 0 < len(layers) <= MAX_LAYERS
        note = tr("From x to z, the first on top.")
        if not layers:
            note = tr("A continuous flow is one smooth field, not a list of layers.")
        elif not is_list:
            note = tr("{n} layers are too many to edit one by one: {most} at most.", n=len(layers), most=MAX_LAYERS)
        self.note.setText(note)
        for part in (self.area, self.tools, self.own):
            part.setVisible(is_list)
        title = tr("Edit the layers") if state.layers is None else tr("Edit the layers · {n}, edited", n=len(layers))
        if self.header.text() != title:
            self.header.setText(title)
            self.header.setAccessibleName(title)
        self.own.setEnabled(state.layers is not None)
        if not is_list:
            self._layers, self._current = (), 0
            self.warning.hide()
            return
        if layers != self._layers:
            self._keep_place(layers)
        self._show_current()

    def _keep_place(self, layers: Layers) -> None:
        """The same layer stays chosen, or else the new one, or else the same place."""
        before, fresh = {spec.id for spec in self._layers}, None
        if self._layers:
            chosen = self._layers[self._current].id
            ids = [spec.id for spec in layers]
            fresh = next((place for place, id_ in enumerate(ids) if id_ not in before), None)
            if fresh is not None and len(layers) == len(self._layers) + 1:
                self._current = fresh
            elif chosen in ids:
                self._current = ids.index(chosen)
        self._current = min(self._current, len(layers) - 1)
        self._layers = layers
        self.rows.set_layers(layers, self._current)
        self.area.setFixedHeight(ROW * min(_ROWS_SHOWN, len(layers)))
        self._reveal(self.rows.row_rect(self._current))
        found = concerns(layers)
        self.warning.setText(layer_words.concern(found[0]) if found else "")
        self.warning.setVisible(bool(found))

    def _show_current(self) -> None:
        spec, last = self._layers[self._current], len(self._layers) - 1
        self.add_button.setEnabled(last + 1 < MAX_LAYERS)
        self.flip.setEnabled(spec.is_coupling)
        self.freeze.setEnabled(spec.kind != "swap")
        self.freeze.setChecked(spec.frozen)
        self.freeze.setAccessibleName(tr("Let it learn again") if spec.frozen else tr("Freeze"))
        self.up.setEnabled(self._current > 0)
        self.down.setEnabled(self._current < last)
        self.remove.setEnabled(last > 0)

    def _choose(self, place: int) -> None:
        self._current = place
        self._show_current()

    def _reveal(self, part: QRect) -> None:
        self.area.ensureVisible(0, part.center().y(), 0, ROW)

    # Acts

    def _edit(self, layers: Layers, label: str) -> None:
        if layers != self._layers:
            self.edited.emit(layers, label)

    def _add(self, kind: str) -> None:
        self._edit(layer_edits.added(self._layers, kind, self._current), tr("Add a layer"))

    def _remove(self, place: int) -> None:
        self._edit(layer_edits.removed(self._layers, place), tr("Remove a layer"))

    def _move(self, place: int, to: int) -> None:
        self._edit(layer_edits.moved(self._layers, place, to), tr("Move a layer"))

    def _freeze(self) -> None:
        on = not self._layers[self._current].frozen
        label = tr("Freeze a layer") if on else tr("Let a layer learn again")
        self._edit(layer_edits.frozen(self._layers, self._current, on), label)
