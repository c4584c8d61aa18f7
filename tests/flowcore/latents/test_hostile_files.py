"""z files and directions of types that numpy does not know."""

from __future__ import annotations

import json

import pytest

from flowcore.errors import DataError
from flowcore.latents.directions.files import load_direction
from flowcore.model.codec import load_latent

ODD = [("F8_E4M3", [4]), ("BF16", [2]), ("F4", [8]), ("F32", [1] * 65), ("U8", [4]), ("F32", [])]


def written(path, kind: str, name: str, dtype: str, shape: list[int]):
    about = {"format": kind, "card": "{}", "meta": '{"format_version": 1}'}
    text = json.dumps({"__metadata__": about, name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    return path


@pytest.mark.parametrize(("dtype", "shape"), ODD)
def test_a_z_of_another_type_is_refused(dtype, shape, tmp_path):
    with pytest.raises(DataError, match="a z of an unknown kind|damaged"):
        load_latent(written(tmp_path / "a", "flow-explorer-latent", "z", dtype, shape))


@pytest.mark.parametrize(("dtype", "shape"), ODD)
def test_a_direction_of_another_type_is_refused(dtype, shape, tmp_path):
    with pytest.raises(DataError, match="does not hold the vector|damaged"):
        load_direction(written(tmp_path / "a", "flow-explorer-direction", "direction", dtype, shape))
