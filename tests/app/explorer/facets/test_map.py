"""The map: its widgets driven by hand on the stand-in engine, and once on the real one."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from app import theme
from app.engine import requests as r
from app.engine.requests_map import MapDirection, MapEncode, MapPicture, MapPile, MapPlace
from app.explorer.facets import initial, read
from app.explorer.facets.map.camera import Camera
from app.explorer.facets.map.canvas import MapCanvas
from app.explorer.facets.map.colours import colouring
from app.explorer.facets.map.data import MapData
from app.explorer.facets.map.levels import level_options
from app.explorer.facets.map.picture import thumb_side
from app.explorer.facets.map.state import State
from flowcore.errors import ConfigError
from flowcore.map_points import nearest, pack, unpack

LEFT = Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
SIZE = 8


class Engine:
    """What the stand-in answers for the map: pictures on a spiral, two classes, one left out."""

    def __init__(self, client, count: int = 40) -> None:
        self.count, self.client, self.side = count, client, 1
        self.classes = ["cat", "dog"]
        self.stop_after: str | None = None
        angles = np.arange(count) * 0.7
        self.points = (np.stack([np.cos(angles), np.sin(angles)], 1) * (np.arange(count)[:, None] + 4)).astype(np.float32)
        rng = np.random.default_rng(0)
        self.pictures = rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
        self.bpd = np.linspace(3, 4, count)
        self.bpd[5] = 9.0
        self._others = client.work
        client.work = self.work

    def work(self, request):
        if isinstance(request, MapEncode):
            yield from self.encode(request)
        elif isinstance(request, MapPlace):
            yield {"place": [1.0, 2.0]}, {}, True
        elif isinstance(request, MapPicture):
            yield {}, {"picture": self.pictures[request.number]}, True
        elif isinstance(request, MapPile):
            yield {"saved": len(request.numbers), "failed": [], "failed_count": 0, "folder": request.folder}, {}, True
        elif isinstance(request, MapDirection):
            inside = len(request.numbers)
            yield {"file": request.file, "inside": inside, "outside": self.count - inside}, {}, True
        else:
            yield from self._others(request)

    def encode(self, request):
        given = request.pictures if not request.path else self.pictures
        total = min(request.limit or len(given), len(given))
        yield {"stage": "reading", "done": 1, "total": len(given)}, {}, False
        yield {"stage": "found", "total": total, "of": len(given), "classes": self.classes, "first": request.have,
               "side": self.side}, {}, False  # fmt: skip
        for start in range(request.have, total, 8):
            stop = min(start + 8, total)
            shown = given[start:stop][:, :: self.side, :: self.side]
            arrays = {"pictures": shown, "bpd": self.bpd[start:stop], "classes": np.arange(start, stop) % 2}
            names = [str(i) if not request.path else f"p{i}.png" for i in range(start, stop)]
            if start:
                arrays["points"] = self.points[start:stop]
            yield {"stage": "rows", "first": start, "names": names, "taken": stop}, arrays, False
            if not start:
                yield {"stage": "layout", "share": [0.2, 0.1]}, {"points": self.points[:stop] * 0.5}, False
            if self.stop_after == "rows" and stop >= 16:
                return
        yield {"stage": "arranging"}, {}, False
        if self.stop_after == "arranging":
            return
        points = self.points[:total] if request.method == "pca" else -self.points[:total]
        numbers, distances = nearest(points, 8)
        yield ({"stage": "done", "method": request.method, "share": [0.25, 0.125], "exact": True, "taken": total,
                "skipped": [["bad.png", "bad.png is damaged."]], "skipped_count": 1},
               {"points": points, "neighbours": numbers, "distances": distances}, True)  # fmt: skip


@pytest.fixture
def mapped(workspace, client):
    """The map in front, on an engine that knows it; nothing is on it yet."""
    engine = Engine(client)
    workspace.look_deeper()
    workspace.acts.show_facet("map")
    client.run()
    facet = workspace.controller.facet
    return SimpleNamespace(facet=facet, panel=facet.widget(), canvas=facet.widget().canvas, side=facet.inspector_part(),
                           engine=engine, workspace=workspace, client=client, history=workspace.history)  # fmt: skip


@pytest.fixture
def full(mapped, tmp_path, qtbot):
    """The same with a folder of forty pictures on it."""
    (tmp_path / "cats and dogs").mkdir()
    mapped.path = str(tmp_path / "cats and dogs")
    mapped.facet.open_path(mapped.path)
    mapped.client.run()
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    return mapped


def state(mapped) -> State:
    return mapped.history.state.of("map")


def encodes(mapped) -> list[MapEncode]:
    return mapped.client.sent(MapEncode)


def drop(widget, *paths) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = widget.rect().center()
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, enter)
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)
    return enter.isAccepted() and event.isAccepted()


def wheel(widget, place: QPointF, steps: int) -> None:
    event = QWheelEvent(place, QPointF(widget.mapToGlobal(place.toPoint())), QPoint(), QPoint(0, 120 * steps),
                        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(widget, event)


def lasso(qtbot, canvas, corners, modifier=SHIFT) -> None:
    """Draw a line through these places of the widget."""
    first, *others = [QPoint(round(x), round(y)) for x, y in corners]
    qtbot.mousePress(canvas, LEFT, modifier, first)
    for corner in others:
        qtbot.mouseMove(canvas, corner)
    qtbot.mouseRelease(canvas, LEFT, modifier, others[-1])


def around(canvas, row: int, reach: float = 9) -> list[tuple[float, float]]:
    middle = canvas.place_of(row)
    return [(middle.x() + dx * reach, middle.y() + dy * reach) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]


# -- state, camera, colours: without a widget ---------------------------------------------------------------------------


def test_a_state_comes_back_from_json():
    members = np.zeros(500, bool)
    members[[3, 400]] = True
    made = State("data", "/a/b", 120, "umap", (1, 2), "bpd", 7, pack(members), (0.5, -1.0, 3.25))
    again = read("map", json.loads(json.dumps(made.to_dict())))
    assert again == made and np.flatnonzero(unpack(again.lasso, 500)).tolist() == [3, 400]
    assert initial("map").to_dict() == {} and made.keys == set()


@pytest.mark.parametrize(
    "broken",
    [{"method": "tsne"}, {"source": "web"}, {"colour": 3}, {"levels": [-1]}, {"levels": "all"}, {"selected": -2},
     {"limit": True}, {"lasso": "?"}, {"lasso": 5}, {"lasso": "A" * 8000}, {"view": [1, 2]}, {"view": [0, 0, 0]},
     {"view": [0, float("nan"), 1]}, {"path": ["x"]}],
)  # fmt: skip
def test_a_broken_state_is_refused(broken):
    with pytest.raises(ConfigError):
        read("map", broken)


def test_the_camera_zooms_around_a_place_and_finds_everything():
    points = np.random.default_rng(0).normal(size=(200, 2)) * [30, 5] + [100, -20]
    camera = Camera.fit(points, 800, 500)
    screen = camera.to_screen(points, 800, 500)
    assert (screen >= 0).all() and (screen <= [800, 500]).all()
    np.testing.assert_allclose(camera.to_map(screen, 800, 500), points, atol=1e-9)
    padded = Camera.fit(points, 800, 500, pad=60).to_screen(points, 800, 500)
    assert (padded >= 60).all() and (padded <= [740, 440]).all() and (padded.min(0) < 80).any()
    near = camera.zoomed(3.0, (120, 400), 800, 500, camera.span)
    np.testing.assert_allclose(near.to_map(np.array([[120, 400]]), 800, 500), camera.to_map(np.array([[120, 400]]), 800, 500))
    assert near.span == pytest.approx(camera.span / 3)
    moved = near.moved(50, -20, 800, 500)
    np.testing.assert_allclose(moved.to_screen(points, 800, 500), near.to_screen(points, 800, 500) + [50, -20], atol=1e-6)
    assert camera.zoomed(1e9, (0, 0), 800, 500, camera.span).span >= camera.span / 2000
    # What lies very far off does not make a dot of all others, until it is asked for.
    far = np.vstack([points, [[1e5, 0]]])
    assert Camera.fit(far, 800, 500).span < 10 * camera.span < Camera.fit(far, 800, 500, body=False).span


def test_thumbnails_only_where_there_is_room():
    assert thumb_side(10_000, 1000 * 700, 10_000) == 0
    assert thumb_side(100, 1000 * 700, 10_000) == 56
    assert thumb_side(1, 1000 * 700, 10_000) == 96 and thumb_side(0, 100, 0) == 0
    assert thumb_side(100, 100 * 100, 100) > 0


def test_levels_are_offered_by_what_they_do():
    assert [words for _, words in level_options(1)] == ["All levels"]
    assert dict(level_options(3))[(2,)] == "Coarsest level" and dict(level_options(3))[(1, 2)] == "All but the finest"
    assert (0, 3) in dict(level_options(4, (0, 3))) and level_options(2, (0, 1)) == level_options(2)


def test_colours_say_what_the_legend_says(qapp):
    data = MapData()
    data.found({"first": 0, "total": 4, "of": 4, "side": 1, "classes": ["cat", "dog", "owl"]})
    data.rows({"first": 0, "names": list("abcd"), "taken": 4},
              {"pictures": np.zeros((4, 2, 2, 1), np.uint8), "bpd": np.array([2.0, 3.0, 4.0, 5.0]),
               "classes": np.array([0, 2, -1, 0])})  # fmt: skip
    kinds = colouring(data, "class", {})
    assert [words for _, words in kinds.names] == ["cat", "owl"] and kinds.bucket.tolist() == [0, 2, 3, 0]
    bpd = colouring(data, "bpd", {})
    assert bpd.bucket[0] == 0 and bpd.bucket[-1] == len(bpd.tones) - 1 and bpd.ends[0] == "Bits per dimension"
    card = {"held_out": {"bpd_quantiles": np.linspace(1, 5, 201).tolist(), "count": 100}}
    typical = colouring(data, "typicality", card)
    assert typical.bucket[1] > typical.bucket[3] and not typical.plain
    assert colouring(data, "none", card).plain
    data._typicality = None
    assert colouring(data, "typicality", {}).plain


# -- filling the map -----------------------------------------------------------------------------------------------------


def test_an_empty_map_says_what_goes_here(mapped, qtbot, monkeypatch):
    assert mapped.panel.empty.isVisible() and not mapped.canvas.isVisible() and not encodes(mapped)
    assert "folder" in mapped.panel.empty.label.text()
    opened = []
    monkeypatch.setattr(QFileDialog, "open", lambda dialog: opened.append(dialog.fileMode()))
    qtbot.mouseClick(mapped.panel.folder_button, LEFT)
    assert opened == [QFileDialog.FileMode.Directory]


def test_a_dropped_folder_becomes_a_map(mapped, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert drop(mapped.workspace.window_for_test, folder)
    (request,) = encodes(mapped)
    assert (request.path, request.method, request.levels, request.have) == (str(folder), "pca", (), 0)
    assert mapped.panel.progress.isVisibleTo(mapped.panel) and mapped.facet.busy
    mapped.client.run()
    assert not mapped.facet.busy and not mapped.panel.progress.isVisibleTo(mapped.panel)
    text = mapped.panel.status.text()
    assert "40 pictures" in text and "25.0 %" in text and "1 left out" in text and "damaged" in mapped.panel.status.toolTip()
    assert "damaged" in mapped.side.left.text() and mapped.side.left_fold.isVisibleTo(mapped.side)
    assert mapped.canvas.isVisible() and mapped.panel.source.text() == "pictures"
    mapped.history.undo()
    assert mapped.panel.empty.isVisible() and not mapped.facet.link.data.count
    mapped.history.redo()
    mapped.client.run()
    assert mapped.facet.link.data.count == 40


def test_a_dropped_run_folder_or_picture_is_not_the_maps(mapped, tmp_path, bundle):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    assert drop(mapped.workspace.window_for_test, run) and not encodes(mapped)
    drop(mapped.workspace.window_for_test, bundle / "examples" / "red.png")
    mapped.client.run()
    assert not encodes(mapped) and not mapped.history.state.a.empty
    (tmp_path / "data.npz").write_bytes(b"")
    drop(mapped.workspace.window_for_test, tmp_path / "data.npz")
    assert encodes(mapped)[0].path.endswith("data.npz")


def test_pictures_appear_while_they_are_encoded_and_move_to_their_places(mapped, tmp_path, monkeypatch, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    data = mapped.facet.link.data
    assert data.count == 16 and data.placed == 16 and not data.complete
    qtbot.waitUntil(lambda: len(mapped.canvas._points) == 16)
    assert "16 of 40" in mapped.panel.progress.label.text()
    mapped.facet.select(3)
    assert "once all" in mapped.side.nothing.text()
    # The rest comes: what is there goes to its new place, eased, in at most 200 ms.
    monkeypatch.setattr(theme, "animations_enabled", lambda: True)
    before = mapped.canvas.place_of(0)
    mapped.engine.stop_after = None
    mapped.facet._again()
    mapped.client.run()
    assert mapped.canvas._motion.duration() <= 200 and mapped.canvas._motion.state() == mapped.canvas._motion.State.Running
    assert (mapped.canvas.place_of(0) - before).manhattanLength() < 40
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    np.testing.assert_allclose(mapped.canvas._now()[0], mapped.engine.points)


def test_stopping_keeps_what_there_is_and_the_rest_can_follow(mapped, tmp_path, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    qtbot.mouseClick(mapped.panel.progress.cancel_button, LEFT)
    assert state(mapped).limit == 16 and (encodes(mapped)[-1].limit, encodes(mapped)[-1].have) == (16, 16)
    mapped.engine.stop_after = None
    mapped.client.run()
    assert mapped.facet.link.data.complete and "16 of 40" in mapped.panel.status.text()
    qtbot.mouseClick(mapped.panel.rest, LEFT)
    mapped.client.run()
    assert mapped.facet.link.data.count == 40 and encodes(mapped)[-1].have == 16
    assert not mapped.panel.rest.isVisibleTo(mapped.panel)
    mapped.history.undo()
    assert state(mapped).limit == 16


def test_a_map_that_is_only_being_read_is_given_up_whole(mapped, tmp_path, qtbot):
    mapped.facet.open_path(str(tmp_path))
    assert mapped.panel.progress.cancel_button.text() == "Cancel"
    qtbot.mouseClick(mapped.panel.progress.cancel_button, LEFT)
    assert state(mapped) == State() and mapped.panel.empty.isVisible() and not mapped.facet.busy
    assert not any(isinstance(entry.request, MapEncode) for entry in mapped.client.asked)


def test_umap_that_takes_long_is_given_up_for_pca(full, qtbot):
    full.panel.has_umap = True
    full.engine.stop_after = "arranging"
    qtbot.mouseClick(full.panel.method.button("umap"), LEFT)
    full.client.run()
    assert full.panel.progress.label.text() == "Laying out by UMAP"
    full.engine.stop_after = None
    qtbot.mouseClick(full.panel.progress.cancel_button, LEFT)
    full.client.run()
    assert state(full).method == "pca" and full.facet.link.data.complete


def test_a_failure_stands_on_the_map_and_can_be_tried_again(mapped, tmp_path, qtbot):
    mapped.client.fail = MapEncode
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    assert mapped.panel.failed.isVisible() and mapped.panel.failed.label.text() == "It could not be computed."
    assert not mapped.facet.busy and not mapped.canvas.isVisible()
    mapped.client.fail = None
    qtbot.mouseClick(mapped.panel.again, LEFT)
    mapped.client.run()
    assert mapped.canvas.isVisible() and mapped.facet.link.data.complete
    # Where there is a map already, it stays, and the sentence stands under it.
    mapped.client.fail = MapEncode
    mapped.facet._set("levels", levels=(0,))
    mapped.client.run()
    assert mapped.canvas.isVisible() and mapped.panel.problem.text() == "It could not be computed."
    mapped.client.fail = None
    qtbot.mouseClick(mapped.panel.retry, LEFT)
    mapped.client.run()
    assert not mapped.panel.problem.isVisibleTo(mapped.panel) and mapped.facet.link.data.complete


def test_another_engine_is_asked_for_everything_again(full):
    full.workspace.engine_restarted()
    full.client.run()
    assert len(encodes(full)) == 2 and full.facet.link.data.complete and full.facet.link.data.count == 40


def test_the_samples_on_the_page_are_a_map_with_their_own_z(mapped, qtbot):
    qtbot.mouseClick(mapped.panel.samples_button, LEFT)
    mapped.client.run()
    (request,) = encodes(mapped)
    page = mapped.workspace.controller.page.view.slots
    np.testing.assert_array_equal(request.pictures, np.stack([slot.picture for slot in page]))
    # So few are nearly all seen as pictures, none over another.
    canvas = mapped.canvas
    canvas._motion.stop()
    canvas._arrived()
    assert canvas.side >= 32 and len(canvas._thumbs) >= 0.7 * 16
    apart = np.abs(canvas._screen[1][canvas._thumbs][:, None] - canvas._screen[1][canvas._thumbs]).max(2)
    assert (apart[~np.eye(len(apart), dtype=bool)] >= canvas.side).all()
    mapped.facet.select(4)
    mapped.client.run()
    assert mapped.facet.large() is page[4] and mapped.facet.shown().title == page[4].name
    mapped.workspace.acts.new_samples()
    mapped.client.run()
    assert len(encodes(mapped)) == 2
    np.testing.assert_array_equal(encodes(mapped)[-1].pictures[0], mapped.workspace.controller.page.view.slots[0].picture)


# -- choices --------------------------------------------------------------------------------------------------------------


def test_levels_method_and_colour_are_acts(full, qtbot):
    full.panel.has_umap = True
    qtbot.mouseClick(full.panel.method.button("umap"), LEFT)
    full.client.run()
    assert (encodes(full)[-1].method, encodes(full)[-1].have) == ("umap", 40) and full.facet.link.data.method == "umap"
    assert "variance" not in full.panel.status.text()
    full.panel.levels.setCurrentIndex(full.panel.levels.findText("Coarsest level"))
    full.panel.levels.activated.emit(full.panel.levels.currentIndex())
    full.client.run()
    assert encodes(full)[-1].levels == (2,) and "coarsest" in full.panel.status.text()
    full.panel.colour.setCurrentIndex(1)
    full.panel.colour.activated.emit(1)
    full.client.run()
    assert state(full).colour == "bpd" and len(encodes(full)) == 3 and full.canvas._colouring.ends is not None
    for _ in range(3):
        full.history.undo()
    full.client.run()
    assert state(full) == State("data", full.path) and encodes(full)[-1].method == "pca"


def test_without_classes_none_is_offered_to_colour_by(mapped, tmp_path):
    mapped.engine.classes = []
    (tmp_path / "pictures").mkdir()
    assert drop(mapped.workspace.window_for_test, tmp_path / "pictures")
    mapped.client.run()
    colour = mapped.panel.colour
    assert colour.current() == "none" and not colour.model().item(colour.findData("class")).isEnabled()
    assert state(mapped).colour == "class", "another map with classes is coloured by them"


def test_umap_that_is_missing_cannot_be_chosen_and_says_how(full):
    full.panel.has_umap = False
    button = full.panel.method.button("umap")
    assert not button.isEnabled() and "pip install 'flow-explorer[map]'" in button.toolTip()


# -- the hand ---------------------------------------------------------------------------------------------------------------


def test_a_click_picks_a_picture_and_shows_its_neighbours(full, qtbot):
    place = full.canvas.place_of(12).toPoint()
    qtbot.mouseClick(full.canvas, LEFT, pos=place)
    assert state(full).selected == 12
    full.client.run()
    sent = full.client.sent(r.EncodePicture)[-1]
    assert sent.well == "map"
    np.testing.assert_array_equal(sent.picture, full.engine.pictures[12])
    latent = full.facet.large()
    np.testing.assert_allclose(latent.z, full.engine.pictures[12].ravel() / 100, rtol=1e-6)
    assert full.side.near.rows == full.facet.link.data.neighbours[12].tolist() and len(full.side.near.rows) == 8
    panel = full.workspace.inspector()
    assert panel.title.text() == "p12.png"
    qtbot.mouseClick(panel.send_a, LEFT)
    full.client.run()
    assert full.history.state.a.name == "p12.png" and full.history.state.a.latent
    # A hand that trembles still picks.
    qtbot.mousePress(full.canvas, LEFT, pos=full.canvas.place_of(20).toPoint())
    qtbot.mouseMove(full.canvas, full.canvas.place_of(20).toPoint() + QPoint(1, 1))
    qtbot.mouseRelease(full.canvas, LEFT, pos=full.canvas.place_of(20).toPoint() + QPoint(1, 1))
    assert state(full).selected == 20 and state(full).view == ()
    full.history.undo()
    # A neighbour is one click away, and each pick is undone for itself.
    neighbour = full.side.near.rows[0]
    full.side.near.resize(268, full.side.near.heightForWidth(268))
    qtbot.mouseClick(full.side.near, LEFT, pos=full.side.near.cell(0).center().toPoint())
    assert state(full).selected == neighbour
    full.history.undo()
    assert state(full).selected == 12
    empty = QPoint(3, full.canvas.height() - 3)
    assert full.canvas.row_at(QPointF(empty)) == -1
    qtbot.mouseClick(full.canvas, LEFT, pos=empty)
    assert state(full).selected == -1 and full.facet.large() is None and not full.side.near.rows


def test_a_pictures_own_size_is_asked_for_where_the_map_has_a_smaller_one(mapped, tmp_path):
    mapped.engine.side = 2
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    assert mapped.facet.link.data.picture(3).shape == (4, 4, 3)
    mapped.facet.select(3)
    mapped.client.run()
    assert mapped.client.sent(MapPicture)[-1].number == 3
    np.testing.assert_array_equal(mapped.facet.large().picture, mapped.engine.pictures[3])


def test_a_picture_that_cannot_be_encoded_says_so_beside_the_map(full):
    full.client.fail = r.EncodePicture
    full.facet.select(3)
    full.client.run()
    assert full.side.error.text() == "It could not be computed." and full.facet.large() is None


def test_pointing_shows_a_card_and_asks_nothing(full, qtbot):
    before = len(encodes(full)) + len(full.client.sent(r.EncodePicture))
    qtbot.mouseMove(full.canvas, full.canvas.place_of(7).toPoint())
    assert full.canvas.hovered == 7
    plain = full.canvas.grab().toImage()
    qtbot.mouseMove(full.canvas, QPoint(3, full.canvas.height() - 3))
    assert full.canvas.hovered == -1 and full.canvas.grab().toImage() != plain
    assert len(encodes(full)) + len(full.client.sent(r.EncodePicture)) == before


def test_the_wheel_zooms_where_it_points_and_is_no_act(full, qtbot):
    steps = full.history.length
    place = full.canvas.place_of(9)
    wheel(full.canvas, place, 3)
    after = full.canvas.place_of(9)
    assert (after - place).manhattanLength() < 1.0
    qtbot.waitUntil(lambda: bool(state(full).view))
    assert full.history.length == steps and state(full).view[2] == pytest.approx(full.canvas.camera.span)
    span = full.canvas.camera.span
    # Dragged: everything moves with the hand.
    before = full.canvas.place_of(9)
    free = next(QPoint(x, y) for x in range(20, 400, 7) for y in range(20, 400, 7) if full.canvas.row_at(QPointF(x, y)) < 0)
    qtbot.mousePress(full.canvas, LEFT, pos=free)
    qtbot.mouseMove(full.canvas, free + QPoint(20, 10))
    qtbot.mouseMove(full.canvas, free + QPoint(60, 30))
    qtbot.mouseRelease(full.canvas, LEFT, pos=free + QPoint(60, 30))
    moved = full.canvas.place_of(9) - before
    assert (moved - QPointF(60, 30)).manhattanLength() < 1.0 and state(full).selected == -1
    assert full.canvas.camera.span == span
    qtbot.mouseDClick(full.canvas, LEFT, pos=free)
    assert state(full).view == () and full.history.length == steps
    screen = full.canvas.camera.to_screen(full.engine.points, full.canvas.width(), full.canvas.height())
    assert (screen > 0).all() and (screen < [full.canvas.width(), full.canvas.height()]).all()


def test_the_keyboard_picks_zooms_and_lets_go(full, qtbot):
    canvas = full.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    first = state(full).selected
    assert first >= 0
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    second = state(full).selected
    assert canvas.place_of(second).x() > canvas.place_of(first).x()
    span = canvas.camera.span
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.span < span
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.camera.span == pytest.approx(span)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert state(full).selected == -1


def test_a_lasso_takes_pictures_and_makes_a_pile_and_a_direction(full, qtbot, tmp_path, notices):
    assert not full.panel.taken.isVisibleTo(full.panel)
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    (chosen,) = np.flatnonzero(unpack(state(full).lasso, 40)).tolist()
    assert chosen == 30 and full.panel.taken.isVisibleTo(full.panel) and full.panel.members.text() == "1 picture in the lasso"
    full.client.run()
    full.canvas.grab()
    # By the tool, and a larger one: it takes the place of the first.
    qtbot.mouseClick(full.panel.lasso, LEFT)
    assert full.canvas.lasso_tool
    middle = full.canvas.width() / 2
    lasso(qtbot, full.canvas, [(1, 1), (middle, 1), (middle, full.canvas.height() - 1), (1, full.canvas.height() - 1)],
          Qt.KeyboardModifier.NoModifier)  # fmt: skip
    assert not full.canvas.lasso_tool
    left = np.flatnonzero(unpack(state(full).lasso, 40))
    screen = full.canvas.camera.to_screen(full.engine.points, full.canvas.width(), full.canvas.height())
    np.testing.assert_array_equal(left, np.flatnonzero(screen[:, 0] < middle))
    full.facet.make_pile(str(tmp_path))
    (pile,) = full.client.sent(MapPile)
    np.testing.assert_array_equal(pile.numbers, left)
    assert full.facet.busy and full.panel.progress.isVisibleTo(full.panel)
    full.client.run()
    assert not full.facet.busy and notices[-1][1] == "good" and f"{len(left)} pictures" in notices[-1][0]
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    full.client.run()
    (way,) = full.client.sent(MapDirection)
    np.testing.assert_array_equal(way.numbers, left)
    assert "d.safetensors" in notices[-1][0]
    full.history.undo()
    assert np.flatnonzero(unpack(state(full).lasso, 40)).tolist() == [30]
    qtbot.mouseClick(full.panel.clear, LEFT)
    assert not state(full).lasso and not full.panel.taken.isVisibleTo(full.panel)
    full.history.undo()
    full.canvas.setFocus()
    qtbot.keyClick(full.canvas, Qt.Key.Key_Escape)
    assert not state(full).lasso


def test_a_lasso_lives_through_newcomers_and_another_folder(mapped, tmp_path, qtbot):
    mapped.engine.stop_after = "rows"
    mapped.facet.open_path(str(tmp_path))
    mapped.client.run()
    qtbot.waitUntil(lambda: len(mapped.canvas._points) == 16 and mapped.canvas._old_points is None)
    lasso(qtbot, mapped.canvas, around(mapped.canvas, 12, 14))
    assert unpack(state(mapped).lasso, 40)[12]
    mapped.canvas.grab()
    mapped.engine.stop_after = None
    mapped.facet._again()
    mapped.client.run()
    mapped.canvas.grab()
    assert mapped.canvas._members.tolist() == unpack(state(mapped).lasso, 40).tolist()
    # Who is in it has room as a picture before others.
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    mapped.canvas.grab()
    assert 12 in mapped.canvas._thumbs[: int(mapped.canvas._members.sum())]
    mapped.engine.count = 40
    (tmp_path / "other").mkdir()
    mapped.facet.open_path(str(tmp_path / "other"))
    mapped.canvas.grab()
    assert not state(mapped).lasso and mapped.canvas._members is None
    mapped.client.run()


def test_what_a_lasso_makes_can_be_cancelled_and_its_failure_is_told(full, qtbot, tmp_path, notices):
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    entries = full.workspace.save_menu()
    assert [enabled for _, _, enabled in entries[:2]] == [True, True]
    full.facet.make_pile(str(tmp_path))
    asked = full.client.asked[-1]
    asked.progress(0.5, "p30.png")
    assert full.panel.progress.figure.text() == "50 %" and full.panel.progress.cancel_button.text() == "Cancel"
    qtbot.mouseClick(full.panel.progress.cancel_button, LEFT)
    assert asked.id in full.client.cancelled and not full.facet.busy and state(full).limit == 0
    full.client.fail = MapDirection
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    full.client.run()
    assert notices[-1][0] == "It could not be computed." and not full.facet.busy
    full.facet.change(State("data", full.path, lasso=pack(np.ones(40, bool))), "all")
    full.facet.make_direction(str(tmp_path / "d.safetensors"))
    assert "outside" in notices[-1][0] and len(full.client.sent(MapDirection)) == 1


def test_buttons_ask_where_to(full, qtbot, monkeypatch, tmp_path):
    lasso(qtbot, full.canvas, around(full.canvas, 30))
    asked = []

    def chosen(dialog):
        asked.append(dialog.acceptMode())
        dialog.fileSelected.emit(str(tmp_path / "x.safetensors") if len(asked) > 1 else str(tmp_path))

    monkeypatch.setattr(QFileDialog, "open", chosen)
    qtbot.mouseClick(full.panel.pile, LEFT)
    assert full.client.sent(MapPile)[-1].folder == str(tmp_path)
    full.client.run()
    monkeypatch.setattr(QFileDialog, "open", lambda dialog: asked.append(dialog))
    qtbot.mouseClick(full.panel.direction, LEFT)
    dialog = asked[-1]
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave and dialog.defaultSuffix() == "safetensors"
    dialog.fileSelected.emit(str(tmp_path / "x.safetensors"))
    assert full.client.sent(MapDirection)[-1].file.endswith("x.safetensors")
    full.client.run()


def test_the_map_is_saved_as_it_is_seen(full, tmp_path, notices):
    from flowcore.images import read_picture

    text, act, enabled = full.workspace.save_menu()[2]
    assert enabled and "Picture of the map" in text and callable(act)
    full.facet.save_picture(str(tmp_path / "map.png"))
    pixels = read_picture(tmp_path / "map.png").pixels
    assert pixels.shape[0] >= full.canvas.height() and pixels[..., :3].std() > 10
    full.facet.save_picture(str(tmp_path / "missing" / "map.png"))
    assert "cannot be written" in notices[-1][0]


def test_unusual_pictures_are_named_and_one_click_away(full, qtbot):
    assert full.side.unusual.rows == [5]
    full.side.unusual_fold.set_unfolded(True)
    full.side.unusual.resize(268, full.side.unusual.heightForWidth(268))
    full.side.unusual.setFocus()
    qtbot.keyClick(full.side.unusual, Qt.Key.Key_Return)
    assert state(full).selected == 5


def test_the_wells_are_marks_on_the_map(full, bundle):
    drop(full.workspace.window_for_test, bundle / "examples" / "red.png")
    full.client.run()
    places = full.client.sent(MapPlace)
    assert [place.well for place in places] == ["A"] and full.canvas._marks == {"A": (1.0, 2.0), "B": None}
    full.workspace.acts.clear("A")
    full.client.run()
    assert full.canvas._marks["A"] is None


def test_another_model_makes_another_map(full, make_checkpoint):
    full.facet.select(3)
    full.client.run()
    other = make_checkpoint("other")
    full.workspace.controller.choose_model(str(other))
    full.client.run()
    assert encodes(full)[-1].model == str(other) and encodes(full)[-1].have == 0
    assert full.client.sent(r.EncodePicture)[-1].model == str(other)


def test_a_session_brings_the_map_back(full, client):
    full.facet.select(6)
    full.canvas.zoom(4.0)
    full.canvas._rested()
    saved = json.loads(json.dumps(full.workspace.state()))
    full.history.undo()
    full.workspace.restore(saved)
    client.run()
    assert state(full).selected == 6 and full.canvas.camera.span == pytest.approx(state(full).view[2])


def test_ten_thousand_points_are_painted_within_a_frame_or_two(qtbot):
    """In time of the processor, and with a generous bound: the machine that runs this may be busy. A frame takes 5 ms."""
    import time

    count = 10_000
    data = MapData()
    data.found({"first": 0, "total": count, "of": count, "side": 1, "classes": ["a", "b"]})
    rng = np.random.default_rng(0)
    data.rows({"first": 0, "names": list(map(str, range(count))), "taken": count},
              {"pictures": rng.integers(0, 255, (count, 8, 8, 3), dtype=np.uint8), "bpd": np.zeros(count),
               "classes": rng.integers(0, 2, count)})  # fmt: skip
    data.laid_out({"share": [0.1, 0.1]}, rng.standard_normal((count, 2)))
    canvas = MapCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(1000, 700)
    canvas.show()
    canvas.show_data(data, colouring(data, "class", {}))
    canvas.zoom(1.01)
    times = []
    for _ in range(9):
        canvas._camera = canvas.camera.moved(3, 2, 1000, 700)
        began = time.process_time()
        canvas.repaint()
        times.append(time.process_time() - began)
    assert canvas.side == 0 and np.median(times) < 0.05
    canvas.zoom(30.0)
    canvas.repaint()
    assert canvas.side >= 20 and len(canvas._thumbs) > 10


# -- on the real engine ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A small model and a folder of pictures, one of them broken."""
    import torch
    from PIL import Image

    from flowcore import checkpoint
    from flowcore.models import glow

    root = tmp_path_factory.mktemp("real")
    generator = torch.Generator().manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=1, width=8)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    card = {"name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
            "channels": 3, "format_version": 1, "default_temperature": 0.7, "default_seed": 0}  # fmt: skip
    checkpoint.save(root / "small.safetensors", flow.eval(), card)
    (root / "pictures").mkdir()
    for seed in range(30):
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "pictures" / f"{seed:02d}.png")
    (root / "pictures" / "broken.png").write_bytes(b"nothing")
    return root


def test_on_the_real_engine_from_a_folder_to_a_pile(qapp, qtbot, real, bundle, notices, tmp_path):
    from app.engine.client import EngineClient
    from app.explorer.workspace import create
    from app.settings import Settings
    from app.workspace import Context

    client = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    client.start()
    try:
        said = []
        context = Context(client, Settings(tmp_path / "settings.json"), lambda *words, **more: said.append((words, more)))
        made = create(context)
        qtbot.addWidget(made.canvas())
        made.canvas().resize(1000, 700)
        made.canvas().show()
        made.history.reset(type(made.history.state)(model=str(real / "small.safetensors")))
        made.look_deeper()
        qtbot.waitUntil(lambda: made.controller.started and made.is_idle(), timeout=60_000)
        made.acts.show_facet("map")
        facet = made.controller.facet
        facet.open_path(str(real / "pictures"))
        qtbot.waitUntil(lambda: facet.link.data.complete and made.is_idle(), timeout=60_000)
        data = facet.link.data
        assert data.count == 30 and data.skipped[0][0] == "broken.png" and data.neighbours.shape == (30, 8)
        facet.select(4)
        qtbot.waitUntil(lambda: facet.large() is not None and made.is_idle(), timeout=60_000)
        np.testing.assert_array_equal(facet.large().picture, data.picture(4))
        made.send("A")
        qtbot.waitUntil(lambda: facet.link.places["A"] is not None and made.is_idle(), timeout=60_000)
        np.testing.assert_allclose(facet.link.places["A"], data.points[4], atol=0.05)
        (tmp_path / "pile").mkdir()
        members = np.zeros(30, bool)
        members[[1, 4, 7]] = True
        facet._set("lasso", lasso=pack(members))
        facet.make_pile(str(tmp_path / "pile"))
        facet_done = tmp_path / "way.safetensors"
        qtbot.waitUntil(made.is_idle, timeout=60_000)
        facet.make_direction(str(facet_done))
        qtbot.waitUntil(made.is_idle, timeout=60_000)
        assert sorted(path.name for path in (tmp_path / "pile").iterdir()) == sorted(data.names[row] for row in (1, 4, 7))
        assert facet_done.is_file() and not any(more.get("kind") == "error" for _, more in said)
        made.hidden()
    finally:
        client.stop()
