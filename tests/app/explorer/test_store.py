"""A key always means the same content; what was written as JSON comes back exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flow_explorer.explorer.store import DECODED, Store
from flowcore.errors import ConfigError, PictureError
from flowcore.latents.as_json import latent_from_dict, latent_to_dict


def test_the_same_content_has_one_key(png):
    store = Store()
    assert store.put_picture(png()) == store.put_picture(png()) != store.put_picture(png((1, 2, 3)))
    z = np.arange(6, dtype=np.float32)
    assert store.put_latent(z) == store.put_latent(z.copy()) != store.put_latent(z.astype(np.float64))
    assert len(store) == 4


def test_a_kept_latent_is_a_copy_that_cannot_be_changed():
    store, z = Store(), np.ones(4, np.float32)
    key = store.put_latent(z)
    z[0] = 7
    assert store.latent(key)[0] == 1
    with pytest.raises(ValueError):
        store.latent(key)[0] = 2


def test_what_cannot_be_read_is_not_kept():
    store = Store()
    with pytest.raises(PictureError, match=r"holiday\.png"):
        store.put_picture(b"not a picture", "holiday.png")
    assert len(store) == 0


def test_pictures_are_decoded_again_when_forgotten(png):
    store = Store()
    keys = [store.put_picture(png((value, 0, 0))) for value in range(DECODED + 3)]
    for value, key in enumerate(keys):
        assert tuple(store.picture(key).pixels[0, 0]) == (value, 0, 0, 255)


def test_json_round_trip(png):
    store, other = Store(), Store()
    z = np.random.default_rng(0).normal(size=12)
    keys = {store.put_picture(png()), store.put_latent(z), store.put_latent(z.astype(np.float32))}
    moved = other.load_dict(json.loads(json.dumps(store.to_dict(keys))))
    assert set(moved) == keys == set(moved.values())
    for key in keys:
        if key.startswith("z"):
            assert other.latent(key).tobytes() == store.latent(key).tobytes()
        else:
            assert other.blob(key) == store.blob(key)


@pytest.mark.parametrize(
    "entry",
    [
        None, {}, {"dtype": "object", "data": "AAAA"}, {"dtype": "float32", "data": "AAA"}, {"dtype": "float32"},
        {"dtype": "float32", "data": "AACAfw=="}, {"dtype": "float64", "data": "AAAA"}, {"dtype": "float32", "data": 3},
    ],
)  # fmt: skip
def test_a_damaged_latent_is_refused(entry):
    with pytest.raises(ConfigError):
        latent_from_dict(entry)


def test_latent_bytes_are_little_endian():
    assert latent_to_dict(np.array([1.0], ">f4"))["data"] == latent_to_dict(np.array([1.0], "<f4"))["data"]


def test_prune(png):
    store = Store()
    keep, drop = store.put_picture(png()), store.put_latent(np.ones(3))
    store.prune({keep})
    assert keep in store and drop not in store
