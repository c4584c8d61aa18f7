"""Pictures, banners, folds, empty places, progress: what they show and how they are reached."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from flow_explorer import assets, icons, theme
from flow_explorer.settings import Settings
from flow_explorer.widgets import (  # fmt: skip
    Banner,
    Button,
    ChipButton,
    EmptyState,
    Fold,
    Heading,
    IconButton,
    Inspector,
    PictureLabel,
    ProgressView,
    Spinner,
    ValueRow,
    ValueSlider,
)
from flow_explorer.widgets.pixels import enlarged, from_image, to_image, to_rgb


def shown(qtbot, widget: QWidget, width: int = 320, height: int = 200) -> QWidget:
    widget.resize(width, height)
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def pixel(widget: QWidget, x: int, y: int) -> QColor:
    return widget.grab().toImage().pixelColor(x, y)


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_a_picture_survives_the_way_to_qt_and_back(shape):
    array = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    back = from_image(to_image(array))
    assert back.shape == (5, 7, 4)
    expected = to_rgb(array)
    assert np.array_equal(back[..., : expected.shape[2]], expected)


def test_a_slice_is_read_rightly_and_memory_is_its_own():
    big = RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    part = big[1:6, 2:5]
    image = to_image(part)
    kept = part.copy()
    big[:] = 0
    assert np.array_equal(from_image(image)[..., :3], kept)


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 2), float), np.zeros((2, 2, 2), np.uint8), np.zeros((0, 3), np.uint8), np.zeros(4, np.uint8)]
)
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(ValueError, match="picture"):
        to_rgb(bad)


def test_whole_pixels_keep_every_pixel_and_smooth_does_not_ring_outside():
    array = RANDOM.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    blocks = from_image(enlarged(array, 12, 12, smooth=False))[..., :3]
    assert np.array_equal(blocks, array.repeat(3, 0).repeat(3, 1))
    flat = from_image(enlarged(np.full((4, 4), 77, np.uint8), 50, 30))[..., :3]
    assert flat.shape == (30, 50, 3) and (flat == 77).all()


@pytest.mark.parametrize("smooth", [True, False])
def test_a_picture_is_centred_at_its_own_proportions(qtbot, smooth):
    label = PictureLabel(smooth=smooth)
    shown(qtbot, label, 320, 200)
    label.set_array(np.full((10, 20, 3), (200, 30, 40), np.uint8))
    area = label.picture_rect()
    assert (area.width(), area.height()) == (320, 160)
    assert theme.rgb(pixel(label, 160, 100)) == (200, 30, 40)
    assert theme.rgb(pixel(label, 160, 10)) != (200, 30, 40)
    label.set_array(None)
    assert label.picture_rect().isEmpty() and label.rendered().isNull()
    assert theme.rgb(pixel(label, 160, 100)) != (200, 30, 40)


def test_whole_pixels_use_a_whole_factor(qtbot):
    label = PictureLabel(smooth=False)
    shown(qtbot, label, 100, 100)
    label.set_array(np.zeros((32, 32, 3), np.uint8))
    assert label.picture_rect().width() == 96
    label.set_smooth(True)
    assert label.picture_rect().width() == 100


def test_the_newest_picture_is_what_is_painted(qtbot):
    label = PictureLabel()
    shown(qtbot, label, 64, 64)
    for grey in (0, 90, 180):
        label.set_array(np.full((8, 8), grey, np.uint8))
        assert pixel(label, 32, 32).red() == grey


def test_an_outline_has_its_colour(qtbot):
    label = PictureLabel()
    shown(qtbot, label, 64, 64)
    label.set_array(np.zeros((8, 8), np.uint8))
    label.set_outline("a")
    assert pixel(label, 32, 1).name().upper() == "#E69F00"


def test_pictures_are_clicked_by_mouse_and_keyboard(qtbot):
    label = PictureLabel("Sample 3", interactive=True)
    shown(qtbot, label, 64, 64)
    label.set_array(np.zeros((8, 8), np.uint8))
    clicks = []
    label.clicked.connect(lambda: clicks.append(1))
    QTest.mouseClick(label, Qt.MouseButton.LeftButton, pos=QPoint(30, 30))
    label.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(label, Qt.Key.Key_Return)
    assert len(clicks) == 2


def test_a_drag_asks_for_its_data_only_after_the_pointer_moved(qtbot):
    label = PictureLabel()
    shown(qtbot, label, 64, 64)
    label.set_array(np.zeros((8, 8), np.uint8))
    asked = []
    label.drag_data = lambda: asked.append(1)  # None: no drag begins, so the test is not caught in one
    QTest.mousePress(label, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    QTest.mouseMove(label, QPoint(21, 20))
    assert asked == []
    QTest.mouseMove(label, QPoint(60, 60))
    QTest.mouseMove(label, QPoint(10, 60))
    QTest.mouseRelease(label, Qt.MouseButton.LeftButton, pos=QPoint(10, 60))
    assert asked == [1]


def test_an_image_of_qt_is_shown_too(qtbot):
    label = PictureLabel()
    shown(qtbot, label, 64, 64)
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    image.fill(QColor(10, 200, 30))
    label.set_image(image)
    assert theme.rgb(pixel(label, 32, 32)) == (10, 200, 30)
    label.set_image(QImage())
    assert label.array() is None


def test_a_banner_tells_copies_and_closes(qtbot):
    banner = Banner()
    host = QWidget()
    QVBoxLayout(host).addWidget(banner)
    shown(qtbot, host, 600, 80)
    banner.show_message("notes.txt is no picture.", "Traceback: 1")
    assert banner.sentence == "notes.txt is no picture." and banner.details_button.isVisible()
    QTest.mouseClick(banner.details_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "notes.txt is no picture.\n\nTraceback: 1"
    QTest.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    assert banner.sentence == "" and banner.isHidden()
    with pytest.raises(ValueError, match="kind"):
        banner.show_message("x", kind="panic")


def test_notices_go_by_themselves_and_errors_stay(qtbot):
    host = QWidget()
    layout = QVBoxLayout(host)
    notice, error = Banner(linger_ms=60), Banner(linger_ms=60)
    layout.addWidget(notice)
    layout.addWidget(error)
    shown(qtbot, host)
    notice.show_message("Saved.", kind="good")
    error.show_message("No.", kind="error")
    qtbot.waitUntil(notice.isHidden, timeout=2000)
    qtbot.wait(100)
    assert not error.isHidden()


def test_a_banners_act_runs_once_and_takes_it_away(qtbot):
    banner, ran = Banner(), []
    host = QWidget()
    QVBoxLayout(host).addWidget(banner)
    shown(qtbot, host, 600, 80)
    banner.show_message("The engine stopped.", kind="notice", act=("Start again", lambda: ran.append(1)))
    QTest.mouseClick(banner.act_button, Qt.MouseButton.LeftButton)
    assert ran == [1] and banner.isHidden()


def test_a_fold_stays_as_it_was_left(qtbot):
    settings = Settings()
    fold = Fold("Per level", settings=settings, key="explorer.levels")
    inside = fold.add(QPushButton("inside"))
    shown(qtbot, fold)
    assert not inside.isVisible()
    QTest.mouseClick(fold.header, Qt.MouseButton.LeftButton)
    assert inside.isVisible() and fold.is_unfolded()
    again = Fold("Per level", settings=Settings(), key="explorer.levels")
    qtbot.addWidget(again)
    assert again.is_unfolded()
    fold.header.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(fold.header, Qt.Key.Key_Space)
    assert not fold.is_unfolded()


def test_the_inspector_scrolls_and_keeps_its_foot_at_the_bottom(qtbot):
    inspector = Inspector()
    top = inspector.add(Heading("Flow"))
    inspector.add_stretch()
    foot = inspector.add(Heading("History"))
    shown(qtbot, inspector, 300, 400)
    assert top.mapTo(inspector, QPoint()).y() == 16
    assert foot.mapTo(inspector, foot.rect().bottomLeft()).y() >= 380
    for index in range(20):
        inspector.add(ValueSlider(f"Level {index}"))
    qtbot.waitUntil(lambda: inspector.verticalScrollBar().maximum() > 0, timeout=1000)
    assert inspector.horizontalScrollBar().maximum() == 0


def test_an_empty_place_offers_its_act(qtbot):
    ran = []
    empty = EmptyState("Drop a picture here.", ("Try an example", lambda: ran.append(1)))
    shown(qtbot, empty)
    button = empty.findChild(Button)
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert ran == [1]
    empty.set_sentence("notes.txt is no picture.", "warning")
    assert empty.label.property("tone") == "warning"


def test_progress_is_clamped_and_cancelled(qtbot):
    progress = ProgressView("Writing walk.gif", cancellable=True)
    shown(qtbot, progress, 300, 50)
    progress.set_progress(1.7)
    assert progress.figure.text() == "100 %"
    progress.set_progress(None, "Starting")
    assert progress.figure.text() == "" and progress.label.text() == "Starting"
    with qtbot.waitSignal(progress.cancelled):
        QTest.mouseClick(progress.cancel_button, Qt.MouseButton.LeftButton)


def test_a_spinner_rests_while_it_is_not_seen(qtbot):
    spinner = Spinner()
    shown(qtbot, spinner, 20, 20)
    assert spinner._timer.isActive() == theme.animations_enabled()
    spinner.hide()
    assert not spinner._timer.isActive()


def test_a_chip_elides_what_is_secondary_first(qtbot):
    chip = ChipButton("Faces", "Glow 32×32 · 3.89 bpd · non-commercial research")
    chip.setMenu(QMenu(chip))
    shown(qtbot, chip, 200, 32)
    chip.set_dot("good")
    assert chip.sizeHint().width() > 300 > chip.minimumSizeHint().width()
    assert chip.accessibleName().startswith("Faces Glow")
    assert not chip.grab().isNull()


def test_buttons_are_drawn_and_pressed_by_keyboard_without_taking_focus_from_a_click(qtbot):
    host = QWidget()
    layout = QVBoxLayout(host)
    button, icon = Button("New samples", "primary", icon="dice"), IconButton("undo", "Undo")
    layout.addWidget(button)
    layout.addWidget(icon)
    shown(qtbot, host)
    clicks = []
    button.clicked.connect(lambda: clicks.append(1))
    icon.setFocus()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not button.hasFocus()
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert len(clicks) == 2 and button.focus_visible
    assert icon.accessibleName() == "Undo" and icon.sizeHint() == QSize(32, 32)
    with pytest.raises(ValueError, match="kind"):
        Button("x", "huge")


def test_every_icon_is_drawn_in_the_colour_it_is_asked_for(qapp):
    names = sorted(path.stem for path in (assets.root() / "icons").glob("*.svg"))
    assert len(names) > 30
    for name in names:
        image = icons.pixmap(name, 20, "#ff0000", 2.0).toImage()
        solid = [
            image.pixelColor(x, y) for x in range(40) for y in range(40) if image.pixelColor(x, y).alphaF() >
            0.9
        ]
        assert solid, name
        if name != "app":
            assert all(tone.red() > 240 and tone.green() < 16 for tone in solid), name


def test_an_icon_that_is_missing_leaves_its_place_empty(qapp):
    image = icons.pixmap("no such icon", 20).toImage()
    assert all(image.pixelColor(x, x).alpha() == 0 for x in range(20))


def test_keys_named_in_code_are_keys():
    for keys in ("Ctrl+Z", "Ctrl+\\", "F1", "?", "Space", "Shift+Left"):
        assert QKeySequence(keys).toString()


def test_a_rows_label_and_value_stand_on_one_line(qtbot):
    row = ValueRow("1.000", "1.000")  # the same figures on either side
    qtbot.addWidget(row)
    row.resize(260, 24)
    row.show()
    image = row.grab().toImage()
    paper = image.pixel(image.width() // 2, 1)

    def lines(columns):
        return [y for y in range(image.height()) if any(image.pixel(x, y) != paper for x in columns)]

    assert lines(range(80 * image.width() // 260)) == lines(range(180 * image.width() // 260, image.width()))


def test_a_banner_shows_one_line_and_copies_the_rest(qtbot):
    from flow_explorer.widgets.banner import Banner

    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_message("a\nname \x1b[2J\u202e", "details")
    assert banner.sentence == r"a name \x1b[2J\u202e" == banner.accessibleName() and banner.details == "details"
    whole = "Something went wrong with " + "a very long name " * 300 + "."
    banner.show_message(whole, "and why")
    assert len(banner.sentence) <= 300 and banner.details == f"{whole}\n\nand why"
    banner.show_message(whole)
    assert banner.details == whole
