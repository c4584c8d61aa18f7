"""The window's trainings in its session: what is written, what comes back, what is gone is said, and no snapshot piles up."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.keep import kept_runs
from flow_explorer.toylab.keep.kept_runs import KeptRuns
from flow_explorer.toylab.panels.curve import Curve
from flow_explorer.toylab.race.entries import RaceEntry
from flow_explorer.toylab.state import ToyState
from flowcore.plane.film_frames import CurvePoint

SMALL = ToyState(depth=2, width=8, batch=64)


@pytest.fixture(scope="module")
def snapshots():
    """Of one small training after 3, 6, 9 and 12 steps."""
    import torch

    from flowcore.plane.trainer import ToyConfig, ToyTrainer

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    trainer, found = ToyTrainer(ToyConfig.from_dict(SMALL.config())), []
    for _ in range(4):
        trainer.step(3)
        found.append(np.frombuffer(trainer.snapshot(), np.uint8))
    torch.set_num_threads(before)
    return found


@pytest.fixture
def make(silent, tmp_path):
    """A controller with what keeps its trainings in a folder."""

    def build(state: ToyState):
        controller = ToyController(silent, History(state))
        return controller, KeptRuns(controller, tmp_path / "state" / "toylab")

    return build


def give(entry, snapshot, step: int) -> None:
    entry.begin(step, snapshot, Curve([CurvePoint(at, 3.0 - at / 10, 0.01, at / 100) for at in range(step + 1)]))
    entry.seconds = entry.snapshot_seconds = step / 100


def facts(entry) -> tuple:
    return entry.step, entry.snapshot_step, entry.snapshot_seconds, entry.snapshot.tobytes(), entry.curve.points


def test_trainings_come_back_the_present_one_and_those_that_undo_leads_to(make, snapshots):
    controller, kept = make(replace(SMALL, run=4))
    give(controller.training, snapshots[0], 3)
    before = controller.training
    controller.history.do(replace(SMALL, run=5), "Reset")
    give(controller.training, snapshots[1], 6)
    kept.write()
    written = json.loads(json.dumps(kept.written))
    again, read = make(controller.state)
    assert read.read(written, [controller.state, replace(SMALL, run=4)]) == []
    assert facts(again.training) == facts(controller.training)
    again.history.do(replace(SMALL, run=4), "Back")
    assert facts(again.training) == facts(before)


def test_a_race_comes_back_flow_by_flow(make, snapshots):
    racing = replace(SMALL, run=2, race=3, rivals=(RaceEntry("nice", 2), RaceEntry("glow", 2)))
    controller, kept = make(racing)
    for number, entry in enumerate(controller.run.entries):
        give(entry, snapshots[number], 3 * number + 3)
    kept.write()
    again, read = make(racing)
    assert read.read(json.loads(json.dumps(kept.written)), [racing]) == []
    assert [facts(entry) for entry in again.run.entries] == [facts(entry) for entry in controller.run.entries]
    assert again.run.weights()["seconds"] == controller.run.weights()["seconds"]


def test_a_training_that_goes_on_leaves_one_file(make, snapshots, tmp_path):
    controller, kept = make(SMALL)
    session = tmp_path / "state" / "session.json"
    for number, snapshot in enumerate(snapshots):
        give(controller.training, snapshot, 3 * number + 3)
        kept.write()
        session.write_text(json.dumps({"workspaces": {"toylab": {"runs": kept.written}}}))
    files = list((tmp_path / "state" / "toylab").iterdir())
    assert len(files) <= 2, "the last, and the one that the session on disk named while it was written"
    (tmp_path / "state" / "session-kept.json").write_text(session.read_text())
    last = kept.written[0]["entries"][0]["key"]
    give(controller.training, snapshots[0], 3)
    for _ in range(3):
        kept.write()
        session.write_text(json.dumps({"workspaces": {"toylab": {"runs": kept.written}}}))
    assert (tmp_path / "state" / "toylab" / last).exists(), "a session that was kept names it"


def test_there_is_room_for_so_many_the_present_one_first(make, snapshots, monkeypatch):
    monkeypatch.setattr(kept_runs, "MOST_BYTES", 3 * snapshots[0].size)
    controller, kept = make(replace(SMALL, run=1))
    for run in range(1, 9):
        controller.history.do(replace(SMALL, run=run), f"Run {run}")
        give(controller.training, snapshots[run % 4], 3 * (run % 4) + 3)
    kept.write()
    assert [part["run"] for part in kept.written][0] == 8 and 2 <= len(kept.written) <= 4


def hurt(written: list, tmp_path, how: str) -> object:
    entry = written[0]["entries"][0]
    path = tmp_path / "state" / "toylab" / entry["key"]
    if how == "gone":
        path.unlink()
    elif how == "damaged":
        path.write_bytes(path.read_bytes()[:-1])
    elif how == "another":
        path.write_bytes(b"")
    elif how == "outside":
        entry["key"] = "../../session.json"
    elif how == "no object":
        return [5]
    elif how == "no list":
        return {"a": 1}
    else:
        entry[how] = {"seconds": 1e400, "curve": [[1, 2]], "key": None}[how]
    return written


@pytest.mark.parametrize("how", ["gone", "damaged", "another", "outside", "no object", "no list", "seconds", "curve", "key"])
def test_what_cannot_be_taken_up_is_said_and_begins_anew(make, snapshots, tmp_path, how):
    controller, kept = make(SMALL)
    give(controller.training, snapshots[0], 3)
    kept.write()
    written = hurt(json.loads(json.dumps(kept.written)), tmp_path, how)
    again, read = make(SMALL)
    (words,) = read.read(written, [SMALL])
    assert "toy lab" in words and again.training.step == 0 and again.training.snapshot.size == 0
