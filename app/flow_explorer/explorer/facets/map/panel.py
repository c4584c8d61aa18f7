"""The map's widget: choices above, the map, what it says of itself below; an invitation while there is none."""

from __future__ import annotations

import importlib.util
import itertools

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.map.canvas import MapCanvas
from flow_explorer.explorer.facets.map.data import MapData
from flow_explorer.explorer.facets.map.levels import level_options, level_words
from flow_explorer.explorer.facets.map.state import MapState
from flow_explorer.i18n import plural, tr
from flow_explorer.widgets import Button, Choice, EmptyState, IconButton, Label, ProgressView, Segmented
from flow_explorer.widgets.elided import ElidedLabel
from flow_explorer.widgets.plain import plain

__all__ = ["MapPanel"]

UMAP_MISSING = "UMAP needs the library umap-learn: pip install 'flow-explorer[map]'"


class MapPanel(QWidget):
    """Every act leaves as a signal."""

    folder_wanted = Signal()
    file_wanted = Signal()
    samples_wanted = Signal()
    method_chosen = Signal(str)
    levels_chosen = Signal(object)
    colour_chosen = Signal(str)
    stopped = Signal()
    went_on = Signal()
    again_wanted = Signal()
    pile_wanted = Signal()
    direction_wanted = Signal()
    lasso_cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = MapCanvas()
        self.source = Button(tr("Choose pictures"), icon="folder", tooltip=tr("Which pictures are on the map"))
        self.source.setMenu(self._source_menu(self.source))
        self.method = Segmented(
            [("pca", tr("PCA"), tr("The two directions in which the z of these pictures differ most.\n"
                                   "The first two principal axes of z")),
             ("umap", tr("UMAP"), tr("Neighbours stay neighbours; distances between far ones mean little.\n"
                                     "Uniform manifold approximation of 50 principal coordinates"))],
            name=tr("How the map is made"), compact=True)  # fmt: skip
        self.levels = Choice([("", tr("All levels"))], name=tr("Levels of z that count"),
                             tooltip=tr("Which levels of z decide who is near whom: the coarsest has shape and colour of the "
                                        "whole,\nthe finest has texture. z = (z₁, …, z_L), the finest first"))  # fmt: skip
        self.colour = Choice([("class", tr("Colour by class")), ("bpd", tr("Colour by bits per dimension")),
                              ("typicality", tr("Colour by typicality")), ("none", tr("One colour"))],
                             name=tr("What the colours mean"),
                             tooltip=tr("What the colour of a point says: its class (the folder it lies in, else the model's "
                                        "likeliest),\nits likelihood −log₂ p(x) / D, or how typical that is"))  # fmt: skip
        self.lasso = IconButton("lasso", tr("Lasso"), checkable=True,
                                tooltip=tr("Draw around pictures to take them together (Shift and drag)"))
        self.fit = IconButton("fit", tr("Show the whole map"),
                              tooltip=tr("Show the whole map (double click, or Home); once more for what lies very far off"))
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.source)
        top.addSpacing(8)
        for part in (self.method, self.levels, self.colour):
            top.addWidget(part)
        top.addStretch(1)
        top.addWidget(self.lasso)
        top.addWidget(self.fit)

        self.members = Label("", "strong")
        self.pile = Button(tr("Make a pile of these…"), tooltip=tr("Copy these pictures into a folder that you choose"))
        self.direction = Button(tr("Make a direction…"),
                                tooltip=tr("Save the way from all others to these as a file: the direction in z\n"
                                           "d = mean z in the lasso − mean z outside"))  # fmt: skip
        self.clear = Button(tr("Clear the lasso"), "quiet", tooltip=tr("Let these pictures go (Escape)"))
        self.taken = QWidget()
        self.taken.hide()
        bar = QHBoxLayout(self.taken)
        bar.setContentsMargins(0, 0, 0, 0)
        bar.setSpacing(8)
        for part in (self.members, self.pile, self.direction, self.clear):
            bar.addWidget(part)
        bar.addStretch(1)

        self.status = ElidedLabel("muted")
        self.problem = Label("", "warning", wrap=True)
        self.problem.hide()
        self.retry = Button(tr("Try again"), tooltip=tr("Encode the pictures that are missing once more"))
        self.retry.hide()
        self.rest = Button(tr("Encode the rest"), tooltip=tr("Go on where you stopped"))
        self.rest.hide()
        self.progress = ProgressView("", cancellable=True)
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.progress.hide()
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.status, 1)
        below.addWidget(self.problem, 1)
        below.addWidget(self.progress, 2)
        below.addWidget(self.rest)
        below.addWidget(self.retry)

        self.failed = EmptyState("", icon="warning")
        self.failed.add_action(tr("Choose a folder…"), self.folder_wanted.emit)
        self.again = self.failed.add_action(tr("Try again"), self.again_wanted.emit)
        self.place = QStackedLayout()
        self.place.addWidget(self.canvas)
        self.place.addWidget(self.failed)

        self.map = QWidget()
        column = QVBoxLayout(self.map)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.taken)
        column.addLayout(self.place, 1)
        column.addLayout(below)

        self.empty = EmptyState(tr("Drop a folder of pictures here to see it as a map: pictures that are alike to the model "
                                   "lie near each other."))  # fmt: skip
        self.folder_button = self.empty.add_action(tr("Choose a folder…"), self.folder_wanted.emit, "primary")
        self.samples_button = self.empty.add_action(tr("Use the samples on the page"), self.samples_wanted.emit)
        self.stack = QStackedLayout(self)
        self.stack.setContentsMargins(0, 0, 0, 0)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.map)
        order = [self.source, self.method.button("pca"), self.method.button("umap"), self.levels, self.colour, self.lasso,
                 self.fit, self.pile, self.direction, self.clear, self.canvas, self.progress.cancel_button,
                 self.rest]  # fmt: skip
        for before, after in itertools.pairwise(order):
            QWidget.setTabOrder(before, after)
        self._offered: list[tuple[tuple[int, ...], str]] = []
        self.has_umap = importlib.util.find_spec("umap") is not None

        self.method.chosen.connect(self.method_chosen)
        self.levels.chosen.connect(lambda key: self.levels_chosen.emit(tuple(int(level) for level in key.split())))
        self.colour.chosen.connect(self.colour_chosen)
        self.lasso.toggled.connect(self.canvas.set_lasso_tool)
        self.fit.clicked.connect(self.canvas.fit)
        self.progress.cancelled.connect(self.stopped)
        self.rest.clicked.connect(self.went_on)
        self.retry.clicked.connect(self.again_wanted)
        self.pile.clicked.connect(self.pile_wanted)
        self.direction.clicked.connect(self.direction_wanted)
        self.clear.clicked.connect(self.lasso_cleared)

    def _source_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        menu.addAction(tr("Choose a folder…"), self.folder_wanted.emit)
        menu.addAction(tr("Choose a zip or an array file…"), self.file_wanted.emit)
        menu.addSeparator()
        menu.addAction(tr("Use the samples on the page"), self.samples_wanted.emit)
        return menu

    @property
    def has_umap(self) -> bool:
        """Whether UMAP can be chosen here."""
        return self._has_umap

    @has_umap.setter
    def has_umap(self, there: bool) -> None:
        self._has_umap = there
        button = self.method.button("umap")
        button.setEnabled(there)
        if not there:
            button.setToolTip(tr(UMAP_MISSING))

    def show_state(self, state: MapState, levels: int, members: int, classes: bool) -> None:
        """What is set, and whether there are classes to tell colours by."""
        self.stack.setCurrentWidget(self.empty if not state.source else self.map)
        self.method.set_current(state.method)
        offered = level_options(levels, state.levels)
        if offered != self._offered:
            self._offered = offered
            self.levels.set_options([(_key(choice), words) for choice, words in offered])
        chosen = tuple(level for level in state.levels if level < levels)
        self.levels.set_current(_key(chosen) if len(chosen) < levels else "")
        self.levels.setEnabled(levels > 1)
        self.colour.set_offered("class", classes)
        self.colour.set_current(state.colour if classes or state.colour != "class" else "none")
        name = state.path.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or state.path
        text = tr("Samples on the page") if state.source == "samples" else name
        self.source.setText(text if len(text) <= 24 else text[:22] + "…")
        self.source.setToolTip(tr("Which pictures are on the map") + (f"\n{state.path}" if state.path else ""))
        self.source.updateGeometry()
        self.taken.setVisible(members > 0)
        self.members.setText(plural(members, "{count} picture in the lasso", "{count} pictures in the lasso"))

    def show_data(self, data: MapData, state: MapState, levels: int, work: tuple[float, str] | None) -> None:
        """How far it is; `work` is (fraction, words) of a pile or direction in the making."""
        running = data.stage in ("reading", "encoding", "arranging")
        # Where nothing is on the map yet, what failed stands in its place.
        self.place.setCurrentWidget(self.failed if data.error and not data.count else self.canvas)
        self.failed.set_sentence(data.error, "warning")
        self.problem.setText(data.error)
        self.problem.setVisible(bool(data.error) and data.count > 0)
        self.retry.setVisible(bool(data.error) and data.count > 0)
        self.progress.setVisible(running or work is not None)
        keeps = work is None and data.stage == "encoding" and data.count >= 2
        self.progress.cancel_button.setText(tr("Stop here") if keeps else tr("Cancel"))
        self.progress.cancel_button.setToolTip(tr("Keep what is on the map, and leave out the pictures that are still to come")
                                               if keeps else "")  # fmt: skip
        if work is not None:
            self.progress.set_progress(*work)
        elif data.stage == "reading":
            done, total = data.read
            self.progress.set_progress(done / total if total else None, tr("Reading the pictures"))
        elif data.stage == "encoding":
            words = tr("Encoding {done} of {total}", done=f"{data.taken:,}", total=f"{data.total:,}")
            self.progress.set_progress(data.taken / max(1, data.total), words)
        elif data.stage == "arranging":
            umap = state.method == "umap"
            self.progress.set_progress(None, tr("Laying out by UMAP") if umap else tr("Finding the neighbours"))
        self.progress.cancel_button.setVisible(work is not None or data.stage != "arranging" or state.method == "umap")
        self.rest.setVisible(data.partial and bool(state.limit))
        self.status.setVisible(not (data.error or running or work))
        self.status.setText(" · ".join(self._said(data, state, levels)))
        self.status.setToolTip(plain("\n".join(sentence for _, sentence in data.skipped[:20])))

    def _said(self, data: MapData, state: MapState, levels: int) -> list[str]:
        if not data.count:
            return []
        said = [plural(data.count, "{count} picture", "{count} pictures")]
        if data.complete and data.of > data.taken:
            said[0] = tr("{count} of {total} pictures", count=f"{data.count:,}", total=f"{data.of:,}")
        if data.placed and data.method == "pca":
            x, y = data.share
            said.append(tr("across {x} % and up {y} % of the variance", x=f"{100 * x:.1f}", y=f"{100 * y:.1f}"))
        if levels > 1:
            said.append(level_words(state.levels, levels).lower())
        if data.skipped_count:
            said.append(plural(data.skipped_count, "{count} left out", "{count} left out"))
        if data.complete and not data.exact:
            said.append(tr("axes approximate"))
        return said


def _key(levels: tuple[int, ...]) -> str:
    return " ".join(map(str, levels))
