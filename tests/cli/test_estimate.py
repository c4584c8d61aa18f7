"""What a run would cost, before it starts; and a run that is asked by a file to stop."""

from __future__ import annotations

import sys

import pytest

from flow_explorer.training.process_record import read_process_record

TINY = ("--preset", "tiny", "--size", 16, "--batch", 8, "--device", "cpu")


def test_an_estimate_is_exact_about_parameters_and_keeps_nothing(cli, picture_folder, tmp_path):
    from flowcore.model.systems import build
    from flowcore.training import architecture_for

    before = sorted(tmp_path.rglob("*"))
    row = cli("train", "--data", picture_folder, *TINY, "--steps", 40, "--estimate", "--json").json
    built = build(architecture_for("glow-plus", "tiny", tuple(row["shape"])))
    assert row["parameters"] == sum(p.numel() for p in built.parameters())
    assert row["shape"][1:] == [16, 16] and row["steps"] == 40
    assert row["seconds_per_step"] > 0 and row["seconds_total"] == pytest.approx(40 * row["seconds_per_step"])
    assert row["seconds_per_epoch"] == pytest.approx(row["seconds_per_step"] * row["pictures"] / 8)
    if sys.platform == "win32":
        assert row["memory_bytes"] is None  # Windows does not tell it
    else:
        assert 2**26 < row["memory_bytes"] < 2**40  # torch alone is more than 64 MiB; kibibytes read as bytes would be less
    assert sorted(tmp_path.rglob("*")) == before


def test_an_estimate_can_be_read_by_a_person(cli, picture_folder):
    ran = cli("train", "--data", picture_folder, *TINY, "--steps", 40, "--estimate")
    assert ran.code == 0 and "parameters" in ran.out and "an epoch" in ran.out


def test_a_run_needs_a_folder(cli, picture_folder):
    ran = cli("train", "--data", picture_folder, *TINY)
    assert ran.code == 2 and "--out" in ran.err


def test_a_request_by_file_stops_a_run_that_goes_on_later(cli, picture_folder, tmp_path, monkeypatch):
    from flow_explorer.cli import train as command

    run = tmp_path / "run"
    arguments = ("train", "--data", picture_folder, *TINY, "--steps", 12, "--out", run, "--json")
    asked = iter([False, False])
    monkeypatch.setattr(command, "stop_requested", lambda _folder: next(asked, True))
    assert cli(*arguments).json["step"] == 3 and read_process_record(run).outcome == "stopped"
    monkeypatch.undo()
    assert cli(*arguments, "--resume").code == 0
    assert read_process_record(run).outcome == "done" and read_process_record(run).data == str(picture_folder)
