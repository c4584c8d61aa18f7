"""The theory page as a workspace: tabs, keys, words that can be clicked, pictures of one's own, sessions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from flow_explorer.theory.state import FIGURES, TheoryState
from flow_explorer.theory.typeset import Formula, formula_size, spoken
from flowcore.errors import FlowError


def dropped(path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def test_the_tabs_and_the_keys_go_through_the_figures(page):
    for figure in FIGURES[1:]:
        QTest.keyClick(page.window, Qt.Key.Key_PageDown)
        assert page.state.figure == figure and page.canvas.tabs.current() == figure
        assert page.canvas.stack.currentWidget() is page.figure and page.panel.isVisible()
    QTest.keyClick(page.window, Qt.Key.Key_PageDown)
    assert page.state.figure == "affine"
    QTest.mouseClick(page.canvas.tabs.button("masks"), Qt.MouseButton.LeftButton)
    assert page.state.figure == "masks" and page.controller.history.length == 0  # looking is no act


def test_clicking_the_words_changes_what_is_seen(page):
    for figure in FIGURES:
        page.go(figure)
        seen = {page.state.current}
        for link in range(len(page.canvas._acts)):
            page.canvas.tries.linkActivated.emit(str(link))
            page.controller.pause()
            page.settle()
            seen.add(page.state.current)
        assert len(seen) >= 3, figure
    page.canvas.tries.linkActivated.emit("99")  # no such words


def test_try_this_lets_the_curve_learn(page):
    page.go("curve")
    page.canvas.tries.linkActivated.emit("0")
    assert page.controller.learning
    page.canvas.tries.linkActivated.emit(str(page.canvas._acts.index("learn:box")))
    assert page.controller.learning and page.state.curve.target == "box"


def test_space_learns_steps_and_begins_again(page):
    page.go("masks")
    for phase in (1, 2, 3, 4, 0):
        QTest.keyClick(page.window, Qt.Key.Key_Space)
        assert page.state.masks.phase == phase
    page.go("curve")
    QTest.keyClick(page.window, Qt.Key.Key_Space)
    assert page.controller.learning
    QTest.keyClick(page.window, Qt.Key.Key_Space)
    assert not page.controller.learning


def test_reset_takes_one_figure_back_and_can_be_undone(page):
    page.go("matrix", a=2.0)
    page.go("affine", slope=-1.0)
    QTest.keyClick(page.window, Qt.Key.Key_R)
    assert page.state.affine == TheoryState().affine and page.state.matrix.a == 2.0
    assert not page.inspector.reset.isEnabled()
    page.controller.history.undo()
    assert page.state.affine.slope == -1.0


def test_undo_goes_back_to_the_figure_where_it_was_done(page):
    page.go("matrix", a=2.0)
    page.go("masks")
    page.controller.history.undo()
    assert page.state.figure == "matrix" and page.canvas.stack.currentWidget() is page.canvas.figures["matrix"]


def test_a_picture_of_ones_own(page, tmp_path):
    path = tmp_path / "mine.png"
    Image.fromarray(np.full((40, 60, 3), (200, 30, 90), np.uint8)).save(path)
    page.go("masks")
    assert page.workspace.can_drop(dropped(path))
    page.workspace.drop(dropped(path))
    assert page.state.masks.picture == str(path)
    assert page.panel.picture.choice.currentText() == "mine.png"
    picture = page.controller.pictures.get(str(path), 32)
    assert picture.shape == (32, 32, 3) and abs(picture.reshape(-1, 3).mean(0) - [200, 30, 90]).max() < 3
    page.go("convolution")
    page.workspace.drop(dropped(path))
    assert page.state.convolution.picture == str(path)
    page.panel.picture.choice.chosen.emit("waves")
    assert page.state.convolution.picture == "waves" and page.panel.picture.choice.count() == 4


def test_a_broken_picture_is_one_sentence_and_nothing_lost(page, tmp_path):
    path = tmp_path / "broken.png"
    said = []
    page.controller.failed.connect(said.append)
    page.go("masks", phase=2)
    before = page.state
    contents = [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"]
    for content in contents:
        path.write_bytes(content)
        page.workspace.drop(dropped(path))
        assert page.state == before
    page.workspace.drop(dropped(tmp_path))  # a folder
    page.controller.failed.disconnect(said.append)
    assert page.state == before and len(said) == 4 and all(sentence.endswith(".") for sentence in said)
    # The same file, mended: what was wrong with it before is not remembered.
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    page.workspace.drop(dropped(path))
    assert page.state.masks.picture == str(path) and not page.panel.picture.error.isVisible()


def test_a_drop_on_a_figure_without_pictures_says_where_it_goes(page, tmp_path):
    said = []
    page.controller.failed.connect(said.append)
    page.go("affine")
    page.workspace.drop(dropped(tmp_path / "mine.png"))
    page.controller.failed.disconnect(said.append)
    assert len(said) == 1 and "Masks" in said[0]


def test_a_session_comes_back_even_where_its_picture_has_gone(page, tmp_path):
    path = tmp_path / "gone.png"
    state = TheoryState("masks").changed("masks", phase=3, picture=str(path)).to_dict()
    page.workspace.restore(state)
    page.settle()
    assert page.state.masks.phase == 3 and page.workspace.state() == state
    assert page.panel.picture.error.isVisible() and page.panel.picture.error.text().endswith(".")
    assert page.number("all") == 3072  # another picture stands in for it
    with pytest.raises(FlowError):
        page.workspace.restore({"figure": 7})
    assert page.state.masks.phase == 3


def test_hidden_it_learns_no_more(page):
    page.go("curve")
    page.controller.learn()
    page.workspace.hidden()
    assert not page.controller.learning


def test_copied_and_saved(page, tmp_path):
    page.go("coupling")
    page.workspace.copy_figure()
    assert not QApplication.clipboard().image().isNull()
    path, size = tmp_path / "figure.png", (page.canvas.width(), page.canvas.height())
    page.workspace.write_figure(str(path))
    with Image.open(path) as saved:
        assert saved.size == size
    page.workspace.write_figure(str(tmp_path / "no" / "such" / "folder.png"))
    assert not (tmp_path / "no").exists()


def test_nothing_is_cut_off(page):
    try:
        for size, figure in itertools.product([(1280, 720), (2560, 1440)], FIGURES):
            page.window.resize(*size)
            page.go(figure)
            QApplication.processEvents()
            figure_widget, canvas = page.figure, page.canvas
            assert figure_widget.height() > 0.5 * canvas.height()
            for label in (canvas.sentence, canvas.tries):
                assert label.heightForWidth(label.width()) <= label.height() + 1
                assert canvas.rect().contains(label.geometry())
            assert canvas.formula.sizeHint().width() <= canvas.formula.width() + 1 <= canvas.width()
            for label in page.panel.findChildren(QLabel):
                if label.isVisible() and not label.wordWrap():
                    assert label.sizeHint().width() <= label.width() + 1, label.text()
    finally:
        page.window.resize(1280, 720)


def test_the_words_grow_with_the_window(page):
    page.go("affine")
    small = page.canvas.formula.sizeHint().height()
    page.window.resize(2560, 1440)
    QApplication.processEvents()
    assert page.canvas.formula.sizeHint().height() > 1.5 * small
    page.window.resize(1280, 720)


def test_a_formula_is_set_and_spoken(qapp):
    markup = r"\b{p(x)} = \z{π(z)} \abs{\frac{dz}{dx}}"
    assert spoken(markup) == "p(x) = π(z) |(dz)/(dx)|"
    _, above, below = formula_size(markup, 20)
    _, plain_above, plain_below = formula_size("p(x)", 20)
    assert above > plain_above and below > plain_below  # the fraction, and the bars as high as it
    assert formula_size("x_{1}", 20)[0] > formula_size("x", 20)[0]
    formula = Formula(markup, 20)
    assert formula.accessibleName() == spoken(markup)
    assert formula.grab().toImage().width() >= formula_size(markup, 20)[0]
