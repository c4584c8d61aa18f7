"""The wells: dropped, pasted, cleared, cropped."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QGuiApplication, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from tests.app.explorer.workspace.case import drop, fill, state, urls


@pytest.mark.parametrize("slot", ["A", "B"])
def test_a_file_dropped_on_a_slot(workspace, bundle, client, slot):
    assert drop(workspace.slots[slot], urls(bundle / "examples" / "red.png"))
    client.run()
    panel = workspace.slots[slot]
    assert panel.back_caption.text() == "exact, 0 bytes differ" and panel.stats.name.text() == "red.png"
    assert panel.stats.notice.text() == "The model sees 8×8, in colour"
    assert panel.stats.bpd.value.text() == "2.00"
    assert panel.stats.likelier.value.text().startswith("75 %") and panel.stats.typicality.value.text() == "50 %"
    assert not panel.empty.isVisible() and panel.seen.isVisible() and panel.back.isVisible()
    workspace.history.undo()
    assert panel.empty.isVisible()


def test_two_files_at_once_fill_both_slots(workspace, bundle, client):
    drop(workspace.slots["A"], urls(bundle / "examples" / "red.png", bundle / "examples" / "blue.png"))
    client.run()
    assert (state(workspace).a.name, state(workspace).b.name) == ("red.png", "blue.png")
    assert workspace.walk.strip.isVisible() and not workspace.walk.empty.isVisible()


def test_a_picture_dropped_beside_the_slots_goes_to_the_first_empty_one(workspace, bundle):
    drop(workspace.canvas(), urls(bundle / "examples" / "red.png"))
    drop(workspace.canvas(), urls(bundle / "examples" / "blue.png"))
    assert (state(workspace).a.name, state(workspace).b.name) == ("red.png", "blue.png")


def test_picture_data_of_a_browser(workspace, png, client):
    mime = QMimeData()
    mime.setData("image/png", png())
    mime.setUrls([QUrl("https://example.org/cat.png")])
    assert drop(workspace.slots["B"], mime)
    client.run()
    assert state(workspace).b.name == "cat.png" and workspace.controller.slots["B"].view.differing == 0


def test_what_cannot_be_read_is_said_in_the_slot(workspace, tmp_path):
    bad = tmp_path / "holiday.png"
    bad.write_text("not a picture at all")
    drop(workspace.slots["A"], urls(bad))
    assert "holiday.png" in workspace.slots["A"].empty.label.text()
    assert state(workspace).a.empty and not workspace.history.can_undo
    assert not drop(workspace.slots["A"], QMimeData())


def test_a_bad_file_leaves_a_full_slot_as_it_was(workspace, bundle, client, tmp_path):
    fill(workspace, bundle, client)
    before = state(workspace)
    (tmp_path / "empty.jpg").write_bytes(b"")
    drop(workspace.slots["A"], urls(tmp_path / "empty.jpg"))
    assert state(workspace) == before and "empty.jpg" in workspace.slots["A"].stats.error.text()


def test_a_fifo_does_not_hang(workspace, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    drop(workspace.slots["A"], urls(tmp_path / "pipe.png"))
    assert "pipe.png" in workspace.slots["A"].empty.label.text()


def test_a_sample_dragged_to_a_slot_keeps_its_z(workspace, client):
    sample = workspace.controller.page.view.slots[3]
    mime = workspace.transfers.mime(sample)
    drop(workspace.slots["A"], mime)
    client.run()
    z = workspace.controller.store.latent(workspace.controller.slots["A"].view.z)
    assert z.tobytes() == sample.z.tobytes()
    assert workspace.slots["A"].stats.name.text() == "sample 4, seed 4"


def test_paste_goes_to_the_focused_slot_then_to_the_first_empty(workspace, client):
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("#3c78b4"))
    QGuiApplication.clipboard().setImage(image)
    workspace.slots["B"].setFocus()
    workspace.paste()
    assert not state(workspace).b.empty and state(workspace).a.empty
    workspace.grid.setFocus()
    workspace.paste()
    assert not state(workspace).a.empty
    client.run()
    assert workspace.controller.walk.possible


def test_delete_clears_the_focused_slot(workspace, bundle, client):
    fill(workspace, bundle, client)
    workspace.grid.setFocus()
    workspace.clear_focused()
    assert not state(workspace).a.empty
    workspace.slots["A"].stats.crop_button.setFocus()
    workspace.clear_focused()
    assert state(workspace).a.empty and not state(workspace).b.empty


def test_crop_by_drag_wheel_and_turn(workspace, bundle, client, qtbot):
    fill(workspace, bundle, client)
    panel, view = workspace.slots["A"], workspace.slots["A"].seen
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
    stats = workspace.slots["A"].stats
    stats.set_editing(True)
    assert stats.background.isVisible()
    stats._change(background="#102030")
    client.run()
    assert tuple(workspace.controller.slots["A"].view.seen[0, 0]) == (16, 32, 48)


def test_a_large_photograph_is_decoded_beside_the_window(workspace, client, png, tmp_path, qtbot):
    from flow_explorer.explorer.loader import LARGE_BYTES

    path = tmp_path / "large.png"
    path.write_bytes(png(np.random.default_rng(0).integers(0, 256, (700, 600, 3), np.uint8)))
    assert path.stat().st_size > LARGE_BYTES
    drop(workspace.slots["A"], urls(path))
    assert state(workspace).a.empty and not workspace.is_idle()
    assert workspace.slots["A"].empty.label.text() == "Reading large.png…"
    qtbot.waitUntil(lambda: not state(workspace).a.empty)
    client.run()
    assert state(workspace).a.name == "large.png" and workspace.slots["A"].back_caption.text().startswith("exact")
    broken = tmp_path / "cut.png"
    broken.write_bytes(path.read_bytes()[: LARGE_BYTES + 10])
    drop(workspace.slots["B"], urls(broken))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert "cut.png" in workspace.slots["B"].empty.label.text() and state(workspace).b.empty


def test_large_photographs_fill_both_slots_and_the_last_one_stays(workspace, client, tmp_path, qtbot):
    from flow_explorer.explorer.loader import LARGE_BYTES
    from flowcore.pictures.images import save_png

    rng = np.random.default_rng(0)
    paths = [save_png(tmp_path / f"{name}.png", rng.integers(0, 256, (512, 512, 3), np.uint8)) for name in "xyz"]
    assert paths[0].stat().st_size > LARGE_BYTES
    drop(workspace.canvas(), urls(*paths[:2]))
    drop(workspace.slots["B"], urls(paths[2]))
    drop(workspace.slots["A"], workspace.transfers.mime(workspace.controller.page.view.slots[1]))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert state(workspace).b.name == "z.png" and state(workspace).a.latent
    workspace.acts.clear("A")
    drop(workspace.canvas(), urls(paths[0]))
    qtbot.waitUntil(lambda: not workspace.transfers.loader.busy)
    assert state(workspace).a.name == "x.png"


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


def test_a_sample_let_go_beside_the_slots_goes_nowhere(workspace, monkeypatch):
    mime = workspace.transfers.mime(workspace.controller.page.view.slots[1])
    monkeypatch.setattr(QDragEnterEvent, "source", lambda _event: workspace.grid, raising=False)
    assert not drop(workspace.canvas(), mime)
    assert state(workspace).a.empty
    assert drop(workspace.slots["A"], mime) and not state(workspace).a.empty
