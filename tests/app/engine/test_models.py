"""The models that the engine keeps loaded, and those that it holds for somebody."""

from __future__ import annotations

import gc
import os
import weakref
from pathlib import Path

import pytest
import torch

from flow_explorer.engine.models import ModelCache
from flowcore import build, save
from flowcore.errors import CheckpointError


@pytest.fixture
def paths(tmp_path) -> list[Path]:
    made = []
    for number in range(4):
        flow = build({"system": "glow", "shape": [1, 8, 8], "levels": 1, "steps": 1, "width": 4})
        flow.initialise(torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(number)) * 255)
        made.append(tmp_path / f"{number}.safetensors")
        save(made[-1], flow, {"name": str(number), "size": [8, 8], "channels": 1, "system": "glow"})
    return made


@pytest.fixture
def cache() -> ModelCache:
    return ModelCache(lambda: torch.device("cpu"))


def test_the_last_two_are_kept_and_a_changed_file_is_read_again(cache, paths):
    first, second = cache.get(str(paths[0])), cache.get(str(paths[1]))
    assert cache.get(str(paths[0])) is first
    cache.get(str(paths[2]))
    assert cache.get(str(paths[0])) is first and cache.get(str(paths[1])) is not second
    os.replace(paths[3], paths[0])
    assert cache.get(str(paths[0])).card["name"] == "3"


def test_one_that_is_held_takes_no_others_place_and_stays(cache, paths):
    kept = [cache.get(str(path)) for path in paths[:2]]
    held = cache.get(str(paths[2]), hold="right")
    assert [cache.get(str(path)) for path in paths[:2]] == kept
    assert cache.get(str(paths[2])) is held and cache.get(str(paths[2]), hold="right") is held
    assert [cache.get(str(path)) for path in paths[:2]] == kept
    cache.get(str(paths[3]))
    cache.get(str(paths[1]))
    assert cache.get(str(paths[2]), hold="right") is held
    # One that is there already is not read twice.
    assert cache.get(str(paths[1]), hold="left") is kept[1]


def test_its_memory_is_given_back(cache, paths):
    held = weakref.ref(cache.get(str(paths[0]), hold="right").flow)
    again = weakref.ref(cache.get(str(paths[1]), hold="right").flow)
    gc.collect()
    assert held() is None and again() is not None
    cache.release("right")
    cache.release("right")
    gc.collect()
    assert again() is None
    cache.get(str(paths[0]), hold="left")
    cache.clear()
    assert not cache._held


def test_one_that_cannot_be_read_leaves_nothing_held(cache, paths, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no model")
    cache.get(str(paths[0]), hold="right")
    with pytest.raises(CheckpointError):
        cache.get(str(broken), hold="right")
    assert not cache._held and cache.get(str(paths[0]), hold="right").card["name"] == "0"
