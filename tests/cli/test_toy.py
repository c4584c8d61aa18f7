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
