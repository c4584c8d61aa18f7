"""Views and probe without an engine: what is asked, what is refused, how the numbers are read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.engine.client import Message
from flow_explorer.engine.jobs.toy_probe import strip_positions
from flow_explorer.engine.requests.base import from_fields, to_fields
from flow_explorer.engine.requests.toy_views import DEFAULT_VIEWS, VIEWS, ProbeToy
from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.panels.curve_plot import step_words
from flow_explorer.toylab.state import ToyState
from flow_explorer.toylab.views.gallery import arrange
from flow_explorer.toylab.views.gradient_curve import MOST, GradientCurve
from flow_explorer.toylab.views.gradients import powers
from flow_explorer.toylab.views.ledger import signed
from flow_explorer.toylab.views.lines import arrows
from flow_explorer.toylab.views.names import can_switch, panels_of, switched
from flow_explorer.toylab.views.probe_data import ProbeData, stage_title
from flow_explorer.toylab.views.probe_link import ProbeLink
from flowcore.errors import ConfigError


def probe_answer(run=1, step=0, x=(0.5, 0.25), count=2):
    states = np.stack([np.array(x) + place for place in range(count + 1)]).astype(np.float64)
    jacobians = np.stack([np.eye(2) * 2.0**place for place in range(count + 1)])
    log_dets = [2 * float(np.log(2))] * count
    data = {
        "run": run, "step": step, "x": list(x), "names": [f"{n + 1} AffineCoupling" for n in range(count)],
        "log_dets": log_dets, "log_prior": -2.0, "log_prob": -2.0 + sum(log_dets), "rounded": [-200, 139, 138][: count + 1],
        "total": 77, "positions": [float(count - n) for n in range(count + 1)],
    }  # fmt: skip
    return data, {"states": states, "jacobians": jacobians}


# -- the state ---------------------------------------------------------------------------------------------------------


def test_the_state_keeps_views_and_probe_through_json():
    state = ToyState(views=("samples", "stretch", "trajectories"), probe=(0.5, -1.25))
    assert ToyState.from_dict(json.loads(json.dumps(state.to_dict()))) == state
    old = ToyState.from_dict({"density": "rings"})  # of a session before there were views
    assert old.views == DEFAULT_VIEWS and old.probe is None


@pytest.mark.parametrize(
    "values",
    [{"views": []}, {"views": ["contours"]}, {"views": ["data", "data"]}, {"views": ["moon"]}, {"views": "data"}, {"views": None},
     {"views": list(VIEWS)}, {"probe": [1.0]}, {"probe": [1.0, float("nan")]}, {"probe": ["1", 2.0]}, {"probe": [99.0, 0.0]},
     {"probe": 3}],
)  # fmt: skip
def test_views_and_probes_that_cannot_be_are_refused(values):
    with pytest.raises(ConfigError):
        ToyState.from_dict(values)


def test_views_are_switched_within_one_to_six_panels():
    assert panels_of(DEFAULT_VIEWS) == ("points", "density", "prior", "loss", "grid", "layers")
    assert not can_switch(DEFAULT_VIEWS, "stretch") and can_switch(DEFAULT_VIEWS, "grid")
    four = switched(switched(DEFAULT_VIEWS, "grid"), "layers")
    assert can_switch(four, "stretch") and switched(four, "stretch").index("stretch") == len(four)
    assert panels_of(("samples",)) == panels_of(("data", "samples")) == ("points",)
    assert not can_switch(("samples",), "samples") and can_switch(("samples", "data"), "samples")
    assert not can_switch(("samples",), "contours") and not can_switch(("density", "contours"), "density")


@pytest.mark.parametrize("count", range(1, 7))
def test_panels_fill_their_rows(count):
    rows = arrange(count)
    assert sum(rows) == count and len(rows) <= 2 and max(rows) <= 3 and rows == sorted(rows, reverse=True)
    narrow = arrange(count, True)
    assert sum(narrow) == count and len(narrow) <= 3 and max(narrow) <= 2


# -- what is asked -----------------------------------------------------------------------------------------------------


@pytest.fixture
def controller(silent):
    controller = ToyController(silent, History(ToyState()))
    controller.start()
    return controller


def test_only_what_is_switched_on_is_asked_of_the_engine(controller, silent):
    assert silent.last.views == ("samples", "density", "contours", "prior", "grid")
    controller.set("views", ("samples", "stretch"))
    assert silent.last.views == ("samples", "stretch") and silent.last.run == 1
    count = len(silent.sent)
    controller.set("views", ("data", "samples", "stretch", "trajectories", "loss"))
    assert len(silent.sent) == count  # what comes anyway needs no request
    controller.history.undo()
    controller.history.undo()
    assert controller.state.views == DEFAULT_VIEWS and silent.last.views == ("samples", "density", "contours", "prior", "grid")


def arrive(controller, silent, step=0):
    """A first frame of the run, so that there is something to probe."""
    number, (request, on_answer, _) = next((n, s) for n, s in enumerate(silent.sent, 1) if s[0].kind == "toy.run")
    data = {"run": controller.state.run, "steps": [step], "seconds": [0.0]}
    on_answer(Message(number, "points", data, {"samples0": np.zeros((2, 2))}, False, request))


def probes(silent):
    return [sent for sent in silent.sent if sent[0].kind == ProbeToy.kind]


def answer_probe(silent, kind="probe", **more):
    request, on_answer, _ = probes(silent)[-1]
    data, arrays = probe_answer(run=request.run, **({"x": request.point} | more))
    on_answer(Message(99, kind, data, arrays if kind == "probe" else {}, True, request))


@pytest.fixture
def link(controller):
    return ProbeLink(controller)


def test_a_drag_asks_one_thing_at_a_time_and_is_one_act(controller, silent, link):
    arrive(controller, silent)
    for place in range(5):
        link.put((0.1 * place, 0.0), drag=True)
    assert len(probes(silent)) == 1 and not link.is_idle()
    answer_probe(silent)
    assert len(probes(silent)) == 2 and probes(silent)[-1][0].point == (0.4, 0.0)
    answer_probe(silent)
    link.seal()
    assert link.is_idle() and link.data.x == (0.4, 0.0)
    assert controller.history.length == 1
    controller.history.undo()
    assert link.data is None and controller.state.probe is None


def test_a_probe_on_the_prior_s_side_becomes_one_of_x(controller, silent, link):
    arrive(controller, silent)
    link.put_z((9.5, 1.0))
    assert probes(silent)[-1][0].side == "z" and probes(silent)[-1][0].point == (8.0, 1.0)
    answer_probe(silent, x=(0.25, -0.5))
    assert controller.state.probe == (0.25, -0.5) and link.data.x == (0.25, -0.5)
    assert len(probes(silent)) == 1  # the answer is the probe's already


def test_a_z_that_a_click_on_x_has_overtaken_moves_the_probe_no_more(controller, silent, link):
    arrive(controller, silent)
    link.put_z((1.0, 1.0))
    link.put((0.5, 0.25))
    answer_probe(silent, x=(3.0, 3.0))
    assert (controller.state.probe, link.data) == ((0.5, 0.25), None)
    answer_probe(silent)
    assert link.data.x == (0.5, 0.25) and link.is_idle()


def test_nobody_is_asked_for_a_probe_while_a_race_is_on(controller, silent, link):
    arrive(controller, silent)
    controller.race.begin()
    link.put((0.5, 0.25))
    assert not probes(silent) and link.is_idle()
    controller.race.leave()
    assert len(probes(silent)) == 1


def test_while_it_trains_the_probe_is_followed_calmly(controller, silent, link):
    arrive(controller, silent)
    link.put((0.5, 0.25))
    answer_probe(silent)
    controller.play()
    for step in range(1, 20):
        arrive(controller, silent, step)
    assert len(probes(silent)) == 1 and link._later.isActive()
    link._last = 0.0
    link.look()
    assert len(probes(silent)) == 2


def test_a_run_that_is_not_there_yet_is_asked_again_when_it_is(controller, silent, link):
    arrive(controller, silent)
    link.put((0.5, 0.25))
    answer_probe(silent, "absent")
    assert link.data is None and len(probes(silent)) == 1
    arrive(controller, silent)
    assert len(probes(silent)) == 2


def test_a_point_that_fails_is_said_and_the_next_one_works(controller, silent, link):
    arrive(controller, silent)
    link.put((0.5, 0.25))
    probes(silent)[-1][2]("Layer 3 gave a value that is not finite.", "")
    assert link.error.startswith("Layer 3") and link.data is None and link.is_idle()
    link.put((0.6, 0.25))
    answer_probe(silent)
    assert link.error == "" and link.data is not None


def test_after_the_engine_was_restarted_the_probe_is_asked_for_again(controller, silent, link):
    arrive(controller, silent)
    link.put((0.5, 0.25))
    link.engine_restarted()  # the answer will never come
    assert not link.is_idle()
    arrive(controller, silent)
    assert len(probes(silent)) == 2
    answer_probe(silent)
    assert link.is_idle() and link.data is not None


def test_a_frame_holds_only_what_is_looked_at():
    from flow_explorer.engine.jobs.toy_showing import fine_maps, point_arrays, quick_maps
    from flowcore.plane.frames import ToyFrames
    from flowcore.plane.trainer import ToyConfig, ToyTrainer
    from flowcore.plane.views import ToyViews
    from flowcore.work import finish

    frames = ToyFrames(ToyTrainer(ToyConfig(depth=2, width=8, batch=32)))
    more = ToyViews(frames)
    assert point_arrays(frames, ("density",), 0) == {}
    three = "samples", "prior", "grid"
    turns = [set(point_arrays(frames, three, turn)) for turn in range(3)]
    assert turns == [{"samples", "prior"}, {"samples", "grid"}, {"samples"}]
    assert [set(point_arrays(frames, three[1:], turn)) for turn in range(2)] == [{"prior"}, {"grid"}]
    assert [set(point_arrays(frames, ("grid",), turn)) for turn in range(2)] == [{"grid"}] * 2
    assert set(point_arrays(frames, three)) == set(three)
    for views, wanted in (
        ((), set()), (("density",), {"heat"}), (("density", "contours"), {"heat", "contours"}), (("contours",), set()),
        (("stretch", "displacement"), {"stretch", "displacement"}),
    ):  # fmt: skip
        assert set(finish(quick_maps(frames, more, views, 16))) == wanted | {"layers"}
        fine = finish(fine_maps(frames, more, views, 72))
        assert set(fine) == wanted and all(fine[name].shape == (72, 72) for name in {"heat", "stretch"} & set(fine))


def test_requests_come_back_from_the_pipe_as_they_were():
    request = ProbeToy(3, (0.5, -0.25), "z")
    back = from_fields(ProbeToy.kind, *to_fields(request))
    assert isinstance(back, ProbeToy) and (back.run, back.point, back.side) == (3, (0.5, -0.25), "z")
    for run, point, side in ((1, (1.0, 99.0), "x"), (1, (0.0, 0.0), "y"), (-1, (0.0, 0.0), "x")):
        with pytest.raises(ConfigError):
            ProbeToy(run, point, side)


# -- reading the numbers -----------------------------------------------------------------------------------------------


def test_the_strip_s_positions_of_grouped_stages():
    names = ["1 ActNorm", "2 LULinear", "3 AffineCoupling", "4 ActNorm", "5 LULinear", "6 AffineCoupling", "prior"]
    places = strip_positions(names, ["1 ActNorm", "4 ActNorm"])
    assert places[0] == 2 and places[3] == 1 and places[-1] == 0
    assert places == sorted(places, reverse=True) and places[1] == pytest.approx(5 / 3)
    assert strip_positions(["a", "b"], ["c", "d"]) == [2.0, 1.0, 0.0]


def test_a_parallelogram_on_its_way():
    data = ProbeData.from_answer(*probe_answer())
    assert data.boundary_at(2.0) == 0 and data.boundary_at(0.9) == 1 and data.boundary_at(0.0) == 2
    for position, side in ((2.0, 0.25), (1.0, 0.5), (0.0, 1.0)):
        corners = data.parallelogram(position)
        assert np.allclose(np.ptp(corners, axis=0), side) and np.allclose(corners.mean(0), data.at(position)[0])
    assert np.allclose(np.ptp(data.parallelogram(1.5), axis=0), 0.375)  # eased half way
    assert data.growth(2) == pytest.approx(16.0)


def test_words_and_figures_of_the_ledger():
    assert stage_title("12 RationalQuadraticCoupling") == "12  RQ spline coupling"
    assert stage_title("2 LULinear") == "2  LU linear" and stage_title("7 ODE") == "7  ODE"
    assert [signed(n) for n in (0, 7, -7, -120)] == ["+0.00", "+0.07", "−0.07", "−1.20"]
    text = ProbeData.from_answer(*probe_answer()).text()
    assert "x = (0.500000, 0.250000)" in text and text.rstrip().endswith("+0.772589 nat")
    numbers = [float(line.split()[-1]) for line in text.splitlines()[3:6]]
    assert sum(numbers) == pytest.approx(0.772589, abs=2e-6)


def test_arrows_end_where_they_should():
    starts, ends = np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 0.0]])
    lines = arrows(starts, ends)
    assert lines.shape == (6, 4) and np.isfinite(lines).all()
    assert np.allclose(lines[[0, 2, 4], 2:], [1.0, 0.0]) and np.allclose(lines[2, :2], [0.86, 0.07])


def test_the_powers_of_an_axis_do_not_touch():
    assert powers(-2.1, 2.1, 300) == [-2, -1, 0, 1, 2]
    assert powers(-2.1, 2.1, 50) == [-2, 0, 2]
    assert step_words([0, 200, 400, 600], 300) == ["0", "200", "400", "600"]
    assert step_words([0, 1000, 2000, 3000], 100) == ["0", "", "2,000", ""]


def test_the_gradients_curve_is_bounded_and_forgets():
    curve = GradientCurve()
    for step in range(1, 3 * MOST):
        curve.add(step, ["a", "b"], [1.0, float(step)])
    assert len(curve.steps) <= MOST and curve.steps == sorted(curve.steps) and curve.steps[-1] == 3 * MOST - 1
    curve.forget_after(10)
    assert curve.steps and curve.steps[-1] <= 10 and curve.table().shape == (len(curve.steps), 2)
    curve.add(5000, ["c"], [1.0])
    assert curve.steps == [5000]
