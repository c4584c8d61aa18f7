"""The race's settings and what is asked of the engine, without one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.engine.client import Message
from flow_explorer.engine.requests.toy import RunToy
from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.race.curves import nice_height, nice_seconds
from flow_explorer.toylab.race.marks import MARKS
from flow_explorer.toylab.race.rivals import MAX_RIVALS, Rival
from flow_explorer.toylab.race.view import racer_names
from flow_explorer.toylab.state import ToyState
from flowcore.errors import ConfigError
from flowcore.plane.race import MAX_RACERS
from flowcore.plane.shots import CurvePoint


@pytest.fixture
def controller(silent):
    controller = ToyController(silent, History(ToyState()))
    controller.start()
    return controller


def races(silent):
    return [sent for sent in silent.sent if isinstance(sent[0], RunToy) and len(sent[0].entries) > 1]


def answer(silent, kind, header=None, index=-1, **arrays):
    request, on_answer, _ = races(silent)[index]
    count = len(request.entries)
    data = {"run": request.run, "seconds": [1.0] * count, "steps": [9] * count, "longest_turn": 0.01, **(header or {})}
    id_ = next(i for i, sent in enumerate(silent.sent, 1) if sent[0] is request)
    on_answer(Message(id_, kind, data, {k: np.asarray(v) for k, v in arrays.items()}, kind == "rest", request))


def test_settings_with_rivals_go_to_a_session_and_back_and_old_ones_still_load():
    state = ToyState(rivals=(Rival("spline", 4, 32, 1e-3), Rival("nice")), race=7)
    assert ToyState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    old = ToyState().to_dict()
    del old["rivals"], old["race"]
    assert ToyState.from_dict(old) == ToyState()
    assert len(MARKS) == MAX_RACERS == MAX_RIVALS + 1 and len({m.tone for m in MARKS} | {m.marker for m in MARKS}) == 8


@pytest.mark.parametrize("rivals", [
    [{"flow": "warp"}], [{"flow": "nice", "depth": 0}], [{"flow": "nice", "width": "8"}],
    [{"flow": "nice", "learning_rate": None}],
    [{"flow": "nice", "speed": 3}], [{"flow": "nice"}] * 4, "nice", 5, [3],
])  # fmt: skip
def test_damaged_rivals_are_refused_in_a_sentence(rivals):
    with pytest.raises(ConfigError, match=r"\.$"):
        ToyState.from_dict({"rivals": rivals})


def test_a_race_begins_grows_shrinks_and_is_undone(controller, silent):
    controller.play()
    controller.race.begin()
    assert controller.playing and len(controller.state.rivals) == 1
    request = silent.last  # the training waits while the race is on
    assert request.playing and request.share == 1 and not request.speed and request.views == ("samples",)
    assert [racer["flow"] for racer in request.entries] == ["realnvp", "spline"]
    assert len({(racer["seed"], racer["batch"], racer["density"]) for racer in request.entries}) == 1
    controller.race.add()
    controller.race.add()
    controller.race.add()  # a fifth is not taken
    assert len(controller.state.rivals) == MAX_RIVALS
    assert len({racer["flow"] for racer in races(silent)[-1][0].entries}) == 4
    assert races(silent)[-1][0].run > request.run
    controller.race.remove(0)
    assert [rival.flow for rival in controller.state.rivals] == ["glow", "nice"]
    controller.history.undo()
    assert len(controller.state.rivals) == 3
    for _ in range(3):
        controller.history.undo()
    assert not controller.state.rivals and controller.state.run == 1
    assert silent.last.playing and silent.last.run == 1 and len(silent.last.entries) == 1


def test_leaving_keeps_the_training_that_was_there(controller, silent):
    controller.race.begin()
    controller.play()
    controller.reset()
    assert controller.state.run == 1  # the race began anew, the training did not
    controller.race.leave()
    assert controller.state.run == 1 and not controller.playing
    assert silent.last.run == 1 and len(silent.last.entries) == 1 and not silent.last.playing
    controller.race.leave()  # once is enough


def test_other_terms_are_another_race_the_speed_is_not(controller, silent):
    controller.race.begin()
    number = controller.state.race
    controller.set("speed", "slow")
    assert controller.state.race == number and races(silent)[-1][0].share < 1
    for name, value in (("learning_rate", 1e-3), ("batch", 64), ("seed", 3), ("density", "rings")):
        controller.set(name, value)
        assert controller.state.race > number
        number = controller.state.race
    assert controller._next_run > number


def test_undo_goes_back_to_the_race_where_it_was_left(controller, silent):
    controller.race.begin()
    answer(silent, "start", {"entropy": 1.8, "reach": 4.0}, data=np.zeros((2, 2)))
    both = np.split(np.arange(5, dtype=np.uint8), [2])
    answer(silent, "snapshot", {"seconds": [0.5, 0.6]}, snapshot0=both[0], snapshot1=both[1])
    first = controller.state.race
    controller.reset()
    assert races(silent)[-1][0].snapshots.size == 0
    answer(silent, "points", samples0=np.zeros((2, 2)), index=-2)  # a late frame of the race that was left
    assert not controller.race.run.is_shown()
    controller.history.undo()
    request = races(silent)[-1][0]
    assert request.run == first and request.lengths == (2, 3) and request.seconds == (0.5, 0.6)
    assert request.snapshots.tolist() == [0, 1, 2, 3, 4]


def test_a_dead_engine_is_asked_for_the_race_again(controller, silent):
    controller.race.begin()
    answer(silent, "start", {"entropy": None, "reach": 4.0}, data=np.zeros((2, 2)))
    answer(silent, "snapshot", snapshot0=np.zeros(1, np.uint8), snapshot1=np.zeros(1, np.uint8))
    controller.set("speed", "medium")
    assert races(silent)[-1][0].snapshots.size == 0  # it knows the race
    controller.engine_restarted()
    assert races(silent)[-1][0].snapshots.size == 2


def test_step_gives_everybody_a_slice(controller, silent):
    controller.race.begin()
    controller.step()
    assert races(silent)[-1][0].goal == pytest.approx(0.01) and not races(silent)[-1][0].playing
    assert not controller.is_idle()
    answer(silent, "rest", {"nll": [2.0, 1.9], "standard_error": [0.01, 0.01], "leader": 1})
    assert controller.is_idle() and controller.run.leader == 1
    curves = [entry.curve.points for entry in controller.run.entries]
    assert [[(point.seconds, point.nll) for point in points] for points in curves] == [[(1.0, 2.0)], [(1.0, 1.9)]]


def test_a_race_that_breaks_down_stops_and_is_told(controller, silent, qtbot):
    controller.race.begin()
    controller.play()
    with qtbot.waitSignal(controller.failed) as told:
        races(silent)[-1][2]("The loss is not finite.", "traceback")
    assert told.args[0] == "The loss is not finite." and not controller.playing
    controller.play()
    assert races(silent)[-1][0].playing


def test_names_tell_twins_apart_and_the_axis_ends_at_a_round_second():
    configs = [{"flow": "nice", "depth": 8, "width": 64, "learning_rate": rate} for rate in (0.004, 0.01)]
    assert racer_names(configs) == ["NICE 8×64 · 0.004", "NICE 8×64 · 0.01"]
    assert racer_names(configs[:1]) == ["NICE 8×64"]
    assert [nice_height(h) for h in (-0.1, 0.1, 0.15, 0.9, 3.0, 9.0)] == [0.1, 0.1, 0.2, 1.0, 4.0, 4.0]
    assert [nice_seconds(s) for s in (0, 4.7, 5, 11, 49, 99)] == [5, 5, 10, 20, 100, 200]


@pytest.mark.parametrize("values", [
    dict(entries=()), dict(share=0.0), dict(goal=-1.0), dict(entries=("nice",)), dict(forward=True), dict(playing=1),
    dict(snapshots=np.zeros(3, np.uint8), lengths=(1, 1), seconds=(0.0, 0.0)),
    dict(snapshots=np.zeros(2, np.uint8), lengths=(2,), seconds=(0.0,)),
])  # fmt: skip
def test_requests_that_make_no_sense_are_refused(values):
    with pytest.raises(ConfigError):
        RunToy(**{"run": 1, "entries": ({}, {}), "playing": True, **values})


def test_a_number_with_other_racers_is_another_race(controller, silent):
    controller.race.begin()
    answer(silent, "points", samples0=np.zeros((2, 2)), samples1=np.zeros((2, 2)))
    assert controller.race.run.is_shown()
    state = controller.state
    controller.history.do(ToyState(rivals=(Rival("nice"),), race=state.race), "Open a session")
    assert not controller.race.run.is_shown() and races(silent)[-1][0].entries[1]["flow"] == "nice"


def test_fast_forward_is_asked_for_and_ends_with_rest(controller, silent):
    controller.play()
    controller.forward.begin()
    request = silent.last
    assert request.forward and not request.playing and not controller.playing and not request.background
    controller.suspend()
    assert not silent.last.forward  # nobody looks
    controller.resume()
    assert silent.last.forward
    request, on_answer, _ = silent.sent[-1]
    config = {"run": request.run, "steps": [900], "seconds": [3.0]}
    on_answer(Message(len(silent.sent), "forward", config | {"fraction": 0.5, "quiet": 750}, {}, False, request))
    assert controller.forward.active and controller.forward.fraction == 0.5
    controller.race.begin()
    assert not controller.forward.active  # a race ends it
    controller.race.leave()
    controller.forward.begin()
    request, on_answer, _ = silent.sent[-1]
    on_answer(Message(len(silent.sent), "rest", config, {}, True, request))
    assert not controller.forward.active and not silent.last.forward
    controller.forward.begin()
    controller.play()
    assert silent.last.playing and not silent.last.forward


def test_a_training_goes_on_from_kept_weights(controller, silent):
    run = controller.training
    run.curve = Curve([CurvePoint(step, nll, 0.1, step / 10) for step, nll in ((0, 3.0), (10, 2.0), (20, 1.9))])
    controller.begin_from(10, np.arange(4, dtype=np.uint8))
    assert silent.last.run == 2 and silent.last.snapshots.tolist() == [0, 1, 2, 3] and silent.last.seconds == (1.0,)
    assert controller.training.step == 10 and controller.training.curve.losses == [3.0, 2.0]
    controller.history.undo()
    assert controller.training is run and run.curve.losses == [3.0, 2.0, 1.9]
