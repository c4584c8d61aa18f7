"""Empty places, failures, what takes long, and how it looks at every size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow_explorer import theme
from flow_explorer.engine.requests.layers import EncodeLayers
from flow_explorer.explorer.facets.layers.panel import Panel
from flow_explorer.explorer.facets.layers.view_model import LayersView
from tests.app.explorer.facets.layers.case import (
    COUNT,
    LEFT,
    SIZE,
    filled,
)


def test_an_empty_subject_says_what_goes_here_and_offers_the_act(workspace, client, facet, qtbot):
    panel, choose = facet.panel, facet._choose
    workspace.acts.select(-1)
    assert panel.pages.currentWidget() is panel.empty and "Select a sample" in panel.empty.label.text()
    qtbot.mouseClick(choose, LEFT)
    client.run()
    assert workspace.history.state.selected == 0 and panel.pages.currentIndex() == 0
    workspace.acts.set_subject("B")
    assert "picture in B" in panel.empty.label.text() and choose.text() == "Choose a picture…"
    workspace.acts.set_subject("walk")
    assert "A and B" in panel.empty.label.text()
    qtbot.mouseClick(choose, LEFT)
    client.run()
    assert panel.pages.currentIndex() == 0 and not workspace.history.state.a.empty
    assert np.array_equal(client.sent(EncodeLayers)[-1].picture, workspace.controller.frame().picture)


def test_a_failure_stands_where_it_happened_and_passes(workspace, client, facet):
    client.fail = EncodeLayers
    workspace.acts.select(4)
    client.run()
    panel = facet.panel
    assert panel.empty.label.text() == "It could not be computed." and panel.pages.currentWidget() is panel.empty
    assert not facet._choose.isVisibleTo(panel) and not facet.busy
    assert not panel.spinner.isVisibleTo(panel)
    client.fail = None
    workspace.acts.select(1)
    client.run()
    assert panel.pages.currentIndex() == 0 and facet.link.view.complete


def test_what_takes_long_can_be_ended_and_gone_on_with(workspace, client, facet, qtbot, monkeypatch):
    from flow_explorer.explorer.facets.layers import facet as module

    monkeypatch.setattr(module, "SPINNER_MS", 20)
    monkeypatch.setattr(module, "CANCEL_MS", 700)
    panel = facet.panel
    workspace.acts.select(6)
    assert not panel.stop.isVisibleTo(panel)
    qtbot.waitUntil(lambda: panel.spinner.isVisibleTo(panel), timeout=15_000)
    qtbot.waitUntil(lambda: panel.stop.isVisibleTo(panel), timeout=15_000)
    qtbot.mouseClick(panel.stop, LEFT)
    assert not facet.busy and panel.stop.text() == "Go on" and panel.status.text() == "Stopped"
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: panel.spinner.isVisibleTo(panel), timeout=15_000)
    client.run()
    assert facet.link.view.complete
    assert not any(part.isVisibleTo(panel) for part in (panel.spinner, panel.status, panel.stop))


def test_a_walk_that_moves_is_followed_without_starving(workspace, client, facet):
    workspace.acts.set_subject("walk")
    facet.fill_subject()
    client.run()
    before = len(client.sent(EncodeLayers))
    for t in (0.2, 0.3, 0.4, 0.6):
        workspace.acts.set_position(t)
        for entry in [entry for entry in client.asked if not isinstance(entry.request, EncodeLayers)]:
            if entry in client.asked:
                client.answer(entry)
    # One is on its way, and only the newest waits behind it.
    assert sum(isinstance(entry.request, EncodeLayers) for entry in client.asked) == 1
    client.run()
    assert len(client.sent(EncodeLayers)) == before + 2
    assert np.array_equal(client.sent(EncodeLayers)[-1].picture, workspace.controller.frame().picture)


def test_whole_pixels_are_shown_when_the_person_says_so(workspace, facet):
    assert facet.panel.stage._smooth
    workspace.toggle_pixels()
    assert not facet.panel.stage._smooth


def test_a_model_with_fewer_layers_shows_its_last(workspace, facet):
    facet.change(replace(facet.state, stage=4000), "far")
    assert facet.panel.name.text() == "Whitening by the prior" and facet.panel._at == COUNT - 1


def test_it_paints_in_both_themes_and_at_every_size(qtbot):
    panel = Panel()
    qtbot.addWidget(panel)
    itself = np.zeros((SIZE, SIZE, 3), np.uint8)
    seen = set()
    for name in ("dark", "light"):
        theme.choose(name)
        for part in ("layers", "prior"):
            for size in ((1000, 760), (800, 560), (420, 300)):
                panel.resize(*size)
                panel.show_view(filled(), part, "encode", -1, itself, "", None)
                panel.show_position(7.4)
                image = panel.grab().toImage()
                seen.add(bytes(image.constBits()))
    assert len(seen) == 12
    panel.show_view(LayersView(), "layers", "encode", -1, itself, "", None)
    assert not panel.grab().isNull()
