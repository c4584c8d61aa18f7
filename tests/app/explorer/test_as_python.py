"""“Copy as Python”: the script, run in a process of its own, makes the same bytes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication

from flow_explorer.child_process import python_path
from flow_explorer.explorer.controller import Controller
from flow_explorer.explorer.moving.as_python import latent_script, sample_script, walk_script
from flow_explorer.explorer.moving.exporting import Exporter
from flow_explorer.explorer.state import ExplorerState
from flow_explorer.history import History
from flowcore.model.labels import between, single
from flowcore.pictures.images import read_picture, to_png_bytes

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def run(scripts: list[str], folder: Path) -> list[np.ndarray]:
    """What scripts make, in one fresh process: pixels (H, W, C) each. They must need flowcore alone."""
    names = []
    for number, script in enumerate(scripts):
        for node in ast.walk(ast.parse(script)):
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
        (folder / f"{number}.py").write_text(script, encoding="utf-8")
    assert {name.split(".")[0] for name in names} <= {"sys", "base64", "zlib", "numpy", "flowcore"}
    arguments = [str(number) for number in range(len(scripts))]
    code = f"import runpy, sys\nfor n in {arguments}:\n    sys.argv = [n]\n    runpy.run_path(n + '.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=100,
                          env={**os.environ, **ENVIRONMENT, "PYTHONPATH": python_path()}, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    paths = [line.rpartition(": ")[0] for line in done.stdout.splitlines()]
    return [read_picture(folder / path).pixels[..., :3] for path in paths]


@pytest.fixture(scope="module")
def made(tmp_path_factory, qapp):
    """An Explorer at rest on the real engine, over a small conditional model, and one without classes."""
    import torch

    from flow_explorer.engine.client import EngineClient
    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    folder, controllers = tmp_path_factory.mktemp("models"), {}
    client = EngineClient(environment=ENVIRONMENT)
    client.start()
    for name, classes in (("plain", []), ("kinds", ["cat", "dog"])):
        generator = torch.Generator().manual_seed(0)
        flow = glow((3, 16, 16), levels=2, steps=2, width=16, classes=len(classes))
        flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
        with torch.no_grad():
            for parameter in flow.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
        card = {"name": name, "title": "It's \"small\"", "system": "glow", "architecture": flow.architecture,
                "size": [16, 16], "channels": 3, "format_version": 1, "classes": classes or None}  # fmt: skip
        path = folder / f"{name} model.safetensors"
        checkpoint.save(path, flow.eval(), card)
        controllers[name] = Controller(client, History(ExplorerState(model=str(path), seed=3, selected=6, temperature=0.8)))
    yield controllers
    client.stop()


@pytest.mark.parametrize("name", ["plain", "kinds"])
def test_a_sample_a_slot_and_a_frame_come_out_byte_for_byte(made, name, qtbot, tmp_path):
    controller = made[name]
    controller.start()

    def rest() -> None:
        qtbot.waitUntil(lambda: not controller.busy and controller.client.is_idle(), timeout=60_000)

    rest()
    exporter, rng = Exporter(controller), np.random.default_rng(0)
    controller.acts.set_level_temperature(0, 0.4, 2)
    controller.acts.set_temperature(0.6)
    controller.acts.put_picture("A", to_png_bytes(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)), "noise.png")
    rest()
    controller.acts.put_latent("B", controller.page.view.slots[3])
    controller.acts.set_mode("spherical")
    controller.acts.set_position(0.4)
    rest()
    sample, slot, frame = controller.selected(), controller.slot_latent("A"), controller.frame()
    scripts = [exporter.script(latent) for latent in (sample, slot, frame)]
    assert "SEED, NUMBER, TEMPERATURE = 3, 6, [0.3, 0.6]" in scripts[0] and len(scripts[0]) < 1200
    assert "MODE, T = 'spherical', 0.4" in scripts[2] and ("LABEL" in scripts[2]) == (name == "kinds")
    for there, latent in zip(run(scripts, tmp_path), (sample, slot, frame), strict=True):
        assert there.tobytes() == latent.picture.tobytes(), latent.name
    controller.deleteLater()


def test_scripts_hold_whatever_names_and_numbers_come(tmp_path):
    z = np.array([1.5, -np.pi, 1e-30, 3.0], np.float64)
    odd = Path("/tmp/a \"quoted\" \\ {name} 'model'.safetensors")
    label = between(single(0), single(3), 0.25)
    for script in (
        sample_script('"""\nimport os', odd, "o'ut.png", 7, 3, (0.5, 1.0), label), latent_script("{}", odd, "a.png", z),
        walk_script("walk", odd, "a.png", z, z.astype(np.float32), "norm-kept", 1 / 3, label),
    ):  # fmt: skip
        tree = ast.parse(script)
        assert not any(alias.name == "os" for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names)
        values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)
                  and isinstance(node.targets[0], ast.Name)}  # fmt: skip
        chosen = values["MODEL"]
        assert isinstance(chosen, ast.IfExp) and ast.literal_eval(chosen.orelse) == str(odd)
    embedded = {}
    source = latent_script("z", odd, "a.png", z)
    exec(source[: source.index("flow = ")].replace("from flowcore", "# from flowcore"), embedded)  # our own text
    np.testing.assert_array_equal(embedded["Z"], z)
    assert embedded["Z"].dtype == np.float64


def test_it_is_in_the_save_menu_and_in_the_samples_own(workspace, client, notices):
    workspace.acts.select(2)
    client.run()
    (entry,) = [entry for entry in workspace.save_menu() if entry[0] == "Copy as Python"]
    assert entry[2]
    entry[1]()
    text = QGuiApplication.clipboard().text()
    assert "NUMBER, TEMPERATURE = 4, 2, 0.7" in text and notices[-1][1] == "good"


def test_a_facet_may_say_how_its_picture_is_made(workspace, client):
    from types import SimpleNamespace

    workspace.acts.select(2)
    client.run()
    sample = workspace.controller.selected()
    exporter, controller = workspace.exporter, workspace.controller
    facet = SimpleNamespace(as_python=lambda: "print('mine')", large=lambda: sample)
    exporter._controller = SimpleNamespace(facet=facet, model=controller.model, page=controller.page, walk=controller.walk,
                                           state=controller.state, store=controller.store, slots=controller.slots)  # fmt: skip
    assert exporter.script(sample) == "print('mine')"
    facet.as_python = lambda: None
    assert "NUMBER" in exporter.script(sample)
    exporter._controller = controller
