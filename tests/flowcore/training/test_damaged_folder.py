"""A run folder with anything in it is resumed, or refused in a sentence."""

from __future__ import annotations

import json
import os

import pytest

from flowcore.errors import CheckpointError, ConfigError, DataError, FlowError
from flowcore.training import RunFolder, TrainConfig

HUGE = 10**400
GOOD = TrainConfig({"system": "glow", "shape": [3, 8, 8]}).to_dict()


def write(folder: RunFolder, values: object) -> None:
    folder.config_path.write_text(values if isinstance(values, str) else json.dumps(values))


@pytest.mark.parametrize("name, value", [
    *((name, value) for name in ("steps", "batch", "log_every", "warm_up", "seed") for value in ("x", HUGE, True, None, 1.5, [])),
    *((name, value) for name in ("learning_rate", "clip_norm", "weight_decay", "ema_decay", "sample_temperature")
      for value in ("x", HUGE, True, None, float("nan"), float("inf"), -1)),
    *((name, value) for name in ("architecture", "data") for value in ("x", None, [], 3)),
    *((name, value) for name in ("name", "title", "command") for value in (3, None, [])),
    ("classes", "abc"), ("classes", [1]), ("classes", None), ("version", 2), ("version", "1"), ("later", 1), ("flip", 1),
    ("memory", []),
    ("precision", {}), ("architecture", {}), ("architecture", {"system": "glow", "shape": 3}),
    ("architecture", {"system": ["glow"], "shape": [3, 8, 8]}), ("architecture", {"system": "glow", "shape": [3, 8, HUGE]}),
    ("architecture", {"system": "glow", "shape": [True, 8, 8]}), ("architecture", {"system": "glow", "shape": [3, 8, 0]}),
])  # fmt: skip
def test_a_configuration_that_cannot_be_is_one_sentence(tmp_path, name, value):
    folder = RunFolder(tmp_path)
    write(folder, GOOD)
    assert folder.config().to_dict() == GOOD
    write(folder, {**GOOD, name: value})
    with pytest.raises(FlowError) as error:
        folder.config()
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, "\udcff", " " * (5 * 2**20)])
def test_a_file_that_is_none_is_one_sentence(tmp_path, text):
    folder = RunFolder(tmp_path)
    folder.config_path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises((CheckpointError, ConfigError)):
        folder.config()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path):
    folder = RunFolder(tmp_path)
    os.mkfifo(folder.config_path)
    os.mkfifo(folder.metrics_path)
    with pytest.raises(CheckpointError, match="cannot be read"):
        folder.config()
    with pytest.raises(DataError, match="cannot be read"):
        folder.metrics()
    folder.metrics_path.unlink()
    folder.metrics_path.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        folder.forget_after(3)


@pytest.mark.parametrize("line", [
    '{"step": "text"}', '{"step": null}', '{"step": []}', '{"step": true}', '{"step": 1e400}', f'{{"step": {HUGE}}}',
    '{"step": -1}', "{}", "[]", "3", "not json", "[" * 100_000, '{"step": 5, "bpd"', "\udcff",
])  # fmt: skip
def test_lines_that_are_none_of_a_runs_are_passed_over(tmp_path, line):
    folder = RunFolder(tmp_path)
    lines = [{"step": step, "bpd": 3.5} for step in (10, 20, 30)]
    text = [*map(json.dumps, lines[:1]), line, *map(json.dumps, lines[1:])]
    folder.metrics_path.write_bytes("\n".join([*text, ""]).encode("utf-8", "surrogateescape"))
    assert folder.metrics() == lines
    folder.forget_after(20)
    assert [json.loads(line) for line in folder.metrics_path.read_text().splitlines()] == lines[:2]
