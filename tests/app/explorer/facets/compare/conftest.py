"""The comparison in front of a person, on an engine that knows it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from flow_explorer.engine.requests.compare import (
    ComparePage,
    DecodeSame,
    Exchange,
    Exchanged,
    PictureRead,
    ReadPicture,
    Release,
    Released,
    Shares,
)
from flow_explorer.engine.requests.explorer import BitsAt, OnePicture, PagePart
from tests.app.explorer.conftest import SIZE, card, to_bytes


def number_of(model: str) -> int:
    """A stand-in's model is a number: that of its file's name, or of its step."""
    digits = "".join(letter for letter in Path(model).stem if letter.isdigit())
    return int(digits or 0)


def read(request: ReadPicture):
    number = number_of(request.model)
    bpd = 4 - number / 1000
    z = (request.picture.astype(np.float32) / 100).ravel()
    yield PictureRead(bpd, z, (), np.full_like(request.picture, number % 256), min(request.drawn, 2))
    yield Shares(8.0, (bpd - 8.5, 0.25, 0.25), done=True)


def decode(request: DecodeSame):
    yield OnePicture(to_bytes(request.z + number_of(request.model) / 10_000))
    yield BitsAt(3 - number_of(request.model) / 1000, done=True)


def page(request: ComparePage):
    for first in range(0, request.count, 4):
        count = min(4, request.count - first)
        pictures = np.full((count, SIZE, SIZE, 3), number_of(request.model) % 256, np.uint8)
        yield PagePart(first, pictures, np.zeros((count, 3)), done=first + count == request.count)


def exchange(request: Exchange):
    shallow = ["shallow" in path for path in (request.left, request.right)]
    yield Exchanged("The number of levels of z differs." if shallow[0] != shallow[1] else "", done=True)


def release(_request: Release):
    yield Released(done=True)


@pytest.fixture
def client(client):
    """The stand-in engine that also knows this facet's requests."""
    client.handlers |= {ReadPicture: read, DecodeSame: decode, ComparePage: page, Exchange: exchange, Release: release}
    return client


@pytest.fixture
def run_folder(tmp_path) -> Path:
    """A training's folder: three that were kept, the best one, the last one."""
    folder = tmp_path / "my-run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for name, steps in (("step-000100", 100), ("step-000200", 200), ("step-000300", 300), ("best", 200), ("last", 350)):
        metadata = {"format": "flow-explorer", "card": json.dumps(card(title="My run", steps=steps))}
        header = json.dumps({"__metadata__": metadata}).encode()
        (folder / f"{name}.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    return folder


@pytest.fixture
def other(make_checkpoint) -> Path:
    """Another model of the same picture size."""
    return make_checkpoint("other-40", title="Other")


@pytest.fixture
def facet(workspace, client):
    """The facet in front, about the first sample; nothing has been chosen."""
    client.run()
    workspace.acts.select(0)
    workspace.look_deeper()
    workspace.acts.show_facet("compare")
    client.run()
    return workspace.controller.facets["compare"]
