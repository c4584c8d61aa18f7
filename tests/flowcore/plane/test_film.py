"""A run's course, its film and its curve: exactly the run that was, drawn without a window."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
import torch

from flowcore.errors import CheckpointError, ConfigError
from flowcore.plane.drawing import DARK, Look, Painter, curves_picture, page_size, race_picture
from flowcore.plane.film import retrace
from flowcore.plane.film_frames import COLUMNS, CurvePoint, FilmFrame, Scene, curve_csv, frame_steps
from flowcore.plane.schedule import Schedule, header, snapshot_config, snapshot_schedule, snapshot_step
from flowcore.plane.trainer import ToyConfig, ToyTrainer

SMALL = ToyConfig(density="two-moons", depth=2, width=16, batch=64)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def film():
    """(trainer whose rate and batch changed on the way, scene, shots of it)"""
    torch.set_num_threads(1)
    trainer = ToyTrainer(SMALL)
    trainer.step(10)
    trainer.adjust(learning_rate=1e-3)
    trainer.step(5)
    trainer.adjust(batch=32)
    trainer.step(9)
    items = list(retrace(trainer.config, trainer.schedule, (0, 6, 24)))
    scenes = [item for item in items if isinstance(item, Scene)]
    return trainer, scenes[0], [item for item in items if isinstance(item, FilmFrame)]


def test_the_course_says_what_held_when():
    schedule = Schedule.begin(4e-3, 512).changed(10, 1e-3, 512).changed(10, 2e-3, 512)
    schedule = schedule.changed(20, 2e-3, 512).changed(30, 2e-3, 64)
    assert schedule.changes == ((0, 4e-3, 512), (10, 2e-3, 512), (30, 2e-3, 64))
    assert [(live["learning_rate"], live["batch"]) for live in map(schedule.at, (0, 9, 10, 29, 30, 99))] == [
        (4e-3, 512), (4e-3, 512), (2e-3, 512), (2e-3, 512), (2e-3, 64), (2e-3, 64)
    ]  # fmt: skip
    assert schedule.changed(10, 4e-3, 512).changes == ((0, 4e-3, 512),)
    assert Schedule.from_list(schedule.to_list()) == schedule
    assert schedule.learning_rate(4) == pytest.approx(4e-3 * 5 / 50) and schedule.learning_rate(60) == 2e-3


@pytest.mark.parametrize("values", [
    [], None, "ab", [[1, 0.1, 5]], [[0, 0.1]], [[0, float("nan"), 5]], [[0, 0.1, 5], [0, 0.2, 5]], [[0, "a", 5]],
    [[0, 0.1, 0]], [[0, -1.0, 4]], [5], [[True, 0.1, 5]], {"a": 1},
])  # fmt: skip
def test_a_course_that_is_none_is_a_sentence(values):
    with pytest.raises(CheckpointError, match="damaged"):
        Schedule.from_list(values)


def test_a_snapshot_carries_its_course_and_an_old_one_is_taken_as_it_is(film):
    trainer, _, _ = film
    data = trainer.snapshot()
    assert snapshot_schedule(data) == trainer.schedule and snapshot_step(data) == 24
    assert ToyConfig.from_dict(snapshot_config(data)) == trainer.config
    again = ToyTrainer.from_snapshot(data)
    assert again.schedule == trainer.schedule and again.snapshot() == data
    old = data.replace(b'\\"course\\"', b'\\"COURSE\\"')
    assert snapshot_schedule(old).changes == ((0, 1e-3, 32, 0.99),)
    for wrong in (b"", b"abc", data[:40], b"\xff" * 64, (2).to_bytes(8, "little") + b"{}"):
        with pytest.raises(CheckpointError):
            header(wrong)


def test_a_run_trained_again_is_the_same_run_bit_for_bit(film):
    trainer, scene, shots = film
    assert [shot.point.step for shot in shots] == [0, 6, 24]
    loss = trainer.held_out(2048)
    assert (shots[-1].point.nll, shots[-1].point.standard_error) == (loss.nll, loss.standard_error)
    assert shots[-1].point.learning_rate == trainer.learning_rate()
    assert scene.entropy == trainer.density.entropy and scene.truth.shape == shots[0].heat.shape


def test_a_run_that_began_with_others_weights_is_refused():
    with pytest.raises(ConfigError, match="seed"):
        list(retrace(SMALL, Schedule.begin(4e-3, 64, inherited=True), (0, 1)))


def test_moments_rise_are_dense_at_the_start_and_end_at_the_last():
    steps = frame_steps(1000, 11)
    assert steps[0] == 0 and steps[-1] == 1000 and len(steps) == 11
    gaps = np.diff(steps)
    assert (gaps > 0).all() and gaps[0] < gaps[-1] / 5
    assert frame_steps(3, 60) == [0, 1, 2, 3] and frame_steps(0, 9) == [0] and frame_steps(7, 1) == [7]
    for count in (1, 2, 5, 59, 60, 61, 1000):
        found = frame_steps(count, 60)
        assert found == sorted(set(found)) and found[-1] == count and len(found) == min(60, count + 1)


def test_the_curve_as_a_table_is_exact_and_leaves_out_what_nobody_knows():
    points = [CurvePoint(0, 3.1, 0.25), CurvePoint(7, 1 / 3, 1e-9, 0.5, 4e-3)]
    rows = list(csv.reader(io.StringIO(curve_csv(points, 1.25))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["0", "", "3.1", "0.25", "1.25", ""]
    assert [float(value) for value in rows[2]] == [7, 0.5, 1 / 3, 1e-9, 1.25, 4e-3]
    assert curve_csv(points, None).splitlines()[1] == "0,,3.1,0.25,,"


def test_a_moment_is_drawn_in_the_themes_colours_at_the_size_that_is_told(film):
    _, scene, shots = film
    look = Look.of(paper="#f3f3f1", panel="#ffffff", text="#1b1c1e", muted="#63666b", data="#e69f00", model="#56b4e9")
    pictures = {}
    for name, colors in (("dark", DARK), ("light", look)):
        picture = Painter(scene, 24, 96, colors).picture(shots[-1], [shot.point for shot in shots])
        assert picture.shape == (*page_size(96)[::-1], 3) and picture.dtype == np.uint8
        assert tuple(picture[0, 0]) == colors.paper
        pictures[name] = picture
    # Where there is no density, its panel is as light or dark as the paper.
    corner = {name: picture[64 + 28 + 4, 16 + 96 + 16 + 4].mean() for name, picture in pictures.items()}
    assert corner["dark"] < 16 and corner["light"] > 240
    flat = pictures["light"].reshape(-1, 3).astype(int)
    assert (np.abs(flat - look.model).sum(1) < 40).any() and (np.abs(flat - look.data).sum(1) < 40).any()
    for wrong in ({"paper": "white"}, {"paper": "#12345"}, {"sky": "#123456"}, {"paper": "#12345g"}):
        with pytest.raises(ConfigError):
            Look.of(**wrong)


def test_a_curve_falls_to_the_dashed_line(film):
    points = [CurvePoint(0, 3.0, 0.01), CurvePoint(50, 2.5, 0.01), CurvePoint(100, 2.0, 0.01)]
    picture = curves_picture([points], 2.0, 100, (120, 90)).astype(int)
    blue = np.argwhere(np.abs(picture - DARK.model).sum(2) < 60)
    left, right = blue[blue[:, 1] < 30, 0].mean(), blue[blue[:, 1] > 100, 0].mean()
    assert left < 45 < right  # rows count downwards
    assert curves_picture([[]], None, 0, (60, 40)).shape == (40, 60, 3)


def test_up_to_four_runs_race_side_by_side(film):
    _, scene, shots = film
    curve = [shot.point for shot in shots]
    one = race_picture([scene], shots[-1:], [curve], 24, 96)
    four = race_picture([scene] * 4, [shots[-1]] * 4, [curve] * 4, 24, 96)
    assert four.shape[1] - 16 == 4 * (one.shape[1] - 16) and four.shape[0] == one.shape[0]
    for wrong in (([], [], []), ([scene] * 5, [shots[0]] * 5, [curve] * 5), ([scene], shots[-1:], [])):
        with pytest.raises(ConfigError):
            race_picture(*wrong, 24)
