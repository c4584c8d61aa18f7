"""The walk as GIF, WebP and MP4 from the window: encoded beside it, cancelled, refused, dropped again; and its largest dip."""

from __future__ import annotations

import sys
import threading
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from flow_explorer.explorer.moving.animating import Animated, AnimationSaver
from flow_explorer.explorer.moving.animation_sheet import AnimationSheet
from flow_explorer.explorer.walk.curve import LikelihoodCurve
from flowcore.errors import PictureError
from flowcore.pictures import recipe
from flowcore.pictures.animation import has_video

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def walking(workspace, client):
    """The workspace with a whole walk between two samples."""
    workspace.use_two_samples()
    client.run()
    assert workspace.controller.walk.view.complete
    return workspace


def test_every_format_is_in_the_walks_menu(walking):
    entries = walking.transfers.walk_entries()
    words = " ".join(text for text, _, enabled in entries if enabled)
    assert all(name in words for name in ("PNG", "GIF", "WebP", "MP4")) and len(entries) == 6


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_is_written_beside_the_window_and_restores_when_dropped(walking, client, qtbot, notices, tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    frames = [frame for frame in walking.controller.walk.view.frames]
    walking.transfers.write_animation(str(path), walking.exporter.animation_maker(Animated(suffix, 2, 12.0)))
    assert not walking.is_idle()
    qtbot.waitUntil(lambda: not walking.transfers.saver.busy, timeout=20_000)
    assert notices[-1][:2] == (f"Saved {path}.", "good")
    with Image.open(path) as image:
        assert getattr(image, "n_frames", 1) == 64 and image.size == (16, 16)
        if suffix == ".webp":
            image.seek(5)
            np.testing.assert_array_equal(np.asarray(image.convert("RGB"))[::2, ::2], frames[5])
    before = walking.history.state
    walking.acts.clear("A")
    walking.acts.set_mode("spherical")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    walking.drop(mime)
    client.run()
    assert walking.history.state.walk == before.walk and not walking.history.state.a.empty


def test_cancel_writes_nothing_and_says_so(walking, qtbot, notices, tmp_path):
    path = tmp_path / "walk.webp"
    path.write_bytes(b"older")
    entered, go = threading.Event(), threading.Event()

    def slow(tick) -> bytes:
        tick(0.1)
        entered.set()
        assert go.wait(10)
        tick(0.2)
        raise AssertionError("it went on after it was cancelled")

    walking.transfers.write_animation(str(path), slow)
    qtbot.waitUntil(entered.is_set)
    qtbot.waitUntil(lambda: bool(notices) and notices[-1][0] == "Saving walk.webp…")
    label, act = notices[-1][2]
    assert label == "Cancel"
    act()
    go.set()
    assert notices[-1][0] == "Cancelled: nothing was saved." and not walking.transfers.saver.busy
    walking.transfers.saver.wait()
    QApplication.processEvents()
    assert path.read_bytes() == b"older" and [entry.name for entry in tmp_path.glob("*walk*")] == ["walk.webp"]


@pytest.mark.parametrize("error, said", [(PictureError("The frames are odd."), "The frames are odd."),
                                         (MemoryError(), "free memory"), (KeyError("x"), "could not be encoded")])  # fmt: skip
def test_what_fails_in_the_worker_is_said(qtbot, qapp, tmp_path, error, said):
    saver, told = AnimationSaver(), []
    saver.done.connect(lambda path, sentence: told.append((path, sentence)))

    def make(_tick) -> bytes:
        raise error

    saver.save(tmp_path / "x.gif", make)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0][0] == "" and said in told[0][1] and not saver.busy and list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_leaves_nothing(walking, qtbot, notices, tmp_path, monkeypatch):
    from pathlib import Path

    def full(self, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    walking.transfers.write_animation(str(tmp_path / "x.webp"), walking.exporter.animation_maker(Animated(".webp", 1, 12.0)))
    qtbot.waitUntil(lambda: not walking.transfers.saver.busy, timeout=20_000)
    assert "No space left" in notices[-1][0] and notices[-1][1] == "error"
    assert not [path for path in tmp_path.iterdir() if "x.webp" in path.name]


def test_the_sheet_says_what_comes_out_and_gives_what_was_chosen(qtbot, qapp):
    sheet, wanted = AnimationSheet(Animated(".webp", 8, 15.0), (64, 48), frames=33), []
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(sheet)
    sheet.wanted.connect(wanted.append)
    sheet.show()
    assert sheet.what.value.text() == "64 frames of 384×512, 4.3 s"
    qtbot.mouseClick(sheet.format.button(".gif"), LEFT)
    sheet.fps.setFocus()
    qtbot.keyClick(sheet.fps, Qt.Key.Key_Down)
    sheet.back.click()
    assert sheet.what.value.text() == "33 frames of 384×512, 1.6 s"
    qtbot.mouseClick(sheet.save, LEFT)
    assert wanted == [Animated(".gif", 8, 20.0, False)] and not sheet.isVisible()


def test_the_sheet_says_what_an_mp4_needs(qtbot, qapp, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as if PyAV were not installed
    sheet = AnimationSheet(Animated(".gif", 8, 15.0), (64, 64), frames=33)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(sheet)
    sheet.show()
    assert sheet.save.isEnabled()
    qtbot.mouseClick(sheet.format.button(".mp4"), LEFT)
    assert "pip install 'flow-explorer[video]'" in sheet.problem.text() and not sheet.save.isEnabled()
    qtbot.mouseClick(sheet.format.button(".webp"), LEFT)
    assert sheet.save.isEnabled() and sheet.problem.isHidden()


@pytest.mark.skipif(not has_video(), reason="PyAV is not installed: pip install 'flow-explorer[video]'")
def test_an_mp4_is_written_from_the_window(walking, qtbot, tmp_path):
    path = tmp_path / "walk.mp4"
    walking.transfers.write_animation(str(path), walking.exporter.animation_maker(Animated(".mp4", 4, 12.0)))
    qtbot.waitUntil(lambda: not walking.transfers.saver.busy, timeout=20_000)
    assert path.read_bytes()[4:8] == b"ftyp" and recipe.extract(path) is None


# The mark where the likelihood dips


def test_the_curve_marks_its_largest_dip_with_a_word(qtbot, qapp):
    curve = LikelihoodCurve()
    qtbot.addWidget(curve)
    curve.resize(400, 60)
    curve.show()
    ts = np.linspace(0, 1, 33)
    curve.set_curve(list(3 + ts))
    assert curve.dip is None and curve.dip_point() is None and curve.dip_words() == ""
    curve.set_curve(list(3 + ts + 0.8 * np.exp(-(((ts - 0.5) / 0.1) ** 2))))
    curve.set_position(0.2, 3.2)
    assert curve.dip == pytest.approx(0.53, abs=0.04)
    assert "The likelihood dips here" in curve.accessibleDescription() and "above the straight line" in curve.dip_words()
    with_mark = curve.grab().toImage()
    place = curve.dip_point().toPoint()
    QApplication.sendEvent(curve, QHelpEvent(QEvent.Type.ToolTip, place, curve.mapToGlobal(place)))
    assert QToolTip.text() == curve.dip_words()
    QToolTip.hideText()
    curve._dip = None
    assert curve.grab().toImage() != with_mark
    curve.set_curve([3.0, None, 3.0])
    assert curve.dip is None
    assert not curve.event(QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(1, 1))) or QToolTip.text() != curve.dip_words()


Shown = TypeVar("Shown", bound=QWidget)


def test_from_the_menu_through_the_sheet_and_the_file_dialog_to_the_file(walking, qtbot, tmp_path):
    from PySide6.QtWidgets import QFileDialog

    def shown(kind: type[Shown]) -> Shown:
        return next(widget for widget in QApplication.allWidgets() if isinstance(widget, kind) and widget.isVisible())

    text, act, enabled = next(entry for entry in walking.transfers.walk_entries() if "WebP" in entry[0])
    assert enabled and text.endswith("…")
    act()
    sheet = shown(AnimationSheet)
    assert sheet.format.current() == ".webp" and sheet.what.value.text() == "64 frames of 64×64, 4.3 s"
    sheet.scale.setCurrentIndex(0)
    sheet._show()
    qtbot.mouseClick(sheet.save, LEFT)
    dialog = shown(QFileDialog)
    assert dialog.defaultSuffix() == "webp" and dialog.selectedFiles()[0].endswith("tiny-walk.webp")
    dialog.fileSelected.emit(str(tmp_path / "chosen.webp"))
    dialog.close()
    qtbot.waitUntil(lambda: not walking.transfers.saver.busy, timeout=20_000)
    with Image.open(tmp_path / "chosen.webp") as image:
        assert getattr(image, "n_frames", 1) == 64 and image.size == (8, 8)
