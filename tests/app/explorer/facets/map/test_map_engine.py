"""The map on the real engine, from a folder to a pile."""

from __future__ import annotations

import numpy as np
import pytest

from flowcore.latents.map.points import pack


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A small model and a folder of pictures, one of them broken."""
    import torch
    from PIL import Image

    from flowcore.model import checkpoint
    from flowcore.model.systems import glow

    root = tmp_path_factory.mktemp("real")
    generator = torch.Generator().manual_seed(0)
    flow = glow((3, 16, 16), levels=2, steps=1, width=8)
    flow.initialise(torch.rand(16, 3, 16, 16, generator=generator) * 255)
    card = {"name": "small", "title": "Small", "system": "glow", "architecture": flow.architecture, "size": [16, 16],
            "channels": 3, "format_version": 1, "default_temperature": 0.7, "default_seed": 0}  # fmt: skip
    checkpoint.save(root / "small.safetensors", flow.eval(), card)
    (root / "pictures").mkdir()
    for seed in range(30):
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "pictures" / f"{seed:02d}.png")
    (root / "pictures" / "broken.png").write_bytes(b"nothing")
    return root


def test_on_the_real_engine_from_a_folder_to_a_pile(qapp, qtbot, real, bundle, notices, tmp_path):
    from flow_explorer.engine.client import EngineClient
    from flow_explorer.explorer.facets.map.facet import MapFacet
    from flow_explorer.explorer.workspace import create
    from flow_explorer.settings import Settings
    from flow_explorer.workspace import WorkspaceContext

    client = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    client.start()
    try:
        said = []
        settings = Settings(tmp_path / "settings.json")
        context = WorkspaceContext(client, settings, lambda *words, **more: said.append((words, more)))
        made = create(context)
        qtbot.addWidget(made.canvas())
        made.canvas().resize(1000, 700)
        made.canvas().show()
        made.history.reset(type(made.history.state)(model=str(real / "small.safetensors")))
        made.look_deeper()
        qtbot.waitUntil(lambda: made.controller.started and made.is_idle(), timeout=60_000)
        made.acts.show_facet("map")
        facet = made.controller.facet
        assert isinstance(facet, MapFacet)
        facet.open_path(str(real / "pictures"))
        qtbot.waitUntil(lambda: facet.link.data.complete and made.is_idle(), timeout=60_000)
        data = facet.link.data
        assert data.count == 30 and data.skipped[0][0] == "broken.png" and data.neighbours.shape == (30, 8)
        facet.select(4)
        qtbot.waitUntil(lambda: facet.large() is not None and made.is_idle(), timeout=60_000)
        np.testing.assert_array_equal(facet.large().picture, data.picture(4))
        made.send("A")
        qtbot.waitUntil(lambda: facet.link.places["A"] is not None and made.is_idle(), timeout=60_000)
        place = facet.link.places["A"]
        assert place is not None
        np.testing.assert_allclose(place, data.points[4], atol=0.05)
        (tmp_path / "pile").mkdir()
        members = np.zeros(30, bool)
        members[[1, 4, 7]] = True
        facet._set("lasso", lasso=pack(members))
        facet.make_pile(str(tmp_path / "pile"))
        facet_done = tmp_path / "way.safetensors"
        qtbot.waitUntil(made.is_idle, timeout=60_000)
        facet.make_direction(str(facet_done))
        qtbot.waitUntil(made.is_idle, timeout=60_000)
        assert sorted(path.name for path in (tmp_path / "pile").iterdir()) == sorted(data.names[row] for row in (1, 4, 7))
        assert facet_done.is_file() and not any(more.get("kind") == "error" for _, more in said)
        made.hidden()
    finally:
        client.stop()
