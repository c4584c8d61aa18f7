"""The Explorer's real widgets, driven by mouse, keys, drops and the clipboard."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from app.engine.requests import OpenModel, SamplePage, WalkAt
from app.explorer.caption import Caption
from flowcore import recipe
from flowcore.errors import PictureError
from flowcore.images import read_picture


def urls(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(widget, mime) -> bool:
    """Drag something over a widget and let it go, as the window system does; whether it was taken."""
    place = widget.rect().center()
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                            Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton,
                       Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def fill(workspace, bundle, client) -> None:
    drop(workspace.wells["A"], urls(bundle / "examples" / "red.png"))
    drop(workspace.wells["B"], urls(bundle / "examples" / "blue.png"))
    client.run()


def state(workspace):
    return workspace.history.state


def test_first_view(workspace, client):
    page = client.sent(SamplePage)[0]
    assert (page.seed, page.temperature, page.count) == (4, 0.7, 16)
    assert workspace.grid.selected == 0 and workspace.inspector().picture.array() is not None
    assert workspace.topbar().texts == ("Tiny", "Glow 8×8 · 3.50 bpd · CC0")
    assert workspace.wells["A"].empty.isVisible() and workspace.walk.empty.isVisible()


def test_click_selects_and_arrows_move(workspace, qtbot, client):
    grid = workspace.grid
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell(6).center().toPoint())
    assert state(workspace).selected == 6
    np.testing.assert_array_equal(workspace.inspector().picture.array(), workspace.controller.page.view.picture(6))
    for key, index in ((Qt.Key.Key_Down, 10), (Qt.Key.Key_Left, 9), (Qt.Key.Key_Up, 5), (Qt.Key.Key_Home, 0),
                       (Qt.Key.Key_Left, 0), (Qt.Key.Key_End, 15), (Qt.Key.Key_Right, 15)):
        qtbot.keyClick(grid, key)
        assert state(workspace).selected == index
    qtbot.waitUntil(lambda: bool(client.asked))
    client.run()
    assert workspace.inspector().bpd.value.text() == "2.50"
    assert "held-out" in workspace.inspector().likelier.value.text()
    assert grid.accessibleDescription() == "16 samples, sample 16 selected"


def test_enter_puts_the_sample_in_the_first_empty_well(workspace, qtbot, client):
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Return)
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Right)
    qtbot.keyClick(workspace.grid, Qt.Key.Key_Return)
    client.run()
    assert not state(workspace).a.empty and not state(workspace).b.empty and workspace.controller.walk.possible


def test_temperature_slider(workspace, qtbot, client):
    slider = workspace.inspector().temperature
    slider.track.setFocus()
    for _ in range(5):
        qtbot.keyClick(slider.track, Qt.Key.Key_Right)
    assert state(workspace).temperature == 0.75 and workspace.history.length == 1
    client.run()
    assert client.sent(SamplePage)[-1].temperature == 0.75
    workspace.history.undo()
    assert slider.value() == 0.7


def test_temperature_per_level(workspace, qtbot, client):
    panel = workspace.inspector()
    assert panel.per_level.isVisible() and not panel.per_level.is_unfolded()
    qtbot.mouseClick(panel.per_level.header, Qt.MouseButton.LeftButton)
    assert [panel.per_level.body.itemAt(i).widget().label.text() for i in range(3)] == ["Coarse", "Middle", "Fine"]
    before = workspace.controller.page.view.slots[0].z
    fine, middle, coarse = panel.levels
    for _ in range(3):
        qtbot.keyClick(fine.track, Qt.Key.Key_Left)
    assert state(workspace).level_temperatures == (0.67, 0.7, 0.7) and workspace.history.length == 1
    client.run()
    assert client.sent(SamplePage)[-1].temperature == (0.67, 0.7, 0.7)
    # The finest level's numbers come first in z, and they alone have moved.
    after, third = workspace.controller.page.view.slots[0].z, 64
    np.testing.assert_allclose(after[:third], before[:third] * 0.67 / 0.7, rtol=1e-6)
    np.testing.assert_array_equal(after[third:], before[third:])
    fine.editing_finished.emit()
    qtbot.keyClick(coarse.track, Qt.Key.Key_End)
    assert state(workspace).level_temperatures == (0.67, 0.7, 1.5) and workspace.history.length == 2
    workspace.history.undo()
    assert (fine.value(), middle.value(), coarse.value()) == (0.67, 0.7, 0.7)
    fine.reset_button.click()
    assert state(workspace).level_temperatures == ()
    workspace.history.undo()
    qtbot.keyClick(panel.temperature.track, Qt.Key.Key_Right)
    assert [slider.value() for slider in panel.levels] == [0.71] * 3 and state(workspace).level_temperatures == ()
    client.run()
    assert client.sent(SamplePage)[-1].temperature == 0.71


def test_a_model_of_one_level_offers_no_temperature_per_level(workspace, client, make_checkpoint):
    panel = workspace.inspector()
    workspace.acts.set_level_temperature(2, 1.2, 3)
    one = make_checkpoint("one", architecture={"system": "nice", "shape": [3, 8, 8]})
    workspace.controller.choose_model(str(one))
    client.run()
    assert not panel.per_level.isVisible() and client.sent(SamplePage)[-1].temperature == 0.7
    workspace.history.undo()
    client.run()
    assert panel.per_level.isVisible() and client.sent(SamplePage)[-1].temperature == (0.7, 0.7, 1.2)


def test_new_samples_count_and_seed(workspace, qtbot, client):
    canvas = workspace.canvas()
    qtbot.mouseClick(canvas.new_button, Qt.MouseButton.LeftButton)
    assert state(workspace).seed == 5 and canvas.seed.value() == 5
    canvas.seed.setFocus()
    canvas.seed.selectAll()
    qtbot.keyClicks(canvas.seed, "18")
    qtbot.keyClick(canvas.seed, Qt.Key.Key_Return)
    assert state(workspace).seed == 18
    canvas.count.setCurrentIndex(3)
    canvas.count.activated.emit(3)
    assert state(workspace).count == 64 and workspace.grid.count == 64
    client.run()
    assert workspace.controller.page.view.complete
    for expected in (16, 5, 4):
        workspace.history.undo()
        assert expected in (state(workspace).count, canvas.seed.value())


@pytest.mark.parametrize("well", ["A", "B"])
def test_a_file_dropped_on_a_well(workspace, bundle, client, well):
    assert drop(workspace.wells[well], urls(bundle / "examples" / "red.png"))
    client.run()
    panel = workspace.wells[well]
    assert panel.back_caption.text() == "exact, 0 bytes differ" and panel.stats.name.text() == "red.png"
    assert panel.stats.notice.text() == "The model sees 8×8, in colour"
    assert panel.stats.bpd.value.text() == "2.00"
    assert panel.stats.likelier.value.text().startswith("75 %") and panel.stats.typicality.value.text() == "50 %"
    assert not panel.empty.isVisible() and panel.seen.isVisible() and panel.back.isVisible()
    workspace.history.undo()
    assert panel.empty.isVisible()


def test_two_files_at_once_fill_both_wells(workspace, bundle, client):
    drop(workspace.wells["A"], urls(bundle / "examples" / "red.png", bundle / "examples" / "blue.png"))
    client.run()
    assert (state(workspace).a.name, state(workspace).b.name) == ("red.png", "blue.png")
    assert workspace.walk.strip.isVisible() and not workspace.walk.empty.isVisible()


def test_a_picture_dropped_beside_the_wells_goes_to_the_first_empty_one(workspace, bundle):
    drop(workspace.canvas(), urls(bundle / "examples" / "red.png"))
    drop(workspace.canvas(), urls(bundle / "examples" / "blue.png"))
    assert (state(workspace).a.name, state(workspace).b.name) == ("red.png", "blue.png")


def test_picture_data_of_a_browser(workspace, png, client):
    mime = QMimeData()
    mime.setData("image/png", png())
    mime.setUrls([QUrl("https://example.org/cat.png")])
    assert drop(workspace.wells["B"], mime)
    client.run()
    assert state(workspace).b.name == "cat.png" and workspace.controller.wells["B"].view.differing == 0


def test_what_cannot_be_read_is_said_in_the_well(workspace, tmp_path):
    bad = tmp_path / "holiday.png"
    bad.write_text("not a picture at all")
    drop(workspace.wells["A"], urls(bad))
    assert "holiday.png" in workspace.wells["A"].empty.label.text()
    assert state(workspace).a.empty and not workspace.history.can_undo
    assert not drop(workspace.wells["A"], QMimeData())


def test_a_bad_file_leaves_a_full_well_as_it_was(workspace, bundle, client, tmp_path):
    fill(workspace, bundle, client)
    before = state(workspace)
    (tmp_path / "empty.jpg").write_bytes(b"")
    drop(workspace.wells["A"], urls(tmp_path / "empty.jpg"))
    assert state(workspace) == before and "empty.jpg" in workspace.wells["A"].stats.error.text()


def test_a_fifo_does_not_hang(workspace, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    drop(workspace.wells["A"], urls(tmp_path / "pipe.png"))
    assert "pipe.png" in workspace.wells["A"].empty.label.text()


def test_a_sample_dragged_to_a_well_keeps_its_z(workspace, client):
    sample = workspace.controller.page.view.slots[3]
    mime = workspace.transfers.mime(sample)
    drop(workspace.wells["A"], mime)
    client.run()
    z = workspace.controller.store.latent(workspace.controller.wells["A"].view.z)
    assert z.tobytes() == sample.z.tobytes()
    assert workspace.wells["A"].stats.name.text() == "sample 4, seed 4"


def test_paste_goes_to_the_focused_well_then_to_the_first_empty(workspace, client):
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("#3c78b4"))
    QGuiApplication.clipboard().setImage(image)
    workspace.wells["B"].setFocus()
    workspace.paste()
    assert not state(workspace).b.empty and state(workspace).a.empty
    workspace.grid.setFocus()
    workspace.paste()
    assert not state(workspace).a.empty
    client.run()
    assert workspace.controller.walk.possible


def test_delete_clears_the_focused_well(workspace, bundle, client):
    fill(workspace, bundle, client)
    workspace.grid.setFocus()
    workspace.clear_focused()
    assert not state(workspace).a.empty
    workspace.wells["A"].stats.crop_button.setFocus()
    workspace.clear_focused()
    assert state(workspace).a.empty and not state(workspace).b.empty


def test_crop_by_drag_wheel_and_turn(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    panel, view = workspace.wells["A"], workspace.wells["A"].seen
    steps = workspace.history.length
    centre = view.rect().center()
    wheel = QWheelEvent(QPointF(centre), QPointF(view.mapToGlobal(centre)), QPoint(), QPoint(0, 240),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view, wheel)
    assert state(workspace).a.crop.zoom > 1.2
    workspace.acts.rest()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=centre)
    qtbot.mouseMove(view, centre + QPoint(20, 0))
    qtbot.mouseMove(view, centre + QPoint(40, 0))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=centre + QPoint(40, 0))
    assert state(workspace).a.crop.center_x < 0.5 and workspace.history.length == steps + 2
    qtbot.mouseClick(panel.stats.crop_button, Qt.MouseButton.LeftButton)
    assert panel.stats.editing and view.editing
    panel.stats.turn.track.setFocus()
    qtbot.keyClick(panel.stats.turn.track, Qt.Key.Key_Right)
    assert state(workspace).a.crop.angle == -1
    qtbot.mouseClick(panel.stats.done_button, Qt.MouseButton.LeftButton)
    assert not view.editing
    client.run()
    assert panel.back_caption.text() == "exact, 0 bytes differ"


def test_a_transparent_picture_offers_a_background(workspace, client, png, qtbot):
    clear = np.zeros((12, 12, 4), np.uint8)
    workspace.acts.put_picture("A", png(clear), "clear.png")
    client.run()
    stats = workspace.wells["A"].stats
    stats.set_editing(True)
    assert stats.background.isVisible()
    stats._change(background="#102030")
    client.run()
    assert tuple(workspace.controller.wells["A"].view.seen[0, 0]) == (16, 32, 48)


def test_the_walk_slider(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    track = workspace.walk.track
    track.setFocus()
    qtbot.keyClick(track, Qt.Key.Key_Right)
    assert state(workspace).walk.t == 0.51
    qtbot.keyClick(track, Qt.Key.Key_End)
    client.run()
    assert state(workspace).walk.t == 1.0 and client.sent(WalkAt)[-1].t == 1.0
    shown = workspace.inspector().picture.array()
    np.testing.assert_array_equal(shown, workspace.controller.walk.view.frames[-1])
    assert workspace.inspector().title.text() == "Walk at 1.00"
    workspace.history.undo()
    assert track.value() == 500


def test_click_on_a_frame_goes_there(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    strip = workspace.walk.strip
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.cell(2).center().toPoint())
    assert state(workspace).walk.t == 0.25
    curve = workspace.walk.curve
    qtbot.mouseClick(curve, Qt.MouseButton.LeftButton, pos=QPoint(round(curve.inset), 20))
    assert state(workspace).walk.t == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("mode", ["spherical", "norm-kept"])
def test_another_path(workspace, bundle, client, qtbot, mode):
    fill(workspace, bundle, client)
    qtbot.mouseClick(workspace.walk.mode.button(mode), Qt.MouseButton.LeftButton)
    assert client.asked[0].request.mode == mode
    workspace.history.undo()
    assert workspace.walk.mode.current() == "linear"


def test_play_and_pause(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    steps = workspace.history.length
    qtbot.mouseClick(workspace.walk.play, Qt.MouseButton.LeftButton)
    assert workspace.player.playing and not workspace.is_idle() and workspace.walk.play.text() == "Pause"
    qtbot.waitUntil(lambda: workspace.controller.position > 0.52, timeout=3000)
    client.run()
    workspace.toggle_play()
    client.run()
    assert not workspace.player.playing and state(workspace).walk.t > 0.52
    assert workspace.history.length == steps + 1
    workspace.toggle_play()
    workspace.hidden()
    assert not workspace.player.playing


def test_two_samples_by_one_button(workspace, client, qtbot):
    (button,) = [workspace.walk.empty.buttons.itemAt(i).widget() for i in range(workspace.walk.empty.buttons.count())]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    client.run()
    assert workspace.controller.walk.possible and workspace.history.length == 1


def test_examples_menu(workspace, client, bundle):
    menu = workspace.wells["A"].examples_button.menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions()] == ["Blue", "Red"]
    menu.actions()[1].trigger()
    client.run()
    assert state(workspace).a.name == "red.png"


def test_a_checkpoint_dropped_on_the_window(workspace, client, make_checkpoint):
    path = make_checkpoint("other", title="Other", default_seed=9, channels=1)
    drop(workspace.canvas(), urls(path))
    assert workspace.topbar().texts[0] == "Opening…"
    client.run()
    assert state(workspace).model == str(path) and state(workspace).seed == 9
    assert client.sent(OpenModel)[-1].model == str(path) and workspace.topbar().texts[0] == "Other"
    workspace.topbar().fill()
    texts = [action.text() for action in workspace.topbar().menu().actions()]
    assert any(text.startswith("Tiny") for text in texts) and any(text.startswith("Other") for text in texts)
    workspace.history.undo()
    assert workspace.topbar().texts[0] == "Tiny"


def test_a_saved_picture_restores_its_settings(workspace, client, bundle, tmp_path, notices):
    fill(workspace, bundle, client)
    workspace.acts.set_temperature(0.4)
    workspace.acts.set_position(0.25)
    client.run()
    saved = state(workspace)
    frames = [frame.tobytes() for frame in workspace.controller.walk.view.frames]
    path = tmp_path / "walk.png"
    workspace.transfers.write(str(path), workspace.exporter.strip)
    assert notices[-1][1] == "good" and read_picture(path).pixels.shape == (8, 72, 4)
    for which in "AB":
        workspace.acts.clear(which)
    workspace.acts.set_temperature(1.2)
    steps = workspace.history.length
    drop(workspace.canvas(), urls(path))
    client.run()
    back = state(workspace)
    assert (back.temperature, back.walk, back.seed, back.a.name) == (0.4, saved.walk, saved.seed, "red.png")
    assert [frame.tobytes() for frame in workspace.controller.walk.view.frames] == frames
    assert workspace.history.length == steps + 1
    workspace.history.undo()
    assert state(workspace).temperature == 1.2 and state(workspace).a.empty


def test_a_saved_recipe_holds_no_more_of_a_photograph_than_the_model_sees(workspace, client, png, tmp_path):
    workspace.acts.put_picture("A", png(np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)), "me.png")
    client.run()
    found = recipe.extract(workspace.exporter.page())
    from app.explorer.store import Store

    store = Store()
    for key in store.load_dict(found["store"]):
        assert store.picture(key).pixels.shape[:2] == (8, 8)


def test_a_saved_sample_dropped_on_a_well_comes_back_with_its_z(workspace, client, tmp_path, notices):
    sample = workspace.controller.page.view.slots[5]
    path = tmp_path / "sample.png"
    path.write_bytes(workspace.exporter.picture(sample, 8))
    drop(workspace.wells["B"], urls(path))
    client.run()
    z = workspace.controller.store.latent(workspace.controller.wells["B"].view.z)
    assert z.tobytes() == sample.z.tobytes()
    workspace.acts.set_seed(99)
    text, act = notices[-1][2]
    assert text == "Restore the settings"
    act()
    assert state(workspace).seed == 4


def test_a_recipe_of_a_model_that_is_gone_changes_nothing(workspace, client, tmp_path, notices, png):
    made = recipe.new("samples", model="gone", seed=3)
    path = tmp_path / "old.png"
    path.write_bytes(recipe.embed(png(), made))
    before = state(workspace)
    drop(workspace.canvas(), urls(path))
    assert state(workspace) == before and "gone" in notices[-1][0]


def test_a_simple_recipe_restores_seed_and_temperature(workspace, tmp_path, png):
    path = tmp_path / "grid.png"
    path.write_bytes(recipe.embed(png(), recipe.new("sample", model="tiny", seed=3, temperature=0.5, count=20)))
    drop(workspace.canvas(), urls(path))
    assert (state(workspace).seed, state(workspace).temperature, state(workspace).count) == (3, 0.5, 36)


def test_a_recipe_of_a_later_version_is_said_and_the_picture_is_used(workspace, client, tmp_path, png, notices):
    data = recipe.embed(png(), recipe.new("sample")).replace(b'"flow_explorer_recipe":1', b'"flow_explorer_recipe":7')
    import struct
    import zlib

    at = data.index(b"iTXt")
    length = struct.unpack(">I", data[at - 4 : at])[0]
    body = data[at : at + 4 + length]
    data = data[: at + 4 + length] + struct.pack(">I", zlib.crc32(body)) + data[at + 8 + length :]
    path = tmp_path / "future.png"
    path.write_bytes(data)
    drop(workspace.wells["A"], urls(path))
    assert state(workspace).a.name == "future.png" and "version 7" in notices[-1][0]


def test_gif_animation(workspace, client, bundle, tmp_path):
    fill(workspace, bundle, client)
    from PIL import Image

    path = tmp_path / "walk.gif"
    workspace.transfers.write(str(path), lambda: workspace.exporter.animation(8))
    with Image.open(path) as image:
        assert image.n_frames == 64 and image.size == (64, 64)
    assert recipe.extract(path)["kind"] == "walk"


def test_an_unwritable_place_is_said(workspace, notices, tmp_path):
    sample = workspace.controller.page.view.slots[0]
    workspace.transfers.write(str(tmp_path / "no" / "such" / "x.png"), lambda: workspace.exporter.picture(sample))
    assert notices[-1][1] == "error" and "no folder" in notices[-1][0]


def test_copy_and_paste_keeps_the_z(workspace, client):
    sample = workspace.controller.page.view.slots[2]
    workspace.transfers.copy(sample)
    assert not QGuiApplication.clipboard().image().isNull()
    workspace.paste()
    client.run()
    z = workspace.controller.store.latent(workspace.controller.wells["A"].view.z)
    assert z.tobytes() == sample.z.tobytes()


def test_save_menu_offers_what_is_there(workspace, client, bundle):
    def enabled():
        return [act for _text, _act, act in workspace.save_menu()]

    assert enabled() == [True, True, True, True, False, False, False, False, False, False, True]
    fill(workspace, bundle, client)
    assert all(enabled())


def test_the_session_comes_back(workspace, client, bundle, qtbot, home):
    fill(workspace, bundle, client)
    workspace.acts.set_temperature(0.5)
    stored = workspace.state()
    import json

    from app.explorer.workspace import create

    other = create(workspace.context)
    qtbot.addWidget(other)
    qtbot.addWidget(other.canvas())
    qtbot.addWidget(other.inspector())
    qtbot.addWidget(other.topbar())
    other.restore(json.loads(json.dumps(stored)))
    assert other.history.state == state(workspace) and not other.history.can_undo
    qtbot.waitUntil(lambda: other.controller.started)
    client.run()
    before = [frame.tobytes() for frame in workspace.controller.walk.view.frames]
    assert [frame.tobytes() for frame in other.controller.walk.view.frames] == before


def test_whole_pixels(workspace, qtbot):
    qtbot.mouseClick(workspace.inspector().whole_pixels, Qt.MouseButton.LeftButton)
    assert not workspace.grid.smooth and workspace.context.settings.get("explorer.whole_pixels") is True
    workspace.toggle_pixels()
    assert workspace.grid.smooth and not workspace.inspector().whole_pixels.isChecked()


@pytest.mark.parametrize("size", [(906, 640), (1066, 820), (2180, 1360), (650, 560)])
def test_nothing_is_cut_or_overlaps(workspace, bundle, client, size):
    fill(workspace, bundle, client)
    canvas = workspace.canvas()
    canvas.setParent(None)
    canvas.resize(*size)
    canvas.show()
    parts = [canvas.grid, canvas.controls, *canvas.wells.values(), canvas.walk]
    for part in parts:
        assert canvas.rect().contains(part.geometry()), part
    for index, part in enumerate(parts):
        for other in parts[index + 1 :]:
            assert not part.geometry().intersects(other.geometry()), (part, other)
    for well in canvas.wells.values():
        inner = [well.seen, well.back, well.stats]
        for part in inner:
            assert well.rect().contains(part.geometry())
        assert not well.seen.geometry().intersects(well.back.geometry())
        assert not well.back.geometry().intersects(well.stats.geometry())
    canvas.setParent(workspace.window_for_test)


def test_every_control_has_a_name(workspace, bundle, client):
    fill(workspace, bundle, client)
    from PySide6.QtWidgets import QAbstractButton, QWidget

    roots = [workspace.canvas(), workspace.inspector(), workspace.topbar()]
    for root in roots:
        for widget in [root, *root.findChildren(QWidget)]:
            if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus or not widget.isVisibleTo(root):
                continue
            if widget.focusProxy() is not None or widget.objectName().startswith("qt_"):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget


def test_tab_order(workspace, bundle, client):
    fill(workspace, bundle, client)
    canvas = workspace.canvas()
    order, widget = [], canvas.grid
    for _ in range(200):
        order.append(widget)
        widget = widget.nextInFocusChain()
        if widget is canvas.grid:
            break
    places = [order.index(part) for part in (canvas.grid, canvas.new_button, canvas.count, canvas.seed,
                                             canvas.wells["A"], canvas.wells["B"], canvas.walk.track)]
    assert places == sorted(places)


def test_without_a_model_the_canvas_says_so_and_offers_to_open_one(bundle, client, qtbot, tmp_path, make_checkpoint):
    from app.explorer.workspace import create
    from app.settings import Settings
    from app.workspace import Context

    (bundle / "models" / "tiny.safetensors").unlink()
    made = create(Context(client, Settings(tmp_path / "settings.json")))
    for part in (made, made.inspector(), made.topbar(), made.canvas()):
        qtbot.addWidget(part)
    made.canvas().show()
    made.inspector().show()
    qtbot.waitUntil(lambda: made.controller.started)
    canvas = made.canvas()
    assert canvas.no_model.isVisible() and not canvas.grid.isVisible() and not client.asked and made.is_idle()
    assert "no model" in canvas.no_model.label.text() and not made.inspector().send_a.isVisible()
    made.controller.choose_model(str(make_checkpoint("mine")))
    client.run()
    assert not canvas.no_model.isVisible() and canvas.grid.isVisible()
    assert made.controller.page.view.complete


def test_a_session_comes_back_but_for_what_is_gone(workspace, bundle, client, tmp_path, notices):
    fill(workspace, bundle, client)
    stored = workspace.state()
    workspace.restore({**stored, "model": str(tmp_path / "gone.safetensors")})
    assert "gone.safetensors" in notices[-1][0] and notices[-1][1] == "notice"
    assert state(workspace).model.endswith("gone.safetensors") and not state(workspace).a.empty
    assert workspace.canvas().no_model.isVisible()
    workspace.restore({**stored, "a": {"picture": "p" + "0" * 32, "name": "lost.png"}})
    assert "A cannot be found" in notices[-1][0]
    assert state(workspace).model == "tiny" and state(workspace).a.empty and not state(workspace).b.empty


def test_a_large_photograph_is_decoded_beside_the_window(workspace, client, png, tmp_path, qtbot):
    from app.explorer.loader import LARGE_BYTES

    path = tmp_path / "large.png"
    path.write_bytes(png(np.random.default_rng(0).integers(0, 256, (700, 600, 3), np.uint8)))
    assert path.stat().st_size > LARGE_BYTES
    drop(workspace.wells["A"], urls(path))
    assert state(workspace).a.empty and not workspace.is_idle()
    assert workspace.wells["A"].empty.label.text() == "Reading large.png…"
    qtbot.waitUntil(lambda: not state(workspace).a.empty)
    client.run()
    assert state(workspace).a.name == "large.png" and workspace.wells["A"].back_caption.text().startswith("exact")
    broken = tmp_path / "cut.png"
    broken.write_bytes(path.read_bytes()[: LARGE_BYTES + 10])
    drop(workspace.wells["B"], urls(broken))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert "cut.png" in workspace.wells["B"].empty.label.text() and state(workspace).b.empty


def test_large_photographs_fill_both_wells_and_the_last_one_stays(workspace, client, tmp_path, qtbot):
    from app.explorer.loader import LARGE_BYTES
    from flowcore.images import save_png

    rng = np.random.default_rng(0)
    paths = [save_png(tmp_path / f"{name}.png", rng.integers(0, 256, (512, 512, 3), np.uint8)) for name in "xyz"]
    assert paths[0].stat().st_size > LARGE_BYTES
    drop(workspace.canvas(), urls(*paths[:2]))
    drop(workspace.wells["B"], urls(paths[2]))
    drop(workspace.wells["A"], workspace.transfers.mime(workspace.controller.page.view.slots[1]))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert state(workspace).b.name == "z.png" and state(workspace).a.latent
    workspace.acts.clear("A")
    drop(workspace.canvas(), urls(paths[0]))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert state(workspace).a.name == "x.png"


def answer_dialog(workspace, qtbot, path) -> None:
    """Choose a file in the dialog that is open."""
    from PySide6.QtWidgets import QFileDialog

    qtbot.waitUntil(lambda: bool(workspace.window_for_test.findChildren(QFileDialog)))
    (dialog,) = workspace.window_for_test.findChildren(QFileDialog)
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(path.name)
    dialog.accept()
    qtbot.waitUntil(lambda: not workspace.window_for_test.findChildren(QFileDialog))


def test_save_by_the_dialog(workspace, qtbot, tmp_path, notices):
    from PySide6.QtWidgets import QApplication

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    workspace.save_menu()[2][1]()
    answer_dialog(workspace, qtbot, tmp_path / "page.png")
    assert read_picture(tmp_path / "page.png").pixels.shape[:2] == (32, 32)
    assert recipe.extract(tmp_path / "page.png")["kind"] == "samples" and "page.png" in notices[-1][0]


def test_pick_by_the_dialog(workspace, client, qtbot, bundle):
    from PySide6.QtWidgets import QApplication

    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    qtbot.mouseClick(workspace.wells["B"].pick_button, Qt.MouseButton.LeftButton)
    answer_dialog(workspace, qtbot, bundle / "examples" / "red.png")
    client.run()
    assert state(workspace).b.name == "red.png"


def test_every_place_of_the_window_takes_a_drop(workspace, bundle, client):
    inspector, grid = workspace.inspector(), workspace.grid
    for part, name in ((inspector.viewport(), "red"), (grid, "blue"), (workspace.walk, "blue")):
        before = workspace.history.length
        assert drop(part, urls(bundle / "examples" / f"{name}.png")), part
        assert workspace.history.length == before + 1
        client.run()
    mime = QMimeData()
    mime.setText("no picture")
    assert not drop(workspace.topbar(), mime)


def test_a_strip_of_an_older_path_cannot_be_saved_as_the_present_one(workspace, bundle, client):
    fill(workspace, bundle, client)
    assert workspace.exporter.strip()
    workspace.acts.set_mode("spherical")
    frames = workspace.controller.walk.view.frames
    assert all(frame is not None for frame in frames), "the older strip stays on screen"
    assert not workspace.walk.save.isEnabled() and workspace.controller.strip_latent(0.5) is None
    with pytest.raises(PictureError, match="not complete"):
        workspace.exporter.strip()
    client.run()
    assert workspace.walk.save.isEnabled() and workspace.exporter.strip()


def test_a_sample_let_go_beside_the_wells_goes_nowhere(workspace, monkeypatch):
    mime = workspace.transfers.mime(workspace.controller.page.view.slots[1])
    monkeypatch.setattr(QDragEnterEvent, "source", lambda _event: workspace.grid, raising=False)
    assert not drop(workspace.canvas(), mime)
    assert state(workspace).a.empty
    assert drop(workspace.wells["A"], mime) and not state(workspace).a.empty


def test_a_caption_says_less_where_there_is_less_room(qtbot):
    caption = Caption()
    qtbot.addWidget(caption)
    caption.set_words("exact, 0 bytes differ", "exact")
    caption.resize(400, 20)
    assert caption.shown == caption.text() == "exact, 0 bytes differ"
    caption.resize(caption.fontMetrics().horizontalAdvance("exact") + 4, 20)
    assert caption.shown == "exact" and caption.text() == "exact, 0 bytes differ"
    caption.resize(caption.fontMetrics().horizontalAdvance("ex") + 12, 20)
    assert caption.shown.endswith("…")
