"""The byte-exact promise, on ugly pictures too; checkpoints that are whole or refused."""
from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from flowcore.bijections import DiagonalScale
from flowcore.errors import CheckpointError, ConfigError, DataError, FlowError
from flowcore.model import checkpoint
from flowcore.model.card import likelier_than, read_card, typicality
from flowcore.model.codec import (
    decode_picture,
    double_of,
    encode_picture,
    load_latent,
    save_latent,
    to_pixels,
)
from flowcore.model.evaluation import bits_per_dim, bits_per_picture, held_out_summary, score
from flowcore.model.systems import build

SIZE = 8
ARCHITECTURE = dict(system="glow", shape=[3, SIZE, SIZE], levels=2, steps=3, width=16)


def ugly_pictures(size: int, channels: int) -> dict[str, np.ndarray]:
    """What nobody trains on: noise, flat, stripes, checkerboard, salt."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((size, size))
    shape = (size, size, channels)

    def spread(mask):
        return np.repeat((mask * 255).astype(np.uint8)[..., None], channels, 2)

    return {
        "noise": rng.integers(0, 256, shape, dtype=np.uint8),
        "black": np.zeros(shape, np.uint8),
        "white": np.full(shape, 255, np.uint8),
        "stripes": spread(rows % 2),
        "columns": spread(columns % 2),
        "checkerboard": spread((rows + columns) % 2),
        "salt": np.where(rng.random(shape) < 0.05, 255, 0).astype(np.uint8),
    }


@pytest.fixture(scope="module")
def flow():
    """A small Glow after 200 real steps on smooth pictures."""
    torch.manual_seed(0)
    flow = build(ARCHITECTURE)
    rng = np.random.default_rng(0)
    rows, columns = np.indices((SIZE, SIZE)) / SIZE
    optimiser = torch.optim.Adam(flow.parameters(), lr=1e-3)
    flow.train()
    for _ in range(200):
        a, b, c = rng.random((3, 16, 1, 1, 3))
        smooth = 40 + 170 * (a * rows[None, ..., None] + b * columns[None, ..., None]) / 2 + 30 * c
        x = torch.from_numpy(smooth).float().permute(0, 3, 1, 2) + torch.rand(16, 3, SIZE, SIZE)
        flow.initialise(x)
        optimiser.zero_grad()
        flow.bits_per_dim(flow.log_prob(x)).mean().backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
        optimiser.step()
    return flow.eval()


@pytest.fixture
def card(flow):
    return {"name": "test", "system": "glow", "size": [SIZE, SIZE], "channels": 3}


@pytest.mark.parametrize("name", ugly_pictures(2, 1))
def test_any_picture_comes_back_byte_for_byte(flow, name):
    picture = ugly_pictures(SIZE, 3)[name]
    encoded = encode_picture(flow, picture)
    assert encoded.differing == 0
    assert encoded.z.shape == (3 * SIZE * SIZE,)
    assert encoded.max_error < 0.25
    assert np.array_equal(decode_picture(flow, encoded.z), picture)
    assert np.isfinite(encoded.bpd)


def test_a_changed_number_changes_the_picture(flow):
    picture = ugly_pictures(SIZE, 3)["noise"]
    z = encode_picture(flow, picture).z.copy()
    z[7] += 1.0
    assert not np.array_equal(decode_picture(flow, z), picture)


def test_trained_flow_in_double_is_exact_to_nine_digits(flow):
    double = double_of(flow)
    pictures = np.stack(list(ugly_pictures(SIZE, 3).values()))
    with torch.no_grad():
        x = to_pixels(pictures, double)
        assert (double.decode(double.encode(x)[0]) - x).abs().max() < 1e-9 * 256


def test_doubles_follow_the_weights(flow):
    import copy

    other = copy.deepcopy(flow)
    before = double_of(other)
    assert double_of(other) is before
    with torch.no_grad():
        next(other.parameters()).add_(0.1)
    assert double_of(other) is not before


def test_float32_falls_back_to_float64_where_it_is_not_enough(flow, monkeypatch):
    monkeypatch.setattr("flowcore.model.codec.MARGIN", 0.0)
    encoded = encode_picture(flow, ugly_pictures(SIZE, 3)["noise"])
    assert encoded.z.dtype == np.float64
    assert np.array_equal(decode_picture(flow, encoded.z), ugly_pictures(SIZE, 3)["noise"])


def test_wrong_size_is_a_sentence(flow):
    with pytest.raises(ConfigError, match="8×8 in colour"):
        encode_picture(flow, np.zeros((SIZE, SIZE, 1), np.uint8))


def test_early_samples_are_finite_and_bounded():
    """Eight steps at 5e-4 without warm-up, where most implementations break."""
    torch.manual_seed(1)
    flow = build(dict(system="glow", shape=[3, 16, 16], levels=2, steps=8, width=64))
    optimiser = torch.optim.Adam(flow.parameters(), lr=5e-4)
    rng = np.random.default_rng(1)
    for _ in range(8):
        base = rng.integers(0, 200, (8, 1, 1, 3))
        x = torch.from_numpy(np.clip(base + rng.normal(0, 20, (8, 16, 16, 3)), 0, 255)).float().permute(0, 3, 1, 2)
        flow.initialise(x)
        optimiser.zero_grad()
        flow.bits_per_dim(flow.log_prob(x)).mean().backward()
        optimiser.step()
    flow.eval()
    with torch.no_grad():
        x = flow.decode(flow.sample(64, 1.0, seed=0))
    assert torch.isfinite(x).all()
    assert x.abs().max() < 256 * 20


def test_latent_files(tmp_path, flow):
    for dtype in (np.float32, np.float64):
        z = np.arange(6, dtype=dtype)
        save_latent(tmp_path / "z.safetensors", z, {"model": "test"})
        back, meta = load_latent(tmp_path / "z.safetensors")
        assert back.dtype == dtype
        assert np.array_equal(back, z)
        assert meta["model"] == "test"
    for bad in (b"", b"\x00" * 8, pickle.dumps([1, 2])):
        (tmp_path / "bad.safetensors").write_bytes(bad)
        with pytest.raises(DataError):
            load_latent(tmp_path / "bad.safetensors")
    metadata = {"format": "flow-explorer-latent", "meta": '{"format_version": 1}'}
    save_file({"z": np.array([np.nan], np.float32)}, tmp_path / "nan.safetensors", metadata)
    with pytest.raises(DataError, match="finite"):
        load_latent(tmp_path / "nan.safetensors")


# -- checkpoints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [False, True])
def test_checkpoint_comes_back(tmp_path, flow, card, half):
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, flow, card, {"train.step": torch.ones(1)}, half=half)
    loaded = checkpoint.load(path)
    assert loaded.card["architecture"]["system"] == "glow"
    z = flow.sample(2, 0.7, seed=1)
    with torch.no_grad():
        difference = (loaded.flow.decode(z) - flow.decode(z)).abs().max()
    assert difference == 0 if not half else difference < 8
    assert not list(tmp_path.glob("*.part"))


def test_a_run_folder_gives_its_best(tmp_path, flow, card):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        read_card(tmp_path)
    checkpoint.save(tmp_path / "last.safetensors", flow, {**card, "name": "last"})
    assert read_card(tmp_path)["name"] == "last"
    checkpoint.save(tmp_path / "best.safetensors", flow, {**card, "name": "best"})
    assert checkpoint.load(tmp_path).card["name"] == "best"


def _rewrite(path: Path, metadata: dict | None = None, tensors: Callable[[dict], dict] | None = None) -> None:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        old = {name: file.get_tensor(name) for name in file.keys()}
        meta = dict(file.metadata())
    save_file(old if tensors is None else tensors(old), path, metadata={**meta, **(metadata or {})})


def hostile(path: Path, kind: str) -> None:
    """Make a good checkpoint bad in one way."""
    data = path.read_bytes()
    card = read_card(path)
    if kind == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"model": [1, 2, 3]}))
    elif kind == "long header":
        path.write_bytes((2**62).to_bytes(8, "little") + data[8:])
    elif kind == "nested":
        deep = b"[" * 100_000
        path.write_bytes(len(deep).to_bytes(8, "little") + deep)
    elif kind == "wrong shapes":
        _rewrite(path, tensors=lambda old: {**old, "layers.2.bias": np.zeros(99, np.float32)})
    elif kind == "lacking":
        _rewrite(path, tensors=lambda old: {k: v for k, v in old.items() if k != "layers.2.bias"})
    elif kind == "too much":
        _rewrite(path, tensors=lambda old: {**old, "unknown": np.zeros(3, np.float32)})
    elif kind == "nan":
        _rewrite(path, tensors=lambda old: {**old, "layers.2.bias": np.full_like(old["layers.2.bias"], np.nan)})
    elif kind == "other version":
        _rewrite(path, metadata={"card": json.dumps({**card, "format_version": 99})})
    elif kind == "no card":
        _rewrite(path, metadata={"format": "something else"})
    elif kind == "card is no table":
        _rewrite(path, metadata={"card": "[1, 2]"})
    elif kind == "huge":
        huge = {**card["architecture"], "width": 4096, "steps": 256, "shape": [3, 512, 512]}
        _rewrite(path, metadata={"card": json.dumps({**card, "architecture": huge})})
    elif kind == "unknown system":
        _rewrite(path, metadata={"card": json.dumps({**card, "architecture": {"system": "__import__('os')"}})})


@pytest.mark.parametrize(
    "kind",
    ["truncated", "empty", "pickle", "long header", "nested", "wrong shapes", "lacking", "too much", "nan",
     "other version", "no card", "card is no table", "huge", "unknown system"],
)  # fmt: skip
def test_a_bad_checkpoint_is_one_sentence(tmp_path, flow, card, kind):
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, flow, card)
    hostile(path, kind)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 400


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing.safetensors"):
        with pytest.raises(CheckpointError):
            read_card(tmp_path / name)


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path, flow, card):
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, flow, card)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        checkpoint.save(path, flow, {**card, "bpd": float("nan")})
    assert path.read_bytes() == before
    with pytest.raises(CheckpointError, match="cannot be written"):
        checkpoint.save(tmp_path / "missing" / "model.safetensors", flow, card)


# -- figures --------------------------------------------------------------------------------------------------------


def test_bits_per_dim_by_hand(flow):
    pictures = np.stack(list(ugly_pictures(SIZE, 3).values()))
    values = bits_per_picture(flow, pictures)
    with torch.no_grad():
        by_hand = -flow.log_prob(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() + 0.5) / (3 * SIZE**2 * np.log(2))
    assert np.allclose(values, by_hand.numpy(), rtol=1e-5)


def test_dequantisation_noise_belongs_to_the_picture(flow):
    pictures = np.stack(list(ugly_pictures(SIZE, 3).values()))
    whole = bits_per_picture(flow, pictures, seed=1, batch=7)
    assert np.allclose(bits_per_picture(flow, pictures, seed=1, batch=2), whole, rtol=1e-5)
    assert not np.allclose(bits_per_picture(flow, pictures, seed=2), whole)
    result = bits_per_dim(flow, pictures, seed=1)
    assert result.count == len(pictures)
    assert np.isclose(result.standard_error, whole.std(ddof=1) / np.sqrt(len(whole)), rtol=1e-4)
    with pytest.raises(DataError):
        bits_per_dim(flow, pictures[:0])


def test_bits_per_dim_of_a_density_that_is_known():
    """NICE with no coupling to speak of is a logistic of one width; its best bits on uniform pixels can be worked out."""
    flow = build(dict(system="nice", shape=[1, 4, 4], depth=1, width=1, hidden=1))
    flow.initialise(torch.zeros(1, 1, 4, 4))
    flow.eval()
    scale = flow.layers[-1]
    assert isinstance(scale, DiagonalScale)
    x = (torch.arange(4096) + 0.5) / 16
    x = x[torch.randperm(4096, generator=torch.Generator().manual_seed(0))].view(256, 1, 4, 4)
    y = (np.arange(4096) + 0.5) / 4096 - 0.5
    for log_scale in (0.0, 1.0, 2.0):
        with torch.no_grad():
            scale.raw_log_scale.fill_(6 * np.arctanh(log_scale / 6))
            measured = flow.bits_per_dim(flow.log_prob(x)).mean().item()
        z = y * np.exp(log_scale)
        expected = np.mean(8 - log_scale / np.log(2) + (z + 2 * np.log1p(np.exp(-z))) / np.log(2))
        assert measured == pytest.approx(expected, abs=1e-4)
        assert measured > 8.0  # no density beats the uniform one on uniform pixels


def test_where_a_picture_stands(flow):
    rng = np.random.default_rng(0)
    held_out = rng.integers(0, 256, (300, SIZE, SIZE, 3), dtype=np.uint8)
    card = {"held_out": held_out_summary(flow, held_out)}
    values = np.sort(bits_per_picture(flow, held_out))
    assert likelier_than(card, values[150]) == pytest.approx(50, abs=1)
    assert typicality(card, values[150]) == pytest.approx(100, abs=2)
    assert likelier_than(card, values[0] - 1) == 100
    assert typicality(card, values[0] - 1) == 0
    assert typicality(card, values[-1] + 1) == 0
    assert likelier_than(card, values[30]) == pytest.approx(90, abs=1)
    assert typicality(card, values[30]) == pytest.approx(20, abs=2)
    assert likelier_than({}, 3.0) is None
    row = score(flow, card, held_out[0])
    assert row["roundtrip_error"] == 0


def test_errors_share_a_base():
    assert issubclass(CheckpointError, FlowError)
