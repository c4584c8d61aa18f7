"""The About page says what the cards say; keys are drawn; a sheet dims the window behind it."""

from __future__ import annotations

import gc

from PySide6.QtWidgets import QApplication, QLabel, QWidget

from flow_explorer import theme
from flow_explorer.dialogs.about import AboutDialog, data_rows, library_rows, model_rows
from flow_explorer.dialogs.shortcuts import KeyCap
from flow_explorer.widgets import Choice, Fold, Segmented, ValueSlider
from flow_explorer.widgets.fold import ValueRow

CARD = {
    "name": "faces", "title": "Faces", "system": "glow", "size": [32, 32], "channels": 3, "bpd": 3.456,
    "parameters": 1234567,
    "data": {"name": "CelebA", "licence": "non-commercial research", "credit": "Liu et al. 2015", "note": ""},
}  # fmt: skip


def test_the_rows_of_a_model_come_from_its_card():
    rows = dict(model_rows(CARD))
    assert rows["System"] == "Glow 32×32 × 3"
    assert rows["Likelihood"] == "3.46 bits per dimension"
    assert rows["Parameters"] == "1,234,567"
    assert rows["Trained on"] == "CelebA" and rows["Licence"] == "non-commercial research"


def test_each_set_of_data_is_named_once():
    rows = data_rows([CARD, CARD, {"data": "text"}], [{"title": "CelebA", "credit": "?"}, {"title": "Mine"}, {}])
    assert [row["title"] for row in rows] == ["CelebA", "Mine"]
    assert rows[0]["credit"] == "Liu et al. 2015"


def test_an_odd_card_shows_what_it_has():
    assert dict(model_rows({"system": "other", "data": "text", "bpd": None})) == {"System": "other"}


def test_libraries_are_those_that_are_installed():
    rows = {name: (version, licence) for name, version, licence in library_rows({"torch": "9.9"})}
    assert rows["PyTorch"] == ("9.9", "BSD-3-Clause")
    assert rows["Qt for Python"][1] == "LGPL-3.0"


def test_about_names_every_model_and_says_what_is_wrong_with_one(qtbot, tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not a model")
    window = QWidget()
    window.resize(900, 700)
    qtbot.addWidget(window)
    window.show()
    dialog = AboutDialog({}, [{"title": "My model", "licence": "mine"}], window, [bad])
    dialog.open()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert any("bad.safetensors" in text for text in texts)
    assert "My model" in texts and "Explorer" in " ".join(texts)
    assert any("PySide" in row.label.text() or "Qt for Python" in row.label.text()
               for row in dialog.findChildren(ValueRow))  # fmt: skip
    before = window.grab().toImage().pixelColor(5, 5)
    dialog.accept()
    qtbot.waitUntil(lambda: window.grab().toImage().pixelColor(5, 5) != before, timeout=2000)
    assert window.grab().toImage().pixelColor(5, 5).lightness() > before.lightness()


def test_long_words_of_a_card_wrap_and_nothing_is_cut(qtbot, tmp_path):
    window = QWidget()
    window.resize(900, 700)
    qtbot.addWidget(window)
    window.show()
    long = "the first ten thousand aligned pictures, of which nine thousand are for training " * 3
    dialog = AboutDialog({}, [{"title": long, "licence": long, "credit": long}], window, [])
    dialog.open()
    QApplication.processEvents()
    assert dialog.scroll_area.widget().width() == dialog.scroll_area.viewport().width()
    dialog.accept()


def test_keys_are_split_into_caps(qtbot):
    for keys, parts in (("Ctrl+Shift+Z", 3), ("Space", 1), ("?", 1), ("Ctrl+\\", 2), ("+", 1)):
        cap = KeyCap(keys)
        qtbot.addWidget(cap)
        assert len(cap.parts) == parts and cap.sizeHint().width() >= 24 * parts
        assert not cap.grab().isNull()


def test_widgets_that_are_gone_do_not_hear_of_a_new_theme(qapp):
    for _ in range(20):
        ValueSlider("x")
        Segmented([("a", "A")])
        Choice([("a", "A")])
        Fold("x")
    gc.collect()
    QApplication.processEvents()
    theme.choose("dark")
    QApplication.processEvents()
    theme.choose("light")
