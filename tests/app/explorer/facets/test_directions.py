"""The directions' facet: sliders that stack, marks, folders, files, undo; with the stand-in engine, then with the real one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtWidgets import QFileDialog

from app.engine import requests as r
from app.engine import requests_directions as rd
from app.explorer.facets.directions.link import AMOUNTS
from app.explorer.facets.directions.state import Held, State
from app.explorer.facets.directions.strip_view import PLACES
from app.explorer.state import ExplorerState
from flowcore.errors import ConfigError

LEFT = Qt.MouseButton.LeftButton
DIMS = 8 * 8 * 3


def vector(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=DIMS).astype(np.float32)


def card(name: str, **changes) -> dict:
    quality = {"score": 0.93, "low": 0.9, "high": 0.95, "more": 480, "less": 520, "how": "held out"}
    return {"format_version": 1, "name": name, "model": "tiny", "fingerprint": "here", "dims": DIMS, "levels": [0, 1, 2],
            "deviation": 2.0, "made": {"by": "labels", "more": 9, "less": 8}, "quality": quality, **changes}  # fmt: skip


class Answers:
    """What the stand-in engine says about directions; z is pixels / 100."""

    def __init__(self, client) -> None:
        self.client, self._others = client, client.work
        self.bundled = [card("Smile"), card("Glasses")]
        self.made = card("made", made={"by": "picks", "more": 1, "less": 1}, quality=None)
        client.work = self.work

    @staticmethod
    def picture(z) -> np.ndarray:
        return np.clip(np.round(z * 100), 0, 255).astype(np.uint8).reshape(8, 8, 3)

    def moved(self, request) -> np.ndarray:
        z = request.z.astype(np.float64)
        for row, amount, deviation, _levels, _others in request.moves:
            z = z + amount * deviation * request.vectors[row] / np.linalg.norm(request.vectors[row])
        return z.astype(np.float32)

    def work(self, request):
        if isinstance(request, rd.ListDirections):
            vectors = np.stack([vector(seed) for seed in range(len(self.bundled))]) if self.bundled else np.zeros((0, DIMS), "f4")
            yield {"cards": self.bundled, "files": [], "fingerprint": "here", "problems": []}, {"vectors": vectors}, True
        elif isinstance(request, rd.Edit):
            z = self.moved(request)
            yield {"done": False}, {"picture": self.picture(z), "z": z}, False
            yield {"bpd": 3.25}, {}, True
        elif isinstance(request, rd.Strip):
            base, (row, _, deviation, _, _) = self.moved(request), request.hand
            step = deviation * request.vectors[row] / np.linalg.norm(request.vectors[row])
            z = np.stack([base + amount * step for amount in request.amounts])
            yield {"first": 0, "count": len(z)}, {"pictures": np.stack([self.picture(row) for row in z]), "z": z}, True
        elif isinstance(request, rd.FromLatents | rd.FromFolders | rd.OpenDirection):
            count = max(1, getattr(request, "axes", 0))
            name = getattr(request, "name", "opened")
            cards = [{**self.made, "name": name if count == 1 else f"{name}, axis {n + 1}"} for n in range(count)]
            yield ({"cards": cards, "fingerprint": "here", "skipped": []},
                   {"vectors": np.stack([vector(100 + len(self.client.log) + n) for n in range(count)])}, True)
        elif isinstance(request, rd.SaveDirection):
            yield {"path": request.path}, {}, True
        else:
            yield from self._others(request)


@pytest.fixture
def answers(client) -> Answers:
    return Answers(client)


@pytest.fixture
def facet(answers, workspace, client):
    """The facet in front, about a selected sample; everything has been answered."""
    workspace.acts.select(0)
    workspace.look_deeper()
    workspace._canvas.tabs.button("directions").click()
    client.run()
    made = workspace.controller.facets["directions"]
    assert workspace.controller.facet is made
    return made


def rows(facet) -> list:
    return [facet.widget().rows[row.held.key] for row in facet.link.rows(facet.state)]


def edits(client) -> list:
    return client.sent(rd.Edit)


def drop(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_the_bundled_directions_are_listed_with_their_quality_in_words(facet, client):
    assert [row.slider.label.text() for row in rows(facet)] == ["Smile", "Glasses"]
    assert rows(facet)[0].quality.text() == "Tells 93 % of held-out pairs apart"
    assert "90.0 to 95.0 %" in rows(facet)[0].quality.toolTip() and "480 with and 520 without" in rows(facet)[0].quality.toolTip()
    assert facet.state == State() and edits(client) == []
    (request,) = client.sent(rd.ListDirections)
    assert request.folder.endswith("directions/tiny")
    # Nothing is moved yet: the picture is the sample itself, and the strip shows where the first direction leads.
    assert facet.large() is facet.host.controller.selected() and sorted(facet.link.frames) == sorted(PLACES)
    shape = facet.host.controller.selected().picture
    assert np.array_equal(facet.link.frames[0.0], shape) and not np.array_equal(facet.link.frames[3.0], shape)


def test_sliders_stack_and_a_drag_is_one_step_that_undo_takes_back(facet, client, workspace, qtbot):
    sample = facet.host.controller.selected()
    smile, glasses = rows(facet)
    track = smile.slider.track
    qtbot.mousePress(track, LEFT, pos=track.rect().center())
    for position in (35, 40, 45):
        track._take(position)
    qtbot.mouseRelease(track, LEFT)
    client.run()
    assert facet.state.find(smile.key).amount == 1.5 and facet.state.hand == smile.key
    qtbot.keyClick(glasses.slider.track, Qt.Key.Key_Left)
    client.run()
    request = edits(client)[-1]
    assert [move[1] for move in request.moves] == [1.5, -0.1] and len(request.vectors) == 2
    moved = facet.large()
    assert np.array_equal(moved.picture, facet.widget().stage.moved.array()) and moved.z is not sample.z
    assert np.allclose(moved.z, Answers(client).moved(request)) and moved.label == sample.label
    shown = facet.shown()
    assert shown.title == "Smile +1.5, Glasses −0.1" and shown.figures.bpd == 3.25
    workspace.history.undo()
    assert facet.state.find(glasses.key) is None
    workspace.history.undo()
    client.run()
    assert facet.state == State() and facet.large() is sample and facet.shown() is None


def test_the_newest_value_wins_and_an_older_answer_never_comes_after_it(facet, client):
    key = rows(facet)[0].key
    for amount in (0.5, 1.0, 2.0):
        facet.set_amount(key, amount)
    waiting = [entry for entry in client.asked if isinstance(entry.request, rd.Edit)]
    assert [entry.request.moves[0][1] for entry in waiting] == [0.5, 1.0, 2.0]
    client.answer(waiting[0])
    # An older amount's picture is a draft; the figures wait for the newest.
    assert facet.link.edited is not None and not facet.link.fresh and facet.busy and facet.link.bpd is None
    client.run()
    assert facet.link.fresh and not facet.busy
    assert np.allclose(facet.large().z, Answers(client).moved(waiting[2].request))


def test_dragging_the_direction_in_hand_asks_for_no_new_strip(facet, client):
    smile, glasses = (row.key for row in rows(facet))
    facet.set_amount(smile, 1.0)
    client.run()
    before = len(client.sent(rd.Strip))
    facet.set_amount(smile, 2.0)
    client.run()
    assert len(client.sent(rd.Strip)) == before
    facet.set_amount(glasses, 1.0)
    client.run()
    request = client.sent(rd.Strip)[-1]
    assert len(client.sent(rd.Strip)) == before + 1 and request.amounts == AMOUNTS and [m[1] for m in request.moves] == [2.0]


def test_a_click_and_the_arrow_keys_in_the_strip_take_an_amount(facet, client, qtbot):
    strip, key = facet.widget().strip, rows(facet)[0].key
    qtbot.mouseClick(strip, LEFT, pos=strip.cell(5).center().toPoint())
    assert facet.state.find(key).amount == 2.0
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    client.run()
    assert facet.state.find(key).amount == 1.0 and rows(facet)[0].slider.value() == 1.0
    qtbot.mouseClick(strip, LEFT, pos=strip.cell(3).center().toPoint())
    client.run()
    assert facet.state.find(key) is None and facet.link.edited is None


def test_levels_and_what_is_left_alone_go_into_the_move(facet, client, qtbot):
    smile, glasses = rows(facet)
    qtbot.mouseClick(smile.more, LEFT)
    assert smile.details.isVisibleTo(facet.widget())
    facet.set_amount(smile.key, 1.0)
    qtbot.mouseClick(smile._levels[0], LEFT)
    smile.menu.actions()[0].trigger()
    client.run()
    assert smile.menu.actions()[0].text() == "Glasses" and smile.without.text() == "Glasses"
    (move,) = edits(client)[-1].moves
    assert move[3] == (1, 2) and move[4] == (1,) and len(edits(client)[-1].vectors) == 2
    assert facet.state.keys == {smile.key, glasses.key}
    smile.menu.actions()[0].trigger()
    qtbot.mouseClick(smile._levels[0], LEFT)
    client.run()
    assert facet.state.find(smile.key) == replace(facet.state.find(smile.key), levels=None, without=())
    facet.widget().reset.click()
    assert facet.state.held == ()


def test_marks_make_a_direction_that_is_renamed_and_deleted_and_all_of_it_undone(facet, client, workspace, qtbot):
    view = facet.widget()
    view.pane.button("make").click()
    grid = view.make.grid
    grid.resize(276, 276)
    assert view.make.make_marks.isEnabled() is False and "Nothing is marked" in view.make.count.text()
    for index in (1, 2, 2, 5, 6, 6, 6):
        qtbot.mouseClick(grid, LEFT, pos=grid.cell(index).center().toPoint())
    slots = workspace.controller.page.view.slots
    assert [grid._marks[index] for index in (1, 2, 5, 6)] == [1, -1, 1, 0] and view.make.count.text() == "2 more, 1 less"
    qtbot.mouseClick(view.make.make_marks, LEFT)
    assert facet.link.making and view.make.progress.isVisibleTo(view)
    client.run()
    (request,) = client.sent(rd.FromLatents)
    assert np.array_equal(request.more, np.stack([slots[1].z, slots[5].z])) and np.array_equal(request.less[0], slots[2].z)
    made = rows(facet)[-1]
    assert made.slider.label.text() == "Marked" and facet.state.hand == made.key and view.panes.currentIndex() == 0
    assert made.quality.text() == "Too few pictures to measure it on"
    made.unfold(True)
    made.name.setText("A nod")
    qtbot.keyClick(made.name, Qt.Key.Key_Return)
    assert made.slider.label.text() == "A nod" and facet.state.held[0].title == "A nod"
    qtbot.mouseClick(made.delete, LEFT)
    client.run()
    assert len(rows(facet)) == 2 and not facet.state.held
    workspace.history.undo()
    client.run()
    assert rows(facet)[-1].slider.label.text() == "A nod"
    while workspace.history.can_undo:
        workspace.history.undo()
    assert facet.state == State()


def test_marks_stay_over_pages_and_can_be_set_by_keys(facet, client, qtbot):
    view = facet.widget()
    view.show_pane("make")
    qtbot.keyClick(view.make.grid, Qt.Key.Key_Right)
    qtbot.keyClick(view.make.grid, Qt.Key.Key_Space)
    assert view.make.grid._marks[:3] == [0, 1, 0]
    qtbot.mouseClick(view.make.other_samples, LEFT)
    client.run()
    assert view.make.grid._marks[:3] == [0, 0, 0] and len(facet.state.more) == 1
    facet.host.controller.history.undo()
    client.run()
    assert view.make.grid._marks[:3] == [0, 1, 0]


def test_two_dropped_folders_make_a_direction_and_broken_ones_say_so(facet, client, tmp_path, workspace, qtbot):
    folders = [tmp_path / name for name in ("with", "without")]
    for folder in folders:
        folder.mkdir()
    workspace.drop(drop(*folders))
    view = facet.widget()
    assert (facet.state.more_folder, facet.state.less_folder) == tuple(map(str, folders)) and view.panes.currentIndex() == 1
    assert workspace.history.state.a.empty  # it was no picture for a well
    client.fail = rd.FromFolders
    qtbot.mouseClick(view.make.make_folders, LEFT)
    client.run()
    assert view.make.problem.text() == "It could not be computed." and not facet.link.making
    client.fail = None
    qtbot.mouseClick(view.make.make_folders, LEFT)
    (entry,) = [entry for entry in client.asked if isinstance(entry.request, rd.FromFolders)]
    entry.progress(0.25, "5 of 20 pictures")
    assert view.make.progress.label.text() == "5 of 20 pictures"
    qtbot.mouseClick(view.make.progress.cancel_button, LEFT)
    assert entry.id in client.cancelled and not facet.link.making and not facet.state.held
    qtbot.mouseClick(view.make.make_folders, LEFT)
    client.run()
    assert rows(facet)[-1].slider.label.text() == "with" and view.make.problem.text() == ""


def test_one_folder_after_the_other_and_the_axes_of_one(facet, client, tmp_path, qtbot):
    view = facet.widget()
    assert facet.drop(drop(tmp_path)) and facet.state.more_folder == str(tmp_path)
    view.make.source.button("axes").click()
    view.make.axes_source.button("folder").click()
    qtbot.mouseClick(view.make.make_axes, LEFT)
    client.run()
    (request,) = client.sent(rd.FromFolders)
    assert (request.more, request.less, request.axes) == (str(tmp_path), "", 2)
    assert [row.held.title for row in facet.link.rows(facet.state)][2:] == [f"{tmp_path.name}, axis {n}" for n in (1, 2)]
    view.make.axes_source.button("page").click()
    qtbot.mouseClick(view.make.make_axes, LEFT)
    client.run()
    assert len(client.sent(rd.FromLatents)[0].more) == 16
    view.make.folders["more"].cleared.emit()
    assert facet.state.more_folder == ""


def test_a_dropped_file_is_opened_a_picture_goes_to_a_well_and_save_writes(facet, client, tmp_path, workspace, png, notices):
    from safetensors.numpy import save_file

    path = tmp_path / "smile.safetensors"
    save_file({"direction": np.ones(3, np.float32)}, path, metadata={"format": "flow-explorer-direction", "card": "{}"})
    workspace.drop(drop(path))
    client.run()
    assert client.sent(rd.OpenDirection)[0].path == str(path) and rows(facet)[-1].slider.label.text() == "opened"
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    workspace.drop(drop(picture))
    assert not workspace.history.state.a.empty
    key = rows(facet)[-1].key
    facet.rename(key, "Mine")
    facet.save_to(key, str(tmp_path / "out.safetensors"))
    client.run()
    (request,) = client.sent(rd.SaveDirection)
    assert json.loads(request.card)["name"] == "Mine" and "Saved" in notices[-1][0]


def test_what_can_be_saved_is_offered_and_asked_for(facet, client, tmp_path, workspace, qtbot):
    entries = {text: (act, enabled) for text, act, enabled in workspace.save_menu()}
    act, enabled = entries["Strip of the direction as PNG…"]
    assert enabled
    act()
    dialog = facet.widget().window().findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "strip.png"))
    dialog.close()
    from flowcore.images import read_picture

    assert read_picture(tmp_path / "strip.png").pixels.shape[:2] == (8, 56)


def test_without_a_subject_or_directions_it_says_what_goes_here(answers, workspace, client):
    answers.bundled = []
    workspace.acts.select(-1)
    workspace.look_deeper()
    workspace._canvas.tabs.button("directions").click()
    client.run()
    facet = workspace.controller.facets["directions"]
    view = facet.widget()
    assert view.left.currentIndex() == 1 and "Select a sample" in view.nothing.label.text()
    assert view.empty.isVisibleTo(view)
    workspace._canvas.subject.button("A").click()
    assert "Put a picture in A" in view.nothing.label.text() and view.nothing_act.text() == "Choose a picture…"
    workspace._canvas.subject.button("walk").click()
    view.nothing_act.click()
    client.run()
    assert not workspace.history.state.b.empty and view.left.currentIndex() == 0
    workspace._canvas.subject.button("sample").click()
    view.nothing_act.click()
    client.run()
    assert workspace.history.state.selected == 0 and view.left.currentIndex() == 0
    view.empty.findChildren(type(view.reset))[0].click()
    assert view.panes.currentIndex() == 1


def test_another_models_direction_stands_there_disabled_and_moves_nothing(facet, client):
    store = facet.host.controller.store
    held = Held(store.put_latent(vector(7)), json.dumps(card("Old", fingerprint="there")), own=True, amount=2.0)
    facet.change(facet.state.put(held), "Open")
    lost = replace(held, key="z" + "0" * 32)
    facet.change(facet.state.put(lost), "Open")
    client.run()
    other, missing = rows(facet)[2:]
    assert not other.slider.isEnabled() and "another model" in other.quality.text()
    assert not missing.slider.isEnabled() and "not at hand" in missing.quality.text()
    assert edits(client) == [] and facet.shown() is None


def test_a_failed_move_says_so_under_the_picture_and_a_new_engine_tries_again(facet, client, workspace):
    client.fail = rd.Edit
    facet.set_amount(rows(facet)[0].key, 1.0)
    client.run()
    assert facet.widget().stage.problem.text() == "It could not be computed." and not facet.busy
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert facet.link.edited is not None and facet.widget().stage.problem.text() == ""


def test_a_session_brings_the_directions_back(facet, client, workspace):
    facet.set_amount(rows(facet)[1].key, -2.5)
    facet._mark(3)
    client.run()
    saved = json.loads(json.dumps(workspace.state()))
    before, keys = facet.state, facet.state.keys
    assert keys <= {path.name for path in workspace.files.folder.iterdir()}
    workspace.history.reset(ExplorerState(model=workspace.history.state.model))
    workspace.controller.store.prune(set())
    workspace.restore(saved)
    client.run()
    assert facet.state == before and all(key in workspace.controller.store for key in keys)
    assert facet.link.edited is not None


def test_a_state_survives_json_and_refuses_what_is_out_of_range():
    held = Held("z" + "a" * 32, json.dumps(card("Smile")), True, "Grin", -1.5, (1, 2), ("z" + "b" * 32,))
    state = State((held,), held.key, more=("z" + "c" * 32,), less=("z" + "d" * 32,), more_folder="/a")
    data = json.loads(json.dumps(state.to_dict()))
    assert State.from_dict(data) == state and State.from_dict({}) == State() and State().to_dict() == {}
    assert state.keys == {"z" + letter * 32 for letter in "abcd"}
    moved = state.renamed({"z" + "a" * 32: "z" + "e" * 32, "z" + "b" * 32: "z" + "f" * 32})
    assert moved.held[0].key == moved.hand == "z" + "e" * 32 and moved.held[0].without == ("z" + "f" * 32,)
    for wrong in (
        {"held": {}}, {"held": [{}]}, {"held": [{**data["held"][0], "amount": 4}]},
        {"held": [{**data["held"][0], "key": "../x"}]},
        {"held": [{**data["held"][0], "levels": ["1"]}]}, {"held": data["held"] * 2}, {"more": "z"}, {"hand": "x"},
        {"held": [{**data["held"][0], "card": {"name": "x"}}]}, {"held": [{**data["held"][0], "amount": True}]},
        {"more_folder": 3}, {"held": [{**data["held"][0], "without": [3]}]}, {"held": [{**data["held"][0], "name": "n" * 99}]},
    ):  # fmt: skip
        with pytest.raises(ConfigError):
            State.from_dict(wrong)


def test_requests_refuse_what_cannot_be():
    z, v = np.zeros(4, np.float32), np.ones((1, 4), np.float32)
    rd.Edit("m", z, v, ((0, 1.0, 1.0, None, ()),))
    for move in ((1, 1.0, 1.0, None, ()), (0, 99.0, 1.0, None, ()), (0, 1.0, 1.0, (-1,), ()), (0, 1.0, 1.0, None, (3,))):
        with pytest.raises(ConfigError):
            rd.Edit("m", z, v, (move,))
    with pytest.raises(ConfigError):
        rd.Edit("m", z, v * np.nan, ())
    with pytest.raises(ConfigError):
        rd.Strip("m", z, v, (), (0, 0.0, 1.0, None, ()), ())
    assert isinstance(r.from_fields("directions.list", {"model": "m", "folder": ""}, {}), rd.ListDirections)


# The real engine


@pytest.fixture(scope="module")
def engine(qapp):
    from app.engine.client import EngineClient

    client = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    client.start()
    assert client.wait_until_idle(60_000), client.log
    yield client
    client.stop()


@pytest.fixture(scope="module")
def small_model(tmp_path_factory) -> Path:
    """A checkpoint of a small Glow of 16×16 colour pictures."""
    import torch

    from flowcore import checkpoint
    from flowcore.models import glow

    torch.manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=2, width=16)
    flow.initialise(torch.rand(16, 3, 16, 16) * 255)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    checkpoint.save(path, flow.eval(), {"name": "small", "title": "Small", "system": "glow", "size": [16, 16], "channels": 3,
                                        "default_temperature": 0.7, "default_seed": 0, "held_out": None})  # fmt: skip
    return path


def ask(engine, request) -> list:
    """Every answer to a request; raises what it failed with."""
    answers, errors = [], []
    engine.send(request, on_answer=answers.append, on_error=lambda sentence, _details: errors.append(sentence))
    assert engine.wait_until_idle(60_000)
    if errors:
        raise ConfigError(errors[0])
    return answers


def test_the_engine_makes_saves_opens_and_moves(engine, small_model, tmp_path):
    from flowcore.images import save_png

    rng = np.random.default_rng(0)
    for name, bright in (("bright", 90), ("dark", 0)):
        (tmp_path / name).mkdir()
        for index in range(6):
            save_png(tmp_path / name / f"{index}.png", rng.integers(40 + bright, 90 + bright, (20, 20, 3)).astype(np.uint8))
    (tmp_path / "bright" / "broken.png").write_bytes(b"not a picture")
    model = str(small_model)
    (listed,) = ask(engine, rd.ListDirections(model, ""))
    assert listed.data["cards"] == [] and listed.arrays["vectors"].shape == (0, 768)
    (made,) = ask(engine, rd.FromFolders(model, "small", "Bright", str(tmp_path / "bright"), str(tmp_path / "dark")))
    (found,) = made.data["cards"]
    assert found["quality"]["how"] == "cross-validated" and found["quality"]["score"] == 1.0 and found["made"]["more"] == 6
    assert [name for name, _ in made.data["skipped"]] == ["broken.png"] and found["fingerprint"] == listed.data["fingerprint"]
    path = tmp_path / "bright.safetensors"
    vector_made = np.array(made.arrays["vectors"][0])
    ask(engine, rd.SaveDirection(str(path), vector_made, json.dumps(found)))
    (opened,) = ask(engine, rd.OpenDirection(model, str(path)))
    v = np.array(opened.arrays["vectors"])
    assert opened.data["cards"][0]["name"] == "Bright" and np.corrcoef(v[0], vector_made)[0, 1] > 0.9999
    (page,) = ask(engine, r.SamplePage(model, 1, 0, 1, 0.7))
    z, before = np.array(page.arrays["z"][0]), np.array(page.arrays["pictures"][0])
    unmoved, _ = ask(engine, rd.Edit(model, z, v, ((0, 0.0, found["deviation"], None, ()),)))
    assert np.array_equal(unmoved.arrays["picture"], before) and np.array_equal(unmoved.arrays["z"], z)
    picture, last = ask(engine, rd.Edit(model, z, v, ((0, 2.0, found["deviation"], None, ()),)))
    assert picture.arrays["picture"].mean() > before.mean() + 10 and np.isfinite(last.data["bpd"]) and last.done
    limited, _ = ask(engine, rd.Edit(model, z, v, ((0, 2.0, found["deviation"], (1,), ()),)))
    assert np.array_equal(limited.arrays["z"][:384], z[:384]) and not np.array_equal(limited.arrays["z"], z)
    frames = {}
    for message in ask(engine, rd.Strip(model, z, v, (), (0, 0.0, found["deviation"], None, ()), AMOUNTS)):
        first = message.data["first"]
        frames |= dict(zip(AMOUNTS[first:], np.array(message.arrays["pictures"]), strict=False))
    assert np.array_equal(frames[0.0], before) and np.array_equal(frames[2.0], picture.arrays["picture"])
    (axes,) = ask(engine, rd.FromLatents(model, "small", "Axes", np.random.default_rng(0).normal(size=(8, 768)).astype("f4"),
                                         np.zeros((0, 768), "f4"), 2))  # fmt: skip
    assert [c["name"] for c in axes.data["cards"]] == ["Axes, axis 1", "Axes, axis 2"]


def test_the_engine_refuses_another_models_direction_and_an_empty_folder(engine, small_model, tmp_path):
    from flowcore.direction_files import save_direction
    from flowcore.directions import Direction

    path = tmp_path / "theirs.safetensors"
    save_direction(path, Direction("Theirs", np.ones(768, np.float32), 1.0, "theirs", "f" * 32, (0, 1)))
    with pytest.raises(ConfigError, match="'Theirs' is a direction of another model"):
        ask(engine, rd.OpenDirection(str(small_model), str(path)))
    (listed,) = ask(engine, rd.ListDirections(str(small_model), str(tmp_path)))
    assert listed.data["cards"] == [] and "another model" in listed.data["problems"][0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no pictures in"):
        ask(engine, rd.FromFolders(str(small_model), "small", "x", str(tmp_path / "empty"), str(tmp_path)))
    (tmp_path / "empty" / "a.png").write_bytes(b"no")
    with pytest.raises(ConfigError, match="No picture of empty can be read"):
        ask(engine, rd.FromFolders(str(small_model), "small", "x", str(tmp_path / "empty"), axes=2))
