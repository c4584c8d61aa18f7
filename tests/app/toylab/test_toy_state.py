"""The toy lab's settings and trainings: plain data, without Qt."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest

from flow_explorer.history import History
from flow_explorer.toylab.run import Run, Runs
from flow_explorer.toylab.state import RESTARTING, ToyState
from flowcore.errors import ConfigError
from flowcore.plane.config import ToyConfig
from flowcore.plane.layers import own_layers


def answer(run: Run, kind: str, step: int, header: dict | None = None, **arrays) -> None:
    """An answer about the run's only flow."""
    data = {"steps": [step], "seconds": [step / 100], **(header or {})}
    if "nll" in data:
        data |= {"nll": [data["nll"]], "standard_error": [data["standard_error"]], "leader": None}
    shared = "data", "truth"
    run.take(kind, data, {name if name in shared else f"{name}0": np.asarray(value) for name, value in arrays.items()})


def test_default_can_be_trained():
    ToyConfig.from_dict(ToyState().config())


@pytest.mark.parametrize(
    "name, value",
    [("density", "rings"), ("flow", "glow"), ("flow", "spline"), ("depth", 4), ("width", 32), ("seed", 9),
     ("flow", "continuous"), ("prior", "ring"), ("components", 3), ("learned", True), ("layers", own_layers("nice", 2))],
)
def test_what_begins_another_run(name, value):
    assert name in RESTARTING
    assert ToyState().changed(name, value, 7).run == 7


@pytest.mark.parametrize("name, value", [("learning_rate", 1e-3), ("batch", 64), ("speed", "slow")])
def test_what_goes_on_in_the_same_run(name, value):
    assert name not in RESTARTING
    state = ToyState().changed(name, value, 7)
    assert state.run == 1 and getattr(state, name) == value


def test_the_same_value_changes_nothing():
    state = ToyState()
    assert state.changed("depth", state.depth, 7) is state


@pytest.mark.parametrize(
    "values",
    [{"density": "x"}, {"depth": 0}, {"depth": 10**5000}, {"depth": 8.0}, {"width": True},
     {"batch": 0}, {"learning_rate": math.nan},
     {"learning_rate": 1.5}, {"seed": -1}, {"speed": "warp"}, {"run": 0}, {"flow": ["glow"]},
     {"prior": "cauchy"}, {"components": 0}, {"components": 99}, {"learned": 1.5}, {"layers": []}, {"layers": "affine"},
     {"layers": [{"kind": "planar"}]}, {"layers": [{"kind": "swap"}] * 65},
     {"flow": "continuous", "layers": [{"kind": "swap"}]}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(values):
    with pytest.raises((ConfigError, TypeError)) as caught:
        ToyState.from_dict(values)
    assert caught.type is ConfigError


def test_whatever_flowcore_trains_is_a_legal_setting_and_a_file_keeps_what_a_person_chose():
    state = ToyState.from_dict({"depth": 64, "width": 100, "learning_rate": 1.0, "seed": 2**40})
    assert ToyConfig.from_dict(state.config()).depth == 64
    assert not state.to_dict().keys() & {"field", "horizon"} and set(state.config()) <= set(state.to_dict())


def test_round_trip_through_json():
    import json

    state = ToyState(density="bridge", flow="nice", depth=4, learning_rate=1e-4, speed="slow", run=5)
    assert ToyState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    assert ToyState.from_dict({"density": "rings", "of a later version": 1}).density == "rings"


def test_undo_goes_back_to_the_older_run():
    history = History(ToyState())
    history.do(history.state.changed("flow", "glow", 2), "Flow")
    history.undo()
    assert history.state == ToyState()


def test_versions_tell_what_is_new():
    run = Run(1)
    answer(run, "points", 3, {"rate": 50.0}, samples=np.zeros((4, 2)))
    answer(run, "points", 4, {}, samples=np.ones((4, 2)), prior=np.zeros((4, 2)))
    training = run.entries[0]
    assert training.version["samples"] == 2 and training.version["prior"] == 1
    assert run.step == training.step == 4 and training.rate == 50.0 and run.is_shown()


def test_a_coarse_map_does_not_replace_the_fine_one_of_the_same_step():
    run = Run(1)
    answer(run, "rest", 5, {"nll": 2.0, "standard_error": 0.1}, heat=np.zeros((256, 256)))
    answer(run, "heat", 5, heat=np.ones((64, 64)))
    assert run.entries[0].arrays["heat"].shape == (256, 256)
    answer(run, "heat", 6, heat=np.ones((64, 64)))
    assert run.entries[0].arrays["heat"].shape == (64, 64)


def test_the_curve_forgets_what_died_with_the_engine():
    run = Run(1)
    for step in (0, 10, 20, 30):
        answer(run, "heat", step, {"nll": 3.0 - step / 100, "standard_error": 0.1}, heat=np.zeros((2, 2)))
    answer(run, "start", 15, {"entropy": 1.8, "reach": 4.0}, data=np.zeros((3, 2)))
    assert run.entries[0].curve.steps == [0, 10]


def test_the_frame_of_the_layers_only_ever_widens():
    run = Run(1)
    answer(run, "heat", 1, layers=np.full((3, 5, 2), 6.2), heat=np.zeros((2, 2)))
    wide = run.entries[0].layer_bound
    answer(run, "heat", 2, layers=np.full((3, 5, 2), 0.1), heat=np.zeros((2, 2)))
    assert wide == 6.5 and run.entries[0].layer_bound == wide


def test_old_trainings_are_forgotten_when_they_take_too_much_room():
    runs = Runs(limit=1000)
    for number in (1, 2, 3):
        answer(runs.get(number, [{}]), "snapshot", 1, snapshot=np.zeros(400, np.uint8))
    runs.get(3, [{}])
    assert not runs.find(1, 1) and runs.find(2, 1) and runs.find(3, 1)


def test_a_training_and_a_race_of_one_number_are_two_and_other_flows_another():
    runs = Runs()
    training, race = runs.get(1, [{"flow": "nice"}]), runs.get(1, [{"flow": "nice"}, {"flow": "glow"}])
    assert training is not race and race.is_race and not training.is_race
    assert runs.get(1, [{"flow": "nice", "learning_rate": 1e-3}]) is training and training.configs[0]["learning_rate"] == 1e-3
    assert runs.get(1, [{"flow": "nice"}, {"flow": "spline"}]) is not race and runs.get(1, [{"flow": "nice"}]) is training


def test_state_needs_no_qt():
    import subprocess

    code = (
        "import sys; import flow_explorer.toylab.state, flow_explorer.toylab.run; "
        "sys.exit(any(name.startswith(('PySide6', 'torch')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_edited_layers_are_kept_through_json_and_given_up_with_the_flow():
    state = ToyState().changed("layers", own_layers("glow", 2), 2).changed("prior", "mixture", 3)
    again = ToyState.from_dict(json.loads(json.dumps(state.to_dict())))
    assert again == state and again.stages == 6 and again.specs == state.layers
    assert json.loads(json.dumps(state.config()))["layers"][2] == {"kind": "affine", "copies": "x", "frozen": False, "id": 3}
    assert state.changed("width", 32, 4).layers == state.layers
    assert state.changed("flow", "nice", 4).layers is None and state.changed("depth", 5, 4).layers is None
    assert state.changed("flow", "continuous", 4).specs == ()
    assert ToyState().stages == 8 and len(ToyState(flow="nice").specs) == 9


def test_settings_of_before_are_still_read():
    values = {name: value for name, value in ToyState(flow="glow").to_dict().items()
              if name not in ("prior", "components", "learned", "layers")}  # fmt: skip
    assert ToyState.from_dict(values) == ToyState(flow="glow")
