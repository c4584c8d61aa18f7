"""The training's history: small, evenly thinned, under its limit, and close to what was seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow_explorer.toylab.history.training_history import CAP, Frame, TrainingHistory
from flow_explorer.toylab.run import Run


def frame(step, seed=0, layers=8):
    rng = np.random.default_rng(seed)
    arrays = {
        "samples": rng.normal(size=(1000, 2)).astype(np.float32),
        "grid": rng.normal(size=(26, 49, 2)).astype(np.float32),
        "prior": rng.normal(size=(1000, 2)).astype(np.float32),
        "layers": rng.normal(size=(layers + 1, 500, 2)).astype(np.float32),
        "heat": rng.random((64, 64)).astype(np.float32),
        "snapshot": np.zeros(10**6, np.uint8),
    }
    return Frame.of(run_of(step, arrays)), arrays


def run_of(step, arrays):
    run = Run(1)
    run.take("heat", {"steps": [step], "seconds": [0.0]}, {f"{name}0": array for name, array in arrays.items()})
    return run


def test_what_comes_back_is_what_was_seen_to_less_than_a_pixel():
    kept, arrays = frame(3)
    assert kept.nbytes < 40_000
    back = kept.arrays()
    assert set(back) == {"samples0", "grid0", "prior0", "layers0", "heat0"}
    for name in ("samples", "grid", "prior", "layers"):
        assert np.abs(back[f"{name}0"] - arrays[name]).max() <= 0.5 / 1024 + 1e-6
    assert np.abs(back["heat0"] - arrays["heat"]).max() <= arrays["heat"].max() / 255


def test_points_that_ran_away_and_empty_densities_are_kept_too():
    points = np.array([[1e9, -np.inf], [np.nan, 40.0]], np.float32)
    back = Frame.of(run_of(1, {"samples": points, "heat": np.zeros((64, 64), np.float32)})).arrays()
    assert np.isfinite(back["samples0"]).all() and back["samples0"][0, 0] > 31 and not back["heat0"].any()
    fine = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    coarse = Frame.of(run_of(1, {"heat": fine})).arrays()["heat0"]
    assert coarse.shape == (64, 64) and coarse.mean() == pytest.approx(fine.mean(), abs=2e-3)


def test_a_full_history_is_thinned_evenly_and_never_over_its_limit():
    one, _ = frame(1)
    history = TrainingHistory(cap=20 * one.nbytes)
    for step in range(1000):
        history.offer(replace(one, steps=(step,)))
        assert history.nbytes <= 20 * one.nbytes
    steps = [kept.step for kept in history.frames]
    assert steps[0] == 0 and 10 <= len(steps) <= 20 and set(np.diff(steps)) == {history.stride}
    assert steps[-1] > 1000 - 2 * history.stride
    assert CAP // one.nbytes > 500  # more than a minute at the rate of the frames


def test_a_step_taken_again_takes_the_place_of_what_came_after_it():
    history = TrainingHistory()
    one, _ = frame(1)
    for step in range(10):
        history.offer(replace(one, steps=(step,)))
        history.offer_snapshot(step, np.full(100, step, np.uint8))
    assert not history.offer(replace(one, steps=(9,)))
    version = history.version
    history.forget_after(4)
    assert [kept.step for kept in history.frames] == list(range(5)) and history.version > version
    assert history.snapshot_at(8)[0] == 4 and history.snapshot_at(2)[1][0] == 2
    assert history.offer(replace(one, steps=(5,)))
    history.forget_after(-1)
    assert history.snapshot_at(3) is None and history.nbytes == 0


def test_weights_are_thinned_under_a_limit_of_their_own():
    history = TrainingHistory(snapshots_cap=1000)
    for step in range(100):
        history.offer_snapshot(step, np.zeros(100, np.uint8))
    steps = [step for step, _ in history.snapshots]
    assert 5 <= len(steps) <= 10 and steps[0] == 0 and len(set(np.diff(steps))) == 1
