"""The training's history: small, evenly thinned, under its limit, and close to what was seen."""

from __future__ import annotations

import numpy as np
import pytest

from flow_explorer.toylab.history.training_history import CAP, Frame, Histories, TrainingHistory


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
    return Frame.of(step, arrays, 1.5, 4.5), arrays


def test_what_comes_back_is_what_was_seen_to_less_than_a_pixel():
    kept, arrays = frame(3)
    assert kept.nbytes < 40_000
    back = kept.arrays()
    assert set(back) == {"samples", "grid", "prior", "layers", "heat"}
    for name in ("samples", "grid", "prior", "layers"):
        assert np.abs(back[name] - arrays[name]).max() <= 0.5 / 1024 + 1e-6
    assert np.abs(back["heat"] - arrays["heat"]).max() <= arrays["heat"].max() / 255


def test_points_that_ran_away_and_empty_densities_are_kept_too():
    points = np.array([[1e9, -np.inf], [np.nan, 40.0]], np.float32)
    back = Frame.of(1, {"samples": points, "heat": np.zeros((64, 64), np.float32)}, None, 4.5).arrays()
    assert np.isfinite(back["samples"]).all() and back["samples"][0, 0] > 31 and not back["heat"].any()
    fine = np.random.default_rng(0).random((256, 256)).astype(np.float32)
    coarse = Frame.of(1, {"heat": fine}, None, 4.5).arrays()["heat"]
    assert coarse.shape == (64, 64) and coarse.mean() == pytest.approx(fine.mean(), abs=2e-3)


def test_a_full_history_is_thinned_evenly_and_never_over_its_limit():
    one, _ = frame(1)
    history = TrainingHistory(cap=20 * one.nbytes)
    for step in range(1000):
        history.offer(Frame(step, one.nll, one.layer_bound, one.packed))
        assert history.nbytes <= 20 * one.nbytes
    steps = [kept.step for kept in history.frames]
    assert steps[0] == 0 and 10 <= len(steps) <= 20 and set(np.diff(steps)) == {history.stride}
    assert steps[-1] > 1000 - 2 * history.stride
    assert CAP // one.nbytes > 500  # more than a minute at the rate of the frames


def test_a_step_taken_again_takes_the_place_of_what_came_after_it():
    history = TrainingHistory()
    one, _ = frame(1)
    for step in range(10):
        history.offer(Frame(step, None, 4.5, one.packed))
        history.offer_snapshot(step, np.full(100, step, np.uint8))
    assert not history.offer(Frame(9, None, 4.5, one.packed))
    version = history.version
    history.forget_after(4)
    assert [kept.step for kept in history.frames] == list(range(5)) and history.version > version
    assert history.snapshot_at(8)[0] == 4 and history.snapshot_at(2)[1][0] == 2
    assert history.offer(Frame(5, None, 4.5, one.packed))
    history.forget_after(-1)
    assert history.snapshot_at(3) is None and history.nbytes == 0


def test_weights_are_thinned_under_a_limit_of_their_own():
    history = TrainingHistory(snapshots_cap=1000)
    for step in range(100):
        history.offer_snapshot(step, np.zeros(100, np.uint8))
    steps = [step for step, _ in history.snapshots]
    assert 5 <= len(steps) <= 10 and steps[0] == 0 and len(set(np.diff(steps))) == 1


def test_histories_of_old_trainings_are_forgotten_first():
    one, _ = frame(1)
    histories = Histories(limit=3 * one.nbytes)
    for number in range(6):
        histories.get(number).offer(one)
    histories.get(6)
    assert histories.nbytes <= 3 * one.nbytes
    assert len(histories.get(5).frames) == 1 and not histories.get(0).frames
