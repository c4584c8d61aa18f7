"""Both themes can be read, are switched at once, and figures do not dance."""

from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtGui import QColor, QFontMetricsF, QPalette
from PySide6.QtWidgets import QLabel

from flow_explorer import theme
from flow_explorer.theme_sheet import style_sheet

BOTH = pytest.mark.parametrize("tones", [theme.LIGHT, theme.DARK], ids=lambda tones: tones.name)


@BOTH
@pytest.mark.parametrize("ink", ["text", "muted", "link", "a_text", "b_text", "z_text", "good_text", "warning_text"])
@pytest.mark.parametrize("ground", ["window", "surface"])
def test_text_can_be_read(tones, ink, ground):
    assert theme.contrast(getattr(tones, ink), getattr(tones, ground)) >= 4.5


@BOTH
def test_controls_can_be_told_apart(tones):
    assert theme.contrast(tones.text, tones.raised) >= 7
    assert theme.contrast(tones.accent_text, tones.accent) >= 4.5
    assert theme.contrast(tones.accent_text, tones.accent_hover) >= 4.5
    assert theme.contrast(tones.accent, tones.surface) >= 3  # focus rings, slider tracks


@BOTH
def test_every_colour_is_one(tones):
    for field in fields(tones):
        value = getattr(tones, field.name)
        if field.name not in ("name", "dark"):
            assert QColor(value).isValid() and len(value) == 7, field.name


@BOTH
def test_data_colours_are_okabe_and_ito_in_both(tones):
    assert (tones.a, tones.b, tones.z, tones.good, tones.warning) == (
        "#E69F00", "#56B4E9", "#CC79A7", "#009E73", "#D55E00",
    )  # fmt: skip


def test_choosing_tells_everybody_and_changes_the_palette(qapp):
    heard: list[str] = []
    listener = lambda: heard.append(theme.current().name)  # noqa: E731
    theme.changed.connect(listener)
    theme.choose("dark")
    assert theme.current() is theme.DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == theme.DARK.window
    theme.choose("dark")
    theme.choose("light")
    theme.changed.disconnect(listener)
    assert heard == ["dark", "light"]
    with pytest.raises(ValueError, match="sepia"):
        theme.choose("sepia")


def test_figures_are_tabular(qapp):
    metrics = QFontMetricsF(theme.font())
    widths = {round(metrics.horizontalAdvance(digit * 8), 3) for digit in "0123456789"}
    assert len(widths) == 1


def test_a_labels_tone_reaches_the_screen(qtbot):
    label = QLabel("exact")
    label.setProperty("tone", "good")
    qtbot.addWidget(label)
    label.show()
    image = label.grab().toImage()
    wanted = QColor(theme.current().good_text)
    distance = min(
        abs(image.pixelColor(x, y).red() - wanted.red()) + abs(image.pixelColor(x, y).green() - wanted.green())
        for x in range(image.width()) for y in range(image.height())
    )  # fmt: skip
    assert distance < 40


def test_the_sheet_needs_every_token():
    with pytest.raises(KeyError):
        style_sheet({"window": "#000000"})
