"""The controller without a widget: what is asked of the engine, what is shown of the answers, undo, a restart."""

from __future__ import annotations

import numpy as np
import pytest

from flow_explorer.engine.requests.explorer import (
    DraftPage,
    EncodePicture,
    OpenModel,
    SamplePage,
    WalkAt,
    WalkFrames,
)
from flow_explorer.explorer.moving.exporting import Exporter
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import CURVE
from flowcore.errors import FlowError
from flowcore.pictures.crop import Crop


def pictures(controller) -> list[bytes]:
    return [slot.picture.tobytes() for slot in controller.page.view.slots]


def fill(controller, client, png) -> None:
    controller.acts.put_picture("A", png((200, 40, 60)), "red.png")
    controller.acts.put_picture("B", png((20, 40, 220)), "blue.png")
    client.run()


def test_the_page_fills(controller, client):
    assert controller.busy
    client.run()
    assert controller.page.view.complete and len(controller.page.view.slots) == 16
    assert controller.page.view.temperatures == [0.7] * 16
    assert controller.page.view.slots[3].name == "sample 4, seed 4"


def test_temperature_changes_the_same_z(controller, client):
    client.run()
    before = [slot.z for slot in controller.page.view.slots]
    controller.acts.set_temperature(0.35)
    client.run()
    for old, slot in zip(before, controller.page.view.slots, strict=True):
        np.testing.assert_allclose(slot.z, old / 2, rtol=1e-6)


def test_a_drag_is_one_step_and_undo_brings_the_pixels_back(controller, client):
    client.run()
    before = pictures(controller)
    for value in (0.8, 0.9, 1.0, 1.1):
        controller.acts.set_temperature(value)
    controller.acts.rest()
    client.run()
    assert pictures(controller) != before and controller.history.length == 1
    controller.history.undo()
    client.run()
    assert pictures(controller) == before and controller.state.temperature == 0.7


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_temperature_that_is_no_number_changes_nothing(controller, value):
    controller.acts.set_temperature(value)
    assert controller.state.temperature == 0.7


def test_a_drag_over_a_large_page_reaches_every_picture(controller, client):
    controller.acts.set_count(64)
    client.run()
    controller.acts.set_temperature(0.8)
    for value in (0.9, 1.0, 1.1, 1.15, 1.2):
        # Of each page twenty pictures come before the next value replaces it.
        entry, came = client.asked[-1], 0
        for part in client.work(entry.request):
            entry.answer(part)
            came += len(part.pictures)
            if came >= 20:
                break
        controller.acts.set_temperature(value)
    assert all(temperature > 0.7 for temperature in controller.page.view.temperatures)
    assert isinstance(client.asked[-1].request, DraftPage) and not controller.page.view.complete
    client.asked = client.asked[-1:]
    client.run()
    assert controller.page.view.complete and set(controller.page.view.temperatures) == {1.2}
    assert not controller.page.busy


def test_a_draft_goes_nowhere_and_the_exact_picture_comes_at_rest(controller, client):
    client.run()
    controller.acts.select(5)
    client.run()
    for value in (0.8, 0.9):
        controller.acts.set_temperature(value)
    entry = next(entry for entry in client.asked if isinstance(entry.request, DraftPage))
    assert entry.request.hand == 5
    part = list(client.work(entry.request))[5]
    assert part.indices == (5,)
    entry.answer(part)
    sample = controller.selected()
    assert sample.draft and controller.page.view.temperatures[5] == 0.9
    controller.acts.put_latent("A", sample)
    controller.acts.put_two(sample, sample)
    assert controller.state.a.empty and controller.state.b.empty
    with pytest.raises(FlowError, match="still being drawn"):
        Exporter(controller).picture(sample)
    # A value that stands still gets the exact page; no more drafts are waited for.
    controller.page._moved -= 1
    entry.answer(part)
    assert entry.id in client.cancelled
    client.run()
    assert controller.page.view.complete and not controller.selected().draft
    controller.acts.put_latent("A", controller.selected())
    assert not controller.state.a.empty


def test_a_draft_that_fails_is_asked_for_as_an_exact_page(controller, client):
    client.run()
    client.fail = DraftPage
    for value in (0.8, 0.9):
        controller.acts.set_temperature(value)
    client.run()
    assert controller.page.view.complete and set(controller.page.view.temperatures) == {0.9} and not controller.page.view.error


def test_a_larger_page_keeps_what_is_there(controller, client):
    client.run()
    before = pictures(controller)
    controller.acts.set_count(36)
    request = client.sent(SamplePage)[-1]
    assert (request.first, request.count) == (16, 20)
    client.run()
    assert pictures(controller)[:16] == before and controller.page.view.complete


def test_figures_that_come_after_an_undo_do_not_hide_those_of_the_sample_on_screen(controller, client):
    client.run()
    controller.acts.select(0)
    controller._rest.timeout.emit()
    client.run()
    assert controller.shown().figures.bpd == 2.5
    controller.acts.select(1)
    controller._rest.timeout.emit()
    controller.history.undo()
    client.run()
    assert controller.state.selected == 0 and controller.shown().figures.bpd == 2.5


def test_the_store_forgets_what_nothing_can_reach_and_keeps_what_undo_needs(controller, client, png, monkeypatch):
    monkeypatch.setattr("flow_explorer.explorer.controller.PRUNE_BYTES", 0)
    controller._prune_at = 0
    client.run()
    controller.acts.put_picture("A", png(), "a.png")
    controller.acts.put_latent("B", controller.page.view.slots[3])
    client.run()
    pixels = controller.wells["A"].view.seen
    for step in range(40):
        controller.acts.set_crop("A", Crop(zoom=1 + step / 10))
        client.run()
    controller.acts.rest()
    controller.acts.clear("B")
    assert len(controller.store) < 15, "each place of the drag left a z"
    for _ in range(4):
        controller.history.undo()
        client.run()
    assert controller.state.a.empty and controller.state.b.empty
    for _ in range(2):
        controller.history.redo()
        client.run()
    np.testing.assert_array_equal(controller.wells["A"].view.seen, pixels)
    assert controller.state.b.latent in controller.store and controller.walk.possible


def test_answers_of_another_page_are_not_shown(controller, client):
    old = client.asked[0]
    controller.acts.new_samples()
    client.answer(old)
    assert not any(controller.page.view.fresh)
    client.run()
    assert all("seed 5" in slot.name for slot in controller.page.view.slots)


def test_a_picture_in_a_well_is_encoded_and_judged(controller, client, png):
    controller.acts.put_picture("A", png(), "red.png")
    view = controller.wells["A"].view
    assert view.seen.shape == (8, 8, 3) and view.busy
    client.run()
    view = controller.wells["A"].view
    assert view.differing == 0 and not view.busy
    np.testing.assert_array_equal(view.reconstruction, view.seen)
    assert view.figures.bpd == pytest.approx(2.0) and view.figures.likelier_than == pytest.approx(75)
    assert view.figures.typicality == pytest.approx(50)


def test_a_bad_picture_changes_nothing(controller):
    with pytest.raises(FlowError, match="notes"):
        controller.acts.put_picture("A", b"text", "notes.png")
    assert controller.state.a.empty and not controller.history.can_undo


def test_a_sample_keeps_its_own_z(controller, client):
    client.run()
    sample = controller.page.view.slots[2]
    controller.acts.put_latent("A", sample)
    client.run()
    assert controller.store.latent(controller.wells["A"].view.z).tobytes() == sample.z.tobytes()


def test_a_sample_of_another_model_is_encoded(controller, client, make_checkpoint):
    client.run()
    controller.acts.put_latent("A", controller.page.view.slots[2])
    client.run()
    own = controller.wells["A"].view.z
    controller.choose_model(str(make_checkpoint("other")))
    client.run()
    assert controller.wells["A"].view.z != own
    controller.history.undo()
    client.run()
    assert controller.wells["A"].view.z == own


def test_the_walk(controller, client, png):
    fill(controller, client, png)
    view = controller.walk.view
    assert controller.walk.possible and view.complete and len(view.strip) == 9
    assert tuple(view.frames[0][0, 0]) == (200, 40, 60) and tuple(view.frames[-1][0, 0]) == (20, 40, 220)
    assert view.bpds == [pytest.approx(2 + i / (CURVE - 1)) for i in range(CURVE)]
    assert view.picture_t == 0.5 and view.bpd == 3.0
    assert controller.shown().kind == "walk"


def test_dragging_the_walk_asks_for_each_position_and_ends_on_the_last(controller, client, png):
    fill(controller, client, png)
    for value in range(200):
        controller.acts.set_position(value / 199)
    assert [request.t for request in client.sent(WalkAt)][-1] == 1.0
    client.run()
    assert controller.walk.view.picture_t == 1.0
    assert controller.walk.view.picture.tobytes() == controller.walk.view.frames[-1].tobytes()
    assert len(client.sent(WalkFrames)) == 1
    assert controller.history.undo_label == "Move along the walk"
    controller.history.undo()
    assert controller.state.walk.t == 0.5


def test_playing_is_no_act(controller, client, png):
    fill(controller, client, png)
    steps = controller.history.length
    controller.play_to(0.25)
    client.run()
    assert controller.walk.view.picture_t == 0.25 and controller.history.length == steps
    controller.play_to(None)
    client.run()
    assert controller.walk.view.picture_t == 0.5


def test_a_frame_of_the_strip_has_the_z_of_its_place(controller, client, png):
    fill(controller, client, png)
    latent = controller.strip_latent(0.25)
    a, b = (controller.store.latent(controller.wells[which].view.z) for which in "AB")
    np.testing.assert_allclose(latent.z, 0.75 * a + 0.25 * b, rtol=1e-5)
    assert latent.z.dtype == a.dtype


def test_clearing_a_well_ends_the_walk_and_undo_brings_it_back(controller, client, png):
    fill(controller, client, png)
    before = [frame.tobytes() for frame in controller.walk.view.frames]
    controller.acts.clear("B")
    assert not controller.walk.possible and controller.wells["B"].view.seen is None
    controller.history.undo()
    client.run()
    assert [frame.tobytes() for frame in controller.walk.view.frames] == before


def test_cropping_is_live_and_one_step(controller, client, png):
    fill(controller, client, png)
    # Of a picture of one colour every crop is the same, and is not asked for again.
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    controller.acts.put_picture("A", png(noise), "noise.png")
    client.run()
    sent = len(client.sent(EncodePicture))
    for zoom in (1.5, 2.0, 3.0):
        controller.acts.set_crop("A", Crop(zoom=zoom))
    # Each is sent at once: in the engine the newest takes the place of one that waits.
    assert [request.in_hand for request in client.sent(EncodePicture)[sent:]] == [True] * 3
    client.run()
    view = controller.wells["A"].view
    assert len(client.sent(EncodePicture)) == sent + 3 and not (view.busy or view.moving)
    controller.history.undo()
    assert controller.state.a.crop == Crop()


def test_a_restarted_engine_gives_the_same_pixels(controller, client, png):
    fill(controller, client, png)
    controller.acts.set_position(0.3)
    client.run()

    def screen():
        walk = controller.walk.view
        return (pictures(controller), [frame.tobytes() for frame in walk.frames], walk.picture.tobytes(),
                [controller.wells[which].view.reconstruction.tobytes() for which in "AB"])

    before = screen()
    controller.acts.set_temperature(0.9)
    client.forget()
    controller.history.undo()
    client.forget()
    controller.engine_restarted()
    client.run()
    assert screen() == before and not controller.walk.busy and not controller.page.busy


def test_a_model_that_cannot_be_loaded_changes_nothing(controller, client, make_checkpoint, tmp_path, qtbot):
    client.run()
    model = controller.state.model
    client.fail = OpenModel
    with qtbot.waitSignal(controller.problem) as caught:
        controller.choose_model(str(make_checkpoint("broken")))
        client.run()
    assert caught.args[0] == "It could not be computed." and controller.state.model == model
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04pickle")
    with qtbot.waitSignal(controller.problem) as caught:
        controller.choose_model(str(tmp_path / "pickle.safetensors"))
    assert "pickle.safetensors" in caught.args[0] and controller.state.model == model
    assert not controller.history.can_undo and not controller.opening


def test_an_error_stands_at_its_place(controller, client, png):
    client.run()
    client.fail = EncodePicture
    controller.acts.put_picture("A", png(), "red.png")
    client.run()
    assert controller.wells["A"].view.error == "It could not be computed." and not controller.wells["A"].busy
    client.fail = SamplePage
    controller.acts.new_samples()
    client.run()
    assert controller.page.view.error == "It could not be computed."


def test_the_cached_first_page_stands_in(qapp, client, checkpoint, monkeypatch, tmp_path):
    from flow_explorer import assets
    from flow_explorer.explorer.controller import Controller
    from flow_explorer.explorer.state import ExplorerState
    from flow_explorer.history import History
    from flowcore.pictures.images import save_png

    models = tmp_path / "models"
    models.mkdir()
    checkpoint.rename(models / "tiny.safetensors")
    sheet = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    save_png(models / "tiny.png", sheet)
    monkeypatch.setattr(assets, "root", lambda: tmp_path)
    controller = Controller(client, History(ExplorerState(model="tiny", seed=4, temperature=0.7, selected=0)))
    controller.start()
    assert controller.page.view.picture(5).tobytes() == sheet[8:16, 8:16].tobytes()
    assert controller.shown().picture is not None
    controller.acts.set_temperature(0.8)
    assert controller.page.view.picture(5) is not None
    client.run()
    assert controller.page.view.picture(5).tobytes() == controller.page.view.slots[5].picture.tobytes()
    other = Controller(client, History(ExplorerState(model="tiny", seed=5, temperature=0.7)))
    other.start()
    assert other.page.view.picture(5) is None


def test_two_samples_at_once(controller, client):
    client.run()
    first, second = controller.page.view.slots[:2]
    controller.acts.put_two(first, second)
    client.run()
    assert controller.walk.possible and controller.history.length == 1
    assert isinstance(first, Latent)


@pytest.mark.parametrize(
    "changes",
    [{"size": [8]}, {"size": ["8", "8"]}, {"size": None}, {"channels": 4}, {"size": [8, -8]}, {"size": "88"}],
)
def test_a_card_that_is_no_picture_model_is_refused(make_checkpoint, changes):
    from flow_explorer.explorer.model import open_model

    with pytest.raises(FlowError, match=r"odd\.safetensors"):
        open_model(str(make_checkpoint("odd", **changes)))


@pytest.mark.parametrize("changes", [{"default_seed": "x"}, {"default_seed": -1}, {"default_temperature": "hot"},
                                     {"default_temperature": 99}, {"data": None}, {"data": []}, {"bpd": "low"},
                                     {"held_out": None}, {"title": None}, {"system": 3}])  # fmt: skip
def test_an_odd_card_still_opens(make_checkpoint, changes):
    from flow_explorer.explorer.model import figures, open_model

    model = open_model(str(make_checkpoint("odd", **changes)))
    assert model.default_seed >= 0 and 0 <= float(np.max(model.default_temperature)) <= 1.5
    assert model.title and model.summary and model.sees and isinstance(model.licence, str)
    assert figures(model.card, 3.0).bpd == 3.0
