"""What is set in the Compare view, and what one side makes of it: without Qt."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from flow_explorer.explorer.facets import initial
from flow_explorer.explorer.facets.compare.sides import (
    SideLink,
    apart,
    rows,
    side_of,
    size_differs,
)
from flow_explorer.explorer.facets.compare.state import CompareState, Side
from flow_explorer.explorer.model import open_model
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import ConfigError


def test_it_goes_through_json_with_what_was_changed_alone():
    assert initial("compare") == CompareState() and CompareState().to_dict() == {}
    state = CompareState("z", Side(), Side("/runs/mine", "step-000500.safetensors"), 3, 7)
    assert CompareState.from_dict(state.to_dict()) == state and "left" not in state.to_dict()
    whole = ExplorerState(model="tiny", facet="compare").with_facet("compare", state)
    again = ExplorerState.from_dict(whole.to_dict())
    assert again == whole and again.of("compare") == state and again.facet == "compare"


def test_what_is_damaged_is_refused_in_a_sentence():
    wrongs = ({"look": "sideways"}, {"right": "faces"}, {"right": {"path": 3}}, {"left": {"checkpoint": "x" * 300}}, {"drawn": 0},
              {"drawn": True}, {"seed": -1}, {"right": {"path": "a\0b"}})  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(ConfigError, match=r"\.$"):
            CompareState.from_dict(wrong)


def test_a_picture_that_is_passed_on_names_no_file_of_ours(bundle):
    state = CompareState("page", Side("/home/me/secret"), Side("tiny"))
    assert state.portable() == CompareState("page", Side(), Side("tiny"))
    assert replace(state, right=Side("/home/me/run", "best.safetensors")).portable().right == Side()


def test_a_checkpoint_of_a_run_is_that_run_at_its_place(run_folder, other):
    assert side_of(str(run_folder / "step-000200.safetensors")) == Side(str(run_folder), "step-000200.safetensors")
    assert side_of(str(run_folder)) == Side(str(run_folder)) and side_of(str(other)) == Side(str(other))
    assert side_of("faces") == Side("faces")


def link(which: str = "right") -> SideLink:
    return SideLink(which, SimpleNamespace(send=lambda *_, **__: 1, cancel=lambda _id: None), lambda: None)


def test_a_side_finds_its_model_and_its_place_among_the_checkpoints(checkpoint, run_folder, make_checkpoint):
    this, side = open_model(str(checkpoint)), link()
    side.resolve(Side(), this)
    assert (side.model, side.error, side.place) == (None, "", -1)
    left = link("left")
    left.resolve(Side(), this)
    assert left.model is this and left.is_open_model
    side.resolve(Side(str(run_folder)), this)
    assert [steps for steps, _ in side.checkpoints] == [100, 200, 200, 300, 350]
    assert side.checkpoints[side.place][1].name == "best.safetensors" and side.model.title == "My run"
    side.resolve(Side(str(run_folder), "step-000300.safetensors"), this)
    assert side.place == 3 and side.model.card["steps"] == 300
    before = side.model
    side.resolve(Side(str(run_folder), "step-000300.safetensors"), this)
    assert side.model is before
    # A run that goes on has one more.
    (run_folder / "step-000400.safetensors").write_bytes((run_folder / "step-000300.safetensors").read_bytes())
    side.resolve(Side(str(run_folder), "gone.safetensors"), this)
    assert len(side.checkpoints) == 6 and side.model.path.name == "best.safetensors"
    (run_folder / "step-000500.safetensors").write_bytes(b"broken")
    side.resolve(Side(str(run_folder)), this)
    assert len(side.checkpoints) == 6 and "step-000500" in side.unread[0] and side.error == ""


def test_a_side_that_cannot_be_opened_says_why(checkpoint, make_checkpoint, tmp_path):
    this, side = open_model(str(checkpoint)), link()
    large = make_checkpoint("large", title="Large", size=[16, 16])
    side.resolve(Side(str(large)), this)
    assert side.model is None and side.error == (
        "“Large” sees pictures of 16×16 in colour, and “Tiny” of 8×8 in colour: choose a model of the same size.")  # fmt: skip
    side.resolve(Side(str(tmp_path / "gone.safetensors")), this)
    assert side.model is None and "gone.safetensors" in side.error
    side.resolve(Side(str(checkpoint)), this)
    assert side.model is not None and side.error == ""
    grey = open_model(str(make_checkpoint("grey", title="Grey", channels=1)))
    assert "8×8 in grey" in size_differs(grey, this) and size_differs(this, this) == ""


def test_the_difference_is_shown_as_strongly_as_it_can_be():
    one = np.full((4, 4, 3), 100, np.uint8)
    other = one.copy()
    other[0, 0] = (90, 105, 100)
    found = apart(one, other)
    assert found.most == 10 and found.strength == 25.5 and found.mean == pytest.approx(15 / 48)
    assert tuple(found.picture[0, 0]) == (255, 128, 0) and not found.picture[1:].any()
    same = apart(one, one)
    assert same.most == 0 and not same.picture.any() and same.mean == 0
    assert apart(np.zeros((2, 2, 1), np.uint8), np.full((2, 2, 1), 255, np.uint8)).most == 255


def test_figures_that_are_missing_are_told_from_those_that_are_still_to_come(checkpoint, make_checkpoint):
    this, left, right = open_model(str(checkpoint)), link("left"), link()
    left.resolve(Side(), this)
    shallow = make_checkpoint("shallow", architecture={"system": "nice", "shape": [3, 8, 8]})
    right.resolve(Side(str(shallow)), this)
    left.reading.bpd, left.reading.shares = 3.0, (8.0, -5.25, 0.125, 0.125)
    found = {row.name: (row.left, row.right, row.apart) for row in rows("picture", [left, right])}
    assert found["Bits per dimension"] == ("3.000", "…", "") and found["Bits in all"] == ("576", "…", "")
    assert found["Level 3, the coarsest"] == ("0.125", "–", "") and found["Level 1, the finest"] == ("−5.250", "…", "")
    right.reading.bpd, right.reading.shares = 3.5, (8.0, -4.5)
    found = {row.name: (row.left, row.right, row.apart) for row in rows("picture", [left, right])}
    assert found["Bits per dimension"] == ("3.000", "3.500", "+0.500") and found["Before level 1"][2] == "0.000"
    assert found["Level 1, the finest"] == ("−5.250", "−4.500", "+0.750") and found["Typicality"][:2] == ("100 %", "75 %")
    right.problem = "It is broken."
    assert {row.right for row in rows("picture", [left, right])} == {"–", ""}
