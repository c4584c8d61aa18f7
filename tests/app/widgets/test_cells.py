"""A view of cells: the pointer, the keys, a drag out of it, and what a screen reader finds."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent
from PySide6.QtWidgets import QApplication

from flow_explorer.widgets.cells import ARROWS, CellView

LEFT = Qt.MouseButton.LeftButton
KEY = Qt.Key


class Grid(CellView):
    """Ten cells, four a row, 20 apart; the last is hidden."""

    kept_keys = (*ARROWS, KEY.Key_Home, KEY.Key_End, KEY.Key_Return)
    caption = 5

    def __init__(self) -> None:
        super().__init__()
        self.chosen = -1
        self.heard: list[tuple[str, int]] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.resize(100, 80)

    @property
    def count(self) -> int:
        return 10

    @property
    def columns(self) -> int:
        return 4

    @property
    def current(self) -> int:
        return self.chosen

    def places(self):
        return range(9)

    def cell(self, index: int) -> QRectF:
        return QRectF(index % 4 * 20, index // 4 * 20, 10, 10)

    def cell_name(self, index: int) -> str:
        return f"cell {index}"

    def cell_value(self, index: int) -> str:
        return f"{index / 10}"

    def choose(self, index: int) -> None:
        self.chosen = index
        self.heard.append(("choose", index))

    def activate(self, index: int) -> None:
        self.heard.append(("activate", index))

    def pull(self, index: int) -> None:
        self.heard.append(("pull", index))

    def hover(self, index: int) -> None:
        self.heard.append(("hover", index))


@pytest.fixture
def grid(qtbot):
    made = Grid()
    qtbot.addWidget(made)
    made.show()
    return made


def move(grid, point, buttons=Qt.MouseButton.NoButton) -> None:
    event = QMouseEvent(QEvent.Type.MouseMove, QPointF(point), grid.mapToGlobal(QPointF(point)), Qt.MouseButton.NoButton, buttons,
                        Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(grid, event)


def test_a_cell_has_its_caption_for_the_pointer_and_no_more(grid):
    assert grid.index_at(QPointF(25, 5)) == 1 and grid.index_at(QPointF(25, 14)) == 1
    assert grid.index_at(QPointF(25, 16)) == -1 and grid.index_at(QPointF(15, 5)) == -1
    assert grid.index_at(QPointF(25, 45)) == -1, "the last is hidden"


def test_the_pointer_chooses_hovers_and_pulls_out(grid, qtbot):
    move(grid, QPoint(45, 5))
    assert grid.hovered == 2 and grid.cursor().shape() == Qt.CursorShape.PointingHandCursor
    qtbot.mousePress(grid, LEFT, pos=QPoint(25, 25))
    move(grid, QPoint(26, 25), LEFT)
    assert grid.heard == [("hover", 2), ("choose", 5)]
    move(grid, QPoint(60, 60), LEFT)
    move(grid, QPoint(70, 60), LEFT)
    assert grid.heard[2:] == [("pull", 5), ("hover", -1)] and grid.cursor().shape() == Qt.CursorShape.ArrowCursor
    qtbot.mousePress(grid, LEFT, pos=QPoint(15, 5))
    qtbot.mousePress(grid, Qt.MouseButton.RightButton, pos=QPoint(5, 5))
    assert len(grid.heard) == 4


@pytest.mark.parametrize(
    ("start", "key", "target"),
    [(-1, KEY.Key_Right, 0), (-1, KEY.Key_Up, 0), (0, KEY.Key_Left, None), (3, KEY.Key_Right, 4), (4, KEY.Key_Left, 3),
     (1, KEY.Key_Down, 5), (5, KEY.Key_Up, 1), (1, KEY.Key_Up, None), (8, KEY.Key_Down, None), (5, KEY.Key_Home, 0),
     (5, KEY.Key_End, 9)],
)  # fmt: skip
def test_keys_go_from_cell_to_cell(grid, qtbot, start, key, target):
    grid.chosen = start
    qtbot.keyClick(grid, key)
    assert grid.heard == ([] if target is None else [("choose", target)])


@pytest.mark.parametrize(("start", "key"), [(3, KEY.Key_Right), (4, KEY.Key_Left)])
def test_a_grid_that_does_not_wrap_stays_at_the_end_of_a_row(grid, qtbot, start, key):
    grid.wraps, grid.chosen = False, start
    qtbot.keyClick(grid, key)
    assert grid.chosen == start


def test_enter_activates_what_is_chosen_and_other_keys_are_the_window_s(grid, qtbot):
    qtbot.keyClick(grid, KEY.Key_Return)
    assert grid.heard == []
    grid.chosen = 6
    qtbot.keyClick(grid, KEY.Key_Return)
    qtbot.keyClick(grid, KEY.Key_Space)
    qtbot.keyClick(grid, KEY.Key_PageDown)
    assert grid.heard == [("activate", 6)]


def test_a_screen_reader_finds_every_cell_that_is_seen(grid):
    grid.chosen = 5
    grid.setFocus()
    reader = QAccessible.queryAccessibleInterface(grid)
    assert reader.role() == QAccessible.Role.List and reader.childCount() == 9
    cells = [reader.child(index) for index in range(9)]
    assert [cell.text(QAccessible.Text.Name) for cell in cells] == [f"cell {index}" for index in range(9)]
    assert cells[3].text(QAccessible.Text.Value) == "0.3" and cells[3].role() == QAccessible.Role.ListItem
    assert [index for index, cell in enumerate(cells) if cell.state().selected] == [5]
    assert reader.child(9) is None and reader.indexOfChild(cells[7]) == 7
    assert cells[6].rect().topLeft() == grid.mapToGlobal(QPoint(40, 20))
    found = reader.childAt(*grid.mapToGlobal(QPoint(22, 22)).toTuple())
    assert found.text(QAccessible.Text.Name) == "cell 5"
    assert reader.childAt(*grid.mapToGlobal(QPoint(16, 16)).toTuple()) is None
    assert cells[0].parent().text(QAccessible.Text.Name) == reader.text(QAccessible.Text.Name)


def test_views_that_go_take_their_cells_with_them(qtbot):
    cells = []
    for _ in range(30):
        grid = Grid()
        reader = QAccessible.queryAccessibleInterface(grid)
        assert [reader.child(index).text(QAccessible.Text.Name) for index in (0, 8)] == ["cell 0", "cell 8"]
        cells.append(QAccessible.uniqueId(reader.child(4)))
        del reader
        grid.deleteLater()
        del grid
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
    assert all(QAccessible.accessibleInterface(known) is None for known in cells)
