"""hf:NAME, with a stand-in for the package `datasets` that gives what the real one gives."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image as PillowImage

from flowcore.data.datasets import open_dataset
from flowcore.data.survey import survey
from flowcore.errors import DataError


class Image:
    """The feature of a column of pictures."""

    def __init__(self, decode: bool = True) -> None:
        self.decode = decode


class ClassLabel:
    def __init__(self, names: list[str]) -> None:
        self.names = names


class Value:
    pass


class Dataset:
    """As much of datasets.Dataset as is used: columns of rows, typed by features."""

    def __init__(self, features: dict, rows: list[dict]) -> None:
        self.features, self.rows = features, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | str) -> object:
        if isinstance(key, str):
            return [row[key] for row in self.rows]
        row = dict(self.rows[key])
        if any(isinstance(feature, Image) and feature.decode for feature in self.features.values()):
            raise AssertionError("pictures are to be read by this program's own reader")
        return row

    def cast_column(self, name: str, feature: object) -> Dataset:
        return Dataset({**self.features, name: feature}, self.rows)


def encoded(seed: int) -> bytes:
    file = io.BytesIO()
    array = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    PillowImage.fromarray(array).save(file, "PNG")
    return file.getvalue()


def rows(start: int, count: int) -> list[dict]:
    return [{"image": {"bytes": encoded(start + i), "path": None}, "label": i % 2} for i in range(count)]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("datasets")
    features = {"note": Value(), "image": Image(), "label": ClassLabel(["owl", "bee"])}
    splits = {"train": Dataset(features, rows(0, 40)), "test": Dataset(features, rows(100, 6))}

    def load_dataset(name: str, split: str | None = None) -> object:
        if name != "someone/birds":
            raise FileNotFoundError(f"Dataset '{name}' doesn't exist on the Hub.\nmore lines")
        return dict(splits) if split is None else splits[split]

    vars(module).update(Image=Image, load_dataset=load_dataset, splits=splits)
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


def test_a_data_set_by_name_has_its_own_splits_and_classes(hub: ModuleType) -> None:
    for memory in (0, 2**40):
        train, held, test = (
            open_dataset("hf:someone/birds", split, memory=memory) for split in ("train", "validation", "test")
        )
        assert (len(train), len(held), len(test)) == (38, 2, 6) and train.name == "hf:someone/birds"
        assert test.classes == ["bee", "owl"] and [test.classes[i] for i in test.labels] == ["owl", "bee"] * 3
        whole = np.asarray(PillowImage.open(io.BytesIO(encoded(103))))
        assert test.names[3] == "test 3" and np.array_equal(test.pictures[3], whole)
        assert train.streamed == (memory == 0)
    lone = open_dataset("hf:someone/birds:test", "train", validation=0.2)
    assert len(lone) == 4 and all(name.isdigit() for name in lone.names)


def test_pictures_without_labels_and_broken_ones(hub: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "4.png").write_bytes(encoded(4))
    broken = [{"image": {"bytes": b"not a picture", "path": None}}, {"image": None}]
    there = [{"image": {"bytes": encoded(3), "path": None}}, {"image": {"bytes": None, "path": str(tmp_path / "4.png")}}]
    hub.splits["odd"] = Dataset({"image": Image()}, there + broken)
    data = open_dataset("hf:someone/birds:odd")
    assert data.labels is None and data.names == ["0", "1"] and [name for name, _ in data.skipped] == ["2", "3"]
    found = survey("hf:someone/birds:odd")
    assert found.kind == "hub" and found.count == 2 and found.left_out == data.skipped


def test_what_cannot_be_loaded_is_a_sentence(hub: ModuleType) -> None:
    hub.splits["words"] = Dataset({"text": Value()}, [{"text": "a"}])
    hub.splits["none"] = Dataset({"image": Image()}, [])
    for name, word in (
        ("hf:", "no data set"), ("hf:nobody/nothing", "doesn't exist"), ("hf:someone/birds:words", "it has text"),
        ("hf:someone/birds:none", "no pictures"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=word) as caught:
            open_dataset(name)
        assert name in str(caught.value) and str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_without_the_package_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'flow-explorer\[hf\]'"):
        open_dataset("hf:someone/birds")
