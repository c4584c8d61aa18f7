"""`make toys`: cells that are there are passed over, goals are counted, and what is not finite is said."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from flowcore.errors import NonFiniteError
from flowcore.plane import densities
from flowcore.plane.config import FLOWS
from tests.benchmarks import toys_table
from tests.benchmarks.toys_table import (
    GOALS,
    NEAR,
    Cell,
    config_of,
    least_for_nice,
    main,
    reached,
    to_markdown,
)


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def cells(flow: str, gaps: list[float]) -> list[Cell]:
    made = []
    for name, gap in zip(densities.NAMES, gaps, strict=False):
        entropy = densities.get(name).entropy
        made.append(Cell(name, flow, 60.0, {}, entropy + gap, 0.001, entropy, 1000, 58.0, 61.0, 5, "2026-01-01", "2"))
    return made


def test_a_cell_is_trained_once_and_goes_on_where_it_was(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(toys_table.RECIPES, "realnvp", {"depth": 2, "width": 16, "batch": 64})
    out = tmp_path / "toys.json"
    arguments = ["--seconds", "0.1", "--cells", "gaussian/realnvp", "bridge/realnvp", "--out", str(out)]
    assert main(arguments) == 0
    first = json.loads(out.read_text())
    assert [cell["density"] for cell in first["cells"]] == ["gaussian", "bridge"]
    cell = Cell(**first["cells"][0])
    assert cell.is_finite and cell.steps > 5 and cell.parameters > 0 and cell.processor < 1.0
    assert cell.standard_error is not None and cell.gap > -5 * cell.standard_error
    text = out.with_suffix(".md").read_text()
    assert f"{cell.gap:+.3f} ± {cell.standard_error:.3f}" in text and "not yet" in text and "8 not measured yet" in text
    capsys.readouterr()
    assert main(arguments) == 0
    assert json.loads(out.read_text())["cells"] == first["cells"] and capsys.readouterr().out == ""
    # Another recipe is another cell.
    monkeypatch.setitem(toys_table.RECIPES, "realnvp", {"depth": 1, "width": 16, "batch": 64})
    main([*arguments[:3], "gaussian/realnvp", *arguments[-2:]])
    assert json.loads(out.read_text())["cells"][-1]["recipe"]["depth"] == 1


def test_what_breaks_down_is_named_and_fails(tmp_path, capsys, monkeypatch):
    def breaks(config, seconds):
        raise NonFiniteError("The loss of step 3 is not a finite number: a smaller learning rate helps.", "loss")

    monkeypatch.setattr(toys_table, "train", breaks)
    out = tmp_path / "toys.json"
    assert main(["--seconds", "1", "--cells", "rings/spline", "--out", str(out)]) == 1
    assert "rings/spline: The loss of step 3" in capsys.readouterr().out
    assert "**not finite**" in out.with_suffix(".md").read_text()


def test_goals_are_counted_over_ten_densities():
    near, far = [NEAR - 0.001] * 3 + [NEAR + 0.001] * 7, [NEAR - 0.001] * 2 + [0.2] * 8
    assert reached(cells("realnvp", near), "realnvp") == 3 and reached(cells("realnvp", far), "realnvp") == 2
    text = to_markdown(cells("realnvp", near) + cells("glow", far), 60.0, {"processor": "one"})
    assert "RealNVP: at most 0.05 nat on 3 of 10, where at least 3 were asked for: reached; all finite." in text
    assert "Glow: at most 0.05 nat on 2 of 10, where at least 3 were asked for: **missed**" in text
    broken = replace(cells("spline", [0.0])[0], nll=None, problem="it broke")
    text = to_markdown([broken, *cells("spline", [0.01] * 10)[1:]], 60.0, {})
    assert "on 9 of 10, where at least 8 were asked for: reached; not finite: two-moons." in text and "it broke" in text
    assert "not measured to the end" in to_markdown(cells("spline", [0.2] * 3), 60.0, {})
    assert set(GOALS) <= set(FLOWS)


def test_every_flow_has_a_recipe_that_can_be_built():
    for flow in FLOWS:
        assert config_of("rings", flow).flow == flow


def test_the_least_gap_of_a_map_that_keeps_areas():
    # Gaussians of one size, however many, are made of as much of each height as one Gaussian.
    assert least_for_nice(densities.get("gaussian")) < 1e-3 and least_for_nice(densities.get("eight-gaussians")) < 1e-3

    class Even:
        """On a square of area 4: E[a] = 2, so the gap is 1 + log 2 − log 4."""

        entropy = math.log(4.0)

        @staticmethod
        def log_prob(points):
            return np.where(np.abs(points).max(1) < 1.0, -math.log(4.0), -np.inf)

    assert least_for_nice(Even(), 4.0, 400) == pytest.approx(1 - math.log(2), abs=2e-3)
