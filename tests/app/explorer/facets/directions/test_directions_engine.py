"""Directions on the real engine: made, saved, opened, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.engine.requests import directions as rd
from flow_explorer.engine.requests import explorer as r
from flow_explorer.explorer.facets.directions.link import AMOUNTS
from flowcore.errors import ConfigError


@pytest.fixture(scope="module")
def small_model(tmp_path_factory) -> Path:
    """A checkpoint of a small Glow of 16×16 colour pictures."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    torch.manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=2, width=16)
    flow.initialise(torch.rand(16, 3, 16, 16) * 255)
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    checkpoint.save(path, flow.eval(), {"name": "small", "title": "Small", "system": "glow", "size": [16, 16], "channels": 3,
                                        "default_temperature": 0.7, "default_seed": 0, "held_out": None})  # fmt: skip
    return path


def ask(engine, request) -> list:
    """Every answer to a request; raises what it failed with."""
    answers, errors = [], []
    engine.send(request, on_answer=answers.append, on_error=lambda sentence, _details: errors.append(sentence))
    assert engine.wait_until_idle(60_000)
    if errors:
        raise ConfigError(errors[0])
    return answers


def test_the_engine_makes_saves_opens_and_moves(engine, small_model, tmp_path):
    from flowcore.pictures.images import save_png

    rng = np.random.default_rng(0)
    for name, bright in (("bright", 90), ("dark", 0)):
        (tmp_path / name).mkdir()
        for index in range(6):
            save_png(tmp_path / name / f"{index}.png", rng.integers(40 + bright, 90 + bright, (20, 20, 3)).astype(np.uint8))
    (tmp_path / "bright" / "broken.png").write_bytes(b"not a picture")
    model = str(small_model)
    (listed,) = ask(engine, rd.ListDirections(model, ""))
    assert listed.cards == () and listed.vectors.shape == (0, 768)
    (made,) = ask(engine, rd.FromFolders(model, "small", "Bright", str(tmp_path / "bright"), str(tmp_path / "dark")))
    (found,) = made.cards
    assert found["quality"]["how"] == "cross-validated" and found["quality"]["score"] == 1.0 and found["made"]["more"] == 6
    assert [name for name, _ in made.skipped] == ["broken.png"] and found["fingerprint"] == listed.fingerprint
    path = tmp_path / "bright.safetensors"
    vector_made = np.array(made.vectors[0])
    ask(engine, rd.SaveDirection(str(path), vector_made, json.dumps(found)))
    (opened,) = ask(engine, rd.OpenDirection(model, str(path)))
    v = np.array(opened.vectors)
    assert opened.cards[0]["name"] == "Bright" and np.corrcoef(v[0], vector_made)[0, 1] > 0.9999
    (page,) = ask(engine, r.SamplePage(model, 1, 0, 1, 0.7))
    z, before = np.array(page.z[0]), np.array(page.pictures[0])
    unmoved, _ = ask(engine, rd.Edit(model, z, v, ((0, 0.0, found["deviation"], None, ()),)))
    assert np.array_equal(unmoved.picture, before) and np.array_equal(unmoved.z, z)
    picture, last = ask(engine, rd.Edit(model, z, v, ((0, 2.0, found["deviation"], None, ()),)))
    assert picture.picture.mean() > before.mean() + 10 and np.isfinite(last.bpd) and last.done
    limited, _ = ask(engine, rd.Edit(model, z, v, ((0, 2.0, found["deviation"], (1,), ()),)))
    assert np.array_equal(limited.z[:384], z[:384]) and not np.array_equal(limited.z, z)
    frames = {}
    for part in ask(engine, rd.Strip(model, z, v, (), (0, 0.0, found["deviation"], None, ()), AMOUNTS)):
        frames |= dict(zip(AMOUNTS[part.first :], np.array(part.pictures), strict=False))
    assert np.array_equal(frames[0.0], before) and np.array_equal(frames[2.0], picture.picture)
    (axes,) = ask(engine, rd.FromLatents(model, "small", "Axes", np.random.default_rng(0).normal(size=(8, 768)).astype("f4"),
                                         np.zeros((0, 768), "f4"), 2))  # fmt: skip
    assert [c["name"] for c in axes.cards] == ["Axes, axis 1", "Axes, axis 2"]


def test_the_engine_refuses_another_models_direction_and_an_empty_folder(engine, small_model, tmp_path):
    from flowcore.latents.directions.directions import Direction
    from flowcore.latents.directions.files import save_direction

    path = tmp_path / "theirs.safetensors"
    save_direction(path, Direction("Theirs", np.ones(768, np.float32), 1.0, "theirs", "f" * 32, (0, 1)))
    with pytest.raises(ConfigError, match="'Theirs' is a direction of another model"):
        ask(engine, rd.OpenDirection(str(small_model), str(path)))
    (listed,) = ask(engine, rd.ListDirections(str(small_model), str(tmp_path)))
    assert listed.cards == () and "another model" in listed.problems[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no pictures in"):
        ask(engine, rd.FromFolders(str(small_model), "small", "x", str(tmp_path / "empty"), str(tmp_path)))
    (tmp_path / "empty" / "a.png").write_bytes(b"no")
    with pytest.raises(ConfigError, match="No picture of empty can be read"):
        ask(engine, rd.FromFolders(str(small_model), "small", "x", str(tmp_path / "empty"), axes=2))
