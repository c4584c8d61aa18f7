"""What is asked of the engine, and which of its answers still count."""

from __future__ import annotations

import numpy as np
import pytest

from flow_explorer.engine.client import Message
from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.state import ToyState


@pytest.fixture
def controller(silent):
    controller = ToyController(silent, History(ToyState()))
    controller.start()
    return controller


def answer(controller, index, kind, step=0, header=None, **arrays):
    request, on_answer, _ = controller.engine.sent[index]
    values = {"run": request.run, "steps": [step], "seconds": [0.0], **(header or {})}
    if kind == "start":
        values |= {"entropy": 1.8, "reach": 4.0}
    number = index % len(controller.engine.sent) + 1
    on_answer(Message(number, kind, values, {k: np.asarray(v) for k, v in arrays.items()}, kind == "rest", request))


def test_nothing_is_asked_before_the_start(silent):
    controller = ToyController(silent, History(ToyState()))
    controller.set("depth", 4)
    assert silent.sent == [] and not controller.is_idle()
    controller.start()
    assert silent.last.entries[0]["depth"] == 4 and not silent.last.playing


def test_play_pause_and_rest(controller, silent):
    controller.play()
    assert silent.last.playing and silent.last.background
    controller.pause()
    assert not silent.last.playing and not silent.last.background and not controller.is_idle()
    answer(controller, -1, "rest", 12, {"nll": [2.0], "standard_error": [0.1], "leader": None}, samples0=np.zeros((2, 2)))
    assert controller.is_idle() and controller.training.step == 12


def test_fast_steps_add_up(controller, silent):
    answer(controller, -1, "start", 5, data=np.zeros((2, 2)))
    for _ in range(3):
        controller.step()
    assert silent.last.goal == 8 and not silent.last.playing


def test_live_settings_keep_the_run_others_begin_one(controller, silent):
    controller.set("learning_rate", 1e-4)
    assert silent.last.run == 1 and silent.last.entries[0]["learning_rate"] == 1e-4
    controller.set("flow", "glow")
    assert silent.last.run == 2
    controller.set("density", "rings")
    assert silent.last.run == 3


def test_a_frame_of_a_run_that_was_left_is_dropped(controller):
    controller.set("flow", "glow")
    answer(controller, 0, "points", 40, samples0=np.ones((3, 2)))
    assert controller.training.number == 2 and not controller.training.is_shown()


def test_undo_brings_the_training_back_with_its_snapshot(controller, silent):
    snapshot = np.arange(9, dtype=np.uint8)
    answer(controller, 0, "start", data=np.zeros((2, 2)))
    answer(controller, 0, "snapshot", 50, snapshot0=snapshot)
    answer(controller, 0, "points", 50, samples0=np.ones((3, 2)))
    controller.reset()
    assert controller.training.step == 0 and silent.last.snapshots.size == 0
    controller.history.undo()
    assert controller.training.step == 50 and controller.training.is_shown()
    assert np.array_equal(silent.last.snapshots, snapshot) and silent.last.run == 1
    controller.history.redo()
    assert silent.last.run == 2


def test_the_last_of_a_run_that_was_left_is_kept_for_undo(controller, silent):
    answer(controller, 0, "snapshot", 50, snapshot0=np.zeros(3, np.uint8))
    controller.reset()
    answer(controller, 0, "snapshot", 57, snapshot0=np.ones(3, np.uint8))
    assert controller.training.step == 0
    controller.history.undo()
    assert controller.training.step == 57 and silent.last.snapshots.sum() == 3


def test_a_late_frame_of_an_older_request_does_not_prove_that_the_engine_has_the_run(controller, silent):
    answer(controller, 0, "snapshot", 50, snapshot0=np.ones(3, np.uint8))
    controller.reset()
    controller.history.undo()
    answer(controller, 0, "points", 51, samples0=np.ones((3, 2)))
    assert controller.training.step == 50  # the engine begins at the snapshot again
    controller.set("batch", 64)
    assert silent.last.snapshots.size == 3


def test_a_new_run_after_an_undo_gets_a_new_number(controller, silent):
    controller.set("flow", "glow")
    controller.history.undo()
    controller.set("flow", "nice")
    assert silent.last.run == 3


def test_the_snapshot_is_sent_until_the_engine_has_the_run(controller, silent):
    answer(controller, 0, "start", data=np.zeros((2, 2)))
    answer(controller, 0, "snapshot", 9, snapshot0=np.arange(4, dtype=np.uint8))
    controller.engine_restarted()
    assert silent.last.snapshots.size == 4
    controller.set("batch", 64)
    assert silent.last.snapshots.size == 4
    answer(controller, -1, "start", 9, data=np.zeros((2, 2)))
    controller.set("batch", 128)
    assert silent.last.snapshots.size == 0


def test_a_drag_is_one_act(controller):
    for depth in (9, 10, 11):
        controller.set("depth", depth, drag=True)
    controller.seal()
    assert controller.history.length == 1
    controller.history.undo()
    assert controller.state.depth == 8 and controller.state.run == 1


def test_an_error_stops_the_play_and_is_told(controller, silent, qtbot):
    controller.play()
    with qtbot.waitSignal(controller.failed) as told:
        silent.sent[-1][2]("The loss is not finite.", "traceback")
    assert told.args[0] == "The loss is not finite." and not controller.playing
    controller.play()
    assert silent.last.playing


def test_hidden_it_rests_and_shown_again_it_goes_on(controller, silent):
    controller.play()
    controller.suspend()
    assert not silent.last.playing and controller.playing
    controller.resume()
    assert silent.last.playing


def test_changes_are_not_asked_twice(controller, silent):
    count = len(silent.sent)
    controller.pause()
    controller.set("depth", controller.state.depth)
    assert len(silent.sent) == count
