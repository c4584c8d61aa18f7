"""A fingerprint of a checkpoint's weights: of the tensors that make the model, and of nothing else."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from flowcore import build
from flowcore.errors import CheckpointError
from flowcore.model import checkpoint
from flowcore.model.weights import check_weights, fingerprint

WRITTEN = Path(__file__).resolve().parents[2] / "fixtures" / "853f5d9"


@pytest.fixture
def flow():
    torch.manual_seed(0)
    return build({"system": "nice", "shape": [2], "depth": 2, "width": 4, "hidden": 1})


def header_of(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write(path: Path, header: dict, body: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def test_it_is_the_same_on_every_machine():
    assert fingerprint(WRITTEN / "models" / "glow.safetensors") == "480fceecb721b0dd"
    assert fingerprint(WRITTEN / "models" / "stack.safetensors") == "acd791e45e260389"


def test_the_card_the_name_and_the_trainers_tensors_are_no_part_of_it(flow, tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, flow, {"name": "a"})
    known = fingerprint(path)
    assert len(known) == 16 and int(known, 16) >= 0
    checkpoint.update_card(path, title="Another title", bpd=3.0)
    assert fingerprint(path) == known
    checkpoint.save(tmp_path / "b.safetensors", flow, {"name": "b"}, {"train.raw": torch.ones(3)}, {"training": "{}"})
    assert fingerprint(tmp_path / "b.safetensors") == known


def test_one_number_a_name_a_type_or_a_shape_makes_another(flow, tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, flow, {"name": "a"})
    header, body = header_of(path)
    name = next(name for name in header if name != "__metadata__" and len(header[name]["shape"]) == 2)
    turned = {**header, name: {**header[name], "shape": header[name]["shape"][::-1]}}
    renamed = {f"{key}x" if key == name else key: value for key, value in header.items()}
    retyped = {**header, name: {**header[name], "dtype": "I32"}}
    known = {fingerprint(path)}
    for changed in (turned, renamed, retyped):
        known.add(fingerprint(write(tmp_path / "b.safetensors", changed, body)))
    known.add(fingerprint(write(tmp_path / "b.safetensors", header, bytes([body[0] ^ 1]) + body[1:])))
    checkpoint.save(tmp_path / "half.safetensors", flow, {"name": "a"}, half=True)
    known.add(fingerprint(tmp_path / "half.safetensors"))
    assert len(known) == 6


def test_the_order_in_the_file_does_not_count(flow, tmp_path):
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, flow, {"name": "a"})
    header, body = header_of(path)
    moved, at, parts = {"__metadata__": header["__metadata__"]}, 0, []
    for name in sorted((key for key in header if key != "__metadata__"), reverse=True):
        start, stop = header[name]["data_offsets"]
        moved[name] = {**header[name], "data_offsets": [at, at + stop - start]}
        parts.append(body[start:stop])
        at += stop - start
    assert fingerprint(write(tmp_path / "b.safetensors", moved, b"".join(parts))) == fingerprint(path)


def test_a_file_that_is_replaced_is_read_again(flow, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    checkpoint.save(run / "last.safetensors", flow, {"name": "a"})
    first = fingerprint(run)
    status = (run / "last.safetensors").stat()
    with torch.no_grad():
        next(flow.parameters()).add_(1)
    checkpoint.save(run / "last.safetensors", flow, {"name": "a"})
    os.utime(run / "last.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert (run / "last.safetensors").stat().st_size == status.st_size
    second = fingerprint(run)
    assert second != first
    shutil.copy(run / "last.safetensors", run / "best.safetensors")
    assert fingerprint(run) == fingerprint(run / "best.safetensors") == second
    check_weights(run, second)
    with pytest.raises(CheckpointError, match=f"other weights than those that this z is of \\({first}\\)"):
        check_weights(run, first)


def test_a_file_without_weights_has_none_to_be_known_by(tmp_path):
    assert fingerprint(write(tmp_path / "a.safetensors", {"__metadata__": {}}, b"")) == ""


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": "U8", "data_offsets": [0, 4]}, {"dtype": "U8", "shape": [4], "data_offsets": [-8, 4]},
        {"dtype": "U8", "shape": [4], "data_offsets": ["0", 4]}, {"dtype": "U8", "shape": [4], "data_offsets": [0, 1, 4]},
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused(tensor, tmp_path):
    with pytest.raises(CheckpointError):
        fingerprint(write(tmp_path / "a.safetensors", {"x": tensor}, b"1234"))
    with pytest.raises(CheckpointError, match="no model"):
        fingerprint(tmp_path / "nothing.safetensors")
