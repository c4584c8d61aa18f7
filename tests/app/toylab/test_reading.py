"""What makes the toy lab readable at every size of the window: plots and words that grow, short titles, sentences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QApplication, QWidget

from flow_explorer.toylab.layers.layers import LayersPanel
from flow_explorer.toylab.panels.loss_panel import LossPanel
from flow_explorer.toylab.panels.panel import ROOMY, Elided, ToyPanel
from flow_explorer.toylab.panels.panels import DensityPanel, GridPanel, PriorPanel, SamplesPanel
from flow_explorer.toylab.slow.view import _Stage
from flow_explorer.toylab.target.density_picker import on_screen
from flow_explorer.toylab.target.sheet import TargetSheet
from flow_explorer.toylab.views.gallery import Gallery
from flow_explorer.widgets.plot import Bundle, Cloud, Plot
from flow_explorer.widgets.reading import reading_unit


def drawn(qtbot, item, side: int) -> int:
    """How many pixels of the item's own colour a plot of that size shows."""
    plot = Plot("plot")
    qtbot.addWidget(plot)
    plot.resize(side, side)
    plot.box.addItem(item)
    plot.show()
    image = plot.grab().toImage()
    paper, count = plot.paper().rgb(), 0
    middle, reach = image.width() // 2, 40 * image.width() // side
    for x in range(middle - reach, middle + reach):
        count += sum(image.pixel(x, y) != paper for y in range(middle - reach, middle + reach))
    return count


def test_dots_grow_with_their_plot(qtbot):
    sizes = []
    for side in (240, 900, 2000):
        dot = Cloud("a", 4.0, 1.0)
        dot.set_points(np.zeros((1, 2)))
        sizes.append(drawn(qtbot, dot, side))
    assert sizes[1] > 3 * sizes[0]  # an area, 2.4 times as wide
    assert sizes[2] == pytest.approx(sizes[1], rel=0.1)  # and no larger than can be told apart


def test_lines_grow_with_their_plot(qtbot):
    sizes = []
    for side in (240, 900):
        line = Bundle("a", 2.0, 1.0)
        line.set_lines(np.array([[[-4.0, 0.0], [4.0, 0.0]]]))
        sizes.append(drawn(qtbot, line, side))
    assert sizes[1] > 1.6 * sizes[0]


def test_the_curves_figures_and_pen_grow_without_a_new_step(qtbot):
    panel = LossPanel()
    qtbot.addWidget(panel)
    panel.resize(280, 250)
    panel.show()
    small, width = panel.plot.small_font().pixelSize(), panel.curve.opts["pen"].widthF()
    panel.resize(1200, 900)
    assert panel.plot.small_font().pixelSize() > 1.5 * small
    assert panel.curve.opts["pen"].widthF() > 1.5 * width
    assert panel.plot.axes["left"].width() > 1.5 * 38


@pytest.mark.parametrize("size", [(1280 - 376, 720 - 48), (1440 - 376, 900 - 48)])
def test_a_laptops_window_has_the_usual_letters(size):
    assert reading_unit(QSize(*size)) == 1.0


def test_letters_grow_in_a_large_window():
    assert reading_unit(QSize(2560 - 376, 1440 - 48)) == 1.5
    assert reading_unit(QSize(2560 - 376, 700)) == 1.0  # wide and low: there is no room


def test_a_panel_says_what_it_shows_where_there_is_room(qtbot):
    panel = PriorPanel()
    qtbot.addWidget(panel)
    panel.resize(ROOMY.width(), ROOMY.height() - 1)
    panel.show()
    assert not panel.sentence.isVisible() and panel.sentence.text() in panel.title.toolTip()
    panel.resize(ROOMY)
    assert panel.sentence.isVisible() and "z = f(x)" not in panel.sentence.text()
    panel.resize(ROOMY.width() - 1, 600)
    assert not panel.sentence.isVisible()


def test_plots_beside_each_other_begin_on_one_line(qtbot):
    tops = []
    for make in (PriorPanel, LossPanel):
        panel = make()
        qtbot.addWidget(panel)
        panel.explain("Two words." if make is LossPanel else panel.sentence.text())
        panel.resize(ROOMY.width() + 20, 400)
        panel.show()
        qtbot.waitExposed(panel)
        panel.body.activate()
        tops.append(panel.plot.y())
    assert tops[0] == tops[1]


def test_the_sentence_is_of_what_is_shown(qtbot):
    panel = SamplesPanel()
    qtbot.addWidget(panel)
    both = panel.sentence.text()
    panel.show_clouds(True, False)
    assert panel.sentence.text() != both and "noise" not in panel.sentence.text()
    panel.show_clouds(True, True)
    assert panel.sentence.text() == both


def test_a_narrow_panel_says_its_title_shorter(qtbot):
    label = Elided("Where f sends the data", "strong", "Data in z")
    qtbot.addWidget(label)
    wide = label.fontMetrics().horizontalAdvance(label.text())
    assert label.words(wide) == label.text() and label.words(wide - 1) == "Data in z"
    assert label.words(30).endswith("…")
    label.whole = True
    assert label.words(30) == ""  # of a number no half
    label.write("step 1,234 · 500 steps/s", "step 1,234")
    assert label.words(label.fontMetrics().horizontalAdvance("step 1,234") + 2) == "step 1,234"


def test_a_stages_figures_have_their_room_before_they_come(qtbot):
    stage = _Stage()
    qtbot.addWidget(stage)
    stage.show_caption("1 Forward", "The batch flows.", "z = f(x)")
    stage.show_on(False, "")
    before = stage.sizeHint().height()
    stage.show_on(True, "8 layers")
    assert stage.sizeHint().height() == before


def test_a_sheet_grows_with_the_canvas(qtbot):
    canvas = QWidget()
    qtbot.addWidget(canvas)
    sheet = TargetSheet("A sheet", canvas, 780, 600)
    canvas.resize(904, 672)
    canvas.show()
    sheet.open_sheet()
    assert sheet.card.size() == QSize(780, 600)
    canvas.resize(2184, 1392)
    assert sheet.card.height() > 900 and sheet.card.width() - 780 == sheet.card.height() - 600


def test_the_densities_sheet_stays_on_the_screen():
    screen, size = QRect(0, 0, 1280, 720), QSize(424, 469)
    assert on_screen(QRect(QPoint(800, 100), size), screen) == QRect(QPoint(800, 100), size)
    low = on_screen(QRect(QPoint(800, 287), size), screen)
    assert low.left() == 800 and low.bottom() < 720 - 4 and low.size() == size
    assert on_screen(QRect(QPoint(-40, 287), size), QRect(0, 0, 800, 400)).topLeft() == QPoint(0, 0)  # a screen lower than it


def test_panels_are_alike_whatever_size_the_window_had_before(qtbot):
    made: dict[str, Callable[[], ToyPanel]] = {
        "points": SamplesPanel, "density": DensityPanel, "prior": PriorPanel, "loss": LossPanel, "grid": GridPanel,
    }  # fmt: skip
    gallery = Gallery(made | {"layers": LayersPanel})
    qtbot.addWidget(gallery)
    gallery.show_panels((*made, "layers"))
    gallery.show()
    for width, height in ((2184, 1240), (1064, 696), (904, 522), (1064, 660), (2184, 1240), (904, 700)):
        gallery.set_unit(1.5 if width > 2000 else 1.0)
        gallery.resize(width, height)
        for _ in range(3):
            QApplication.processEvents()
        heights = [panel.height() for panel in gallery.shown]
        assert max(heights) - min(heights) <= 1, (width, height)
        assert len({panel.sentence.isVisible() for panel in gallery.shown}) == 1
