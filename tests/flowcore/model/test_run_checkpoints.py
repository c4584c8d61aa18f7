"""The checkpoints that a run folder holds."""
from __future__ import annotations

import json
from pathlib import Path

from flowcore.model.card import run_checkpoints


def write(path: Path, **card) -> None:
    metadata = {"format": "flow-explorer", "card": json.dumps({"format_version": 1, **card})}
    header = json.dumps({"__metadata__": metadata}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def test_they_come_in_the_order_of_the_training(tmp_path):
    for name, steps in (("last", 1200), ("best", 1000), ("step-000500", 500), ("step-001000", 1000), ("step-001200", 1200)):
        write(tmp_path / f"{name}.safetensors", steps=steps)
    write(tmp_path / ".step-001500.safetensors", steps=1500)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "0000700.png").write_bytes(b"")
    found, why = run_checkpoints(tmp_path)
    assert [(steps, path.stem) for steps, path in found] == [
        (500, "step-000500"), (1000, "best"), (1000, "step-001000"), (1200, "step-001200"), (1200, "last")]  # fmt: skip
    assert why == [] and run_checkpoints(tmp_path / "nowhere") == ([], [])


def test_a_broken_one_is_left_out_with_a_sentence(tmp_path):
    write(tmp_path / "best.safetensors", steps=10)
    write(tmp_path / "odd.safetensors", steps="many")
    (tmp_path / "step-000005.safetensors").write_bytes(b"no checkpoint")
    found, why = run_checkpoints(tmp_path)
    assert [(steps, path.stem) for steps, path in found] == [(0, "odd"), (10, "best")]
    (sentence,) = why
    assert "step-000005.safetensors" in sentence and sentence.endswith(".")
