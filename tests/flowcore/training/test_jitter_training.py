"""Pictures cut anew at each visit, from wherever they come: by seed, step and row alone, the held-out ones never."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from flowcore.data.datasets import open_dataset
from flowcore.data.reading import Reading, fit_picture, moved_box
from flowcore.data.rows import visited
from flowcore.data.stream import StreamedPictures
from flowcore.errors import ConfigError, DataError
from flowcore.pictures.images import Picture, read_picture
from flowcore.training import Processes, TrainConfig, architecture_for, train
from flowcore.training.noise import jitters
from flowcore.training.trainer import Trainer

ROOT = Path(__file__).parents[3]
COUNT, SIZE, BOX = 24, 8, (2.5, 1.5, 18.5, 17.5)


def blobs(count: int = COUNT, width: int = 22, height: int = 20, channels: int = 3) -> np.ndarray:
    y, x = np.indices((height, width))[..., None] / 20
    phases = np.random.default_rng(1).uniform(0, 6, (count, 3, 1, 1, 1))
    waves = np.sin(5 * x + phases[:, 0] + 3 * np.sin(4 * y + phases[:, 1]) + phases[:, 2] + np.arange(channels))
    return (127 + 110 * waves).astype(np.uint8)


def ordinary_cuts(sources: np.ndarray) -> np.ndarray:
    method = Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(source).resize((SIZE, SIZE), method, box=BOX)) for source in sources])


@pytest.fixture(params=["folder", "zip", "npz", "npz of the size", "npz with sources", "npy", "grey folder", "grey npz"])
def data(request, tmp_path: Path) -> Path:
    """Twenty-four pictures of 22×20, or of 8×8, in two classes where they have any."""
    kind = request.param
    pictures = blobs(channels=1 if "grey" in kind else 3)
    labels = np.arange(COUNT) % 2
    path = tmp_path / f"data.{kind.split()[0]}"
    if "folder" in kind or kind == "zip":
        folder = tmp_path / "pictures"
        for number, picture in enumerate(pictures):
            (folder / f"class {labels[number]}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.squeeze()).save(folder / f"class {labels[number]}" / f"{number:02}.png")
        if kind != "zip":
            return folder
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*.png")):
                archive.write(file, file.relative_to(folder).as_posix())
    elif kind == "npy":
        np.save(path, pictures)
    elif kind == "npz with sources":
        np.savez(path, x_train=ordinary_cuts(pictures), y_train=labels, x_test=ordinary_cuts(pictures[:6]), y_test=labels[:6],
                 source_train=pictures, box=np.array(BOX))  # fmt: skip
    elif kind == "npz of the size":
        np.savez(path, x=ordinary_cuts(pictures), y=labels)
    else:
        np.savez(tmp_path / "data.npz", x=pictures, y=labels)
        return tmp_path / "data.npz"
    return path


def opened(path: Path, split: str = "train", **options):
    return open_dataset(path, split, SIZE, validation=0.2, **options)


def config(channels: int = 3, **changes) -> TrainConfig:
    base = TrainConfig(
        architecture_for("glow", "tiny", (channels, SIZE, SIZE)), steps=8, batch=5, log_every=4, evaluate_every=4, warm_up=2,
        checkpoint_every=100, flip=True, jitter=True, precision="float32",
    )  # fmt: skip
    return dataclasses.replace(base, **changes)


def test_without_a_move_every_kind_gives_the_ordinary_bytes(data):
    ordinary, anew = opened(data), opened(data, anew=True)
    assert anew.names == ordinary.names and anew.classes == ordinary.classes and anew.shape == ordinary.shape
    assert anew.reading == ordinary.reading and (anew.labels is None) == (ordinary.labels is None)
    assert anew.labels is None or ordinary.labels is None or np.array_equal(anew.labels, ordinary.labels)
    assert np.array_equal(anew.pictures[:], ordinary.pictures[:])
    indices = np.array([3, 0, 3, 7, 1])
    assert np.array_equal(visited(anew.pictures, indices, np.zeros((5, 4))), ordinary.pictures[indices])
    assert np.array_equal(visited(anew.pictures, indices, None), ordinary.pictures[indices])
    some = jitters(0, 0, slice(0, 5)) * np.array([1, 0, 1, 0, 1])[:, None]
    rows = visited(anew.pictures, indices, some)
    same = (rows == ordinary.pictures[indices]).all((1, 2, 3))
    assert list(same) == [False, True, False, True, False]


def test_a_moved_picture_is_cut_from_its_source(data):
    anew, moves = opened(data, anew=True), jitters(5, 2, slice(0, 6))
    indices = np.array([2, 9, 4, 2, 0, 11])
    got = visited(anew.pictures, indices, moves)
    assert got.dtype == np.uint8 and got.shape == (6, SIZE, SIZE, anew.shape[0])
    assert not np.array_equal(got[0], got[3])  # the same picture at two places in a batch
    channels = anew.shape[0]
    for row, index, move in zip(got, indices, moves, strict=True):
        name = anew.names[index]
        if data.is_dir():
            wanted = fit_picture(read_picture(data / name), Reading(), row.shape, move)
        elif data.suffix == ".zip":
            wanted = fit_picture(read_picture(zipfile.ZipFile(data).read(name), name), Reading(), row.shape, move)
        else:
            held = np.load(data)
            number = int(name.split()[-1])
            if data.suffix == ".npz" and "box" in held.files:
                wanted = moved_box(held["source_train"][number], BOX, move, row.shape)
            else:
                source = held[number] if data.suffix == ".npy" else held["x"][number]
                wanted = fit_picture(Picture.from_array(source), Reading(), row.shape, move)
        assert np.array_equal(row, wanted)
        assert row.shape[2] == channels


@pytest.mark.parametrize("memory", [0, 2**40])
def test_a_batch_is_that_of_seed_step_and_row_whatever_the_processes(data, memory):
    anew = opened(data, anew=True, memory=memory)
    channels = anew.shape[0]
    if anew.classes:
        architecture = architecture_for("glow", "tiny", (channels, SIZE, SIZE), classes=2)
        trainer = Trainer(config(architecture=architecture, classes=anew.classes))
    else:
        trainer = Trainer(config(channels))
    for step in (0, 5):
        x, label = trainer.make_batch(anew.pictures, anew.labels, step)
        parts = [trainer.make_batch(anew.pictures, anew.labels, step, rows) for rows in (slice(0, 2), slice(2, 5))]
        assert torch.equal(x, torch.cat([part[0] for part in parts]))
        indices = trainer.batch_indices(step, len(anew))
        if label is not None:
            assert np.array_equal(label.numpy(), anew.labels[indices])
            assert torch.equal(label, torch.cat([part[1] for part in parts if part[1] is not None]))
        plain = Trainer(dataclasses.replace(trainer.config, jitter=False)).make_batch(anew.pictures, anew.labels, step)[0]
        other = Trainer(dataclasses.replace(trainer.config, seed=1)).make_batch(anew.pictures, anew.labels, step)[0]
        assert not torch.equal(x, plain) and not torch.equal(x, other)
        # a picture that is moved by so little is still that picture and none of the others
        moved, still = (batch.flatten(1).floor() for batch in (x, plain))
        distances = torch.cdist(moved, still)
        assert (distances.argmin(1) == torch.arange(5)).all() or len(set(indices)) < 5


def test_a_resumed_run_is_the_unbroken_one_and_another_than_without(data, tmp_path):
    weights = {}

    def run(name: str, stop: int | None = None, **changes):
        anew, held = opened(data, anew=changes.get("jitter", True)), opened(data, "validation")
        steps = iter(range(100))
        trainer = train(
            config(anew.shape[0], **changes), anew, tmp_path / name, held, resume=(tmp_path / name).exists(),
            should_stop=lambda: stop is not None and next(steps) == stop,
        )  # fmt: skip
        weights[name] = [*trainer.flow.state_dict().values(), *trainer.average.state_dict().values()]

    run("whole")
    run("parts", stop=2)
    run("parts")
    run("without", jitter=False)
    assert all(torch.equal(one, other) for one, other in zip(weights["whole"], weights["parts"], strict=True))
    assert not all(torch.equal(one, other) for one, other in zip(weights["whole"], weights["without"], strict=True))


def test_held_out_pictures_are_never_moved(data, tmp_path, monkeypatch):
    from flowcore.training import record

    real, seen = record.bits_per_dim, []

    def looked_at(flow, pictures, *args, **options):
        seen.append(np.array(pictures))
        return real(flow, pictures, *args, **options)

    monkeypatch.setattr(record, "bits_per_dim", looked_at)
    held = opened(data, "validation")
    train(config(held.shape[0]), opened(data, anew=True), tmp_path / "run", held)
    assert len(seen) == 2 and all(np.array_equal(pictures, opened(data, "validation").pictures[:]) for pictures in seen)


def test_pictures_in_an_array_that_nobody_opened_are_their_own_sources():
    pictures = ordinary_cuts(blobs())
    moves, indices = jitters(0, 0, slice(0, 5)), np.array([4, 4, 1, 0, 9])
    rows = visited(pictures, indices, moves)
    for row, index, move in zip(rows, indices, moves, strict=True):
        assert np.array_equal(row, fit_picture(Picture.from_array(pictures[index]), Reading(), row.shape, move))
    assert np.array_equal(visited(pictures, indices, np.zeros((5, 4))), pictures[indices])


def test_what_is_decoded_ahead_is_what_is_asked_for(tmp_path):
    for number, picture in enumerate(blobs()):
        Image.fromarray(picture).save(tmp_path / f"{number:02}.png")
    ahead, alone = (open_dataset(tmp_path, size=SIZE, anew=True).pictures for _ in range(2))
    assert isinstance(ahead, StreamedPictures) and isinstance(alone, StreamedPictures)
    order = [np.random.default_rng(step).permutation(COUNT)[:5] for step in range(12)]
    ahead.follow(lambda step: order[min(step, 11)], 0, lambda step: jitters(1, step, slice(0, 5)))
    asked, request = [], ahead._request
    ahead._request = lambda *args, **options: asked.append(options["urgent"]) or request(*args, **options)
    for step in range(12):
        moves = jitters(1, step, slice(0, 5))
        assert np.array_equal(ahead.visited(order[step], moves), alone.visited(order[step], moves))
    assert not any(asked)  # every batch had been asked for before
    assert not np.array_equal(ahead.visited(order[0], jitters(2, 0, slice(0, 5))), ahead[order[0]])


def test_the_stand_in_of_a_broken_picture_is_moved_as_that_was_and_has_its_class(tmp_path):
    for number, picture in enumerate(blobs()):
        (tmp_path / f"{number % 2}").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / f"{number % 2}" / f"{number:02}.png")
    told = []
    anew = open_dataset(tmp_path, size=SIZE, anew=True, on_broken=lambda *words: told.append(words))
    (tmp_path / anew.names[3]).write_bytes(b"no picture any more")
    moves = jitters(0, 0, slice(0, 2))
    row = visited(anew.pictures, np.array([1, 3]), moves)[1]
    following = next(index for index in range(4, COUNT) if anew.labels[index] == anew.labels[3])
    source = read_picture(tmp_path / anew.names[following])
    assert np.array_equal(row, fit_picture(source, Reading(), row.shape, moves[1])) and len(told) == 1


@pytest.mark.parametrize("value", ["yes", 1, 0, None, 0.5, [True]])
def test_a_setting_that_is_no_yes_or_no_is_a_sentence(value):
    with pytest.raises(ConfigError, match="jitter is true or false"):
        TrainConfig.from_dict({**config().to_dict(), "jitter": value})


def test_a_configuration_without_the_setting_moves_nothing():
    values = config().to_dict()
    del values["jitter"]
    held = TrainConfig.from_dict(json.loads(json.dumps(values)))
    assert held.jitter is False and Trainer(held).moves(0, slice(0, 5)) is None
    assert TrainConfig.from_dict(config().to_dict()) == config()


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"box": np.array([0.0, 0, 23, 20])}, "within the 22×20 pixels"), ({"box": np.array([5.0, 0, 5, 20])}, "box must be"),
     ({"box": np.array([0.0, np.nan, 9, 9])}, "box must be"), ({"box": np.zeros((2, 2))}, "box must be"),
     ({"box": np.array(["a", "b", "c", "d"])}, "box must be"), ({"box": np.array([-1.0, 0, 9, 9])}, "box must be"),
     ({"source_train": blobs(5)}, "no source of"), ({"source_train": blobs(channels=1)}, "no source of"),
     ({"source_train": blobs().astype(float)}, "must be uint8"), ({"source_train": np.zeros(COUNT, np.uint8)}, "N×H×W")],
)  # fmt: skip
def test_sources_that_do_not_fit_are_a_sentence_for_who_asks_for_them(tmp_path, changes, words):
    path = tmp_path / "data.npz"
    arrays = {"x_train": ordinary_cuts(blobs()), "source_train": blobs(), "box": np.array(BOX)}
    np.savez(path, **{**arrays, **changes})
    with pytest.raises(DataError, match=words):
        open_dataset(path, "train", anew=True)
    assert np.array_equal(open_dataset(path, "train", validation=0).pictures[:], arrays["x_train"])


def test_sources_serve_where_the_pictures_are_taken_as_they_are(tmp_path):
    """Cut to another size, the pictures are their own sources: what is moved is then no sharper than what is not."""
    path = tmp_path / "data.npz"
    np.savez(path, x_train=ordinary_cuts(blobs()), source_train=blobs(), box=np.array(BOX))
    small = open_dataset(path, "train", 4, anew=True)
    move, number = np.array([[0.5, 0.5, 0.02, 1.0]]), int(small.names[2].split()[-1])
    wanted = fit_picture(Picture.from_array(ordinary_cuts(blobs())[number]), Reading(), (4, 4, 3), move[0])
    assert np.array_equal(visited(small.pictures, np.array([2]), move)[0], wanted)
    grey = open_dataset(path, "train", anew=True, channels=1)
    cut = moved_box(blobs()[number], BOX, move[0], (SIZE, SIZE, 1))
    assert np.array_equal(visited(grey.pictures, np.array([2]), move)[0], cut)


def test_the_faces_file_holds_the_ordinary_cuts_and_what_they_were_cut_from(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "assets" / "models"))  # as for any script: what lies beside it can be imported
    spec = importlib.util.spec_from_file_location("bundled_data", ROOT / "assets" / "models" / "data.py")
    assert spec is not None and spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    monkeypatch.setattr(maker, "FACES_TEST", 4)
    (tmp_path / "celeba10k").mkdir()
    with zipfile.ZipFile(tmp_path / "celeba10k" / "faces.zip", "w") as archive:
        for number, face in enumerate(blobs(40, 89, 109)):
            Image.fromarray(face).save(tmp_path / "face.jpg", quality=95)
            archive.write(tmp_path / "face.jpg", f"{number:06}.jpg")
    out = tmp_path / "faces.npz"
    monkeypatch.setattr("sys.argv", ["data.py", "faces", str(tmp_path), str(out), "--size", "64"])
    maker.main()
    assert capsys.readouterr().out == "36 train, 4 test pictures\n"
    with np.load(out, allow_pickle=False) as held:
        sources, box = held["source_train"], held["box"]
        assert sources.shape == (36, 109, 89, 3) and tuple(box) == (7.5, 17.5, 81.5, 91.5)
        cuts = [np.asarray(Image.fromarray(face).resize((64, 64), Image.Resampling.LANCZOS, box=tuple(box))) for face in sources]
        assert np.array_equal(held["x_train"], cuts) and held["x_test"].shape == (4, 64, 64, 3)
    anew = open_dataset(out, "train", anew=True)
    assert np.array_equal(anew.pictures[:], open_dataset(out, "train").pictures[:])
    number, move = int(anew.names[0].split()[-1]), np.array([[0.0, 0, 0, 1e-9]])
    assert np.abs(visited(anew.pictures, np.array([0]), move)[0].astype(int) - cuts[number]).max() <= 1


def test_two_processes_see_the_rows_of_one():
    """The same rows, whoever asks for them: what two processes train on together is what one would."""
    pictures = ordinary_cuts(blobs())
    one, both = Trainer(config()), []
    for rank in range(2):
        processes = Processes()
        processes.rank, processes.count = rank, 2
        trainer = Trainer(config())
        trainer.processes = processes
        both.append(trainer.make_batch(pictures, None, 3)[0])
    assert torch.equal(one.make_batch(pictures, None, 3)[0], torch.cat(both))
