"""Sliders, typed values, choices: driven as a person drives them."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from flow_explorer.widgets import Choice, NumberField, Segmented, Toggle, ValueSlider
from flow_explorer.widgets.slider import parse_number

KEPT: WeakKeyDictionary[QWidget, QWidget] = WeakKeyDictionary()


def shown(qtbot, *widgets: QWidget) -> QWidget:
    window = QWidget()
    layout = QVBoxLayout(window)
    for widget in widgets:
        layout.addWidget(widget)
    window.resize(320, 40 + 70 * len(widgets))
    qtbot.addWidget(window)
    KEPT[widgets[0]] = window  # qtbot keeps weak references only
    with qtbot.waitExposed(window):
        window.show()
    return window


class Heard(ValueSlider):
    """A slider that keeps what it told."""

    def __init__(self, *about) -> None:
        super().__init__(*about)
        self.heard: list[float] = []
        self.ends: list[float] = []


@pytest.fixture
def slider(qtbot):
    widget = Heard("Temperature", 0.0, 1.5, 0.7, 0.01, 2)
    shown(qtbot, widget)
    widget.value_changed.connect(widget.heard.append)
    widget.editing_finished.connect(lambda: widget.ends.append(widget.value()))
    return widget


def test_it_shows_its_value_and_no_reset_at_the_default(slider):
    assert slider.field.text() == "0.70"
    assert not slider.reset_button.isVisible()
    slider.set_value(0.65)
    assert slider.field.text() == "0.65" and slider.reset_button.isVisible()
    assert slider.heard == [] and slider.ends == []


def test_a_drag_tells_every_value_and_its_end_once(slider):
    track = slider.track
    middle = track.height() // 2
    start = QPoint(round(track.position_x(0.7 / 1.5)), middle)
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=start)
    for fraction in (0.5, 0.6, 0.8, 1.0):
        QTest.mouseMove(track, QPoint(round(track.position_x(fraction)), middle))
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() + 50, middle))
    assert slider.heard[-1] == 1.5
    assert slider.heard == sorted(slider.heard) and len(slider.heard) == 4
    assert slider.ends == [1.5]


def test_a_press_anywhere_takes_the_knob_there(slider):
    track = slider.track
    QTest.mouseClick(track, Qt.MouseButton.LeftButton, pos=QPoint(round(track.position_x(0)), 10))
    assert slider.value() == 0.0


@pytest.mark.parametrize(
    ("key", "modifier", "expected"),
    [
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0.71),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, 0.71),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 0.69),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 0.6),
        (Qt.Key.Key_PageUp, Qt.KeyboardModifier.NoModifier, 0.85),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0.0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 1.5),
    ],
)
def test_arrow_keys_step(slider, qtbot, key, modifier, expected):
    slider.track.setFocus()
    QTest.keyClick(slider.track, key, modifier)
    assert slider.value() == pytest.approx(expected) and slider.heard == [slider.value()]
    qtbot.waitUntil(lambda: slider.ends == [slider.value()], timeout=2000)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("1.25", 1.25), ("0,3", 0.3), ("9", 1.5), ("-4", 0.0), ("0.123456", 0.12), ("1e-1", 0.1)],
)
def test_a_typed_number_counts(slider, typed, expected):
    slider.field.setFocus()
    slider.field.selectAll()
    QTest.keyClicks(slider.field, typed)
    QTest.keyClick(slider.field, Qt.Key.Key_Return)
    assert slider.value() == pytest.approx(expected) and slider.ends == [slider.value()]
    assert slider.field.text() == f"{expected:.2f}"


@pytest.mark.parametrize("typed", ["nan", "inf", "-inf", "abc", "", "1..2", "1e999"])
def test_what_is_no_number_gives_the_old_one_back(slider, typed):
    slider.field.setFocus()
    slider.field.selectAll()
    QTest.keyClick(slider.field, Qt.Key.Key_Delete)
    QTest.keyClicks(slider.field, typed)
    QTest.keyClick(slider.field, Qt.Key.Key_Return)
    assert slider.value() == 0.7 and slider.heard == [] and slider.field.text() == "0.70"


def test_escape_gives_the_old_number_back(slider):
    slider.field.setFocus()
    QTest.keyClicks(slider.field, "1.1")
    QTest.keyClick(slider.field, Qt.Key.Key_Escape)
    assert slider.value() == 0.7 and slider.field.text() == "0.70"


def test_reset_returns_to_the_default(slider):
    slider.set_value(1.2)
    QTest.mouseClick(slider.reset_button, Qt.MouseButton.LeftButton)
    assert slider.heard == [0.7] and slider.ends == [0.7] and not slider.reset_button.isVisible()
    slider.set_default(0.5)
    assert slider.reset_button.isVisible()


def test_values_that_are_not_finite_are_refused(slider):
    with pytest.raises(ValueError, match="finite"):
        slider.set_value(float("nan"))
    assert slider.value() == 0.7


@pytest.mark.parametrize("limits", [(1, 1), (2, 1), (0, float("inf"))])
def test_a_range_that_is_none_is_refused(qtbot, limits):
    with pytest.raises(ValueError, match="range"):
        ValueSlider("x", *limits)


def wheel(widget: QWidget, turn: int) -> None:
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre, QPointF(widget.mapToGlobal(centre)), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_wheel_turns_only_what_has_the_focus(slider):
    slider.field.setFocus()
    wheel(slider.track, 120)
    assert slider.value() == 0.7
    slider.track.setFocus()
    wheel(slider.track, 120)
    assert slider.value() == 0.71


def test_a_logarithmic_slider_spans_its_decades(qtbot):
    rate = ValueSlider("Learning rate", 1e-4, 1e-1, 1e-3, decimals=5, logarithmic=True)
    shown(qtbot, rate)
    assert rate.field.text() == "0.001"
    assert rate.track.fraction() == pytest.approx(1 / 3, abs=0.01)
    seen = []
    rate.value_changed.connect(seen.append)
    rate.track.setFocus()
    QTest.keyClick(rate.track, Qt.Key.Key_Home)
    for _ in range(300):
        QTest.keyClick(rate.track, Qt.Key.Key_Right)
    assert seen[0] == 1e-4 and seen[-1] == 0.1
    assert seen == sorted(set(seen)) and len(seen) > 100
    with pytest.raises(ValueError, match="above 0"):
        ValueSlider("x", 0, 1, logarithmic=True)


def test_a_slider_of_given_values_stays_on_them(qtbot):
    batch = ValueSlider("Batch", default=256, values=[1024, 64, 128, 256, 512], decimals=0, unit="points")
    shown(qtbot, batch)
    assert batch.field.text() == "256 points"
    QTest.keyClick(batch.track, Qt.Key.Key_Right)
    assert batch.value() == 512
    batch.field.setFocus()
    batch.field.selectAll()
    QTest.keyClicks(batch.field, "100")
    QTest.keyClick(batch.field, Qt.Key.Key_Return)
    assert batch.value() == 128


def test_a_burst_ends_on_the_last_value(slider):
    for index in range(200):
        slider.track.moved.emit(index % 151)
    assert slider.heard[-1] == pytest.approx((199 % 151) * 0.01)
    assert slider.field.text() == f"{slider.value():.2f}"


def test_fifty_thousand_signals_survive(slider):
    count = 0

    def hear(_value):
        nonlocal count
        count += 1

    slider.value_changed.connect(hear)
    for index in range(50_000):
        slider.value_changed.emit(float(index))
    assert count == 50_000 and slider.heard[-1] == 49_999.0


def test_a_screen_reader_finds_the_slider_by_its_name(slider):
    reader = QAccessible.queryAccessibleInterface(slider.track)
    assert reader.role() == QAccessible.Role.Slider
    assert reader.text(QAccessible.Text.Name) == "Temperature"


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [("0.7", "", 0.7), ("0,75", "", 0.75), ("1,024", "", 1024.0), ("0,125", "", 0.125), ("1,234.5", "", 1234.5),
     ("70 %", "%", 70.0), ("\u22123", "", -3.0), ("", "", None), ("nan", "", None), ("1e999", "", None)],
)  # fmt: skip
def test_numbers_as_people_type_them(text, unit, number):
    assert parse_number(text, unit) == number


def test_segmented_moves_by_mouse_and_keys_and_is_silent_when_set(qtbot):
    flow = Segmented([("nice", "NICE"), ("realnvp", "RealNVP"), ("glow", "Glow")], "Flow")
    shown(qtbot, flow)
    heard = []
    flow.chosen.connect(heard.append)
    flow.set_current("glow")
    assert flow.current() == "glow" and heard == []
    QTest.mouseClick(flow.button("realnvp"), Qt.MouseButton.LeftButton)
    assert heard == ["realnvp"]
    flow.button("realnvp").setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(flow.button("realnvp"), Qt.Key.Key_Right)
    assert flow.current() == "glow" and heard[-1] == "glow"
    with pytest.raises(ValueError, match="spline"):
        flow.set_current("spline")


def test_choice_by_keyboard_and_set(qtbot):
    choice = Choice([("two-moons", "Two moons"), ("rings", "Rings")], "Density")
    shown(qtbot, choice)
    heard = []
    choice.chosen.connect(heard.append)
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Down)
    assert heard == ["rings"] and choice.current() == "rings"
    choice.set_options([("a", "A"), ("rings", "Rings")])
    assert choice.current() == "rings" and heard == ["rings"]
    wheel(choice, 120)
    assert choice.current() == "rings"
    choice.set_offered("a", False)
    QTest.keyClick(choice, Qt.Key.Key_Up)
    assert choice.current() == "rings" and heard == ["rings"], "what is greyed is passed over"
    with pytest.raises(ValueError, match="nowhere"):
        choice.set_current("nowhere")


def test_number_field_tells_of_the_person_only(qtbot):
    seed = NumberField("Seed", value=4)
    shown(qtbot, seed)
    heard = []
    seed.value_changed.connect(heard.append)
    seed.set_value(9)
    assert heard == []
    seed.setFocus()
    seed.selectAll()
    QTest.keyClicks(seed, "123")
    assert heard == []
    QTest.keyClick(seed, Qt.Key.Key_Return)
    assert heard == [123]
    QTest.keyClick(seed, Qt.Key.Key_Up)
    assert heard == [123, 124]


def test_toggle_by_keyboard(qtbot):
    toggle = Toggle("Whole pixels")
    shown(qtbot, toggle)
    toggle.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(toggle, Qt.Key.Key_Space)
    assert toggle.isChecked()
    qtbot.waitUntil(lambda: toggle._place == 1.0, timeout=1000)


def test_a_number_below_zero_has_a_true_minus_and_is_typed_with_either(qtbot):
    slider = ValueSlider("Slope", -2.5, 2.5, 1.0)
    qtbot.addWidget(slider)
    slider.set_value(-1.5)
    assert slider.field.text() == "\u22121.50"
    for typed in ("-2", "\u22122"):
        slider.set_value(0.0)
        slider.field.typed.emit(typed)
        assert slider.value() == -2.0 and slider.field.text() == "\u22122.00"


def test_tab_enters_a_row_of_options_at_the_chosen_one(qtbot):
    column = QWidget()
    qtbot.addWidget(column)
    before, row = Toggle("Before"), Segmented([("a", "A"), ("b", "B"), ("c", "C")], "Row")
    layout = QVBoxLayout(column)
    layout.addWidget(before)
    layout.addWidget(row)
    with qtbot.waitActive(column):
        column.show()
        column.activateWindow()
    row.set_current("c")
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Tab)
    assert column.focusWidget() is row.button("c")
    QTest.keyClick(row.button("c"), Qt.Key.Key_Left)
    assert row.current() == "b" and column.focusWidget() is row.button("b")
    row.set_current("a")
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Tab)
    assert column.focusWidget() is row.button("a")
