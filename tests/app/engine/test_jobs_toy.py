"""The toy lab's job on the engine's loop, without a process: one run of a flow or of several, left and come back to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loop_machine import Machine

from flow_explorer.engine.requests.base import from_fields, to_fields
from flow_explorer.engine.requests.toy import RunToy
from flow_explorer.toylab.keep import training_file
from flow_explorer.toylab.run import Run
from flowcore.plane.trainer import ToyConfig, ToyTrainer

NICE = {"flow": "nice", "depth": 2, "width": 8, "batch": 32}
GLOW = {**NICE, "flow": "glow"}
BOTH = (NICE, GLOW)
WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"


@pytest.fixture
def machine():
    return Machine()


def taken(answers, number, configs):
    """What the window makes of a run's answers."""
    run = Run(number, configs)
    for kind, data, arrays in answers:
        if (data["run"], len(data["steps"])) == (number, len(configs)):
            run.take(kind, data, arrays)
    return run


def train(machine, request):
    """Send, and wait until it has come to rest: a run that is to go slowly sleeps between its steps."""
    machine.acknowledging = True
    id_ = machine.send(request)
    while not machine.of(id_, "over"):
        machine.loop.turn()
    assert not machine.of(id_, "error")


def told(machine):
    pairs = zip(machine.said, machine.arrays, strict=True)
    return [(header["kind"], header["data"], arrays) for header, arrays in pairs if header["type"] == "answer"]


def test_a_flow_alone_trains_as_it_does_without_a_lab_and_comes_to_rest(machine):
    train(machine, RunToy(1, (NICE,), False, goal=5, views=("samples", "density")))
    run = taken(told(machine), 1, [NICE])
    alone = ToyTrainer(ToyConfig.from_dict(NICE))
    alone.step(5)
    training = run.entries[0]
    assert run.steps == [5] and run.progress == 5 and training.snapshot.tobytes() == alone.snapshot()
    assert training.nll == alone.held_out(2048).nll and training.curve.steps[-1] == 5 and run.leader is None
    assert training.arrays["heat"].shape == (256, 256) and len(training.arrays["layers"]) == 3 and "grid" not in training.arrays
    assert told(machine)[-1][0] == "rest"


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_flows_that_race_get_the_same_time_whatever_the_speed(machine, share):
    train(machine, RunToy(1, BOTH, False, goal=0.02, share=share, views=("samples",)))
    run = taken(told(machine), 1, BOTH)
    assert run.is_race and min(run.steps) > 0 and run.least_seconds >= 0.02
    assert max(run.seconds) - min(run.seconds) <= run.longest_turn
    assert all(set(entry.arrays) == {"data", "truth", "true_contours", "samples", "snapshot"} for entry in run.entries)
    first, second = (ToyTrainer(ToyConfig.from_dict(config)) for config in BOTH)
    first.step(run.steps[0])
    second.step(run.steps[1])
    assert [entry.snapshot.tobytes() for entry in run.entries] == [first.snapshot(), second.snapshot()]
    assert [entry.nll for entry in run.entries] == [first.held_out(2048).nll, second.held_out(2048).nll]


def test_a_race_shows_densities_where_they_are_looked_at(machine):
    train(machine, RunToy(1, BOTH, False, views=("samples", "density")))
    run = taken(told(machine), 1, BOTH)
    assert [entry.arrays["heat"].shape for entry in run.entries] == [(128, 128)] * 2
    assert "layers" not in run.entries[0].arrays


def test_what_is_left_says_its_last_word_and_goes_on_from_there(machine):
    """A training and a race of one number, as an old session may have them."""
    train(machine, RunToy(1, (NICE,), False, goal=4, views=("samples",)))
    train(machine, RunToy(1, BOTH, False, goal=0.01, views=("samples",)))
    training, race = taken(told(machine), 1, [NICE]), taken(told(machine), 1, BOTH)
    assert training.steps == [4] and min(race.steps) > 0
    train(machine, RunToy(1, (NICE,), False, goal=6, views=("samples",), **training.weights()))
    assert taken(told(machine), 1, [NICE]).steps == [6]
    seconds = race.seconds
    train(machine, RunToy(1, BOTH, False, views=("samples",), **race.weights()))
    again = taken(told(machine), 1, BOTH)
    assert again.steps == race.steps and again.seconds == seconds
    for entry, before in zip(again.entries, race.entries, strict=True):
        assert np.array_equal(entry.arrays["samples"], before.arrays["samples"])


def test_live_settings_of_every_flow_change_while_the_run_goes_on(machine):
    train(machine, RunToy(1, (NICE,), False, goal=2, views=("samples",)))
    train(machine, RunToy(1, ({**NICE, "learning_rate": 1e-3},), False, goal=4, views=("samples",)))
    alone = ToyTrainer(ToyConfig.from_dict(NICE))
    alone.step(2)
    alone.adjust(learning_rate=1e-3)
    alone.step(2)
    assert taken(told(machine), 1, [NICE]).entries[0].snapshot.tobytes() == alone.snapshot()


def test_weights_of_another_flow_are_refused_in_a_sentence(machine):
    snapshot = np.frombuffer(ToyTrainer(ToyConfig.from_dict(GLOW)).snapshot(), np.uint8)
    words = machine.error_of(RunToy(1, (NICE,), False, snapshots=snapshot, lengths=(snapshot.size,), seconds=(0.0,)))
    assert words == "The weights of this training are not of the flow that its settings say."


def test_a_training_of_an_earlier_version_opens_and_gives_the_same_points(machine):
    training = training_file.read(WRITTEN / "toy.flowtoy")
    run = Run(1, [training.state.config()])
    run.entries[0].begin(training.step, np.frombuffer(training.snapshot, np.uint8), training.curve)
    train(machine, RunToy(1, (training.state.config(),), False, views=("samples",), **run.weights()))
    opened = taken(told(machine), 1, run.configs)
    with np.load(WRITTEN / "toy.npz") as kept:
        assert opened.step == training.step > 0
        assert np.allclose(opened.entries[0].arrays["samples"][:100], kept["samples"], atol=1e-5)


def test_snapshots_come_through_the_pipe_one_by_one():
    parts = [np.arange(3, dtype=np.uint8), np.arange(5, dtype=np.uint8)]
    request = RunToy(2, BOTH, True, snapshots=np.concatenate(parts), lengths=(3, 5), seconds=(0.5, 0.6))
    back = from_fields(RunToy.kind, *to_fields(request))
    assert isinstance(back, RunToy)
    assert [part.tolist() for part in back.parts] == [part.tolist() for part in parts] and back.seconds == (0.5, 0.6)
    assert RunToy(2, BOTH, True).parts == []
