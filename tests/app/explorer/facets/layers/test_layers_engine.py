"""Layer by layer on the real engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flow_explorer.explorer.state import ExplorerState


@pytest.mark.parametrize("model", ["fashion", "fashion-nice"])
def test_on_the_real_engine_the_sum_is_the_inspectors_figure(engine, model, qtbot, tmp_path):
    from PySide6.QtWidgets import QWidget

    from flow_explorer.explorer.facets.layers.facet import LayersFacet
    from flow_explorer.explorer.model import open_model
    from flow_explorer.explorer.workspace import create
    from flow_explorer.settings import Settings
    from flow_explorer.workspace import WorkspaceContext

    known = open_model(model)
    made = create(WorkspaceContext(engine, Settings(tmp_path / "settings.json"), lambda *_, **__: None))
    window = QWidget()
    qtbot.addWidget(window)
    made.setParent(window)
    made.canvas().setParent(window)
    made.canvas().resize(1000, 700)
    made.inspector().setParent(window)
    made.topbar().setParent(window)
    made.history.reset(ExplorerState(model=model, seed=known.default_seed, selected=1, temperature=0.7, facet="layers"))
    controller = made.controller

    def rest():
        qtbot.waitUntil(lambda: controller.started and not controller.busy and engine.is_idle(), timeout=60_000)

    rest()
    facet = controller.facets["layers"]
    assert isinstance(facet, LayersFacet)
    view = facet.link.view
    assert view.complete and view.difference < 1e-6
    assert view.bpd == pytest.approx(controller.shown().figures.bpd, abs=1e-3)
    np.testing.assert_array_equal(view.pictures[0], controller.selected().picture)
    terms = [*view.log_dets, *view.prior_terms]
    assert None not in terms and sum(term for term in terms if term is not None) == pytest.approx(view.log_prob, abs=1e-6)
    facet.change(replace(facet.state, way="decode"), "way")
    rest()
    z = controller.selected().z
    assert view.whole.shell[0] == pytest.approx(float(np.linalg.norm(z)), rel=1e-5)
    assert np.abs(view.pictures[0].astype(int) - controller.selected().picture).max() <= 1
    made.hidden()
