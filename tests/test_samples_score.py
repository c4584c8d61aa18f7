"""`make samples-score`: the distance against closed forms, the networks on data that need no learning, and the page."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from flowcore.errors import ConfigError, DataError
from flowcore.model import checkpoint
from flowcore.model.codec import decode_batch
from flowcore.model.priors import LearnedPrior
from flowcore.model.systems import glow
from flowcore.pictures import images
from tests.benchmarks.samples_score import __main__ as command
from tests.benchmarks.samples_score import drawing, page
from tests.benchmarks.samples_score.features import FEATURES, FeatureNetwork, Recipe, accuracy, trained
from tests.benchmarks.samples_score.frechet import Moments, distance, measured, moments, ratio, resampled
from tests.benchmarks.samples_score.networks import floats, trunk, trunk_outputs
from tests.benchmarks.samples_score.subjects import Subject, material
from tests.benchmarks.samples_score.telling_apart import auc, coarse, tell_apart

pytestmark = pytest.mark.usefixtures("one_thread")


# -- the distance -----------------------------------------------------------------------------------------------------


def normal(seed: int, count: int, mean: float = 0.0, scale: float = 1.0, dims: int = 5) -> np.ndarray:
    return mean + scale * np.random.default_rng(seed).standard_normal((count, dims))


def covariance(seed: int, dims: int = 5) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((dims, dims))
    return root @ root.T


def test_a_pile_is_at_no_distance_from_itself_whether_or_not_its_covariance_has_full_rank():
    for count in (400, 3):
        features = moments(normal(0, count))
        assert distance(features, features) == pytest.approx(0.0, abs=1e-6)


def test_the_distance_of_gaussians_is_the_closed_form():
    means, scales = np.array([[0.0, 1.0, -2.0], [3.0, 1.0, 0.5]]), np.array([[1.0, 4.0, 0.0], [9.0, 0.25, 2.0]])
    found = distance(*(Moments(mean, np.diag(scale)) for mean, scale in zip(means, scales, strict=True)))
    assert found == pytest.approx(((means[0] - means[1]) ** 2).sum() + ((np.sqrt(scales[0]) - np.sqrt(scales[1])) ** 2).sum())
    # Covariances that do not commute, in the plane: (tr √M)² = tr M + 2 √det M.
    a, b = covariance(1, 2), covariance(2, 2)
    product = a @ b
    shared = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    assert distance(Moments(np.zeros(2), a), Moments(np.ones(2), b)) == pytest.approx(2 + np.trace(a + b) - 2 * shared)


def test_the_distance_is_symmetric_and_changes_with_no_rotation():
    a, b = Moments(normal(0, 1)[0], covariance(1)), Moments(normal(1, 1)[0], covariance(2))
    assert distance(a, b) == pytest.approx(distance(b, a), rel=1e-9)
    turn = np.linalg.qr(covariance(3))[0]
    turned = [Moments(turn @ m.mean, turn @ m.covariance @ turn.T) for m in (a, b)]
    assert distance(*turned) == pytest.approx(distance(a, b), rel=1e-9)


def test_moments_with_counts_are_those_of_repeated_rows():
    features, counts = normal(0, 6), np.array([2, 0, 1, 3, 0, 1])
    found, repeated = moments(features, counts), np.repeat(features, counts, 0)
    np.testing.assert_allclose(found.mean, repeated.mean(0))
    np.testing.assert_allclose(found.covariance, np.cov(repeated.T))


def test_a_bootstrap_interval_holds_the_distance_narrows_with_more_pictures_and_is_drawn_from_its_seed():
    few = measured(normal(0, 200), normal(1, 200, 1.0), 200)
    many = measured(normal(0, 3200), normal(1, 3200, 1.0), 200)
    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.low < 5.0 < many.high  # five dimensions, each a standard deviation apart
    assert many.high - many.low < (few.high - few.low) / 2
    assert few == measured(normal(0, 200), normal(1, 200, 1.0), 200)
    assert few != measured(normal(0, 200), normal(1, 200, 1.0), 200, seed=1)
    # Resamples of equal piles are apart although the piles are not: what the interval takes out.
    assert resampled(normal(0, 200), normal(0, 200), 50).min() > 0


def test_a_ratio_is_of_two_distances_from_the_same_pictures():
    pictures, near, far = normal(0, 800), normal(1, 800, 1.0), normal(2, 800, 2.0)
    found = ratio(near, far, pictures, 200)
    assert found.value == pytest.approx(measured(near, pictures, 2).value / measured(far, pictures, 2).value)
    assert found.low < 0.25 < found.high
    same = ratio(near, near, pictures, 50)
    assert (same.value, same.low, same.high) == pytest.approx((1.0, 1.0, 1.0))


# -- the networks -----------------------------------------------------------------------------------------------------


def dotted(seed: int, count: int, side: int = 8, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright upper or lower half, which its class says: uint8 (N, side, side, channels), (N,)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, count)
    pictures = rng.integers(0, 120, (count, side, side, channels))
    for picture, number in zip(pictures, classes, strict=True):
        picture[side // 2 * number : side // 2 * (number + 1)] += 120
    return pictures.astype(np.uint8), classes


@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 64, 3), (8, 12, 1), (4, 4, 1), (33, 17, 3)])
def test_a_trunk_gives_as_many_numbers_as_it_says(shape):
    x = floats(np.zeros((2, *shape), np.uint8))
    assert trunk(shape).eval()(x).shape == (2, trunk_outputs(shape))


def test_only_bytes_go_into_a_network():
    with pytest.raises(TypeError, match="uint8"):
        floats(np.zeros((1, 8, 8, 1)))


def test_the_area_under_the_curve_counts_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 30), rng.integers(1, 7, 20)
    pairs = (a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()
    assert auc(a, b) == pytest.approx(pairs)
    assert auc(a, a) == 0.5 and auc(a + 10, b) == 1.0 and auc(a - 10, b) == 0.0


@pytest.mark.parametrize(
    ("shape", "small"),
    [((64, 64, 3), (8, 8, 3)), ((28, 28, 1), (7, 7, 1)), ((32, 48, 3), (8, 12, 3)), ((8, 8, 1), (8, 8, 1)),
     ((5, 5, 3), (5, 5, 3))],  # fmt: skip
)
def test_coarse_pictures_are_means_over_squares(shape, small):
    pictures = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    found = coarse(pictures)
    assert found.shape == (3, *small) and found.dtype == np.uint8
    square = pictures[1, : shape[0] // small[0], : shape[1] // small[1], 0]
    assert abs(found[1, 0, 0, 0] - square.mean()) <= 0.5


def test_a_network_cannot_tell_like_from_like_and_can_tell_what_is_distinct():
    pictures, alike = dotted(0, 240)[0], dotted(1, 240)[0]
    brighter = pictures // 2 + 100
    guessing = tell_apart(pictures, alike, epochs=4)
    assert len(guessing) == 3 and abs(np.mean(guessing) - 0.5) < 0.12
    told = tell_apart(pictures, brighter, seeds=(0,), epochs=4)
    assert told[0] > 0.98
    assert told == tell_apart(pictures, brighter, seeds=(0,), epochs=4)


def test_a_feature_network_learns_is_kept_and_is_not_taken_for_another(tmp_path):
    (pictures, classes), (held, answers) = dotted(0, 320), dotted(1, 100)
    said: list[str] = []
    network = trained(pictures, classes, 2, Recipe(epochs=3), tmp_path, said.append)
    assert len(said) == 3
    right, commonest = accuracy(network, held, answers)
    assert right > 0.95 and commonest == max(answers.mean(), 1 - answers.mean())
    features = network.features(held)
    assert features.shape == (100, FEATURES) and features.dtype == np.float64
    again = trained(pictures, classes, 2, Recipe(epochs=3), tmp_path, said.append)
    assert len(said) == 3
    np.testing.assert_array_equal(again.features(held), features)
    # Trained again elsewhere it is the same; with another seed, or of other pictures, it is another one's.
    np.testing.assert_array_equal(trained(pictures, classes, 2, Recipe(epochs=3)).features(held), features)
    trained(pictures, classes, 2, Recipe(epochs=1, seed=1), tmp_path)
    trained(pictures[:-1], classes[:-1], 2, Recipe(epochs=1), tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_a_damaged_feature_network_is_trained_again(tmp_path):
    pictures, classes = dotted(0, 128)
    features = trained(pictures, classes, 2, Recipe(epochs=1), tmp_path).features(pictures)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    said: list[str] = []
    again = trained(pictures, classes, 2, Recipe(epochs=1), tmp_path, said.append)
    np.testing.assert_array_equal(again.features(pictures), features)
    assert "cannot be used" in said[0] and len(said) == 2


def test_attributes_are_learned_each_for_itself():
    pictures, classes = dotted(0, 400, side=12, channels=3)
    targets = np.stack([classes, 1 - classes, np.ones_like(classes)], 1)
    network = trained(pictures, targets, 3, Recipe(epochs=3, flip=True))
    right, commonest = accuracy(network, pictures, targets)
    assert right > 0.97 and commonest == pytest.approx((2 * max(classes.mean(), 1 - classes.mean()) + 1) / 3)


def test_a_wholly_wrong_network_is_right_on_nothing():
    pictures, classes = dotted(0, 64)
    network = FeatureNetwork(pictures.shape[1:], 2)
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.copy_(torch.tensor([1.0, 0.0]))
    assert accuracy(network, pictures, classes)[0] == pytest.approx(1 - classes.mean())


# -- pictures ---------------------------------------------------------------------------------------------------------

CARD = {"name": "dotted", "title": "Dotted", "system": "glow", "size": [8, 8], "channels": 1, "data": {"name": "dotted"},
        "default_temperature": 0.7, "default_seed": 0}  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """A folder with dotted.npz, of 1,400 training, 20 validation and 300 test pictures by class, and with attributes for it."""
    folder = tmp_path / "data"
    folder.mkdir()
    parts = {"train": dotted(0, 1400), "validation": dotted(2, 20), "test": dotted(1, 300)}
    arrays: dict[str, Any] = {
        f"{key}_{part}": values for part, both in parts.items() for key, values in zip("xy", both, strict=True)
    }
    np.savez(folder / "dotted.npz", **arrays)
    rows = [f"{part} {row},{number},{1 - number}" for part, (_, classes) in parts.items() for row, number in enumerate(classes)]
    (folder / "dotted.csv").write_text("picture,upper,lower\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_the_pictures_that_a_network_learns_from_are_not_those_that_are_set_aside(data, tmp_path):
    found = material(Subject("dotted.npz"), data, tmp_path / "m.safetensors", CARD)
    assert (len(found.learnt), len(found.aside), len(found.held)) == (1225, 175, 300)
    assert found.of_classes and found.answers == ["0", "1"] and found.learnt.labels is None
    train = {picture.tobytes(): number for picture, number in zip(*dotted(0, 1400), strict=True)}
    learnt, aside = ({picture.tobytes() for picture in part.pictures} for part in (found.learnt, found.aside))
    assert not learnt & aside and learnt | aside == set(train)
    np.testing.assert_array_equal([train[picture.tobytes()] for picture in found.aside.pictures], found.aside.targets)
    again = material(Subject("dotted.npz"), data, tmp_path / "m.safetensors", CARD)
    np.testing.assert_array_equal(again.aside.pictures, found.aside.pictures)


def test_a_table_gives_attributes_and_a_conditional_model_its_classes(data, tmp_path):
    table = Subject("dotted.npz", "dotted.csv")
    found = material(table, data, tmp_path / "m.safetensors", CARD)
    assert not found.of_classes and found.answers == ["upper", "lower"] and found.held.targets.shape == (300, 2)
    np.testing.assert_array_equal(found.held.targets.sum(1), 1)
    card = CARD | {"architecture": {"classes": 2}, "classes": ["not lower", "lower"],
                   "data": {"name": "dotted", "labels_from": "lower"}}  # fmt: skip
    found = material(table, data, tmp_path / "m.safetensors", card)
    np.testing.assert_array_equal(found.held.labels, found.held.targets[:, 1])


def test_data_that_are_not_there_or_say_nothing_are_refused_in_a_sentence(data, tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(DataError, match="There is no data at .*--data-folder"):
        material(Subject("elsewhere"), data, path, CARD)
    with pytest.raises(DataError, match="There is no data at"):
        material(Subject("celeba10k", "celeba10k/attributes.npz", maker="faces"), data, path, CARD)
    np.savez(data / "bare.npz", x_train=dotted(0, 40)[0], x_test=dotted(1, 40)[0])
    with pytest.raises(DataError, match="neither classes nor a table"):
        material(Subject("bare.npz"), data, path, CARD)
    with pytest.raises(DataError, match=r"elsewhere\.csv"):
        material(Subject("dotted.npz", "elsewhere.csv"), data, path, CARD)


# -- samples ----------------------------------------------------------------------------------------------------------


def small_flow(classes: int = 0):
    generator = torch.Generator().manual_seed(0)
    flow = glow((1, 8, 8), levels=2, steps=1, width=8, classes=classes)
    flow.initialise(torch.rand(32, 1, 8, 8, generator=generator) * 255)
    if classes:
        assert isinstance(flow.prior, LearnedPrior)
        with torch.no_grad():
            flow.prior.location.add_(torch.randn(flow.prior.location.shape, generator=generator))
    return flow.eval()


@pytest.mark.parametrize(
    ("card", "found"),
    [
        ({}, (0.7, 0.7)),
        ({"default_temperature": 0.9}, (0.9, 0.9)),
        ({"default_temperature": 0.9, "default_temperatures": [0.4, 0.6]}, (0.4, 0.6)),
        ({"default_temperature": 1, "default_temperatures": [0.4, 0.6, 0.8]}, (1.0, 1.0)),
        ({"default_temperature": "hot", "default_temperatures": [0.4, True]}, (0.7, 0.7)),
        ({"default_temperature": float("nan")}, (0.7, 0.7)),
    ],
)
def test_the_temperatures_are_those_of_the_card(card, found):
    assert drawing.default_temperatures(card, 2) == found


def test_one_temperature_stands_for_every_level():
    assert drawing.as_levels((0.5,), 3) == (0.5, 0.5, 0.5)
    assert drawing.said((0.5, 0.5)) == "0.5" and drawing.said((0.35, 0.7)) == "0.35 / 0.7"
    with pytest.raises(ConfigError, match="3 temperatures, the finest level's first, not 2"):
        drawing.as_levels((0.5, 0.6), 3)


def test_samples_are_the_first_of_seed_0_whatever_the_batch():
    flow = small_flow(2)
    labels = np.arange(70) % 2
    made = drawing.draw(flow, (0.4, 0.9), 70, labels)
    assert made.shape == (70, 8, 8, 1) and made.dtype == np.uint8
    with torch.no_grad():
        whole = decode_batch(flow, flow.sample(70, (0.4, 0.9), seed=0).numpy(), torch.from_numpy(labels))
    np.testing.assert_array_equal(made, whole)
    assert (made != drawing.draw(flow, (0.4, 0.9), 70, 1 - labels)).any((1, 2, 3)).all()
    assert drawing.sheet(flow, (0.4, 0.9)).shape == drawing.sheet(small_flow(), (0.4, 0.9)).shape


# -- the page and the command -----------------------------------------------------------------------------------------


def row(name: str, value: float, **more) -> dict:
    figures = {"distance": {"value": value, "interval": [value - 0.5, value + 0.5]}, "auc": [0.9, 0.96],
               "coarse_auc": [0.7]}  # fmt: skip
    return {
        "model": name, "title": name.capitalize(), "count": 1000, "date": "2026-01-01", "seconds": 3,
        "network": {"features": 64, "answers": 40, "of_classes": False, "learnt": 8000, "accuracy": 0.9, "commonest": 0.8,
                    "held_out": 1000},
        "floor": {"distance": {"value": 0.25, "interval": [0.2, 0.3]}, "auc": [0.5], "coarse_auc": [0.49, 0.51]},
        "samples": {"temperatures": [0.35, 0.45], **figures}, **more,
    }  # fmt: skip


def test_the_page_has_a_row_for_each_model_and_its_earlier_version():
    against = row("faces", 20.0)["samples"] | {"file": "old", "temperatures": [0.7, 0.7],
                                               "ratio": {"value": 0.4, "interval": [0.38, 0.43]}}  # fmt: skip
    by_class = [{"class": "7", "count": 190, "distance": {"value": 3.0, "interval": [2.5, 3.5]},
                 "floor": {"value": 2.0, "interval": [1.5, 2.5]}, "recognised": 0.93, "real_recognised": 0.99}]  # fmt: skip
    models = {"faces": row("faces", 8.0, against=against), "mnist": row("mnist", 3.0, by_class=by_class)}
    lines = page.to_markdown({"format": 1, "machine": {"processor": "x"}, "models": models}).splitlines()
    rest = "0.930 (0.900 to 0.960) | 0.700 | 2026-01-01 |"
    assert lines.index(f"| Faces | 0.35 / 0.45 | 1,000 | 8.00 (7.50 to 8.50) | {rest}") + 1 == lines.index(
        f"| Faces, earlier: old | 0.7 | 1,000 | 20.00 (19.50 to 20.50) | {rest}")  # fmt: skip
    floor = "0.25 (0.20 to 0.30) | 0.500 | 0.500 (0.490 to 0.510) | 2026-01-01 |"
    assert f"| Mnist, floor: training pictures | – | 1,000 | {floor}" in lines
    assert "Faces: 0.40 times (0.38 to 0.43) the earlier version's distance." in lines
    assert "| Mnist | 40 attributes | 8,000 pictures | 90.0% of 1,000 | 80.0% |" in lines
    assert "| 7 | 190 | 3.00 (2.50 to 3.50) | 2.00 (1.50 to 2.50) | 93% | 99% |" in lines
    assert "- processor: x" in lines and sum("by class" in line for line in lines) == 1


def test_a_row_takes_its_place_among_the_others(tmp_path):
    out = tmp_path / "docs" / "score.json"
    for name, value in (("mnist", 3.0), ("own", 1.0), ("faces", 8.0), ("mnist", 4.0)):
        page.put(out, row(name, value), ["faces", "avatars", "mnist"])
    found = json.loads(out.read_text(encoding="utf-8"))
    assert list(found["models"]) == ["faces", "mnist", "own"]
    assert found["models"]["mnist"]["samples"]["distance"]["value"] == 4.0
    assert "| Mnist | 0.35 / 0.45 | 1,000 | 4.00" in out.with_suffix(".md").read_text(encoding="utf-8")


@pytest.fixture
def run(data, tmp_path, monkeypatch, capsys):
    """Runs the command on the dotted data, few pictures a round; returns its code and what it printed."""
    monkeypatch.setattr(command, "SUBJECTS", {"dotted": Subject("dotted.npz", epochs=2), "missing": Subject("elsewhere.npz")})
    monkeypatch.setattr(command.Budget, "__init__", lambda self, count=2000: vars(self).update(
        count=count, draws=20, seeds=(0,), epochs=1, learnt=None))  # fmt: skip

    def run(*arguments: object) -> tuple[int, str]:
        code = command.main([*map(str, arguments), "--data-folder", str(data), "--cache", str(tmp_path / "kept")])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def models(tmp_path):
    """Two versions of a model of the dotted data, by class."""
    paths = []
    for name, temperature in (("new", 0.5), ("old", 1.0)):
        paths.append(tmp_path / f"{name}.safetensors")
        card = CARD | {"name": name, "classes": ["0", "1"], "default_temperatures": [temperature, 0.9]}
        checkpoint.save(paths[-1], small_flow(2), card)
    return paths


def test_a_model_is_scored_beside_its_earlier_version(run, models, tmp_path):
    out = tmp_path / "score.json"
    new, old = models
    code, told = run("--models", f"dotted={new},missing={new}", "--against", f"dotted={new}={old}", "--out", out)
    assert code == 0 and f"missing={new} is left out: There is no data at" in told
    found = json.loads(out.read_text(encoding="utf-8"))["models"]
    assert list(found) == ["new"]
    new = found["new"]
    assert new["count"] == 175 and new["samples"]["temperatures"] == [0.5, 0.9]
    assert new["network"]["accuracy"] > 0.9 and new["network"]["learnt"] == 1225
    assert new["floor"]["distance"]["value"] < new["samples"]["distance"]["value"]
    assert new["against"]["file"] == "old" and new["against"]["temperatures"] == [1.0, 0.9]
    quotient = new["samples"]["distance"]["value"] / new["against"]["distance"]["value"]
    assert new["against"]["ratio"]["value"] == pytest.approx(quotient)
    assert [found["class"] for found in new["by_class"]] == ["0", "1"] and new["by_class"][0]["real_recognised"] > 0.9
    assert "| Dotted | 0.5 / 0.9 | 175 |" in out.with_suffix(".md").read_text(encoding="utf-8")
    # The network is there already, and a file that is not bundled is printed where no --out is given.
    code, told = run("--models", f"dotted={models[0]}", "--count", 100)
    assert code == 0 and "epoch" not in told and "| Dotted | 0.5 / 0.9 | 100 |" in told


def test_temperatures_are_swept_and_shown(run, models, tmp_path):
    code, told = run("--models", f"dotted={models[1]}", "--temperatures", "0.5,1", "--profile", "0.2,0.4;1,0.9", "--count", 100,
                     "--sheets", tmp_path / "sheets")  # fmt: skip
    assert code == 0
    swept = [line.split("|")[1].strip() for line in told.splitlines() if line.startswith("| ") and "finest" not in line]
    assert swept == ["1 / 0.9", "0.5", "1", "0.2 / 0.4"]
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == [
        "old-0.2-0.4.png", "old-0.5.png", "old-1-0.9.png", "old-1.png"]  # fmt: skip
    shown = images.read_picture(tmp_path / "sheets" / "old-0.2-0.4.png").pixels
    assert shown.shape[:2] == drawing.sheet(small_flow(2), (0.2, 0.4)).shape[:2]
    code, told = run("--models", f"dotted={models[1]}", "--profile", "1,2,3")
    assert code == 1 and "2 temperatures, the finest level's first, not 3" in told


def test_what_cannot_be_scored_is_said(run, models):
    assert run("--models", f"missing={models[0]}")[0] == 1
    code, told = run("--models", f"nothing={models[0]}")
    assert code == 1 and "with one of dotted, missing" in told
    code, told = run("--models", "dotted=no-such-model")
    assert code == 1 and "no model 'no-such-model'" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--temperatures", "hot"], "no list of numbers"),
        (["--profile", "0.5,-1"], "from 0 on"),
        (["--temperatures", "nan"], "from 0 on"),
        (["--models", "a,b", "--against", "x.safetensors"], "say which it belongs to"),
        (["--models", "a,b", "--against", "c=x.safetensors"], "there is no c here"),
        (["--data", "other=x.npz"], "there is no other here"),
        (["--count", "1"], "at least 2"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_trained(arguments, words, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert words in capsys.readouterr().err
