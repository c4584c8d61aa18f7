"""toy: a flow learns a density of the plane, measured against the entropy."""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from PIL import Image

from app.cli.toy import DENSITIES, add_arguments
from flowcore import densities
from flowcore.toy_config import FLOWS


def test_the_densities_are_flowcores_in_its_order():
    # The command keeps its own list, so that --help needs no numpy.
    assert tuple(densities.NAMES) == DENSITIES


def test_every_flow_of_flowcore_is_offered():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    flow = next(action for action in parser._actions if action.dest == "flow")
    assert tuple(flow.choices) == FLOWS


def test_json_is_one_object_that_the_seed_decides(cli):
    command = ("toy", "gaussian", "--flow", "realnvp", "--steps", 40, "--depth", 2, "--width", 16, "--batch", 128, "--json")
    row = cli(*command, "--seed", 5).json
    assert {"nll", "standard_error", "entropy", "count", "seconds"} <= set(row)
    assert row["entropy"] == pytest.approx(densities.get("gaussian").entropy)
    assert row["nll"] > row["entropy"] - 5 * row["standard_error"]
    assert cli(*command, "--seed", 5).json["nll"] == row["nll"]
    assert cli(*command, "--seed", 6).json["nll"] != row["nll"]


@pytest.mark.parametrize("flow", ["nice", "realnvp", "glow", "spline"])
def test_training_helps(cli, flow):
    def nll(steps: int) -> float:
        return cli("toy", "two-moons", "--flow", flow, "--steps", steps, "--depth", 4, "--width", 32, "--json").json["nll"]

    assert nll(150) < nll(1) - 0.1


def test_the_picture_is_written(cli, tmp_path):
    out = tmp_path / "moons.png"
    ran = cli("toy", "two-moons", "--steps", 20, "--depth", 2, "--width", 16, "--out", out)
    assert ran.code == 0, ran.err
    assert "entropy" in ran.out
    pixels = np.asarray(Image.open(out))
    assert min(pixels.shape[:2]) >= 200 and len(np.unique(pixels)) > 10
    assert [path.name for path in tmp_path.iterdir()] == ["moons.png"]


def test_the_training_is_written_as_an_animation_and_its_curve_as_a_table(cli, tmp_path):
    command = ("toy", "two-moons", "--steps", 30, "--depth", 2, "--width", 16, "--batch", 64, "--json")
    for suffix in (".gif", ".webp"):
        film, table = tmp_path / f"moons{suffix}", tmp_path / "moons.csv"
        ran = cli(*command, "--animation", film, "--frames", 5, "--seconds", 1, "--panel", 64, "--curves", table)
        assert ran.code == 0, ran.err
        with Image.open(film) as image:
            assert image.n_frames >= 5
            first = np.asarray(image.convert("RGB")).astype(int)
            image.seek(image.n_frames - 1)
            assert np.abs(first - np.asarray(image.convert("RGB"))).max() > 60
        rows = table.read_text().splitlines()
        assert rows[0] == "step,seconds,held_out_nll,standard_error,entropy,learning_rate"
        values = [list(map(float, row.split(","))) for row in rows[1:]]
        assert [row[0] for row in values] == list(range(31)) and values[-1][1] > values[1][1] > 0
        # The table's loss is on fewer points than the printed one.
        assert values[-1][2] == pytest.approx(ran.json["nll"], abs=4 * (values[-1][3] + ran.json["standard_error"]))
        assert values[-1][2] < values[0][2]
    # Watching changes nothing.
    assert cli(*command).json["nll"] == ran.json["nll"]


def test_an_mp4_of_the_training(cli, tmp_path):
    av = pytest.importorskip("av")
    film = tmp_path / "moons.mp4"
    ran = cli("toy", "gaussian", "--steps", 6, "--depth", 2, "--width", 16, "--animation", film, "--frames", 4, "--panel", 64)
    assert ran.code == 0, ran.err
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) >= 4 and frames[0].shape[0] % 2 == 0


@pytest.mark.parametrize(("name", "value"), [("--animation", "a.png"), ("--curves", "a.txt"), ("--animation", "none/a.gif")])
def test_what_cannot_be_written_is_said_before_the_training(cli, tmp_path, name, value):
    ran = cli("toy", "gaussian", "--steps", 1_000_000, name, tmp_path / value)
    assert ran.code != 0 and ran.err.strip() and "Traceback" not in ran.err


def test_an_animation_that_would_not_fit_the_memory_is_refused_before_the_training(cli, tmp_path):
    ran = cli("toy", "gaussian", "--steps", 1_000_000, "--animation", tmp_path / "a.gif", "--frames", 1000, "--panel", 800)
    assert ran.code != 0 and "fewer pictures" in ran.err and not list(tmp_path.iterdir())
