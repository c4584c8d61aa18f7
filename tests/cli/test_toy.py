"""toy: a flow learns a density of the plane, measured against the entropy."""

from __future__ import annotations

import argparse
import math

import numpy as np
import pytest
from PIL import Image

from flow_explorer.cli.toy import add_arguments
from flow_explorer.cli.toy_target import DENSITIES
from flowcore.plane import densities
from flowcore.plane.config import FLOWS


def test_the_densities_are_flowcores_in_its_order():
    # The command keeps its own list, so that --help needs no numpy.
    assert tuple(densities.NAMES) == DENSITIES


def test_every_flow_of_flowcore_is_offered():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    flow = next(action for action in parser._actions if action.dest == "flow")
    assert tuple(flow.choices or ()) == FLOWS


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
            assert getattr(image, "n_frames", 1) >= 5
            first = np.asarray(image.convert("RGB")).astype(int)
            image.seek(getattr(image, "n_frames", 1) - 1)
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


# -- targets of one's own --

QUICK = ("--steps", 3, "--depth", 2, "--width", 8, "--batch", 64)


def table(path):
    points = np.random.default_rng(0).normal(size=(200, 2)) * (3, 0.2) + (5, -1)
    path.write_text("name,a,b\n" + "".join(f"row,{x},{y}\n" for x, y in points) + "row,nan,1\n")
    return path


def test_a_density_is_reshaped_by_parameters(cli):
    row = cli("toy", "rings", *QUICK, "--parameter", "modes=2", "--parameter", "noise=0.3", "--json").json
    assert row["density"] == "rings" and row["target"] == {"kind": "parameters", "modes": 2, "noise": 0.3}
    assert abs(row["entropy"] - densities.get("rings").entropy) > 0.1 and math.isfinite(row["nll"])


def test_a_table_is_learned_without_an_entropy_in_every_output(cli, tmp_path):
    out, film, curve = tmp_path / "t.png", tmp_path / "t.gif", tmp_path / "t.csv"
    path = table(tmp_path / "mine.csv")
    more = ("--out", out, "--animation", film, "--frames", 3, "--panel", 64, "--curves", curve)
    ran = cli("toy", "--target", path, *QUICK, *more, "--json")
    assert ran.code == 0, ran.err
    row = ran.json
    # The first two columns with numbers; a fifth of the 200 whole rows is held out.
    assert row["target"]["title"] == "mine: a, b" and row["count"] == 40 and row["entropy"] is None
    assert "1 row without two finite numbers was left out" in row["target"]["note"] and "values" not in row["target"]
    assert math.isfinite(row["nll"]) and row["standard_error"] > 0
    assert out.stat().st_size and film.stat().st_size
    names, *rows = (line.split(",") for line in curve.read_text().splitlines())
    assert rows and all(line[names.index("entropy")] == "" for line in rows)
    for columns in (("a", "b"), ("2", "3")):
        assert cli("toy", "--target", path, "--columns", *columns, *QUICK, "--json").json["nll"] == row["nll"]
    told = cli("toy", "--target", path, *QUICK).out
    assert "entropy is not known" in told and "standardised" in told


def test_a_picture_and_a_formula_are_learned(cli, tmp_path):
    pixels = np.full((30, 30), 255, np.uint8)
    pixels[5:20, 8:12] = 0
    Image.fromarray(pixels).save(tmp_path / "ink.png")
    row = cli("toy", "--target", tmp_path / "ink.png", *QUICK, "--json").json
    assert row["density"] == "grid" and row["target"]["title"] == "ink" and math.isfinite(row["entropy"])
    row = cli("toy", "--formula=-(x^2 + y^2)/2", *QUICK, "--json").json
    assert row["entropy"] == pytest.approx(1 + math.log(2 * math.pi), abs=2e-3) and "log Z" in row["target"]["note"]


def test_a_tables_names_do_not_move_the_cursor(cli, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\x1b[2J,b\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(60)))
    ran = cli("toy", "--target", path, *QUICK)
    assert ran.code == 0 and "[2J, b" in ran.out and "\x1b" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Nothing was given"), (("rings", "--formula", "x"), "More than one"),
        (("--target", "t.csv", "--formula", "x"), "More than one"), (("--formula", "x", "--parameter", "modes=2"), "--parameter"),
        (("rings", "--parameter", "turns=2"), "no parameter"), (("rings", "--parameter", "modes"), "KEY=VALUE"),
        (("rings", "--parameter", "modes=two"), "no number"), (("rings", "--parameter", "modes=2.5"), "whole number"),
        (("rings", "--parameter", "noise=inf"), "Noise"), (("rings", "--parameter", "kind=1"), "KEY=VALUE"),
        (("rings", "--parameter", "modes=2", "--parameter", "modes=3"), "twice"), (("rings", "--columns", "1", "2"), "--columns"),
        (("--formula", "import os"), "formula"), (("--formula", "9**9**9"), "formula"), (("--formula", ""), "empty"),
        (("--target", "none.csv"), "cannot be read"), (("--target", "none.png"), "none.png"), (("--target", "."), "."),
        (("--target", "t.csv", "--columns", "a", "z"), "no column 'z'"),
        (("--target", "t.csv", "--columns", "0", "1"), "column '0'"), (("--target", "t.csv", "--columns", "1", "2"), "name"),
        (("--target", "t.csv", "--columns", "a", "9" * 5000), "no column"),
        (("--target", "white.png"), "white"),
    ],
)  # fmt: skip
def test_targets_that_make_no_sense_are_refused_before_the_work(refused, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "t.csv")
    Image.new("L", (20, 20), 255).save(tmp_path / "white.png")
    before = sorted(tmp_path.iterdir())
    assert words.lower() in refused("toy", *arguments, "--steps", 1_000_000, "--out", "x.png").lower()
    assert sorted(tmp_path.iterdir()) == before
