"""Checkpoints, their cards alone, z files, directions, snapshots of a toy run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import flowcore
from flowcore.latents.directions.directions import Direction
from flowcore.latents.directions.files import load_direction, save_direction
from flowcore.model import card as cards
from flowcore.model.checkpoint import load, update_card
from flowcore.model.codec import load_latent, save_latent
from flowcore.model.weights import fingerprint
from flowcore.plane.config import ToyConfig
from flowcore.plane.schedule import snapshot_schedule
from flowcore.plane.trainer import ToyTrainer
from flowcore.theory.convolution import read_learned
from tests.fuzz.harness import Target
from tests.fuzz.mutate import safetensors

from ._files import by

SMALL = (
    {"system": "glow", "shape": [3, 4, 4], "levels": 2, "steps": 1, "width": 4, "classes": 2},
    {"system": "glow", "shape": [1, 4, 4], "levels": 1, "steps": 1, "width": 4, "permutation": "reverse"},
    {"system": "glow-plus", "shape": [1, 4, 4], "levels": 2, "steps": 1, "width": 4, "split_width": 4},
    {"system": "realnvp", "shape": [1, 4, 4], "levels": 2, "width": 2, "blocks": 1},
    {"system": "nice", "shape": [2], "depth": 2, "width": 4, "hidden": 1},
    {"system": "spline", "shape": [2], "depth": 2, "width": 4, "hidden": 1},
    {"system": "continuous", "shape": [2], "width": 4},
    {"system": "stack", "shape": [2], "layers": [{"kind": "lu"}, {"kind": "affine", "copies": "x"}], "width": 4},
)  # fmt: skip


def _models() -> list[bytes]:
    torch.manual_seed(0)
    card = {"name": "a", "held_out": {"bpd_quantiles": [1.0, 2.0, 3.0]}, "classes": ["0", "1"]}
    return [by(lambda path, own=own: flowcore.save(path, flowcore.build(own), card)) for own in SMALL]


def _load(path: Path) -> None:
    loaded = load(path)
    loaded.flow.initialised_flag.fill_(True)
    flow = loaded.flow
    label = torch.zeros(1, dtype=torch.long) if flow.num_classes else None
    with torch.no_grad():
        flow.decode(torch.zeros(1, flow.num_dims), label)


def _read_card(path: Path) -> None:
    card = cards.read_card(path)
    cards.default_temperature(card), cards.class_names(card), cards.eye_positions(card), cards.held_out_bpd(card)
    cards.likelier_than(card, 2.0), cards.typicality(card, 2.0), cards.held_out_norms(card, 1), fingerprint(path)


def _learned(path: Path) -> None:
    for step in read_learned(path)[1]:
        assert np.isfinite(step.det)


def _directions() -> list[bytes]:
    vector = np.linspace(-1, 1, 6, dtype=np.float32)
    direction = Direction("smile", vector, 1.0, "faces", "0" * 32, (0, 1), {"from": "two piles"})
    return [by(lambda path: save_direction(path, direction))]


def _latents() -> list[bytes]:
    return [by(lambda path: save_latent(path, np.arange(5, dtype=np.float32), {"model": "faces", "label": 3}))]


def _snapshots() -> list[bytes]:
    trainers = [ToyTrainer(ToyConfig(flow=flow, depth=2, width=8)) for flow in ("realnvp", "spline")]
    for trainer in trainers:
        trainer.step()
    return [trainer.snapshot() for trainer in trainers]


def _read_snapshot(path: Path) -> None:
    data = path.read_bytes()
    snapshot_schedule(data)
    ToyTrainer.from_snapshot(data)


TARGETS = [
    Target("checkpoint", ".safetensors", _models, _load, safetensors),
    Target("card", ".safetensors", _models, _read_card, safetensors),
    Target("card-changed", ".safetensors", _models, lambda path: update_card(path, title="other"), safetensors),
    Target("learned", ".safetensors", lambda: _models()[:1], _learned, safetensors),
    Target("direction", ".safetensors", _directions, load_direction, safetensors),
    Target("latent", ".safetensors", _latents, load_latent, safetensors),
    Target("snapshot", ".bin", _snapshots, _read_snapshot, safetensors),
]
