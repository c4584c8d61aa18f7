"""Where a direction of one's own is made: from marked samples, from two folders, or as principal axes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from flow_explorer.explorer.facets.directions.marks_grid import MarksGrid
from flow_explorer.explorer.facets.directions.state import DirectionsState
from flow_explorer.i18n import tr
from flow_explorer.widgets import Button, Choice, IconButton, Label, ProgressView, Segmented
from flow_explorer.widgets.plain import plain

__all__ = ["MakePanel"]

AXES = (1, 2, 3, 4, 6, 8)


class _FolderRow(QWidget):
    """Which folder a pile is, and the act that chooses another."""

    wanted = Signal()
    cleared = Signal()

    def __init__(self, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choose = Button(tr("Choose…"), tooltip=tip)
        self.choose.setAccessibleName(tr("Choose a folder: {name}", name=name))
        self.choose.clicked.connect(self.wanted)
        self.clear = IconButton("close", tr("Forget this folder: {name}", name=name), size=20, icon_size=14)
        self.clear.clicked.connect(self.cleared)
        self.value = Label("", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(Label(name))
        words.addWidget(self.value)
        row.addLayout(words, 1)
        row.addWidget(self.clear)
        row.addWidget(self.choose)

    def show_folder(self, path: str) -> None:
        name = Path(path).name if path else tr("Drop a folder on the window")
        self.value.setText(self.value.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 150))
        self.value.setToolTip(plain(path))
        self.clear.setVisible(bool(path))


class MakePanel(QWidget):
    """Shows marks, folders and progress; every act leaves as a signal."""

    from_marks_requested = Signal()
    from_folders_requested = Signal()
    page_axes_requested = Signal(int)
    folder_axes_requested = Signal(int)
    marks_cleared = Signal()
    samples_wanted = Signal()
    folder_wanted = Signal(str)
    """"more" or "less" """
    folder_cleared = Signal(str)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = Segmented(
            [("marks", tr("Marks"), tr("Mark samples as more or less of something")),
             ("folders", tr("Folders"), tr("Two folders of pictures: with it, and without it")),
             ("axes", tr("Axes"), tr("How a set of pictures varies most"))],
            name=tr("What a direction is made from"), compact=True)  # fmt: skip
        self.pages = QStackedWidget()
        self.source.chosen.connect(self._show_source)
        self._pages = (self._marks_page(), self._folders_page(), self._axes_page())
        for page in self._pages:
            self.pages.addWidget(page)
        self.progress = ProgressView(tr("Making the direction"), cancellable=True)
        self.progress.cancelled.connect(self.cancelled)
        self.progress.hide()
        self.problem = Label("", "warning", wrap=True)
        self.problem.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(12)
        layout.addWidget(self.source)
        layout.addWidget(self.pages)
        layout.addWidget(self.progress)
        layout.addWidget(self.problem)
        layout.addStretch(1)
        self._show_source("marks")

    def _page(self, words: str) -> tuple[QWidget, QVBoxLayout]:
        page = QWidget()
        body = QVBoxLayout(page)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(8)
        body.addWidget(Label(words, "muted", wrap=True))
        return page, body

    def _marks_page(self) -> QWidget:
        page, body = self._page(tr("Click a sample for more of it, again for less of it, once more for neither."))
        self.grid = MarksGrid()
        body.addWidget(self.grid)
        self.count = Label("", "muted")
        body.addWidget(self.count)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.make_marks = Button(tr("Make direction"), "primary",
                                 tooltip=tr("From the samples with less to those with more.\n"
                                            "v = mean z of more − mean z of less"))  # fmt: skip
        self.make_marks.clicked.connect(self.from_marks_requested)
        self.other_samples = IconButton("dice", tr("New samples"), tooltip=tr("Draw others; the marks stay (N)"))
        self.other_samples.clicked.connect(self.samples_wanted)
        self.clear_marks = IconButton("trash", tr("Clear the marks"))
        self.clear_marks.clicked.connect(self.marks_cleared)
        row.addWidget(self.make_marks)
        row.addWidget(self.other_samples)
        row.addWidget(self.clear_marks)
        row.addStretch(1)
        body.addLayout(row)
        body.addStretch(1)
        return page

    def _folders_page(self) -> QWidget:
        page, body = self._page(tr("Drop two folders of pictures here, or choose them: one with it, one without it."))
        self.folders = {
            "more": _FolderRow(tr("More of this"), tr("The folder of pictures that have it")),
            "less": _FolderRow(tr("Less of this"), tr("The folder of pictures that do not have it")),
        }
        for which, row in self.folders.items():
            row.wanted.connect(lambda which=which: self.folder_wanted.emit(which))
            row.cleared.connect(lambda which=which: self.folder_cleared.emit(which))
            body.addWidget(row)
        self.make_folders = Button(tr("Make direction"), "primary",
                                   tooltip=tr("Read and encode both folders, and take the difference of their means.\n"
                                              "v = mean z of more − mean z of less, each coordinate less 1.5 standard errors"))
        self.make_folders.clicked.connect(self.from_folders_requested)
        body.addWidget(self.make_folders, 0, Qt.AlignmentFlag.AlignLeft)
        body.addStretch(1)
        return page

    def _axes_page(self) -> QWidget:
        page, body = self._page(tr("The directions in which a set of pictures varies most, the longest first."))
        self.axes_source = Segmented(
            [("page", tr("This page"), tr("The page of samples. Samples vary alike in every direction, so that their axes are "
                                          "little more than chance")),
             ("folder", tr("A folder"), tr("The folder of More of this"))],
            name=tr("Whose axes"), compact=True)  # fmt: skip
        self.axes_source.chosen.connect(self._show_axes_source)
        body.addWidget(self.axes_source)
        self.axes_folder = _FolderRow(tr("Folder"), tr("The folder whose pictures' axes are wanted"))
        self.axes_folder.wanted.connect(lambda: self.folder_wanted.emit("more"))
        self.axes_folder.cleared.connect(lambda: self.folder_cleared.emit("more"))
        self.axes_folder.hide()
        body.addWidget(self.axes_folder)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.axes = Choice([(str(count), tr("{count} axes", count=count) if count > 1 else tr("1 axis")) for count in AXES],
                           name=tr("How many axes"), tooltip=tr("How many axes are made"))  # fmt: skip
        self.axes.set_current("2")
        self.make_axes = Button(tr("Make axes"), "primary",
                                tooltip=tr("Principal component analysis of z.\nThe eigenvectors of its covariance"))
        self.make_axes.clicked.connect(self._axes_wanted)
        row.addWidget(self.make_axes)
        row.addWidget(self.axes)
        row.addStretch(1)
        body.addLayout(row)
        body.addStretch(1)
        return page

    def show_state(self, state: DirectionsState, making: tuple[float, str] | None, samples: bool, problem: str) -> None:
        """What is marked and chosen, whether something is being made, and whether the page's samples have come."""
        more, less, busy = len(state.more), len(state.less), making is not None
        if not more and not less:
            words = tr("Nothing is marked yet")
        elif not more or not less:
            words = tr("{more} more, {less} less: mark some of both", more=more, less=less)
        else:
            words = tr("{more} more, {less} less", more=more, less=less)
        self.count.setText(words)
        self.make_marks.setEnabled(bool(more and less) and not busy)
        self.clear_marks.setEnabled(bool(more or less))
        self.folders["more"].show_folder(state.more_folder)
        self.folders["less"].show_folder(state.less_folder)
        self.axes_folder.show_folder(state.more_folder)
        self.make_folders.setEnabled(bool(state.more_folder and state.less_folder) and not busy)
        self.make_axes.setEnabled(not busy and (samples if self.axes_source.current() == "page" else bool(state.more_folder)))
        self.progress.setVisible(busy)
        if making is not None:
            self.progress.set_progress(making[0] or None, making[1] or tr("Making the direction"))
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._page_ready, self._folder_ready, self._is_busy = samples, bool(state.more_folder), busy

    def _show_source(self, key: str) -> None:
        self.source.set_current(key)
        chosen = ("marks", "folders", "axes").index(key)
        # As high as the page that is shown, so that what went wrong stands right under it.
        for index, page in enumerate(self._pages):
            policy = QSizePolicy.Policy.Preferred if index == chosen else QSizePolicy.Policy.Ignored
            page.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.pages.setCurrentIndex(chosen)

    def show_source(self, key: str) -> None:
        """Bring one of the ways to the front."""
        self._show_source(key)

    def _show_axes_source(self, key: str) -> None:
        self.axes_folder.setVisible(key == "folder")
        self.make_axes.setEnabled(not self._is_busy and (self._page_ready if key == "page" else self._folder_ready))

    def _axes_wanted(self) -> None:
        count = int(self.axes.current() or "2")
        (self.page_axes_requested if self.axes_source.current() == "page" else self.folder_axes_requested).emit(count)
