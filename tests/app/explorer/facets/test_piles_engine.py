"""From pile A to pile B on the real engine: what is shown is what flowcore makes, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flow_explorer.engine.requests.explorer import SamplePage
from flow_explorer.engine.requests.piles import (
    FitPiles,
    ReadPile,
    SaveTranslations,
    TranslatePage,
    TranslatePicture,
)
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.facets.base import Host
from flow_explorer.explorer.facets.piles.facet import PilesFacet
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.history import History
from flowcore.model.labels import single
from flowcore.pictures.images import read_picture, to_png_bytes

COUNT = 14


def picture(kind: int, seed: int) -> np.ndarray:
    """A 16×16 picture, dark or bright, with a square in it somewhere."""
    rng = np.random.default_rng([kind, seed])
    pixels = rng.integers(20, 50, (16, 16, 3)) + 150 * kind
    row, column = rng.integers(0, 10, 2)
    pixels[row : row + 6, column : column + 6] = 120
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    """Dark pictures and bright ones, a broken one among them."""
    root = tmp_path_factory.mktemp("piles")
    made = [root / "dark", root / "bright"]
    for kind, folder in enumerate(made):
        folder.mkdir()
        for seed in range(COUNT):
            Image.fromarray(picture(kind, seed)).save(folder / f"{seed:02}.png")
    (made[1] / "broken.jpg").write_bytes(b"\xff\xd8\xff cut short")
    return made


def save_model(path: Path, classes: int = 0, seed: int = 0) -> Path:
    """A checkpoint of a small Glow, 16×16, away from its start."""
    import torch

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    generator = torch.Generator().manual_seed(seed)
    flow = glow((3, 16, 16), levels=2, steps=2, width=16, classes=classes)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.01)
        if classes:
            location = flow.prior.get_parameter("location")
            location.add_(torch.randn(location.shape, generator=generator))
    card = {"name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
            "channels": 3, "default_temperature": 0.7, "default_seed": 0, "format_version": 1}  # fmt: skip
    checkpoint.save(path, flow.eval(), card)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "small.safetensors")


@pytest.fixture
def piles(engine, model, folders, qtbot):
    """The facet behind a controller, without a window; both folders chosen."""
    return opened(engine, model, folders, qtbot)


def opened(engine, model, folders, qtbot) -> PilesFacet:
    nothing: Any = None  # the facet has no window, and nothing to move
    controller = Controller(engine, History(ExplorerState(model=str(model), facet="piles", count=4)))
    facet = PilesFacet(Host(controller, nothing, nothing))
    controller.start()
    controller.add_facet(facet)
    facet.take_data("A", folders)
    facet.links.look(range(8), None)
    rest(facet, qtbot)
    return facet


def rest(facet, qtbot) -> None:
    client = facet.host.controller.client
    qtbot.waitUntil(lambda: not facet.busy and client.is_idle(), timeout=200_000)


def page(facet) -> np.ndarray:
    return np.stack([facet.links.page.pictures[index] for index in range(8)])


def ask(engine, request) -> tuple[list, list[str]]:
    """Every answer, and every error."""
    answers, errors = [], []
    engine.send(request, on_answer=answers.append, on_error=lambda sentence, _d: errors.append(sentence))
    assert engine.wait_until_idle(200_000)
    return answers, errors


def test_dark_pictures_become_bright_and_the_proof_is_shown(piles, model, qtbot):
    from flowcore.latents.translation import ByMap, translate
    from flowcore.latents.transport import mean_shift
    from flowcore.model import checkpoint
    from flowcore.model.codec import decode_picture, encode_picture

    (left,) = piles.links.piles["B"].view.left_out
    assert left[0] == "broken.jpg" and len(piles.links.piles["B"].view.names) == COUNT
    flow = checkpoint.load(model).flow
    dark, bright = (np.stack([picture(kind, seed) for seed in range(COUNT)]) for kind in (0, 1))
    rows = [np.stack([encode_picture(flow, each).z for each in pile]) for pile in (dark, bright)]
    way = ByMap(flow, mean_shift(*rows))
    made = np.stack([translate(flow, way, each).picture for each in dark[:8]])
    assert np.abs(page(piles).astype(int) - made).max() <= 1 and page(piles).mean() > dark.mean() + 40
    large = piles.large()
    assert np.array_equal(decode_picture(flow, large.z), large.picture)
    one = piles.links.one(0)
    assert one.cycle_error <= 1e-3 and one.bpd_before != one.bpd_after and piles.shown().figures.bpd == one.bpd_after
    piles.set_strength(0.0)
    rest(piles, qtbot)
    assert np.array_equal(page(piles), dark[:8])


def test_a_burst_of_strengths_ends_on_the_last(piles, qtbot):
    for value in range(60):
        piles.set_strength(value / 30)
        if value % 10 == 0:
            qtbot.wait(4)
    rest(piles, qtbot)
    assert set(piles.links.page.strengths[index] for index in range(8)) == {round(59 / 30, 4)}
    assert piles.links.ones[0].cycle_error <= 1e-3
    before = page(piles)
    piles.set_strength(0.5)
    piles.set_strength(59 / 30)
    rest(piles, qtbot)
    assert np.array_equal(page(piles), before)


def test_the_other_way_and_the_other_method(piles, qtbot):
    dark = page(piles)
    piles.set_direction("ba")
    rest(piles, qtbot)
    assert piles.links.piles["B"].view.pictures[0].mean() - page(piles)[0].mean() > 40
    for method in ("shrunk-shift", "transport", "entropic"):
        piles.set_method(method)
        rest(piles, qtbot)
        assert piles.links.fit.ready and not piles.links.fit.error and piles.links.one(0).cycle_error <= 1e-3
    for _ in range(4):
        piles.host.controller.history.undo()
    rest(piles, qtbot)
    assert np.array_equal(page(piles), dark)


def test_after_the_engine_was_killed_it_is_fitted_again_to_the_same_pixels(piles, engine, qtbot):
    if not hasattr(signal, "SIGKILL"):
        pytest.skip("this system has no SIGKILL")
    before, z = page(piles), piles.large().z
    controller = piles.host.controller
    engine.restarted.connect(controller.engine_restarted)
    try:
        with qtbot.waitSignal(engine.restarted, timeout=200_000):
            os.kill(engine.pid, signal.SIGKILL)
    finally:
        engine.restarted.disconnect(controller.engine_restarted)
    rest(piles, qtbot)
    assert np.array_equal(page(piles), before) and np.array_equal(piles.large().z, z)


def test_everything_is_saved_and_a_saved_one_comes_back_with_its_z(piles, tmp_path, qtbot):
    from flow_explorer.explorer.moving.recipes import read_latent
    from flowcore.pictures import recipe

    piles.save_all(str(tmp_path))
    rest(piles, qtbot)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{seed:02}.png" for seed in range(COUNT)]
    assert f"{COUNT} translations are saved" in piles.saving.view.done
    shown = page(piles)
    for index in range(8):
        data = (tmp_path / f"{index:02}.png").read_bytes()
        assert np.abs(read_picture(data).pixels[..., :3].astype(int) - shown[index]).max() <= 1
    found = recipe.extract(data)
    assert found is not None and "dark" not in str(found.get("explorer"))
    latent = read_latent(found, data)
    assert latent.z.shape == piles.large().z.shape and latent.weights == piles.large().weights == found["weights"] != ""
    piles.save_all(str(tmp_path))
    assert piles.saving.view.there == COUNT and not piles.saving.view.busy
    piles.saving.replace_them()
    rest(piles, qtbot)
    assert f"{COUNT} translations are saved" in piles.saving.view.done


def test_a_further_picture_is_taken_as_the_model_sees_it(piles, qtbot):
    from flow_explorer.explorer.loader import Loader
    from flow_explorer.explorer.moving.drag_drop import Dropped

    transfers: Any = SimpleNamespace(loader=Loader())
    piles.host = Host(piles.host.controller, piles.host.context, transfers)
    data = to_png_bytes(np.repeat(np.repeat(picture(0, 99), 2, 0), 2, 1))
    piles._take_item(Dropped("me.png", data=data))
    rest(piles, qtbot)
    assert piles.large().name == "me.png" and piles.large().picture.mean() > 80


@pytest.fixture
def fields(model, folders) -> dict:
    return {"model": str(model), "method": "mean-shift", "source": ("folder", str(folders[0])),
            "target": ("folder", str(folders[1]))}  # fmt: skip


def test_piles_that_lead_nowhere_are_one_sentence(engine, fields, folders, tmp_path):
    (tmp_path / "one").mkdir()
    Image.fromarray(picture(1, 3)).save(tmp_path / "one" / "x.png")
    (tmp_path / "none").mkdir()
    for change, words in (({"target": fields["source"]}, "the same pictures"),
                          ({"target": ("folder", str(tmp_path / "one"))}, "one picture"),
                          ({"target": ("folder", str(tmp_path / "none"))}, "no pictures in it"),
                          ({"target": ("folder", str(tmp_path / "gone"))}, "no data at"),
                          ({"method": "conditional"}, "no classes")):  # fmt: skip
        answers, errors = ask(engine, FitPiles(**{**fields, **change}))
        assert not answers and words in errors[0] and errors[0].endswith(".") and "\n" not in errors[0], errors
    assert "none of them" in ask(engine, TranslatePage(**fields, indices=(99,), strength=1.0))[1][0]
    assert "16×16" in ask(engine, TranslatePicture(**fields, picture=np.zeros((4, 4, 3), np.uint8), strength=1.0))[1][0]


def test_a_file_that_stands_in_the_way_is_never_replaced_unasked(engine, fields, tmp_path):
    names = tuple(f"{index}.png" for index in range(COUNT))
    (tmp_path / "5.png").write_bytes(b"mine")
    _, (sentence,) = ask(engine, SaveTranslations(**fields, strength=1.0, folder=str(tmp_path), files=names))
    assert "5.png cannot be saved (it is there already" in sentence and "5 of the translations were saved" in sentence
    assert (tmp_path / "5.png").read_bytes() == b"mine" and (tmp_path / "4.png").is_file()
    _, (sentence,) = ask(engine, SaveTranslations(**fields, strength=1.0, folder=str(tmp_path / "gone"), files=names))
    assert "is gone" in sentence and "0 of the translations" in sentence
    _, (sentence,) = ask(engine, SaveTranslations(**fields, strength=1.0, folder=str(tmp_path), files=names[:3]))
    assert "has changed" in sentence


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_one_sentence(engine, fields, tmp_path, monkeypatch):
    import flow_explorer.engine.jobs.piles as jobs
    from flowcore.errors import DataError

    class Full:
        def __init__(self, path, **_options):
            self.path = path

        def __enter__(self):
            return Path("/dev/full")

        def __exit__(self, *_error):
            return False

    monkeypatch.setattr(jobs, "replacing", Full)
    request = SaveTranslations(**fields, strength=1.0, folder=str(tmp_path), files=("a.png",))
    with pytest.raises(DataError, match=r"a\.png cannot be saved \(No space left on device\); 3 of the translations"):
        jobs._write(tmp_path / "a.png", picture(0, 0), request, {}, 3)


def test_classes_and_pairs(engine, folders, tmp_path):
    conditional = save_model(tmp_path / "kinds.safetensors", classes=3)
    by_class = {"model": str(conditional), "method": "conditional", "source": ("class", 0, 0, 0.7),
                "target": ("class", 2, 0, 0.7)}  # fmt: skip
    answers, _ = ask(engine, ReadPile(str(conditional), by_class["source"]))
    originals = np.concatenate([part.pictures for part in answers])
    assert len(originals) == 64 == answers[0].total
    for strength in (0.0, 0.5, 1.0, 2.0):
        (draft, done), _ = ask(engine, TranslatePicture(**by_class, picture=originals[3], strength=strength, index=3))
        assert done.cycle_error <= 1e-3 and np.isfinite(done.z).all()
        assert np.abs(draft.picture.astype(int) - done.picture).max() <= 1
        assert np.array_equal(done.picture, originals[3]) == (strength == 0.0)
    # A temperature a level is a page's of that class.
    by_level, _ = ask(engine, ReadPile(str(conditional), ("class", 0, 0, (0.3, 0.7))))
    page, _ = ask(engine, SamplePage(str(conditional), 0, 0, 4, (0.3, 0.7), single(0)))
    assert np.array_equal(by_level[0].pictures[:4], page[0].pictures[:4])
    assert not np.array_equal(by_level[0].pictures[:4], originals[:4])
    same = {**by_class, "target": by_class["source"]}
    assert "one class" in ask(engine, FitPiles(**same))[1][0]
    assert "no class 7" in ask(engine, ReadPile(str(conditional), ("class", 7, 0, 0.7)))[1][0]
    first, second = (save_model(tmp_path / f"{name}.safetensors", seed=seed) for seed, name in enumerate("ab"))
    for back in (False, True):
        pair = {"model": str(first), "pair": str(second), "method": "pair", "source": ("folder", str(folders[0])),
                "back": back}  # fmt: skip
        (_, done), _ = ask(engine, TranslatePicture(**pair, picture=picture(0, 0), strength=1.0, index=0))
        assert done.cycle_error <= 1e-3 and done.z.shape == (768,)
